"""The tables of the joint side. Filings live in the revision table alone: nothing is overwritten.

Rows are written in bulk by the statements in `store`, which take their columns from here.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, MetaData, Text, text
from sqlmodel import Field, SQLModel

from services.change_security.domain.delivery import (
    ConfirmedBy,
    DeliveryKind,
    DeliveryState,
    Protection,
    Waiting,
)
from services.change_security.domain.evidence import Arrival
from services.change_security.domain.ledger import Awaited, EntryState
from services.change_security.domain.notice import Channel, NoticeState
from services.change_security.domain.routing import Language, Why
from services.change_security.domain.webhook import Attempt, MessageState
from shared.database import EnumText, Json
from shared.events.v1.change_security import (
    Acting,
    ActingState,
    AskedBecause,
    DeclineReason,
    Filing,
    FilingKind,
    Handling,
    HandlingMode,
    Measure,
    Outcome,
    PlanStep,
    Reason,
    ReasonKind,
)
from shared.events.values import Absence

metadata = MetaData()
"""This side's own: SQLModel's global one would mix the services' tables."""

_INSTANT = DateTime(timezone=True)


WITHOUT_SPECIALIST = "state = 'open' AND specialist IS NULL AND (handling IS NULL OR handling ->> 'mode' = 'joint')"
"""Open notices whose handling is to be looked at: joint ones without a specialist, and those never decided."""


class Table(SQLModel):
    """What the tables have in common."""

    metadata: ClassVar[MetaData] = metadata


class NoticeRow(Table, table=True):
    """A notice at the joint office."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("notice_registered", "registered_at", "notice_id"),
        Index("notice_led", "lead", "registered_at", postgresql_where=text("lead IS NOT NULL")),
        Index("notice_unstaffed", "notice_id", postgresql_where=text(WITHOUT_SPECIALIST)),
        Index("notice_business_id", "business_id", "rules_of"),
        Index("notice_employer", "employer_key", postgresql_ops={"employer_key": "text_pattern_ops"}),
        Index("notice_filer_reference", "filer_reference", postgresql_where=text("filer_reference IS NOT NULL")),
        Index("notice_municipalities", "municipalities", postgresql_using="gin"),
        Index("notice_arrived", "arrived_at", postgresql_using="brin"),
        Index("notice_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index("notice_relates", "relates_to", postgresql_where=text("relates_to IS NOT NULL")),
    )

    notice_id: UUID = Field(primary_key=True)
    state: NoticeState = Field(sa_type=EnumText(NoticeState))
    version: int
    revision: int
    channel: Channel = Field(sa_type=EnumText(Channel))
    filed_by: str = Field(sa_type=Text)
    arrived_at: datetime = Field(sa_type=_INSTANT)
    registered_at: datetime = Field(sa_type=_INSTANT)
    routing_version: str = Field(sa_type=Text)
    manual: tuple[str, ...] = Field(sa_type=Json(tuple[str, ...]))
    outcome: Outcome | None = Field(default=None, sa_type=EnumText(Outcome))
    trace_id: str | None = Field(default=None, sa_type=Text)
    revised_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    handling: Handling | None = Field(default=None, sa_type=Json(Handling))
    lead: str | None = Field(default=None, sa_type=Text)
    specialist: str | None = Field(default=None, sa_type=Text)
    completion_asked_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    filer_reference: str | None = Field(default=None, sa_type=Text)
    arrived_at_claimed: datetime | None = Field(default=None, sa_type=_INSTANT)
    revision_arrived_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    # What the lists say of the newest revision, and are searched by.
    kind: FilingKind = Field(sa_type=EnumText(FilingKind))
    business_id: str = Field(sa_type=Text)
    employer: str | None = Field(default=None, sa_type=Text)
    employer_key: str | None = Field(default=None, sa_type=Text)
    not_public: bool
    municipalities: tuple[str, ...] = Field(sa_type=Json(tuple[str, ...]))
    measures: tuple[Measure, ...] = Field(sa_type=Json(tuple[Measure, ...]))
    affected: int = Field(sa_type=BigInteger)
    terminations: int = Field(sa_type=BigInteger)
    counts_complete: bool
    rules_of: date
    excluded: tuple[str, ...] = Field(default=(), sa_type=Json(tuple[str, ...]))
    merged_into: UUID | None = None
    absorbed: tuple[UUID, ...] = Field(default=(), sa_type=Json(tuple[UUID, ...]))
    merge_added: tuple[str, ...] = Field(default=(), sa_type=Json(tuple[str, ...]))
    relates_to: UUID | None = None


class NoticeRevisionRow(Table, table=True):
    """One revision of a filing. `waiting` until its predecessor has come."""

    __tablename__ = "notice_revision"

    notice_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    waiting: bool = Field(primary_key=True)
    filing: Filing = Field(sa_type=Json(Filing))
    filed_by: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=_INSTANT)
    trace_id: str | None = Field(default=None, sa_type=Text)
    arrival: Arrival = Field(sa_type=Json(Arrival))


class EntryRow(Table, table=True):
    """One authority's part in a notice."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index(
            "ledger_entry_waiting",
            "store_by",
            "acknowledge_by",
            postgresql_where=text(
                "state <> 'released' AND (version_stored < version_sent OR state IN ('sent', 'stored'))"
            ),
        ),
        Index(
            "ledger_entry_declined",
            "declined_at",
            "notice_id",
            "authority",
            postgresql_where=text("state = 'not_ours'"),
        ),
    )

    notice_id: UUID = Field(primary_key=True)
    authority: str = Field(sa_type=Text, primary_key=True)
    office: str | None = Field(default=None, sa_type=Text)
    mode: HandlingMode = Field(sa_type=EnumText(HandlingMode))
    acting_authority: str = Field(sa_type=Text)
    state: EntryState = Field(sa_type=EnumText(EntryState))
    reasons: tuple[Reason, ...] = Field(sa_type=Json(tuple[Reason, ...]))
    version_sent: int
    revision_sent: int
    sent_at: datetime = Field(sa_type=_INSTANT)
    store_by: datetime = Field(sa_type=_INSTANT)
    acknowledge_by: datetime = Field(sa_type=_INSTANT)
    version_stored: int
    revision_stored: int
    stored_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    acknowledged_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    decline_reason: DeclineReason | None = Field(default=None, sa_type=EnumText(DeclineReason))
    case_outcome: Outcome | None = Field(default=None, sa_type=EnumText(Outcome))
    case_closed_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    escalated: Awaited | None = Field(default=None, sa_type=Text)
    acknowledged_by: str | None = Field(default=None, sa_type=Text)
    case_closed_by: str | None = Field(default=None, sa_type=Text)
    version_asked: int = 1
    revision_asked: int = 1
    asked_because: AskedBecause = Field(default=AskedBecause.ASSIGNED, sa_type=EnumText(AskedBecause))
    acknowledged_revision: int | None = None
    declined_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    is_taken: bool = False


class UnroutedRow(Table, table=True):
    """A place in a filing that leads to no authority, until a coordinator or a revision resolves it.

    `settled`: a coordinator has dealt with it; it stays out of the queue through later revisions.
    """

    __tablename__ = "unrouted"
    __table_args__ = (Index("unrouted_open", "since", "notice_id", postgresql_where=text("resolved_at IS NULL")),)

    notice_id: UUID = Field(primary_key=True)
    kind: ReasonKind = Field(sa_type=EnumText(ReasonKind), primary_key=True)
    municipality: str = Field(sa_type=Text, primary_key=True)
    why: Why = Field(sa_type=Text)
    since: datetime = Field(sa_type=_INSTANT)
    resolved_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    resolved_by: str | None = Field(default=None, sa_type=Text)
    resolution: str | None = Field(default=None, sa_type=Text)
    settled: bool = Field(default=False)


class DeliveryRow(Table, table=True):
    """A letter by e-mail: to an authority outside the region, with its own receipt, or to an employer's mailbox.

    `token` leads to its pages. A retrieval code is kept as its digest alone.
    """

    __tablename__ = "external_delivery"
    __table_args__ = (
        Index("external_delivery_due", "next_attempt_at", postgresql_where=text("state = 'queued'")),
        Index("external_delivery_listed", "state", "queued_at", "delivery_id"),
        Index("external_delivery_notice", "notice_id", "version", "delivery_id"),
        Index("external_delivery_token", "token", unique=True),
    )

    delivery_id: UUID = Field(primary_key=True)
    notice_id: UUID
    authority: str | None = Field(default=None, sa_type=Text)
    version: int
    state: DeliveryState = Field(sa_type=EnumText(DeliveryState))
    attempts: int
    next_attempt_at: datetime = Field(sa_type=_INSTANT)
    sent_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    problem: str | None = Field(default=None, sa_type=Text)
    traceparent: str | None = Field(default=None, sa_type=Text)
    kind: DeliveryKind = Field(sa_type=EnumText(DeliveryKind))
    token: str = Field(sa_type=Text)
    queued_at: datetime = Field(sa_type=_INSTANT)
    waiting_for: Waiting | None = Field(default=None, sa_type=EnumText(Waiting))
    protection: Protection | None = Field(default=None, sa_type=EnumText(Protection))
    code_digest: str | None = Field(default=None, sa_type=Text)
    code_attempts: int = 0
    code_expires_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    bounce_status: str | None = Field(default=None, sa_type=Text)
    bounced_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    confirmed_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    confirmed_by: ConfirmedBy | None = Field(default=None, sa_type=EnumText(ConfirmedBy))


class MunicipalityRow(Table, table=True):
    """A municipality imported beside those that ship with the service."""

    __tablename__ = "municipality"

    code: str = Field(sa_type=Text, primary_key=True)
    valid_from: date = Field(primary_key=True)
    valid_to: date | None = None
    name_fi: str = Field(sa_type=Text)
    name_sv: str = Field(sa_type=Text)
    area: str = Field(sa_type=Text)
    authority: str = Field(sa_type=Text)


class AuthorityRow(Table, table=True):
    """An authority imported beside those that ship with the service."""

    __tablename__ = "authority"

    code: str = Field(sa_type=Text, primary_key=True)
    name_fi: str = Field(sa_type=Text)
    name_sv: str = Field(sa_type=Text)
    name_en: str = Field(sa_type=Text)
    email: str | None = Field(default=None, sa_type=Text)
    under_act: bool
    certificate: str | None = Field(default=None, sa_type=Text)
    languages: tuple[Language, ...] = Field(sa_type=Json(tuple[Language, ...]))


# -- joint matters and acting for another


class HandlingRow(Table, table=True):
    """A handling as it was put in force: how a matter is handled, why, by whom. Nothing is overwritten."""

    __tablename__ = "handling_change"

    notice_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    handling: Handling = Field(sa_type=Json(Handling))
    at: datetime = Field(sa_type=_INSTANT)


class SpecialistRow(Table, table=True):
    """A change security officer, as the own city lists one."""

    __tablename__ = "specialist"

    officer: str = Field(sa_type=Text, primary_key=True)
    authority: str = Field(sa_type=Text)
    version: int
    languages: tuple[str, ...] = Field(sa_type=Json(tuple[str, ...]))
    person_years: float
    absences: tuple[Absence, ...] = Field(sa_type=Json(tuple[Absence, ...]))


class ActingRow(Table, table=True):
    """One authority acts in another's part."""

    __tablename__ = "acting"
    __table_args__ = (
        Index("acting_of", "notice_id", "competent_authority"),
        Index("acting_state", "state", "asked_at", "acting_id"),
    )

    acting_id: UUID = Field(primary_key=True)
    notice_id: UUID
    competent_authority: str = Field(sa_type=Text)
    state: ActingState = Field(sa_type=EnumText(ActingState))
    asked_at: datetime = Field(sa_type=_INSTANT)
    acting: Acting = Field(sa_type=Json(Acting))


class PlanStepRow(Table, table=True):
    """A step of a shared plan, as it was changed last."""

    __tablename__ = "plan_step"

    notice_id: UUID = Field(primary_key=True)
    step_id: UUID = Field(primary_key=True)
    step: PlanStep = Field(sa_type=Json(PlanStep))


# -- the filer's receipts ---------------------------------------------------------------------------------------------


class WebhookRow(Table, table=True):
    """Where a system wants its receipts. The secret signs them; it is shown once."""

    __tablename__ = "webhook"

    owner: str = Field(sa_type=Text, primary_key=True)
    webhook_id: str = Field(sa_type=Text, primary_key=True)
    url: str = Field(sa_type=Text)
    events: tuple[str, ...] = Field(sa_type=Json(tuple[str, ...]))
    secret: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=_INSTANT)


class WebhookMessageRow(Table, table=True):
    """A receipt on its way to a webhook, with every attempt."""

    __tablename__ = "webhook_message"
    __table_args__ = (
        Index("webhook_message_due", "next_attempt_at", postgresql_where=text("state = 'pending'")),
        Index("webhook_message_listed", "owner", "webhook_id", "queued_at", "message_id"),
    )

    owner: str = Field(sa_type=Text, primary_key=True)
    webhook_id: str = Field(sa_type=Text, primary_key=True)
    message_id: UUID = Field(primary_key=True)
    notice_id: UUID
    event_type: str = Field(sa_type=Text)
    payload: str = Field(sa_type=Text)
    state: MessageState = Field(sa_type=EnumText(MessageState))
    attempts: tuple[Attempt, ...] = Field(sa_type=Json(tuple[Attempt, ...]))
    next_attempt_at: datetime = Field(sa_type=_INSTANT)
    queued_at: datetime = Field(sa_type=_INSTANT)


# -- what coordinators decide, and what is late -----------------------------------------------------------------------


class ActKind(StrEnum):
    """What a coordinator, or an officer for the employer, has done to a notice."""

    AUTHORITY_ADDED = "authority_added"
    AUTHORITY_RELEASED = "authority_released"
    INSISTED = "insisted"
    PLACE_DISMISSED = "place_dismissed"
    PLACE_RESTORED = "place_restored"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    REOPENED = "reopened"
    MERGED = "merged"
    UNMERGED = "unmerged"
    LINKED = "linked"
    UNLINKED = "unlinked"
    KEPT_APART = "kept_apart"
    CONFIRMED = "confirmed"
    OVERDUE_NOTED = "overdue_noted"


class NoticeActRow(Table, table=True):
    """An act of a coordinator: who, when, why. Rows are only ever added."""

    __tablename__ = "notice_act"
    __table_args__ = (
        Index("notice_act_of", "notice_id", "id"),
        Index("notice_act_kept_apart", "notice_id", "other_id", postgresql_where=text("act = 'kept_apart'")),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    notice_id: UUID
    act: ActKind = Field(sa_type=EnumText(ActKind))
    by: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=_INSTANT)
    reason: str | None = Field(default=None, sa_type=Text)
    authority: str | None = Field(default=None, sa_type=Text)
    municipality: str | None = Field(default=None, sa_type=Text)
    other_id: UUID | None = None
    outcome: Outcome | None = Field(default=None, sa_type=EnumText(Outcome))


class OverdueRow(Table, table=True):
    """A receipt that became overdue. It stands on the coordinators' list while it is still awaited."""

    __tablename__ = "overdue_receipt"
    __table_args__ = (Index("overdue_receipt_since", "since", "overdue_id"),)

    overdue_id: UUID = Field(primary_key=True)
    notice_id: UUID
    authority: str = Field(sa_type=Text)
    awaiting: Awaited = Field(sa_type=Text)
    due_at: datetime = Field(sa_type=_INSTANT)
    since: datetime = Field(sa_type=_INSTANT)
    acknowledged_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    acknowledged_by: str | None = Field(default=None, sa_type=Text)
    note: str | None = Field(default=None, sa_type=Text)
