"""How a letter to an authority outside the region goes out, and how its receipt comes back.

    queued ──► sent ──► confirmed          waiting: somebody must act first, and the reason says what
      └─► waiting ◄┘└──► bounced           superseded: a newer version took its place before it was sent

A filing that is not public never travels as a plain attachment: it is encrypted to the authority's certificate, or
fetched once behind a link, with a code that a coordinator tells by telephone.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

CODE_LENGTH: Final = 10
CODE_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Nothing that sounds or looks like something else when it is told by telephone."""
ATTEMPTS_AT_CODE: Final = 5
CODE_HOLDS: Final = timedelta(days=14)


class DeliveryKind(StrEnum):
    """To whom a letter goes."""

    AUTHORITY = "authority"
    EMPLOYER = "employer"


class DeliveryState(StrEnum):
    """How far a letter is."""

    QUEUED = "queued"
    WAITING = "waiting"
    SENT = "sent"
    BOUNCED = "bounced"
    CONFIRMED = "confirmed"
    SUPERSEDED = "superseded"


class Waiting(StrEnum):
    """Why a letter waits for somebody to act."""

    NO_ADDRESS = "no_address"
    NO_CERTIFICATE = "no_certificate"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CODE_EXPIRED = "code_expired"
    CODE_LOCKED = "code_locked"
    NO_PUBLIC_ADDRESS = "no_public_address"


class Protection(StrEnum):
    """How the filing travels."""

    NONE = "none"
    """The letter carries no filing at all."""
    PLAIN = "plain"
    SMIME = "smime"
    RETRIEVAL = "retrieval"


class ConfirmedBy(StrEnum):
    """How an authority confirmed a letter."""

    LINK = "link"
    REPLY = "reply"
    RETRIEVAL = "retrieval"
    COORDINATOR = "coordinator"


def protection(
    *, with_filing: bool, not_public: bool, certificate: bool | None, has_code: bool, has_link: bool
) -> Protection | Waiting:
    """Return how a letter goes out, or why it waits.

    Args:
        with_filing: whether the letter is about a filing in force; a release or an end needs none.
        not_public: the employer's plan is not public.
        certificate: whether the authority's certificate is valid now; None without one.
        has_code: a coordinator has made a code for this letter.
        has_link: this service has an address that others can reach.
    """
    if not with_filing:
        return Protection.NONE
    if certificate:
        return Protection.SMIME
    if has_code:
        return Protection.RETRIEVAL if has_link else Waiting.NO_PUBLIC_ADDRESS
    if not not_public:
        return Protection.PLAIN
    return Waiting.NO_CERTIFICATE if certificate is None else Waiting.CERTIFICATE_EXPIRED


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts to send: an hour at most."""
    return min(timedelta(seconds=20 * 2 ** min(attempts, 20)), timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Code:
    """A retrieval code as it is kept: never itself."""

    digest: str
    attempts: int
    expires_at: datetime

    @classmethod
    def of(cls, code: str, now: datetime) -> "Code":
        """Keep a new code."""
        return cls(_digest(code), 0, now + CODE_HOLDS)


CodeAnswer = StrEnum("CodeAnswer", ["RIGHT", "WRONG", "LOCKED", "EXPIRED"])


def try_code(kept: Code, given: str, now: datetime) -> CodeAnswer:
    """Judge an attempt. The fifth wrong one locks the letter; a coordinator then makes a new code."""
    if now > kept.expires_at:
        return CodeAnswer.EXPIRED
    if kept.attempts >= ATTEMPTS_AT_CODE:
        return CodeAnswer.LOCKED
    if hmac.compare_digest(kept.digest, _digest(given)):
        return CodeAnswer.RIGHT
    return CodeAnswer.LOCKED if kept.attempts + 1 >= ATTEMPTS_AT_CODE else CodeAnswer.WRONG


def _digest(code: str) -> str:
    return hashlib.sha256("".join(code.split()).replace("-", "").upper().encode()).hexdigest()
