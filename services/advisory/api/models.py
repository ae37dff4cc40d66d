"""What the API says and takes."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.advisory.commands import Person
from services.advisory.domain.contact import ContactState
from services.advisory.domain.resources import Compared
from shared.events.v1.advisory import (
    Absence,
    Audience,
    Contact,
    ContactChannel,
    ContactTopic,
    Given,
    Language,
    ServiceName,
    Trilingual,
)
from shared.events.v1.change_security import MunicipalityCode
from shared.events.values import BusinessId

Reason = Field(min_length=3, max_length=280, description="Kept and told. Write no personal data.")


class ContactIn(BaseModel):
    """A contact of an employer, and who calls. Who calls stays in the office that takes the contact."""

    channel: ContactChannel
    topic: ContactTopic = ContactTopic.OTHER
    language: Language = "fi"
    municipality: MunicipalityCode | None = None
    business_id: BusinessId | None = None
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


class ActOut(BaseModel):
    """An act on a contact: by whom, and why."""

    model_config = ConfigDict(from_attributes=True)

    act: str
    actor: str
    reason: str
    at: datetime


class HandOverOut(BaseModel):
    """A hand-over of a contact, and what became of it."""

    model_config = ConfigDict(from_attributes=True)

    hand_over_id: UUID
    from_authority: str
    to_authority: str | None
    to_service: ServiceName | None
    reason: str
    asked_at: datetime
    due_at: datetime
    state: Literal["asked", "stored", "accepted", "rejected"]
    matter_id: UUID | None
    answer: str | None
    is_overdue: bool


class ContactOut(BaseModel):
    """A contact in the joint queue: who has it, and why."""

    contact_id: UUID
    contact: Contact
    state: ContactState
    competent_authority: str | None = Field(description="Of the employer's municipality; null when not known.")
    acting_authority: str | None
    officer: str | None
    reason: str
    joined_into: UUID | None
    acts: list[ActOut] = []
    hand_overs: list[HandOverOut] = []

    @classmethod
    def of(cls, row: Any, acts: Any = (), hand_overs: Any = ()) -> "ContactOut":
        """Show a row."""
        return cls(
            contact_id=row.contact_id,
            contact=Contact.model_validate(row.contact),
            state=row.state,
            competent_authority=row.competent_authority,
            acting_authority=row.acting_authority,
            officer=row.officer,
            reason=row.reason,
            joined_into=row.joined_into,
            acts=[ActOut.model_validate(one) for one in acts],
            hand_overs=[HandOverOut.model_validate(one) for one in hand_overs],
        )


class PurposeIn(BaseModel):
    """Why somebody asks who called."""

    purpose: str = Field(min_length=3, max_length=300)


class QueryOut(BaseModel):
    """Who asked who called, why, and whether they were told."""

    model_config = ConfigDict(from_attributes=True)

    asked_by: str
    authority: str
    purpose: str
    answered: bool
    at: datetime


class ShareOut(BaseModel):
    """An authority's part of the contacts of the year: agreed and actual. Shares are of 1."""

    authority: str
    person_years: float
    agreed_share: float
    contacts: int
    actual_share: float | None


class AgreedIn(BaseModel):
    """A decision of the management group on one task's person-years."""

    person_years: dict[str, float] = Field(min_length=1, max_length=10)
    valid_from: date
    decided_on: date
    reason: str = Reason


class AgreedOut(BaseModel):
    """Agreed person-years of an authority for a task, with the source and whether it is verified."""

    model_config = ConfigDict(from_attributes=True)

    task: str
    authority: str
    person_years: float
    valid_from: date
    certainty: str
    source: str


class TimelineIn(BaseModel):
    """Whose timeline."""

    business_id: BusinessId


class RequestOut(BaseModel):
    """A request that is under way."""

    request_id: UUID


class EntryOut(BaseModel):
    """A fact of an employer's timeline, by service."""

    service: Literal["advisory", "change_security", "placement", "training"]
    matter_id: UUID
    what: str
    state: str
    at: datetime


class WithheldOut(BaseModel):
    """Something that is withheld, and why."""

    service: str
    what: str
    reason: str


class TimelineOut(BaseModel):
    """An employer's timeline as far as the asking authority may see it."""

    request_id: UUID
    business_id: str
    entries: list[EntryOut]
    withheld: list[WithheldOut]
    guidance: list["GivenOut"]
    missing_services: list[str] = Field(description="Services that have not answered yet.")
    note: str = (
        "Change situations are shown to the authorities they concern. One that is not public is not mentioned to others,"
        " so that its absence here says nothing."
    )


class GivenOut(BaseModel):
    """Which version of a guidance article an employer was given."""

    article_id: UUID
    version: int
    title: str | None
    given_at: datetime


class ArticleIn(BaseModel):
    """A version of a guidance article, to be approved by the coordination group."""

    topic: ContactTopic
    texts: Trilingual
    owner: str = Field(max_length=50, description="The authority that keeps it up to date.")
    review_by: date


class ApprovalIn(BaseModel):
    """When the coordination group approved it."""

    approved_on: date


class ArticleOut(BaseModel):
    """A version of a guidance article."""

    article_id: UUID
    version: int
    topic: ContactTopic
    texts: Trilingual
    owner: str
    review_by: date
    review_is_due: bool
    approved_on: date | None
    approved_by: str | None = None


class AnnouncementIn(BaseModel):
    """An announcement in the three service languages."""

    texts: Trilingual
    audiences: list[Audience] = Field(min_length=1, max_length=4)
    publish_on: date


class AnnouncementOut(BaseModel):
    """An announcement with each city's receipts: when it was in its store, when it was published."""

    announcement_id: UUID
    texts: Trilingual
    audiences: list[Audience]
    publish_on: date
    receipts: list["ReceiptOut"]


class ReceiptOut(BaseModel):
    """A city's receipt of an announcement."""

    model_config = ConfigDict(from_attributes=True)

    office: str
    stored_at: datetime | None
    published_at: datetime | None


class ReviewIn(BaseModel):
    """Which days to review, both included."""

    since: date
    until: date


class ReviewOut(BaseModel):
    """The resourcing review of some days."""

    request_id: UUID
    since: date
    until: date
    rows: list[Compared]
    missing_services: list[str]
    to_be_checked: bool


# -- a city's office


class AdviserIn(BaseModel):
    """An officer's competence and time for advisory."""

    topics: tuple[ContactTopic, ...] = Field(max_length=10)
    languages: tuple[Language, ...] = Field(max_length=3)
    person_years: float = Field(ge=0, le=1)
    absences: tuple[Absence, ...] = Field(default=(), max_length=100)


class AdviserOut(AdviserIn):
    """An officer who advises, by the token issuer's opaque subject."""

    officer: str


class OwnContactOut(BaseModel):
    """A contact that one of the city's officers has."""

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

    @classmethod
    def of(cls, row: Any) -> "OwnContactOut":
        """Show a row."""
        return cls(
            contact_id=row.contact_id,
            contact=Contact.model_validate(row.contact),
            state=row.state,
            officer=row.officer,
            competent_authority=row.competent_authority,
            reason=row.reason,
            hand_over_id=row.hand_over_id,
            is_acknowledged=row.is_acknowledged,
            is_overdue=row.is_overdue,
            person=Person.model_validate(row.person) if row.person else None,
        )


class AnswerIn(BaseModel):
    """That a contact is answered: how long it took, and which guidance was given."""

    minutes: int | None = Field(default=None, ge=0, le=1440)
    guidance: tuple[Given, ...] = Field(default=(), max_length=50)


class HandOverIn(BaseModel):
    """To whom a contact is handed over: one authority, or one service."""

    to_authority: str | None = Field(default=None, max_length=50)
    to_service: ServiceName | None = None
    reason: str = Reason


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
