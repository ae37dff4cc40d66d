"""What the joint office's API takes and shows."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.change_security.domain.filing import masked, missing
from services.change_security.domain.ledger import Awaited, Entry, EntryState, Standing
from services.change_security.domain.notice import Channel, Notice, NoticeState
from services.change_security.domain.routing import AuthorityTable, Why
from services.change_security.domain.rules import RuleTable, assess
from services.change_security.joint.tables import DeliveryState, NoticeRevisionRow, UnroutedRow
from services.change_security.models import AssessmentOut
from shared.events.v1.change_security import (
    AskedBecause,
    DeclineReason,
    Filing,
    HandlingMode,
    Outcome,
    Reason,
    ReasonKind,
)


class AuthorityIn(BaseModel):
    """An authority that a coordinator adds to a notice."""

    authority: str = Field(min_length=1, max_length=60)
    municipality: str | None = Field(default=None, max_length=10, description="What it resolves in the unrouted queue.")
    reason: str = Field(min_length=3, max_length=500)


class EmailIn(BaseModel):
    """An authority's address for secure e-mail."""

    email: str = Field(max_length=200, pattern=r"^[^@\s<>]+@[^@\s<>]+$")


class EmailOut(EmailIn):
    """The address of an authority outside the region."""

    authority: str


class EntryOut(BaseModel):
    """One authority's part in a notice."""

    authority: str
    office: str | None
    state: EntryState
    handling_mode: HandlingMode
    competent_authority: str
    acting_authority: str
    reasons: list[Reason]
    receipted: bool
    revision_sent: int
    revision_stored: int
    sent_at: datetime
    stored_at: datetime | None
    acknowledged_at: datetime | None
    acknowledge_by: datetime
    overdue: Awaited | None
    standing: Standing = Field(description="Who must act next.")
    revision_asked: int = Field(description="The revision that the authority is asked to acknowledge.")
    asked_because: AskedBecause
    acknowledged_revision: int | None = Field(description="The newest that it has acknowledged.")
    awaits_acknowledgement: bool
    decline_reason: DeclineReason | None
    declined_at: datetime | None
    case_outcome: Outcome | None

    @classmethod
    def of(cls, entry: Entry, now: datetime, *, is_open: bool) -> "EntryOut":
        """Show an entry of a notice that is open, or has ended."""
        return cls(
            authority=entry.authority,
            office=entry.office,
            state=entry.state,
            handling_mode=entry.mode,
            competent_authority=entry.authority,
            acting_authority=entry.acting_authority,
            reasons=list(entry.reasons),
            receipted=entry.is_receipted,
            revision_sent=entry.revision_sent,
            revision_stored=entry.revision_stored,
            sent_at=entry.sent_at,
            stored_at=entry.stored_at,
            acknowledged_at=entry.acknowledged_at,
            acknowledge_by=entry.acknowledge_by,
            overdue=entry.overdue(now, is_open=is_open),
            standing=entry.standing(is_open=is_open),
            revision_asked=entry.revision_asked,
            asked_because=entry.asked_because,
            acknowledged_revision=entry.acknowledged_revision,
            awaits_acknowledgement=is_open and entry.awaits_acknowledgement,
            decline_reason=entry.decline_reason,
            declined_at=entry.declined_at,
            case_outcome=entry.case_outcome,
        )


class LedgerOut(BaseModel):
    """Who has been sent a notice, and whose store has it."""

    notice_id: UUID
    version: int
    complete: bool = Field(
        description="Every store has confirmed what it was sent; every authority outside the region, what it was asked."
    )
    earliest_receipt: datetime = Field(
        description="The first receipt by an authority; which one counts: to be checked."
    )
    trace_id: str | None
    entries: list[EntryOut]

    @classmethod
    def of(cls, notice: Notice, now: datetime, merged: Iterable[datetime] = ()) -> "LedgerOut":
        """Show a notice's ledger. `merged`: when the notices that are one with it arrived."""
        is_open = notice.state is NoticeState.OPEN
        return cls(
            notice_id=notice.notice_id,
            version=notice.version,
            complete=bool(notice.entries) and all(entry.is_confirmed for entry in notice.entries),
            earliest_receipt=min((notice.receipt.arrived_at, *merged)),
            trace_id=notice.trace_id,
            entries=[EntryOut.of(entry, now, is_open=is_open) for entry in notice.entries],
        )


class NoticeOut(BaseModel):
    """A notice as it now is."""

    notice_id: UUID
    state: NoticeState
    revision: int
    version: int
    channel: Channel
    arrived_at: datetime
    registered_at: datetime
    outcome: Outcome | None
    relates_to: UUID | None = Field(description="The proposal that a notice of terminations follows.")
    missing: list[str] = Field(description="What the law asks for and the filing does not tell.")
    completion_asked_at: datetime | None = Field(
        description="When completion was asked of whoever filed, by this answer; a revision completes it."
    )
    assessment: AssessmentOut
    filing: Filing

    @classmethod
    def of(cls, notice: Notice, filing: Filing, rules: RuleTable) -> "NoticeOut":
        """Show a notice with the filing as the caller may see it."""
        lacking = missing(notice.filing)
        return cls(
            notice_id=notice.notice_id,
            state=notice.state,
            revision=notice.revision,
            version=notice.version,
            channel=notice.receipt.channel,
            arrived_at=notice.receipt.arrived_at,
            registered_at=notice.receipt.registered_at,
            outcome=notice.outcome,
            relates_to=notice.relates_to,
            missing=list(lacking),
            completion_asked_at=(notice.revised_at or notice.receipt.registered_at) if lacking else None,
            assessment=AssessmentOut.of(assess(notice.filing, notice.receipt.arrived_at, rules)),
            filing=filing,
        )


class NoticeLine(BaseModel):
    """A notice in a list."""

    model_config = ConfigDict(from_attributes=True)

    notice_id: UUID
    state: NoticeState
    revision: int
    version: int
    channel: Channel
    arrived_at: datetime
    registered_at: datetime


class RevisionOut(BaseModel):
    """One revision of a filing."""

    revision: int
    predecessor: int | None
    waiting: bool = Field(description="Its predecessor has not come yet.")
    recorded_at: datetime
    filing: Filing

    @classmethod
    def of(cls, row: NoticeRevisionRow, *, hidden: bool) -> "RevisionOut":
        """Show a revision; `hidden`: to an authority that does not handle the notice."""
        return cls(
            revision=row.revision,
            predecessor=row.revision - 1 or None,
            waiting=row.waiting,
            recorded_at=row.recorded_at,
            filing=masked(row.filing) if hidden else row.filing,
        )


class PlaceOut(BaseModel):
    """A place that leads to no authority."""

    kind: ReasonKind
    municipality: str | None
    why: Why


class ReasonOut(BaseModel):
    """Why an authority is affected, with the municipality's name."""

    kind: ReasonKind
    municipality: str | None
    name: str | None


class RecipientOut(BaseModel):
    """An affected authority and why it is one."""

    authority: str
    name_fi: str
    name_sv: str
    name_en: str
    handling_mode: HandlingMode
    state: EntryState
    reasons: list[ReasonOut]


class RoutingOut(BaseModel):
    """Where a notice went, why, and by which table."""

    notice_id: UUID
    revision: int
    routing_version: str
    recipients: list[RecipientOut]
    unrouted: list[PlaceOut]

    @classmethod
    def of(cls, notice: Notice, table: AuthorityTable) -> "RoutingOut":
        """Show where a notice went, with the names of the table."""
        codes = {reason.municipality for entry in notice.entries for reason in entry.reasons if reason.municipality}
        names = {code: row.name_fi for code in codes if (row := table.municipality(code))}
        return cls(
            notice_id=notice.notice_id,
            revision=notice.revision,
            routing_version=notice.routing_version,
            recipients=[_recipient(entry, table, names) for entry in notice.entries],
            unrouted=[
                PlaceOut(kind=place.kind, municipality=place.municipality, why=place.why) for place in notice.unrouted
            ],
        )


class UnroutedLine(BaseModel):
    """An open item of the unrouted queue."""

    notice_id: UUID
    kind: ReasonKind
    municipality: str | None
    why: Why
    since: datetime

    @classmethod
    def of(cls, row: UnroutedRow) -> "UnroutedLine":
        """Show an item."""
        return cls(
            notice_id=row.notice_id,
            kind=row.kind,
            municipality=row.municipality or None,
            why=row.why,
            since=row.since,
        )


class DeliveryOut(BaseModel):
    """An e-mail to an authority outside the region."""

    model_config = ConfigDict(from_attributes=True)

    delivery_id: UUID
    authority: str
    version: int
    state: DeliveryState
    attempts: int
    sent_at: datetime | None
    problem: str | None


def _recipient(entry: Entry, table: AuthorityTable, names: Mapping[str, str]) -> RecipientOut:
    authority = table.authorities[entry.authority]
    return RecipientOut(
        authority=entry.authority,
        name_fi=authority.name_fi,
        name_sv=authority.name_sv,
        name_en=authority.name_en,
        handling_mode=entry.mode,
        state=entry.state,
        reasons=[
            ReasonOut(kind=reason.kind, municipality=reason.municipality, name=names.get(reason.municipality or ""))
            for reason in entry.reasons
        ],
    )
