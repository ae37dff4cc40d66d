"""Webhooks as Standard Webhooks prescribes: the signature, the attempts, and which addresses may be called.

Source: the Standard Webhooks specification, 1.0.0 (`webhook-id`, `webhook-timestamp`, `webhook-signature`).
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import RefusedError


class MessageState(StrEnum):
    """How far a message to a webhook is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Attempt(BaseModel):
    """One attempt to deliver a message. Nothing of the receiver's answer is kept but its status."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    status: int | None = Field(default=None, description="The HTTP status of the answer.")
    problem: str | None = Field(default=None, description="Why there was no answer.")


SECRET_BYTES: Final = 32
_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - marks a secret as one; no secret itself
_PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
ATTEMPTS: Final = len(_PAUSES) + 1
"""So often a message is tried, over three days; then it has failed, and is sent again only when the system asks."""


def secret_of(key: bytes) -> str:
    """Write a signing key as Standard Webhooks' secrets are written."""
    return _SECRET_PREFIX + base64.b64encode(key).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: HMAC-SHA256 over id, time (Unix seconds) and body.

    Raises:
        ValueError: the secret is not one.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret is not base64") from error
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def pause_after(attempts: int) -> timedelta | None:
    """Return how long to wait after so many failed attempts; None when it was the last one."""
    return _PAUSES[attempts - 1] if attempts < ATTEMPTS else None


def follow_up(attempts: int, attempt: Attempt) -> tuple[MessageState, timedelta | None]:
    """Return how far a message is after its latest attempt, and when it is tried again.

    Any answer of 2xx takes it. 410 says that the receiver wants no more: it has failed at once.

    Args:
        attempts: how many there were, the latest included.
        attempt: the latest.
    """
    if attempt.status is not None and HTTPStatus.OK <= attempt.status < HTTPStatus.MULTIPLE_CHOICES:
        return MessageState.DELIVERED, None
    pause = None if attempt.status == HTTPStatus.GONE else pause_after(attempts)
    return (MessageState.PENDING, pause) if pause is not None else (MessageState.FAILED, None)


def check_url(url: str, *, loopback: bool) -> None:
    """Refuse an address that no webhook may have: it must be https, to a public host, without a user or fragment.

    Args:
        url: the address.
        loopback: whether this machine may be called, and in plain http: in development.

    Raises:
        RefusedError
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.username is not None or parts.fragment:
        raise RefusedError("/url", "wrong-address", "The address is not one that can be called.")
    here = is_loopback(host)
    if here and loopback:
        if parts.scheme in {"http", "https"}:
            return
    elif parts.scheme == "https" and not here and is_public([host]):
        return
    raise RefusedError("/url", "wrong-address", "The address must begin with https:// and be public.")


def is_loopback(host: str) -> bool:
    """Whether a host name or address names this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(addresses: Iterable[str]) -> bool:
    """Whether no address is one of a closed network. A name that is no address at all counts as public."""
    for address in addresses:
        try:
            if not ipaddress.ip_address(address.partition("%")[0]).is_global:
                return False
        except ValueError:
            continue
    return True
