"""What the API says and takes, beside the filing itself (`shared.events.v1.change_security.Filing`)."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.change_security.domain.case import StepState
from services.change_security.domain.filing import missing
from services.change_security.domain.ledger import Entry
from services.change_security.domain.matter import Matter
from services.change_security.domain.rules import Assessment, RuleTable, assess
from services.change_security.domain.texts import TEXTS, Message
from shared.events.v1.change_security import DeclineReason, Filing, HandlingMode, Outcome, Reason
from shared.events.values import Instant


class NoticeIn(BaseModel):
    """A filing to be registered."""

    filing: Filing
    arrived_at: Instant | None = Field(
        default=None,
        description="When an e-mail or paper filing first reached an authority; given by the officer who registers it.",
    )


class RevisionIn(BaseModel):
    """A new revision of a filing."""

    predecessor: int = Field(ge=1, description="The revision that this one follows: the newest you have seen.")
    filing: Filing


class ClosingIn(BaseModel):
    """How a change situation ended."""

    outcome: Outcome


class AuthorityIn(BaseModel):
    """An authority that a coordinator adds to a notice."""

    authority: str = Field(min_length=1, max_length=60)
    municipality: str | None = Field(default=None, max_length=10, description="What it resolves in the unrouted queue.")
    reason: str = Field(min_length=3, max_length=500)


class EmailIn(BaseModel):
    """An authority's address for secure e-mail."""

    email: str = Field(max_length=200, pattern=r"^[^@\s<>]+@[^@\s<>]+$")


class MessageOut(BaseModel):
    """Something said to the reader: a code with its parameters, and its text in the service languages."""

    code: str
    pointer: str | None = Field(description="Where in the filing it belongs.")
    parameters: dict[str, str | int]
    fi: str
    sv: str
    en: str

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        """Show a message."""
        fi, sv, en = message.text
        parameters = dict(message.parameters)
        return cls(code=message.code, pointer=message.pointer, parameters=parameters, fi=fi, sv=sv, en=en)


class ClockOut(BaseModel):
    """A day that the law sets. Computed for the reader, not a decision."""

    name: str
    fi: str
    sv: str
    en: str
    day: date
    sources: list[str]
    to_be_checked: bool
    condition: MessageOut | None = Field(description="Under which the day holds.")
    missing: list[MessageOut] = Field(description="Missing numbers, for want of which the stricter case is shown.")


class AssessmentOut(BaseModel):
    """What the rules say that were in force on the day the proposal was given."""

    rules_of: date
    rules_chosen_by: str = Field(description="What told the day: given_on, personnel_informed_on or arrived_at.")
    rules_to_be_checked: bool
    scope: str
    plan: str = Field(description="action_plan, operating_principles, none or unknown.")
    clocks: list[ClockOut]
    warnings: list[MessageOut]
    missing_numbers: list[MessageOut]
    notes: list[MessageOut]

    @classmethod
    def of(cls, assessment: Assessment) -> "AssessmentOut":
        """Show an assessment."""
        return cls(
            rules_of=assessment.rules_of,
            rules_chosen_by=assessment.rules_chosen_by,
            rules_to_be_checked=assessment.rules_to_be_checked,
            scope=assessment.scope,
            plan=assessment.plan,
            clocks=[
                ClockOut(
                    name=clock.name,
                    **asdict(TEXTS[clock.name]),
                    day=clock.day,
                    sources=list(clock.sources),
                    to_be_checked=clock.to_be_checked,
                    condition=MessageOut.of(clock.condition) if clock.condition else None,
                    missing=[MessageOut.of(number) for number in clock.missing],
                )
                for clock in assessment.clocks
            ],
            warnings=[MessageOut.of(warning) for warning in assessment.warnings],
            missing_numbers=[MessageOut.of(number) for number in assessment.missing],
            notes=[MessageOut.of(note) for note in assessment.notes],
        )


class EntryOut(BaseModel):
    """One authority's part in a notice."""

    authority: str
    office: str | None
    state: str
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
    overdue: str | None
    decline_reason: DeclineReason | None
    case_outcome: Outcome | None

    @classmethod
    def of(cls, entry: Entry, now: datetime) -> "EntryOut":
        """Show an entry."""
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
            overdue=entry.overdue(now),
            decline_reason=entry.decline_reason,
            case_outcome=entry.case_outcome,
        )


class LedgerOut(BaseModel):
    """Who has been sent a notice, and whose store has it."""

    notice_id: UUID
    version: int
    complete: bool = Field(description="Every store that was told has receipted what it was told.")
    earliest_receipt: datetime = Field(
        description="The first receipt by an authority; which one counts: to be checked."
    )
    trace_id: str | None
    entries: list[EntryOut]

    @classmethod
    def of(cls, matter: Matter, now: datetime) -> "LedgerOut":
        """Show a matter's ledger."""
        told = [entry for entry in matter.entries if entry.office is not None]
        return cls(
            notice_id=matter.notice_id,
            version=matter.version,
            complete=bool(told) and all(entry.is_receipted for entry in told),
            earliest_receipt=matter.receipt.arrived_at,
            trace_id=matter.trace_id,
            entries=[EntryOut.of(entry, now) for entry in matter.entries],
        )


class NoticeOut(BaseModel):
    """A notice as it now is."""

    notice_id: UUID
    status: str
    revision: int
    version: int
    channel: str
    arrived_at: datetime
    registered_at: datetime
    outcome: Outcome | None
    missing: list[str] = Field(description="What the law asks for and the filing does not tell.")
    completion_asked_at: datetime | None = Field(
        description="When completion was asked of whoever filed, by this answer; a revision completes it."
    )
    assessment: AssessmentOut
    filing: Filing

    @classmethod
    def of(cls, matter: Matter, filing: Filing, rules: RuleTable) -> "NoticeOut":
        """Show a matter with the filing as the caller may see it."""
        lacking = missing(matter.filing)
        return cls(
            notice_id=matter.notice_id,
            status=matter.status,
            revision=matter.revision,
            version=matter.version,
            channel=matter.receipt.channel,
            arrived_at=matter.receipt.arrived_at,
            registered_at=matter.receipt.registered_at,
            outcome=matter.outcome,
            missing=list(lacking),
            completion_asked_at=(matter.revised_at or matter.receipt.registered_at) if lacking else None,
            assessment=AssessmentOut.of(assess(matter.filing, matter.receipt.arrived_at, rules)),
            filing=filing,
        )


class NoticeLine(BaseModel):
    """A notice in a list."""

    notice_id: UUID
    status: str
    revision: int
    channel: str
    arrived_at: datetime
    registered_at: datetime


class RevisionOut(BaseModel):
    """One revision of a filing."""

    revision: int
    predecessor: int | None
    waiting: bool = Field(description="Its predecessor has not come yet.")
    recorded_at: datetime
    filing: Filing


class PlaceOut(BaseModel):
    """A place that leads to no authority."""

    kind: str
    municipality: str | None
    why: str


class RecipientOut(BaseModel):
    """An affected authority and why it is one."""

    authority: str
    name_fi: str
    name_sv: str
    name_en: str
    handling_mode: HandlingMode
    state: str
    reasons: list[dict[str, Any]]


class RoutingOut(BaseModel):
    """Where a notice went, why, and by which table."""

    notice_id: UUID
    revision: int
    routing_version: str
    recipients: list[RecipientOut]
    unrouted: list[PlaceOut]


class UnroutedLine(BaseModel):
    """An open item of the queue of the unrouted."""

    notice_id: UUID
    kind: str
    municipality: str | None
    why: str
    since: datetime


class DeliveryOut(BaseModel):
    """An e-mail to an authority outside the region."""

    delivery_id: UUID
    authority: str
    version: int
    state: str
    attempts: int
    sent_at: datetime | None
    problem: str | None


class StepIn(BaseModel):
    """How far a step of the course is."""

    state: StepState


class CheckIn(BaseModel):
    """Whether a checklist item is checked."""

    checked: bool


class NoteIn(BaseModel):
    """An officer's note. It never leaves the office."""

    text: str = Field(min_length=1, max_length=5000)


class SpecialistIn(BaseModel):
    """The officer named as specialist, by the issuer's opaque id."""

    specialist: str = Field(min_length=1, max_length=200)


class DeclineIn(BaseModel):
    """Why the notice is not this authority's own."""

    reason: DeclineReason


class TakeIn(BaseModel):
    """Whose parts this authority handles; its own, if none is named."""

    parts: list[str] = Field(default=[], max_length=10)


class CaseLine(BaseModel):
    """A case in a list."""

    notice_id: UUID
    status: str
    revision: int
    handling_mode: str
    competent_authority: str
    acting_authority: str
    specialist: str | None
    acknowledge_by: datetime | None
    acknowledged_at: datetime | None
    overdue: str | None
    stored_at: datetime


class StepOut(BaseModel):
    """A step of the course."""

    step: str
    fi: str
    sv: str
    en: str
    state: str | None
    at: datetime | None
    by: str | None


class CheckOut(BaseModel):
    """An item of the checklist of extended change security (55+). It decides nothing."""

    item: str
    fi: str
    sv: str
    en: str
    checked: bool


class CaseOut(CaseLine):
    """An authority's own case."""

    outcome: str | None
    arrived_at: datetime | None
    registered_at: datetime | None
    reasons: list[dict[str, Any]]
    missing: list[str]
    trace_id: str | None
    assessment: AssessmentOut | None
    course: list[StepOut]
    checklist: list[CheckOut]
    filing: Filing | None


class CaseRevisionOut(BaseModel):
    """One revision of a case's filing."""

    revision: int
    stored_at: datetime
    filing: Filing


class NoteOut(BaseModel):
    """An officer's note."""

    text: str
    by: str
    at: datetime


def reasons_with_names(reasons: Iterable[Reason], names: dict[str, str]) -> list[dict[str, Any]]:
    """Show reasons with their municipalities' names."""
    return [
        {"kind": reason.kind.value, "municipality": reason.municipality, "name": names.get(reason.municipality or "")}
        for reason in reasons
    ]
