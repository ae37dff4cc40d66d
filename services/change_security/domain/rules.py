"""Rules that change by date, and what they mean for one filing.

The rules are data (`data/rules.csv`): value, validity, source and how sure it is. The day the proposal was
given to the personnel chooses.
What is computed here is for the reader, not a decision.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, get_args

from services.change_security.domain.filing import ChosenBy, given_day, informed_on
from services.change_security.domain.reductions import (
    Reduction,
    Tally,
    affected,
    counted_in_large_reduction,
    only_layoffs_up_to,
    tally_of_earlier,
    terminations,
)
from services.change_security.domain.texts import Message, message
from shared.calendar import local_day
from shared.events.v1.change_security import Filing, FilingKind, LegalBasis

Certainty = Literal["read", "secondary", "unverified"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One value in force during a time. `legal_basis` None: whatever the basis."""

    name: str
    legal_basis: str | None
    value: int
    unit: str
    valid_from: date
    valid_to: date | None
    certainty: Certainty
    source: str


class RuleTable:
    """The dated rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        # Filings of one day and basis share their rules; looking the table through for each would be waste.
        self.in_force = lru_cache(maxsize=256)(self._in_force)
        # A service level applies to what arrived before it was set, too.
        self._first_day: dict[str, date] = {}
        for rule in self._rules:
            self._first_day[rule.name] = min(rule.valid_from, self._first_day.get(rule.name, date.max))

    def _in_force(self, day: date, basis: str | None) -> Mapping[str, Rule]:
        return {
            rule.name: rule
            for rule in self._rules
            if rule.legal_basis in (None, basis)
            and rule.valid_from <= day
            and (rule.valid_to is None or day <= rule.valid_to)
        }

    def value(self, name: str, day: date) -> int:
        """Return the value of a rule that holds whatever the legal basis.

        Raises:
            KeyError: no such rule is in force on that day.
        """
        return self._rule_of(name, day).value

    def certainty(self, name: str, day: date) -> Certainty:
        """Return how sure a rule is that holds whatever the legal basis.

        Raises:
            KeyError: no such rule is in force on that day.
        """
        return self._rule_of(name, day).certainty

    def _rule_of(self, name: str, day: date) -> Rule:
        return self.in_force(max(day, self._first_day[name]), None)[name]


def read_rules(lines: Iterable[str]) -> RuleTable:
    """Read the rule table from CSV.

    Raises:
        ValueError: a row lacks its source or its certainty, or ends before it begins.
    """
    return RuleTable(_rule(place, row) for place, row in enumerate(csv.DictReader(lines), start=2))


def _rule(place: int, row: Mapping[str, str]) -> Rule:
    valid_from = date.fromisoformat(row["valid_from"])
    valid_to = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
    certainty = next((word for word in get_args(Certainty) if word == row["certainty"]), None)
    if certainty is None or not row["source"] or (valid_to is not None and valid_to < valid_from):
        raise ValueError(f"row {place} of the rules lacks its certainty, source or validity")
    return Rule(
        name=row["rule"],
        legal_basis=row["legal_basis"] or None,
        value=int(row["value"]),
        unit=row["unit"],
        valid_from=valid_from,
        valid_to=valid_to,
        certainty=certainty,
        source=row["source"],
    )


Scope = Literal["in_scope", "not_in_scope", "unknown"]
Plan = Literal["action_plan", "operating_principles", "none", "unknown"]


@dataclass(frozen=True, slots=True)
class StatutoryClock:
    """A day that the law sets, with the rules it comes from.

    Attributes:
        name: which day it is.
        day: a local calendar day.
        sources: of the rules used.
        to_be_checked: one of them is not read in the law.
        condition: under which the day holds; None when nothing is left open.
        missing: the numbers that are missing, for want of which the stricter case is shown.
    """

    name: str
    day: date
    sources: tuple[str, ...]
    to_be_checked: bool
    condition: Message | None = None
    missing: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the rules say of one filing.

    Attributes:
        rules_of: the local day whose rules apply.
        rules_chosen_by: what told that day.
        rules_to_be_checked: the day is a proposal's arrival, for want of the day it was given.
        scope: whether the filing falls within the Act.
        plan: what the employer must make for the terminations it plans.
        clocks: none when the filing is not in scope.
        warnings: what the reader should notice. They refuse nothing.
        missing: the numbers that are missing to know the scope, the plan or a clock.
        notes: sentences that belong to the whole.
    """

    rules_of: date
    rules_chosen_by: ChosenBy
    rules_to_be_checked: bool
    scope: Scope
    plan: Plan
    clocks: tuple[StatutoryClock, ...]
    warnings: tuple[Message, ...]
    missing: tuple[Message, ...]
    notes: tuple[Message, ...]


def assess(
    filing: Filing, arrived_at: datetime, table: RuleTable, earlier: Sequence[Reduction] | None = None
) -> Assessment:
    """Apply the rules in force on the day the proposal was given. An unknown number counts as the stricter case.

    The thresholds of Act 252/2025 are not applied to municipalities, wellbeing counties or the state
    (449/2007, 1233/2013): the table has no such rules for them. A proposal that names no legal basis is assessed as
    under the Co-operation Act, and says so.

    Args:
        filing: what the employer filed.
        arrived_at: the earliest receipt by an authority.
        table: the dated rules.
        earlier: the employer's other reductions; None when they are not known.
    """
    day, chosen_by = given_day(filing, arrived_at)
    rules = table.in_force(day, _basis(filing))
    scope, lacking = _scope(filing, day, rules, earlier)
    clocks = () if scope == "not_in_scope" else tuple(_clocks(filing, arrived_at, rules))
    if filing.kind is FilingKind.NEGOTIATION_PROPOSAL and filing.legal_basis is None:
        scope = "unknown"
    if scope == "unknown":
        clocks = tuple(replace(clock, condition=message("if_cooperation_act_applies")) for clock in clocks)
    plan, lacking_for_plan = _plan(filing, rules)
    by_arrival = chosen_by == "arrived_at" and filing.kind is FilingKind.NEGOTIATION_PROPOSAL
    notes = [
        *([message("rules_chosen_by_arrival")] if by_arrival else []),
        *([message("agreements_may_set_other_times")] if clocks else []),
    ]
    missing = (*lacking, *lacking_for_plan, *(number for clock in clocks for number in clock.missing))
    return Assessment(
        rules_of=day,
        rules_chosen_by=chosen_by,
        rules_to_be_checked=by_arrival,
        scope=scope,
        plan=plan,
        clocks=clocks,
        warnings=tuple(_warnings(filing, arrived_at, rules)),
        missing=tuple(dict.fromkeys(missing)),
        notes=tuple(notes),
    )


def days_of_earlier(filing: Filing, arrived_at: datetime, table: RuleTable) -> tuple[date, date] | None:
    """Return from which day to which the employer's other filings count; None when the scope does not hang on them."""
    if filing.kind is not FilingKind.NEGOTIATION_PROPOSAL or filing.legal_basis is LegalBasis.VOLUNTARY:
        return None
    day, _ = given_day(filing, arrived_at)
    rules = table.in_force(day, _basis(filing))
    staff, limit = filing.employer.regular_staff, rules.get("scope_from_staff")
    from_staff, within = rules.get("scope_large_reduction_from_staff"), rules.get("scope_large_reduction_within")
    if staff is None or limit is None or from_staff is None or within is None:
        return None
    return (day - timedelta(days=within.value), day) if from_staff.value <= staff < limit.value else None


def _basis(filing: Filing) -> LegalBasis | None:
    if filing.legal_basis is None and filing.kind is FilingKind.NEGOTIATION_PROPOSAL:
        return LegalBasis.YTL_1333_2021
    return filing.legal_basis


_Lacking = tuple[Message, ...]


def _scope(  # noqa: PLR0911 - one return for each case of the law
    filing: Filing, day: date, rules: Mapping[str, Rule], earlier: Sequence[Reduction] | None
) -> tuple[Scope, _Lacking]:
    """Return whether the filing falls within the Act, and what is missing to know it."""
    if filing.kind is FilingKind.TERMINATION_NOTICE:
        least = rules.get("termination_notice_from")
        return _reached(affected(filing), least.value) if least else ("unknown", ())
    if filing.legal_basis is LegalBasis.VOLUNTARY:
        return "not_in_scope", ()
    limit = rules.get("scope_from_staff")
    if limit is None:
        return "unknown", ()
    staff = filing.employer.regular_staff
    if staff is None:
        return "unknown", (_STAFF_MISSING,)
    if staff >= limit.value:
        return "in_scope", ()
    from_staff = rules.get("scope_large_reduction_from_staff")
    if from_staff is None or staff < from_staff.value:
        return "not_in_scope", ()
    layoff_over = rules["scope_large_reduction_layoff_over"].value
    within_days = rules["scope_large_reduction_within"].value
    counted = counted_in_large_reduction(filing, layoff_over) + tally_of_earlier(
        earlier, day, within_days=within_days, layoff_over=layoff_over
    )
    return _reached(counted, rules["scope_large_reduction_from_affected"].value)


def _reached(tally: Tally, limit: int) -> tuple[Scope, _Lacking]:
    if tally.reaches(limit):
        return "in_scope", ()
    return ("not_in_scope", ()) if tally.stays_below(limit) else ("unknown", tally.missing)


def _plan(filing: Filing, rules: Mapping[str, Rule]) -> tuple[Plan, _Lacking]:
    """Return what the employer makes: it follows from planned terminations alone, whatever else is planned."""
    plan_from, planned = rules.get("action_plan_from"), terminations(filing)
    if plan_from is None:
        return "unknown", ()
    if planned.reaches(plan_from.value):
        return "action_plan", ()
    if planned.missing:
        return "unknown", planned.missing
    return ("operating_principles" if planned.at_least else "none"), ()


def _clocks(filing: Filing, arrived_at: datetime, rules: Mapping[str, Rule]) -> Iterable[StatutoryClock]:
    if filing.kind is not FilingKind.NEGOTIATION_PROPOSAL:
        return
    starts_at = filing.negotiations.starts_at if filing.negotiations else None
    if starts_at is not None and (chosen := _negotiation_time(filing, rules)):
        used, lacking = chosen
        yield StatutoryClock(
            "earliest_end_of_negotiations",
            local_day(starts_at) + timedelta(days=used[0].value),
            tuple(dict.fromkeys(rule.source for rule in used)),
            to_be_checked=any(rule.certainty != "read" for rule in used),
            missing=lacking,
        )
    after, least = rules.get("earliest_end_after_proposal"), rules.get("earliest_end_from_terminations")
    planned = terminations(filing)
    if after is not None and least is not None and not planned.stays_below(least.value):
        yield StatutoryClock(
            "earliest_end_of_employment",
            local_day(arrived_at) + timedelta(days=after.value),
            tuple(dict.fromkeys((after.source, least.source))),
            to_be_checked=True,
            missing=() if planned.reaches(least.value) else planned.missing,
        )


def _negotiation_time(filing: Filing, rules: Mapping[str, Rule]) -> tuple[Sequence[Rule], _Lacking] | None:
    """Return the rule of the time and the rule that chose it, and what is missing: known, the time might be shorter."""
    long, short = rules.get("negotiation_time_long"), rules.get("negotiation_time_short")
    least = rules.get("negotiation_time_long_from_affected")
    if long is None or short is None or least is None:
        return None
    lacking: list[Message] = []
    for rule, holds, missing in _shortening(filing, rules):
        if holds:
            return (short, rule), ()
        lacking += missing
    return (long, least), tuple(lacking)


def _shortening(filing: Filing, rules: Mapping[str, Rule]) -> Iterable[tuple[Rule, bool, _Lacking]]:
    """Yield each ground of the short time: its rule, whether it certainly holds, and what is missing to know it."""
    count = affected(filing)
    if few := rules.get("negotiation_time_long_from_affected"):
        yield few, count.stays_below(few.value), () if count.reaches(few.value) else count.missing
    staff = filing.employer.regular_staff
    if small := rules.get("negotiation_time_short_below_staff"):
        yield small, staff is not None and staff < small.value, () if staff is not None else (_STAFF_MISSING,)
    if brief := rules.get("negotiation_time_short_layoffs_up_to"):
        yield brief, *only_layoffs_up_to(filing, brief.value)
    if restructuring := rules.get("negotiation_time_short_in_restructuring"):
        yield restructuring, filing.employer.in_restructuring is True, ()


_STAFF_MISSING: Final = message("regular_staff_missing", pointer="/employer/regular_staff")


def _warnings(filing: Filing, arrived_at: datetime, rules: Mapping[str, Rule]) -> Iterable[Message]:
    negotiations = filing.negotiations
    if filing.kind is not FilingKind.NEGOTIATION_PROPOSAL or negotiations is None or negotiations.starts_at is None:
        return
    if arrived_at > negotiations.starts_at:
        yield message("filed_after_negotiations_began")
    before, informed = rules.get("personnel_informed_before"), informed_on(negotiations)
    if before and informed and (local_day(negotiations.starts_at) - informed).days < before.value:
        yield message("personnel_informed_late", days=before.value)
