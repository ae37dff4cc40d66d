"""The joint office's tables."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Column, Date, DateTime, Identity, Index, MetaData, Text, Uuid, text
from sqlmodel import Field, SQLModel

from services.advisory.domain.agreement import DecisionState, Proposal, Results
from services.advisory.domain.contact import ContactState, Person
from services.advisory.domain.governance import AgendaItem, MeetingState
from services.advisory.domain.hand_over import HandOverState
from services.advisory.domain.kept_review import ReviewState
from services.advisory.domain.operating_model import ModelTexts
from services.advisory.domain.resources import Review, WorkQuestion
from services.advisory.domain.timeline import TimelineQuestion
from shared.database import EnumText, Json
from shared.events.v1.advisory import (
    Audience,
    Contact,
    ContactTopic,
    Language,
    ServiceName,
    TimelineAnswered,
    Trilingual,
    WorkReported,
)
from shared.events.v1.agreement import Agreement, Group
from shared.events.values import Absence

metadata = MetaData()
"""This side's own: SQLModel's global one would mix the services' tables."""


def _instant(*, null: bool = False) -> Any:
    kind = DateTime(timezone=True)
    return Field(default=None, sa_type=kind, nullable=True) if null else Field(sa_type=kind)


def _text(*, key: bool = False, null: bool = False) -> Any:
    return Field(default=None, sa_type=Text, nullable=True) if null else Field(sa_type=Text, primary_key=key)


def _json(kind: Any, *, null: bool = False) -> Any:
    column: Column[Any] = Column(Json(kind), nullable=null)
    return Field(default=None, sa_column=column) if null else Field(sa_column=column)


def _list() -> Any:
    return Field(sa_column=Column(ARRAY(Text), nullable=False))


def _generated() -> Any:
    return Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))


class Table(SQLModel):
    """What the tables have in common."""

    metadata: ClassVar[MetaData] = metadata


class ContactRow(Table, table=True):
    """A contact in the joint queue."""

    __tablename__ = "contact"
    __table_args__ = (
        Index("contact_waiting", "received_at", "contact_id", postgresql_where=text("state = 'new'")),
        Index("contact_open", "officer", postgresql_where=text("state = 'assigned'")),
        Index("contact_handled", "assigned_at", "acting_authority"),
        Index("contact_employer", "business_id", "received_at"),
        Index("contact_due", "due_at", "contact_id", postgresql_where=text("state IN ('new', 'assigned')")),
        Index("contact_received", "received_at"),
    )

    contact_id: UUID = Field(primary_key=True)
    contact: Contact = _json(Contact)
    topic: ContactTopic = Field(sa_column=Column(EnumText(ContactTopic), nullable=False))
    business_id: str | None = _text(null=True)
    received_at: datetime = _instant()
    competent_authority: str | None = _text(null=True)
    filed_by: str = _text()
    state: ContactState = Field(sa_column=Column(EnumText(ContactState), nullable=False))
    version: int
    officer: str | None = _text(null=True)
    acting_authority: str | None = _text(null=True)
    reason: str = _text()
    joined_into: UUID | None = None
    callers: list[str] = _list()
    person: Person | None = _json(Person, null=True)
    source_reference: str | None = _text(null=True)
    assigned_at: datetime | None = _instant(null=True)
    answered_at: datetime | None = _instant(null=True)
    closed_at: datetime | None = _instant(null=True)
    minutes: int | None = None
    joined: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False, server_default="{}"), default_factory=list)
    reopened_version: int | None = None
    reopened_at: datetime | None = _instant(null=True)
    due_at: datetime | None = _instant(null=True)


class ContactActRow(Table, table=True):
    """An act on a contact: by whom, and why."""

    __tablename__ = "contact_act"
    __table_args__ = (Index("contact_act_contact", "contact_id"),)

    act_id: int | None = _generated()
    contact_id: UUID = Field(foreign_key="contact.contact_id")
    act: str = _text()
    actor: str = _text()
    reason: str = _text()
    at: datetime = _instant()


class CallerQueryRow(Table, table=True):
    """A query for a caller's details: by whom, why, and whether it was answered."""

    __tablename__ = "caller_query"
    __table_args__ = (Index("caller_query_request", "request_id", unique=True),)

    query_id: int | None = _generated()
    contact_id: UUID
    asked_by: str = _text()
    authority: str = _text()
    purpose: str = _text()
    service: ServiceName | None = _text(null=True)
    answered: bool
    at: datetime = _instant()
    request_id: UUID | None = None
    asked_of: str | None = _text(null=True)
    readable_until: datetime | None = _instant(null=True)
    refusal: str | None = _text(null=True)


class AdviserRow(Table, table=True):
    """An officer who advises, as the own city has listed them."""

    __tablename__ = "adviser"

    officer: str = _text(key=True)
    office: str = _text()
    version: int
    topics: list[ContactTopic] = Field(sa_column=Column(ARRAY(EnumText(ContactTopic)), nullable=False))
    languages: list[Language] = _list()
    person_years: float
    absences: tuple[Absence, ...] = _json(tuple[Absence, ...])


class HandOverRow(Table, table=True):
    """A hand-over of a contact to another authority or service."""

    __tablename__ = "hand_over"
    __table_args__ = (
        Index("hand_over_open", "due_at", postgresql_where=text("state IN ('asked', 'stored') AND NOT is_overdue")),
    )

    hand_over_id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(foreign_key="contact.contact_id")
    from_authority: str = _text()
    from_officer: str = _text()
    to_authority: str | None = _text(null=True)
    to_service: ServiceName | None = _text(null=True)
    reason: str = _text()
    asked_at: datetime = _instant()
    due_at: datetime = _instant()
    state: HandOverState = Field(sa_column=Column(EnumText(HandOverState), nullable=False))
    matter_id: UUID | None = None
    draft_id: UUID | None = None
    answer: str | None = _text(null=True)
    answered_at: datetime | None = _instant(null=True)
    is_overdue: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class QuestionRow(Table, table=True):
    """What the other services are asked."""

    __tablename__ = "asked"

    request_id: UUID = Field(primary_key=True)
    kind: str = _text()
    question: TimelineQuestion | WorkQuestion = _json(TimelineQuestion | WorkQuestion)
    asked_by: str = _text()
    asked_at: datetime = _instant()


class AnswerRow(Table, table=True):
    """What one service has answered so far."""

    __tablename__ = "answered"

    request_id: UUID = Field(foreign_key="asked.request_id", primary_key=True)
    service: str = _text(key=True)
    answer: TimelineAnswered | WorkReported | None = _json(TimelineAnswered | WorkReported, null=True)
    received_at: datetime | None = _instant(null=True)


class ArticleRow(Table, table=True):
    """A version of a guidance article."""

    __tablename__ = "article"

    article_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    topic: ContactTopic = Field(sa_column=Column(EnumText(ContactTopic), nullable=False))
    texts: Trilingual = _json(Trilingual)
    owner: str = _text()
    review_by: date
    written_by: str = _text()
    written_at: datetime = _instant()
    approved_by: str | None = _text(null=True)
    approved_on: date | None = None


class GivenRow(Table, table=True):
    """A version of an article that an employer was given."""

    __tablename__ = "guidance_given"
    __table_args__ = (Index("guidance_given_employer", "business_id"),)

    contact_id: UUID = Field(primary_key=True)
    article_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    business_id: str | None = _text(null=True)
    given_at: datetime = _instant()


class AnnouncementRow(Table, table=True):
    """A coordinated announcement."""

    __tablename__ = "announcement"

    announcement_id: UUID = Field(primary_key=True)
    texts: Trilingual = _json(Trilingual)
    audiences: list[Audience] = Field(sa_column=Column(ARRAY(EnumText(Audience)), nullable=False))
    publish_on: date
    made_by: str = _text()
    made_at: datetime = _instant()


class ReceiptRow(Table, table=True):
    """A city's receipt of an announcement: when it was in its store, when it was published."""

    __tablename__ = "announcement_receipt"

    announcement_id: UUID = Field(foreign_key="announcement.announcement_id", primary_key=True)
    office: str = _text(key=True)
    stored_at: datetime | None = _instant(null=True)
    published_at: datetime | None = _instant(null=True)


# -- mailing lists -----------------------------------------------------------------------------------------------------


class SubscriptionRow(Table, table=True):
    """An address on an audience's mailing list, once it is confirmed."""

    __tablename__ = "subscription"
    __table_args__ = (Index("subscription_address", "address", "audience", unique=True),)

    subscription_id: UUID = Field(primary_key=True)
    address: str = _text()
    audience: Audience = Field(sa_column=Column(EnumText(Audience), nullable=False))
    language: Language = _text()
    asked_at: datetime = _instant()
    confirmed_at: datetime | None = _instant(null=True)


class MailedRow(Table, table=True):
    """That an announcement was given to the mailing lists."""

    __tablename__ = "announcement_mailed"

    announcement_id: UUID = Field(foreign_key="announcement.announcement_id", primary_key=True)
    letters: int
    at: datetime = _instant()


# -- the agreement and the groups that decide --------------------------------------------------------------------------


class AgreementTextRow(Table, table=True):
    """A version of the agreement's text. A decision puts it in force."""

    __tablename__ = "agreement_text"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    agreement: Agreement = _json(Agreement)
    written_by: str = _text()
    written_at: datetime = _instant()


class OperatingModelRow(Table, table=True):
    """A version of the operating model. A decision of the management group confirms it."""

    __tablename__ = "operating_model"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    texts: ModelTexts = _json(ModelTexts)
    written_by: str = _text()
    written_at: datetime = _instant()


class DecisionRow(Table, table=True):
    """A decision of a group: proposed, taken or not; what it put in force."""

    __tablename__ = "decision"
    __table_args__ = (
        Index("decision_proposed", "proposed_at", "decision_id"),
        Index("decision_edition", "edition", unique=True),
    )

    decision_id: UUID = Field(primary_key=True)
    group_name: Group = Field(sa_column=Column(EnumText(Group), nullable=False))
    state: DecisionState = Field(sa_column=Column(EnumText(DecisionState), nullable=False))
    proposal: Proposal = _json(Proposal)
    proposed_by: str = _text()
    proposed_at: datetime = _instant()
    edition: int | None = None
    results: Results | None = _json(Results, null=True)
    decided_by: str | None = _text(null=True)
    decided_on: date | None = None
    reason: str | None = _text(null=True)


class MemberRow(Table, table=True):
    """A member of a group, for a term."""

    __tablename__ = "group_member"
    __table_args__ = (Index("group_member_subject", "subject", "group_name"),)

    member_id: UUID = Field(primary_key=True)
    group_name: Group = Field(sa_column=Column(EnumText(Group), nullable=False))
    subject: str = _text()
    authority: str = _text()
    since: date
    until: date | None = None
    listed_by: str = _text()
    listed_at: datetime = _instant()
    ended_by: str | None = _text(null=True)


class MeetingRow(Table, table=True):
    """A meeting of a group."""

    __tablename__ = "meeting"
    __table_args__ = (Index("meeting_held", "held_on", "meeting_id"),)

    meeting_id: UUID = Field(primary_key=True)
    group_name: Group = Field(sa_column=Column(EnumText(Group), nullable=False))
    held_on: date
    state: MeetingState = Field(sa_column=Column(EnumText(MeetingState), nullable=False))
    agenda: tuple[AgendaItem, ...] = _json(tuple[AgendaItem, ...])
    called_by: str = _text()
    called_at: datetime = _instant()
    reason: str | None = _text(null=True)
    minutes: str | None = _text(null=True)
    minutes_by: str | None = _text(null=True)
    approved_by: str | None = _text(null=True)
    approved_at: datetime | None = _instant(null=True)


class KeptReviewRow(Table, table=True):
    """A resourcing review as it was when it was kept, for the management group to approve."""

    __tablename__ = "kept_review"
    __table_args__ = (Index("kept_review_kept", "kept_at", "request_id"),)

    request_id: UUID = Field(foreign_key="asked.request_id", primary_key=True)
    review: Review = _json(Review)
    state: ReviewState = Field(sa_column=Column(EnumText(ReviewState), nullable=False))
    next_due: date
    kept_by: str = _text()
    kept_at: datetime = _instant()
    decided_by: str | None = _text(null=True)
    decided_on: date | None = None
    reason: str | None = _text(null=True)


# -- what the version before uses: a later migration drops it ---------------------------------------------------------


class AgreedRow(Table, table=True):
    """A decision on an authority's person-years for a task; it stands in `decision` now."""

    __tablename__ = "agreed"

    task: str = _text(key=True)
    authority: str = _text(key=True)
    valid_from: date = Field(sa_type=Date, primary_key=True)
    person_years: float
    decided_on: date
    decided_by: str = _text()
    reason: str = _text()


class ResponseTimeRow(Table, table=True):
    """A decision on how soon a contact is answered; it stands in `decision` now."""

    __tablename__ = "response_time"

    channel: str = _text(key=True)
    valid_from: date = Field(sa_type=Date, primary_key=True)
    hours: float
    decided_on: date
    decided_by: str = _text()
    reason: str = _text()
