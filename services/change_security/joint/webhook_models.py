"""What the API of webhooks takes and shows."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.change_security.domain.webhook import Attempt, MessageState

ReceiptType = Literal[
    "change-security.filing-accepted.v1",
    "change-security.filing-revised.v1",
    "change-security.filing-reassigned.v1",
    "change-security.filing-withdrawn.v1",
    "change-security.filing-closed.v1",
]
_ALL: Final[tuple[ReceiptType, ...]] = ReceiptType.__args__  # type: ignore[attr-defined]


class WebhookIn(BaseModel):
    """Where a system wants its receipts."""

    url: str = Field(max_length=500, description="https, and public.")
    events: tuple[ReceiptType, ...] = Field(default=_ALL, min_length=1, max_length=len(_ALL))


class WebhookLine(BaseModel):
    """A webhook."""

    model_config = ConfigDict(from_attributes=True)

    webhook_id: str
    url: str
    events: list[str]
    created_at: datetime


class WebhookOut(WebhookLine):
    """A webhook as it was just put."""

    secret: str | None = Field(description="Signs every message. Shown once: when the webhook is new.")


class WebhookMessageOut(BaseModel):
    """A message to a webhook, with every attempt."""

    model_config = ConfigDict(from_attributes=True)

    message_id: UUID = Field(description="The receiver sees it as webhook-id.")
    notice_id: UUID
    event_type: str
    state: MessageState
    queued_at: datetime
    next_attempt_at: datetime | None
    attempts: list[Attempt]
