"""What the joint office's API says and takes."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.advisory.domain.contact import ContactState, Person
from services.advisory.domain.hand_over import HandOverState
from services.advisory.domain.resources import Compared, Span, Total
from shared.events.v1.advisory import Audience, Contact, ContactTopic, ServiceName, Trilingual
from shared.events.values import BusinessId


class Shown(BaseModel):
    """What is read from a row or a value."""

    model_config = ConfigDict(from_attributes=True)


class ActOut(Shown):
    """An act on a contact: by whom, and why."""

    act: str
    actor: str
    reason: str
    at: datetime


class HandOverOut(Shown):
    """A hand-over of a contact, and what became of it."""

    hand_over_id: UUID
    from_authority: str
    to_authority: str | None
    to_service: ServiceName | None
    reason: str
    asked_at: datetime
    due_at: datetime
    state: HandOverState
    matter_id: UUID | None
    draft_id: UUID | None
    answer: str | None
    is_overdue: bool


class ContactOut(Shown):
    """A contact in the joint queue: who has it, and why."""

    contact_id: UUID
    contact: Contact
    state: ContactState
    competent_authority: str | None = Field(description="Of the employer's municipality; null when not known.")
    acting_authority: str | None
    officer: str | None
    reason: str
    joined_into: UUID | None
    joined: list[UUID] = Field(description="Later contacts about the same.")
    reopened_at: datetime | None
    due_at: datetime | None = Field(description="By when it is to be answered, by the agreed response time.")
    answered_at: datetime | None
    acts: list[ActOut] = []
    hand_overs: list[HandOverOut] = []


class PurposeIn(BaseModel):
    """Why somebody asks who called."""

    purpose: str = Field(min_length=3, max_length=300, description="Kept and passed on. Write no personal data.")
    service: ServiceName | None = Field(
        default=None, description="For an officer who handles the contact in a service that it was handed over to."
    )


class CallerOut(Person):
    """Who called, and what was written to the caller from the joint office."""

    answers: tuple[str, ...] = ()
    source_reference: str | None = Field(
        default=None, description="How the system that brought the contact finds the caller."
    )


class CallerAskedOut(BaseModel):
    """That the city which took the contact in is asked: the caller is read there, once it is granted."""

    request_id: UUID
    asked_of: str


class QueryOut(Shown):
    """Who asked who called, why, and whether the query was answered."""

    asked_by: str
    authority: str
    purpose: str
    service: ServiceName | None
    answered: bool
    at: datetime
    request_id: UUID | None = Field(description="Of a query that was put to a city.")
    asked_of: str | None = Field(description="The city that keeps the caller, where the caller is then read.")
    readable_until: datetime | None
    refusal: str | None = Field(description="Why the city refused it.")


class ShareOut(Shown):
    """An authority's part of the contacts of the year: agreed and actual. Shares are of 1."""

    authority: str
    person_years: float
    agreed_share: float
    contacts: int
    actual_share: float | None


class AgreedOut(Shown):
    """Agreed person-years of an authority for a task, with the source and whether it is verified."""

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
    """A request that is under way: the services are asked, and answer by message."""

    request_id: UUID


class EntryOut(Shown):
    """A fact of an employer's timeline, by service."""

    service: Literal["advisory", "change_security", "placement", "training"]
    matter_id: UUID
    what: str
    state: str
    at: datetime


class WithheldOut(Shown):
    """Something that is withheld, and why."""

    service: str
    what: str
    reason: str


class GivenOut(Shown):
    """Which version of a guidance article an employer was given."""

    article_id: UUID
    version: int
    title: str | None
    given_at: datetime


class TimelineOut(BaseModel):
    """An employer's timeline as far as the asking authority may see it."""

    request_id: UUID
    business_id: str
    entries: list[EntryOut]
    withheld: list[WithheldOut]
    guidance: list[GivenOut]
    missing_services: list[str] = Field(description="Services that have not answered yet.")
    note: str = (
        "Change situations are shown to the authorities they concern. One that is not public is not mentioned to"
        " others, so that its absence here says nothing."
    )


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


class ReceiptOut(Shown):
    """A city's receipt of an announcement."""

    office: str
    stored_at: datetime | None
    published_at: datetime | None


class AnnouncementOut(Shown):
    """An announcement with each city's receipts: when it was in its store, when it was published."""

    announcement_id: UUID
    texts: Trilingual
    audiences: list[Audience]
    publish_on: date
    receipts: list[ReceiptOut] = []


class ReviewOut(Shown):
    """The resourcing review of some days."""

    request_id: UUID
    since: date
    until: date
    rows: list[Compared]
    totals: list[Total]
    spans: list[Span] = Field(description="Which person-years were in force when.")
    missing_services: list[str]
    to_be_checked: bool
