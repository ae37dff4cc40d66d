"""What a city's API says and takes."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.advisory.domain.assignment import Competence
from services.advisory.domain.contact import ContactState, Person
from shared.events.v1.advisory import Audience, Contact, Given, ServiceName, Trilingual


class AdviserOut(Competence):
    """An officer who advises, by the token issuer's opaque subject."""

    model_config = ConfigDict(from_attributes=True)

    officer: str


class OwnContactOut(BaseModel):
    """A contact that one of the city's officers has."""

    model_config = ConfigDict(from_attributes=True)

    contact_id: UUID
    contact: Contact
    state: ContactState
    officer: str
    competent_authority: str | None
    reason: str
    hand_over_id: UUID | None = Field(description="It was handed over here.")
    is_acknowledged: bool
    is_overdue: bool
    person: Person | None = Field(
        description="Only where this city took the contact in; else asked of the joint office."
    )


class AnswerIn(BaseModel):
    """That a contact is answered: how long it took, and which guidance was given."""

    minutes: int | None = Field(default=None, ge=0, le=1440)
    guidance: tuple[Given, ...] = Field(default=(), max_length=50)


class HandOverIn(BaseModel):
    """To whom a contact is handed over: one authority, or one service."""

    to_authority: str | None = Field(default=None, max_length=50)
    to_service: ServiceName | None = None
    reason: str = Field(min_length=3, max_length=280, description="Kept and passed on. Write no personal data.")


class HandOverRequestOut(BaseModel):
    """A hand-over that is under way; until it is acknowledged, the contact stays where it is."""

    hand_over_id: UUID


class OwnAnnouncementOut(BaseModel):
    """An announcement for the city to publish."""

    announcement_id: UUID
    texts: Trilingual
    audiences: list[Audience]
    publish_on: date
    published_at: datetime | None
