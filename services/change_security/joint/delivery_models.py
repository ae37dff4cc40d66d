"""What the API of letters takes and shows."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.change_security.domain.delivery import ConfirmedBy, DeliveryKind, DeliveryState, Protection, Waiting
from services.change_security.joint.smime import Certificate
from shared.events.v1.change_security import Filing


class DeliveryOut(BaseModel):
    """A letter: to an authority outside the region, or to an employer's mailbox."""

    model_config = ConfigDict(from_attributes=True)

    delivery_id: UUID
    notice_id: UUID
    kind: DeliveryKind
    authority: str | None
    version: int
    state: DeliveryState
    waiting_for: Waiting | None = Field(description="Why it waits: what somebody must do first.")
    protection: Protection | None = Field(description="How the filing travelled.")
    attempts: int
    queued_at: datetime
    sent_at: datetime | None
    problem: str | None
    bounce_status: str | None = Field(description="The enhanced status code of RFC 3463, when it came back.")
    bounced_at: datetime | None
    confirmed_at: datetime | None
    confirmed_by: ConfirmedBy | None


class CodeOut(BaseModel):
    """A retrieval code. Shown once, to be told by telephone; never sent."""

    delivery: DeliveryOut
    code: str
    expires_at: datetime


class EmailIn(BaseModel):
    """An authority's address for e-mail."""

    email: str = Field(max_length=200, pattern=r"^[^@\s<>]+@[^@\s<>]+$")


class EmailOut(EmailIn):
    """The address of an authority outside the region."""

    authority: str


class CertificateIn(BaseModel):
    """An authority's certificate for encrypted e-mail."""

    certificate: str = Field(max_length=20_000, description="PEM; RSA of at least 2048 bits.")


class CertificateOut(BaseModel):
    """A certificate in force: compare the fingerprint by telephone."""

    authority: str
    subject: str
    fingerprint: str
    valid_until: datetime

    @classmethod
    def of(cls, authority: str, certificate: Certificate) -> "CertificateOut":
        """Show a certificate."""
        return cls(authority=authority, **certificate._asdict())


class LetterOut(BaseModel):
    """What whoever has a letter's link sees before acting: nothing of the employer."""

    notice_id: UUID
    state: DeliveryState


class RetrievedOut(BaseModel):
    """A filing that was fetched."""

    notice_id: UUID
    revision: int
    arrived_at: datetime
    filing: Filing
