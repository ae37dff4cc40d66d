"""An authority's own case: what its officers decide in it.

Every function takes a case and an act, and returns what follows: the case as it now is, and the events to publish. What
only records an officer's work (steps, checks, notes) needs no decision.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.change_security.domain.case import CaseState
from services.change_security.domain.filing import check, missing
from shared.errors import ConflictError, RefusedError
from shared.events.envelope import Event
from shared.events.v1.change_security import (
    AskedBecause,
    CaseClosed,
    DeclineReason,
    EarlierReduction,
    Filing,
    Handling,
    HandlingMode,
    NoticeAcknowledged,
    NoticeAmended,
    NoticeAskedAgain,
    NoticeAssigned,
    NoticeDeclined,
    NoticeFiled,
    NoticeTaken,
    NoticeWithdrawalFiled,
    Outcome,
    PartReturned,
    Reason,
    ReasonKind,
)


@dataclass(frozen=True, slots=True)
class NewCase:
    """What a city's store keeps of a notice that concerns it, or that it registers itself.

    `asked_version`: at which the authority was last asked to acknowledge; 0 while the joint office has not asked.
    """

    notice_id: UUID
    version: int
    revision: int
    authority: str
    handling_mode: HandlingMode
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    arrived_at: datetime
    registered_at: datetime
    acknowledge_by: datetime | None
    filing: Filing
    stored_at: datetime
    trace_id: str | None = None
    handling: Handling | None = None
    filer_reference: str | None = None
    arrived_at_claimed: datetime | None = None
    revision_arrived_at: datetime | None = None
    earlier_reductions: tuple[EarlierReduction, ...] | None = None
    asked_version: int = 0
    asked_because: AskedBecause = AskedBecause.ASSIGNED
    asked_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What is decided by, of a case that its store has.

    `acknowledged_at`, `declined_at`: the answer to what was last asked; neither while it is awaited.
    """

    notice_id: UUID
    competent_authority: str
    state: CaseState
    revision: int
    handling_mode: HandlingMode
    missing: tuple[str, ...] = ()
    outcome: Outcome | None = None
    specialist: str | None = None
    acknowledged_at: datetime | None = None
    overdue: str | None = None
    version: int = 1
    acknowledged_revision: int | None = None
    declined_at: datetime | None = None
    decline_reason: DeclineReason | None = None


@dataclass(frozen=True, slots=True)
class CaseChange:
    """What follows from an act.

    Attributes:
        case: the case as it now is.
        events: what the joint office hears, in order.
        filing: the filing of a new revision.
        filing_arrived_at: when that reached this authority.
    """

    case: Case
    events: tuple[Event, ...] = ()
    filing: Filing | None = None
    filing_arrived_at: datetime | None = None


def receive(event: NoticeAssigned | NoticeAmended | NoticeAskedAgain, at: datetime, trace_id: str | None) -> NewCase:
    """Return the case that the joint office's message opens, or brings to a newer version."""
    return NewCase(
        notice_id=event.notice_id,
        version=event.version,
        revision=event.revision,
        authority=event.authority,
        handling_mode=event.handling_mode,
        reasons=event.reasons,
        missing=event.missing,
        arrived_at=event.arrived_at,
        registered_at=event.registered_at,
        acknowledge_by=event.acknowledge_by,
        filing=event.filing,
        stored_at=at,
        trace_id=trace_id,
        handling=event.handling,
        filer_reference=event.filer_reference,
        arrived_at_claimed=event.arrived_at_claimed,
        revision_arrived_at=event.revision_arrived_at,
        earlier_reductions=event.earlier_reductions,
        asked_version=event.asked_version or (0 if isinstance(event, NoticeAmended) else event.version),
        asked_because=event.asked_because or AskedBecause.ASSIGNED,
        asked_reason=event.reason if isinstance(event, NoticeAskedAgain) else None,
    )


def register(
    notice_id: UUID,
    authority: str,
    filing: Filing,
    arrived_at: datetime,
    at: datetime,
    trace_id: str | None,
    filer_reference: str | None = None,
) -> tuple[NewCase, NoticeFiled]:
    """Return the case of a notice that an authority registers itself, and what the joint office hears.

    Raises:
        RefusedError: the filing is refused.
    """
    check(filing)
    case = NewCase(
        notice_id=notice_id,
        version=0,  # any version that the joint office gives is newer
        revision=1,
        authority=authority,
        handling_mode=HandlingMode.OWN,
        reasons=(Reason(kind=ReasonKind.MANUAL),),
        missing=missing(filing),
        arrived_at=arrived_at,
        registered_at=at,
        acknowledge_by=None,
        filing=filing,
        stored_at=at,
        trace_id=trace_id,
        filer_reference=filer_reference,
        revision_arrived_at=arrived_at,
    )
    event = _filed(notice_id, authority, 1, filing, arrived_at, at)
    return case, event.model_copy(update={"filer_reference": filer_reference})


def revise(
    case: Case, filing: Filing, predecessor: int, at: datetime, arrived_at: datetime | None = None
) -> CaseChange:
    """Put a revision in force that the employer sent to this authority. `arrived_at`: when it came, if before now.

    Raises:
        RefusedError: the filing is refused.
        ConflictError: the predecessor is not the newest revision, or the case is not open.
    """
    check(filing)
    _must_be_open(case)
    if predecessor != case.revision:
        raise ConflictError("stale-predecessor", f"The newest revision is {case.revision}.")
    revision = case.revision + 1
    revised = replace(
        case,
        revision=revision,
        missing=missing(filing),
        acknowledged_revision=case.acknowledged_revision if case.acknowledged_at is None else revision,
    )
    event = _filed(case.notice_id, case.competent_authority, revision, filing, arrived_at or at, at)
    return CaseChange(revised, (event,), filing, event.arrived_at)


def withdraw(case: Case) -> CaseChange:
    """End a case whose notice the employer withdraws.

    Raises:
        ConflictError: the case is not open.
    """
    _must_be_open(case)
    event = NoticeWithdrawalFiled(notice_id=case.notice_id, authority=case.competent_authority)
    return CaseChange(replace(case, state=CaseState.WITHDRAWN), (event,))


def name_specialist(case: Case, specialist: str) -> CaseChange:
    """Name the authority's specialist for the case.

    Raises:
        ConflictError: the case is not open.
    """
    _must_be_open(case)
    return CaseChange(replace(case, specialist=specialist))


def acknowledge(case: Case, acting_authority: str, at: datetime) -> CaseChange:
    """Enter that an officer has acknowledged the notice. The first time counts; repeating it changes nothing.

    Raises:
        ConflictError: the case is not open.
    """
    _must_be_open(case)
    if case.acknowledged_at is not None:
        return CaseChange(case)
    event = NoticeAcknowledged(
        notice_id=case.notice_id,
        authority=case.competent_authority,
        acting_authority=acting_authority,
        acknowledged_at=at,
        **_as_seen(case),
    )
    return CaseChange(_acknowledged(case, at), (event,))


def decline(case: Case, reason: DeclineReason, at: datetime) -> CaseChange:
    """Say that the notice is not this authority's own. The case stays until a coordinator has looked into it.

    Raises:
        ConflictError: the case is not open.
    """
    _must_be_open(case)
    event = NoticeDeclined(
        notice_id=case.notice_id,
        authority=case.competent_authority,
        reason=reason,
        declined_at=at,
        **_as_seen(case),
    )
    declined = replace(case, acknowledged_at=None, overdue=None, declined_at=at, decline_reason=reason)
    return CaseChange(declined, (event,))


def take(case: Case, parts: Iterable[str], at: datetime) -> CaseChange:
    """Take the own part out of joint handling. The own part may be named; others' are asked for.

    Raises:
        RefusedError: another authority's part is named.
        ConflictError: the case is not open.
    """
    own = case.competent_authority
    if not {own}.issuperset(parts):
        text = "Another authority's part is not taken: ask to act in it."
        raise RefusedError("/parts", "ask-for-others-parts", text)
    _must_be_open(case)
    event = NoticeTaken(notice_id=case.notice_id, authority=own, parts=(own,), taken_at=at, **_as_seen(case))
    return CaseChange(replace(_acknowledged(case, at), handling_mode=HandlingMode.OWN), (event,))


def give_back(case: Case, handling: Handling | None, at: datetime) -> CaseChange:
    """Return the own part to joint handling. Whether the matter is joint again, the joint office tells.

    Raises:
        ConflictError: the case is not open, or the part was not taken.
    """
    _must_be_open(case)
    if handling is None or not _is_taken(case, handling):
        raise ConflictError("not-taken", "The part was not taken out of joint handling.")
    event = PartReturned(notice_id=case.notice_id, authority=case.competent_authority, returned_at=at)
    return CaseChange(case, (event,))


def _is_taken(case: Case, handling: Handling) -> bool:
    # The joint office's answer to a taking may still be on its way.
    just_now = handling.mode is HandlingMode.JOINT and case.handling_mode is HandlingMode.OWN
    return just_now or case.competent_authority not in handling.authorities


def close(case: Case, outcome: Outcome, acting_authority: str, at: datetime) -> CaseChange:
    """Close the authority's own case with the outcome; `acting_authority`: whose officer does it.

    Who closes a case has taken notice of it.

    Raises:
        ConflictError: the case is not open.
    """
    _must_be_open(case)
    event = CaseClosed(
        notice_id=case.notice_id,
        authority=case.competent_authority,
        outcome=outcome,
        closed_at=at,
        acting_authority=acting_authority,
        **_as_seen(case),
    )
    return CaseChange(replace(_acknowledged(case, at), state=CaseState.CLOSED, outcome=outcome), (event,))


def _acknowledged(case: Case, at: datetime) -> Case:
    return replace(
        case,
        acknowledged_at=case.acknowledged_at or at,
        acknowledged_revision=max(case.revision, case.acknowledged_revision or 0),
        overdue=None,
        declined_at=None,
        decline_reason=None,
    )


def _as_seen(case: Case) -> dict[str, int | None]:
    """Return to what an officer answers. A case that the joint office has not sent yet has no version."""
    return {"version": case.version or None, "revision": case.revision}


def must_be_handled(case: Case) -> None:
    """Refuse work in a case that this authority handles no longer. In a closed one, what is left may still be done.

    Raises:
        ConflictError: the case is released, withdrawn or merged into another.
    """
    if case.state is not CaseState.CLOSED:
        _must_be_open(case)


def _must_be_open(case: Case) -> None:
    if case.state is not CaseState.OPEN:
        raise ConflictError("not-open", f"The case is {case.state}.")


def _filed(
    notice_id: UUID, authority: str, revision: int, filing: Filing, arrived_at: datetime, at: datetime
) -> NoticeFiled:
    return NoticeFiled(
        notice_id=notice_id,
        authority=authority,
        revision=revision,
        arrived_at=arrived_at,
        registered_at=at,
        filing=filing,
    )
