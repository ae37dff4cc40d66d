"""An authority's own case: the course of a change situation, and the checklists an officer works by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.change_security.domain.rules import RuleTable
from services.change_security.domain.texts import Message
from shared.errors import RefusedError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.change_security import Filing, FilingKind, Measure, Termination


class CaseState(StrEnum):
    """Where an authority's case stands."""

    OPEN = "open"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    MERGED = "merged"


class Step(StrEnum):
    """The course of a case, from advance information to follow-up."""

    ADVANCE_INFORMATION = "advance_information"
    PROPOSAL = "proposal"
    SPECIALIST_NAMED = "specialist_named"
    EMPLOYER_CONTACTED = "employer_contacted"
    SITE_BREAKDOWN_ASKED = "site_breakdown_asked"
    ACTION_PLAN = "action_plan"
    OPERATING_PRINCIPLES = "operating_principles"
    INFORMATION_SESSIONS = "information_sessions"
    OUTCOME_KNOWN = "outcome_known"
    TERMINATION_NOTICE = "termination_notice"
    EMPLOYMENT_PLANS = "employment_plans"
    TRAINING_AND_MATCHING = "training_and_matching"
    FOLLOW_UP = "follow_up"


class StepState(StrEnum):
    """How far a step is."""

    DONE = "done"
    NOT_NEEDED = "not_needed"


class CaseAct(StrEnum):
    """What an officer can do in a case, for the list of acts."""

    REGISTERED = "registered"
    REVISED = "revised"
    WITHDRAWN = "withdrawn"
    ACKNOWLEDGED = "acknowledged"
    DECLINED = "declined"
    TAKEN = "taken"
    RETURNED = "returned"
    SPECIALIST_NAMED = "specialist_named"
    STEP_SET = "step_set"
    CHECKED = "checked"
    NOTE_ADDED = "note_added"
    CLOSED = "closed"
    PLAN_STEP_ADDED = "plan_step_added"
    PLAN_STEP_CHANGED = "plan_step_changed"
    ACTING_ASKED = "acting_asked"
    ACTING_ANSWERED = "acting_answered"
    ACTING_ENDED = "acting_ended"


def course(plan: str | None) -> tuple[Step, ...]:
    """Return the steps of a case.

    `plan`: what the employer makes for its terminations (`rules.Plan`); while it is unknown, both steps are shown.
    """
    both = {Step.ACTION_PLAN, Step.OPERATING_PRINCIPLES}
    left_out = {
        "action_plan": both - {Step.ACTION_PLAN},
        "operating_principles": both - {Step.OPERATING_PRINCIPLES},
        "none": both,
    }.get(plan or "", set())
    return tuple(step for step in Step if step not in left_out)


class CheckItem(StrEnum):
    """What extended change security (since 1.1.2023) asks of an employee. The codes stay when the law's numbers change.

    A checklist to show the employer. It decides nothing.
    """

    AGED_55 = "aged_55"
    SERVICE_5_YEARS = "service_5_years"
    REGISTERED_WITHIN_60_DAYS = "registered_within_60_days"


_LIMITS: Final = {
    CheckItem.AGED_55: ("extended_from_age", "years"),
    CheckItem.SERVICE_5_YEARS: ("extended_from_service", "years"),
    CheckItem.REGISTERED_WITHIN_60_DAYS: ("extended_registered_within", "days"),
}


def check_message(item: CheckItem, table: RuleTable, day: date) -> Message:
    """Return what an item asks, with the number of the rule in force on a day."""
    rule, unit = _LIMITS[item]
    return Message(item, ((unit, table.value(rule, day)),))


@dataclass(frozen=True, slots=True)
class EmployeeGroup:
    """Employees of one filing who are, or may be, dismissed.

    Attributes:
        id: the same in every revision that names the group alike.
        name: the personnel group of a proposal, the occupation or duties of a notice; None when not named.
        terminations: planned or notified, or at least so many.
        is_complete: whether every number is given.
    """

    id: UUID
    name: str | None
    terminations: int
    is_complete: bool


def employee_groups(filing: Filing) -> tuple[EmployeeGroup, ...]:
    """Return the groups with terminations, in the order of the filing. Lay-offs and part-timing are not concerned."""
    named = (
        [(_named(part), part.count) for part in filing.terminations]
        if filing.kind is FilingKind.TERMINATION_NOTICE
        else [(part.personnel_group, part.count) for part in filing.measures if part.measure is Measure.TERMINATION]
    )
    groups: dict[UUID, EmployeeGroup] = {}
    for name, count in named:
        words = " ".join((name or "").split())
        group_id = derived_id("employee-group", words.casefold())
        before = groups.get(group_id, EmployeeGroup(group_id, words or None, 0, is_complete=True))
        groups[group_id] = replace(
            before,
            terminations=before.terminations + (count or 0),
            is_complete=before.is_complete and count is not None,
        )
    return tuple(groups.values())


def _named(part: Termination) -> str | None:
    if part.occupation is not None:
        return part.occupation.label or f"{part.occupation.scheme} {part.occupation.code}"
    return part.duties


@dataclass(frozen=True, slots=True)
class Check:
    """One item for one group. `count`: employees to whom it applies; None while nobody has counted them."""

    item: CheckItem
    message: Message
    count: int | None


@dataclass(frozen=True, slots=True)
class Checklist:
    """The items of one employee group."""

    group: EmployeeGroup
    checks: tuple[Check, ...]


def checklists(
    filing: Filing, counts: Mapping[tuple[UUID, CheckItem], int], table: RuleTable, day: date
) -> tuple[Checklist, ...]:
    """Return the checklist of each employee group. `counts`: what officers have counted, by group and item."""
    return tuple(
        Checklist(
            group,
            tuple(Check(item, check_message(item, table, day), counts.get((group.id, item))) for item in CheckItem),
        )
        for group in employee_groups(filing)
    )


def check_count(filing: Filing, group_id: UUID, count: int) -> None:
    """Refuse a count that the filing contradicts.

    Raises:
        UnknownError: the filing has no such group.
        RefusedError: more employees than the group has terminations.
    """
    group = next((group for group in employee_groups(filing) if group.id == group_id), None)
    if group is None:
        raise UnknownError("employee group")
    if group.is_complete and count > group.terminations:
        raise RefusedError("/count", "more-than-in-group", "The group has fewer terminations.")
