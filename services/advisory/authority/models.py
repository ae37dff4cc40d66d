"""What a city's API says and takes."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.advisory.domain.assignment import Competence
from services.advisory.domain.contact import ContactState, Person
from shared.events.v1.advisory import Audience, Contact, Trilingual


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
    joined: list[UUID] = Field(description="Later contacts about the same, to be answered with it.")
    due_at: datetime | None = Field(description="By when it is to be answered, as agreed for its channel.")
    reopened_at: datetime | None = Field(description="A later contact joined it: it must be answered again.")
    person: Person | None = Field(
        description="Only where this city took the contact in; else asked of the joint office."
    )


class ReopeningIn(BaseModel):
    """Why a contact must be answered again."""

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
