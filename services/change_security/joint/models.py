"""What the joint office's API takes and shows."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.change_security.domain.filing import masked, missing
from services.change_security.domain.ledger import Awaited, Entry, EntryState, Standing
from services.change_security.domain.notice import Channel, Notice, NoticeState
from services.change_security.domain.reductions import Reduction
from services.change_security.domain.routing import AuthorityTable, Municipality, Why
from services.change_security.domain.rules import RuleTable, assess
from services.change_security.domain.texts import message
from services.change_security.joint.evidence_store import RevisionArrival
from services.change_security.joint.lists_store import ListedNotice
from services.change_security.joint.tables import NoticeRevisionRow, UnroutedRow
from services.change_security.models import AssessmentOut, HandlingOut, MessageOut
from shared.events.v1.change_security import (
    AskedBecause,
    DeclineReason,
    Filing,
    FilingKind,
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
    confirmed_stored: bool
    revision_sent: int
    revision_stored: int
    sent_at: datetime
    stored_at: datetime | None
    acknowledged_at: datetime | None
    acknowledge_by: datetime
    overdue: Awaited | None
    overdue_message: MessageOut | None
    standing: Standing = Field(description="Who must act next.")
    standing_message: MessageOut
    revision_asked: int = Field(description="The revision that the authority is asked to acknowledge.")
    asked_because: AskedBecause
    acknowledged_revision: int | None = Field(description="The newest that it has acknowledged.")
    awaits_acknowledgement: bool
    decline_reason: DeclineReason | None
    declined_at: datetime | None
    case_outcome: Outcome | None

    @classmethod
    def of(cls, entry: Entry, now: datetime, *, is_open: bool, is_ready_to_close: bool) -> "EntryOut":
        """Show an entry of a notice that is open, or has ended."""
        overdue = entry.overdue(now, is_open=is_open)
        standing = entry.standing(is_open=is_open, is_ready_to_close=is_ready_to_close)
        for_closing = is_ready_to_close and standing is Standing.COORDINATOR
        why = "ready_to_close" if for_closing else f"standing_{standing}"
        return cls(
            authority=entry.authority,
            office=entry.office,
            state=entry.state,
            handling_mode=entry.mode,
            competent_authority=entry.authority,
            acting_authority=entry.acting_authority,
            reasons=list(entry.reasons),
            confirmed_stored=entry.is_confirmed_stored,
            revision_sent=entry.revision_sent,
            revision_stored=entry.revision_stored,
            sent_at=entry.sent_at,
            stored_at=entry.stored_at,
            acknowledged_at=entry.acknowledged_at,
            acknowledge_by=entry.acknowledge_by,
            overdue=overdue,
            overdue_message=MessageOut.of(message(f"overdue_{overdue}")) if overdue else None,
            standing=standing,
            standing_message=MessageOut.of(message(why)),
            revision_asked=entry.revision_asked,
            asked_because=entry.asked_because,
            acknowledged_revision=entry.acknowledged_revision,
            awaits_acknowledgement=is_open and entry.awaits_acknowledgement,
            decline_reason=entry.decline_reason,
            declined_at=entry.declined_at,
            case_outcome=entry.case_outcome,
        )


class ReceiptOut(BaseModel):
    """When an authority, or the joint office, received a revision of a filing itself: by HTTP, by topic, by hand."""

    notice_id: UUID = Field(description="The notice, or one that is merged into it.")
    revision: int
    authority: str
    arrived_at: datetime
    channel: Channel
    earliest: bool = Field(description="The earliest of its revision; which one counts: to be checked.")


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
    receipts: list[ReceiptOut] = Field(description="Of each authority that received the filing itself.")
    entries: list[EntryOut]

    @classmethod
    def of(cls, notice: Notice, arrivals: Sequence[RevisionArrival], now: datetime) -> "LedgerOut":
        """Show a notice's ledger. `arrivals`: of each revision in force, of the notices merged into it too."""
        is_open = notice.state is NoticeState.OPEN
        own = (receipt.arrived_at for one in arrivals if one.revision == 1 for receipt in one.arrival.receipts)
        return cls(
            notice_id=notice.notice_id,
            version=notice.version,
            complete=bool(notice.entries) and all(entry.is_confirmed for entry in notice.entries),
            earliest_receipt=min((notice.receipt.arrived_at, *own)),
            trace_id=notice.trace_id,
            receipts=[
                ReceiptOut(
                    notice_id=one.notice_id,
                    revision=one.revision,
                    authority=receipt.authority,
                    arrived_at=receipt.arrived_at,
                    channel=receipt.channel,
                    earliest=receipt.arrived_at == one.arrival.at,
                )
                for one in arrivals
                for receipt in sorted(one.arrival.receipts, key=lambda receipt: receipt.arrived_at)
            ],
            entries=[
                EntryOut.of(entry, now, is_open=is_open, is_ready_to_close=notice.is_ready_to_close)
                for entry in notice.entries
            ],
        )


class NoticeOut(BaseModel):
    """A notice as it now is."""

    notice_id: UUID
    filer_reference: str | None
    state: NoticeState
    revision: int
    version: int
    channel: Channel
    arrived_at: datetime
    arrived_at_claimed: datetime | None = Field(
        description="An earlier arrival that the filer states. It moves no clock."
    )
    registered_at: datetime
    revision_arrived_at: datetime | None = Field(description="When the newest revision arrived.")
    outcome: Outcome | None
    relates_to: UUID | None = Field(description="The proposal that a notice of terminations follows.")
    missing: list[str] = Field(description="What the law asks for and the filing does not tell.")
    completion_asked_at: datetime | None = Field(
        description="When completion was really asked of whoever filed, by a receipt or a letter; null when it was not."
    )
    assessment: AssessmentOut
    handling: HandlingOut | None
    filing: Filing

    @classmethod
    def of(cls, notice: Notice, filing: Filing, rules: RuleTable, earlier: Sequence[Reduction] | None) -> "NoticeOut":
        """Show a notice with the filing as the caller may see it. `earlier`: what the employer reduced before."""
        return cls(
            notice_id=notice.notice_id,
            filer_reference=notice.receipt.filer_reference,
            state=notice.state,
            revision=notice.revision,
            version=notice.version,
            channel=notice.receipt.channel,
            arrived_at=notice.receipt.arrived_at,
            arrived_at_claimed=notice.receipt.arrived_at_claimed,
            registered_at=notice.receipt.registered_at,
            revision_arrived_at=notice.revision_arrived_at,
            outcome=notice.outcome,
            relates_to=notice.relates_to,
            missing=list(missing(notice.filing)),
            completion_asked_at=notice.completion_asked_at,
            assessment=AssessmentOut.of(assess(notice.filing, notice.receipt.arrived_at, rules, earlier)),
            handling=HandlingOut.of(notice.handling),
            filing=filing,
        )


class NoticeLine(BaseModel):
    """A notice in a list."""

    notice_id: UUID
    filer_reference: str | None
    state: NoticeState
    revision: int
    version: int
    channel: Channel
    kind: FilingKind
    employer: str | None
    business_id: str
    not_public: bool
    affected: int | None = Field(description="Employees, or at least so many; null to who does not handle the notice.")
    terminations: int | None
    counts_complete: bool | None = Field(description="No number is missing.")
    rules_of: date = Field(description="The day whose rules apply.")
    arrived_at: datetime
    registered_at: datetime
    late: bool = Field(description="A receipt of some authority is overdue.")
    declined: bool = Field(description="Some authority says that the notice is not its own.")
    acknowledged: bool = Field(description="Every authority that it concerns has acknowledged it.")
    mine: bool = Field(description="The caller registered it, or is the specialist of the joint matter.")

    @classmethod
    def of(cls, row: ListedNotice, *, counted: bool) -> "NoticeLine":
        """Show a notice; `counted`: with its counts, which can identify a person."""
        hidden = {} if counted else {"affected": None, "terminations": None, "counts_complete": None}
        return cls.model_validate(row._asdict() | hidden)


class RevisionOut(BaseModel):
    """One revision of a filing."""

    revision: int
    predecessor: int | None
    waiting: bool = Field(description="Its predecessor has not come yet.")
    arrived_at: datetime = Field(description="When the revision first reached an authority.")
    arrived_at_claimed: datetime | None
    recorded_at: datetime
    filing: Filing

    @classmethod
    def of(cls, row: NoticeRevisionRow, *, hidden: bool) -> "RevisionOut":
        """Show a revision; `hidden`: to an authority that does not handle the notice."""
        return cls(
            revision=row.revision,
            predecessor=row.revision - 1 or None,
            waiting=row.waiting,
            arrived_at=row.arrival.at,
            arrived_at_claimed=row.arrival.claimed,
            recorded_at=row.recorded_at,
            filing=masked(row.filing) if hidden else row.filing,
        )


class PlaceOut(BaseModel):
    """A place that leads to no authority."""

    kind: ReasonKind
    municipality: str | None
    why: Why
    message: MessageOut


class ReasonOut(BaseModel):
    """Why an authority is affected, with the municipality's name in Finnish and Swedish."""

    kind: ReasonKind
    municipality: str | None
    name: str | None
    name_sv: str | None


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
        names = {code: row for code in codes if (row := table.municipality(code))}
        return cls(
            notice_id=notice.notice_id,
            revision=notice.revision,
            routing_version=notice.routing_version,
            recipients=[_recipient(entry, table, names) for entry in notice.entries],
            unrouted=[
                PlaceOut(
                    kind=place.kind,
                    municipality=place.municipality,
                    why=place.why,
                    message=MessageOut.of(message(place.why)),
                )
                for place in notice.unrouted
            ],
        )


class UnroutedLine(BaseModel):
    """An open item of the unrouted queue."""

    notice_id: UUID
    kind: ReasonKind
    municipality: str | None
    why: Why
    message: MessageOut
    since: datetime

    @classmethod
    def of(cls, row: UnroutedRow) -> "UnroutedLine":
        """Show an item."""
        return cls(
            notice_id=row.notice_id,
            kind=row.kind,
            municipality=row.municipality or None,
            why=row.why,
            message=MessageOut.of(message(row.why)),
            since=row.since,
        )


def _recipient(entry: Entry, table: AuthorityTable, names: Mapping[str, Municipality]) -> RecipientOut:
    authority = table.authorities[entry.authority]
    return RecipientOut(
        authority=entry.authority,
        name_fi=authority.name_fi,
        name_sv=authority.name_sv,
        name_en=authority.name_en,
        handling_mode=entry.mode,
        state=entry.state,
        reasons=[
            ReasonOut(
                kind=reason.kind,
                municipality=reason.municipality,
                name=place.name_fi if place else None,
                name_sv=place.name_sv if place else None,
            )
            for reason in entry.reasons
            for place in (names.get(reason.municipality or ""),)
        ],
    )
