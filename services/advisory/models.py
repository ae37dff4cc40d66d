"""What both sides take: a contact of an employer."""

from datetime import datetime, timedelta
from typing import Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from services.advisory.domain.contact import MAX_TEXT, Person
from shared.events.v1.advisory import Contact, ContactChannel, ContactTopic, Given, Language, ServiceName
from shared.events.v1.change_security import MunicipalityCode


class ContactIn(BaseModel):
    """A contact of an employer, and who calls. Who calls stays in the office that takes the contact."""

    channel: ContactChannel
    topic: ContactTopic = ContactTopic.OTHER
    language: Language = "fi"
    municipality: MunicipalityCode | None = None
    business_id: str | None = Field(default=None, max_length=20)
    received_at: AwareDatetime | None = Field(default=None, description="Now, if not given.")
    person: Person | None = None

    def contact(self, now: datetime) -> Contact:
        """Return the contact without whoever calls."""
        return Contact(
            channel=self.channel,
            topic=self.topic,
            language=self.language,
            municipality=self.municipality,
            business_id=self.business_id,
            received_at=min(self.received_at or now, now),
        )


class AnswerIn(BaseModel):
    """That a contact is answered: how long it took, which guidance was given, and the words that go out by e-mail."""

    minutes: int | None = Field(default=None, ge=0, le=1440)
    guidance: tuple[Given, ...] = Field(default=(), max_length=50)
    text: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_TEXT,
        description="Sent to the caller's address, in the contact's language. Stands in no event.",
    )


class HandOverIn(BaseModel):
    """To whom a contact is handed over: one authority, or one service."""

    to_authority: str | None = Field(default=None, max_length=50)
    to_service: ServiceName | None = None
    reason: str = Field(min_length=3, max_length=280, description="Kept and passed on. Write no personal data.")


class CallIn(BaseModel):
    """A telephone call, logged while it ends: answered, or handed over."""

    topic: ContactTopic
    language: Language = "fi"
    minutes: int = Field(ge=0, le=1440)
    municipality: MunicipalityCode | None = None
    business_id: str | None = Field(default=None, max_length=20)
    person: Person | None = None
    guidance: tuple[Given, ...] = Field(default=(), max_length=50)
    text: str | None = Field(default=None, min_length=1, max_length=MAX_TEXT, description="A summary, sent by e-mail.")
    hand_over: HandOverIn | None = Field(default=None, description="Not answered: handed over.")

    @model_validator(mode="after")
    def _answered_or_handed_over(self) -> Self:
        if self.hand_over is not None and (self.text is not None or self.guidance):
            raise PydanticCustomError("answered-and-handed-over", "A call is answered, or handed over.")
        return self

    def contact(self, now: datetime) -> Contact:
        """Return the contact without whoever called."""
        return Contact(
            channel=ContactChannel.CALL_BACK,
            topic=self.topic,
            language=self.language,
            municipality=self.municipality,
            business_id=self.business_id,
            received_at=now - timedelta(minutes=self.minutes),
            is_live_call=True,
        )

    def answer(self) -> AnswerIn:
        """Return what was answered."""
        return AnswerIn(minutes=self.minutes, guidance=self.guidance, text=self.text)
