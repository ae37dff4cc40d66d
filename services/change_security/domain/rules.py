"""Rules that change by date, and what they mean for one filing.

The rules are data (`data/rules.csv`): value, validity, source and how sure it is. The filing's day of arrival chooses.
What is computed here is for the reader, not a decision.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from services.change_security.domain.filing import affected, planned_terminations
from shared.calendar import local_day
from shared.events.v1.change_security import Filing, FilingKind, LegalBasis, Measure

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
        return self.in_force(max(day, self._first_day[name]), None)[name].value


def read_rules(lines: Iterable[str]) -> RuleTable:
    """Read the rule table from CSV."""
    return RuleTable(
        Rule(
            name=row["rule"],
            legal_basis=row["legal_basis"] or None,
            value=int(row["value"]),
            unit=row["unit"],
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            certainty=row["certainty"],  # type: ignore[arg-type] # a test reads every row
            source=row["source"],
        )
        for row in csv.DictReader(lines)
    )


@dataclass(frozen=True, slots=True)
class StatutoryClock:
    """A day that the law sets, with the rules it comes from."""

    name: str
    day: date
    sources: tuple[str, ...]
    to_be_checked: bool


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the field's word; the built-in is not used here
    """Something the reader should notice. It refuses nothing."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the rules say of one filing."""

    rules_of: date
    scope: Literal["in_scope", "not_in_scope", "unknown"]
    clocks: tuple[StatutoryClock, ...]
    warnings: tuple[Warning, ...]
    plan: Literal["action_plan", "operating_principles"] | None


def assess(filing: Filing, arrived_at: datetime, table: RuleTable) -> Assessment:
    """Apply the rules in force on the day the filing arrived. `arrived_at` is the earliest receipt by an authority.

    The thresholds of Act 252/2025 are not applied to municipalities, wellbeing counties or the state
    (449/2007, 1233/2013): the table has no such rules for them.
    """
    day = local_day(arrived_at)
    rules = table.in_force(day, filing.legal_basis)
    concerned = affected(filing)
    plan_from = rules.get("action_plan_from")
    plan: Literal["action_plan", "operating_principles"] | None = None
    if plan_from is not None and concerned is not None:
        plan = "action_plan" if concerned >= plan_from.value else "operating_principles"
    return Assessment(
        rules_of=day,
        scope=_scope(filing, rules),
        clocks=tuple(_clocks(filing, arrived_at, rules)),
        warnings=tuple(_warnings(filing, arrived_at, rules)),
        plan=plan,
    )


def _scope(  # noqa: PLR0911 - one return for each case of the law
    filing: Filing, rules: Mapping[str, Rule]
) -> Literal["in_scope", "not_in_scope", "unknown"]:
    if filing.kind is FilingKind.TERMINATION_NOTICE:
        least = rules.get("termination_notice_from")
        count = affected(filing)
        if least is None or count is None:
            return "unknown"
        return "in_scope" if count >= least.value else "not_in_scope"
    staff = filing.employer.regular_staff
    limit = rules.get("scope_from_staff")
    if filing.legal_basis is LegalBasis.VOLUNTARY:
        return "not_in_scope"
    if staff is None or limit is None:
        return "unknown"
    if staff >= limit.value:
        return "in_scope"
    large_from = rules.get("scope_large_reduction_from_affected")
    large_staff = rules.get("scope_large_reduction_from_staff")
    if large_from is None or large_staff is None or staff < large_staff.value:
        return "not_in_scope"
    counted = _counted_for_large_reduction(filing, rules)
    if counted is None:
        return "unknown"
    return "in_scope" if counted >= large_from.value else "not_in_scope"


def _counted_for_large_reduction(filing: Filing, rules: Mapping[str, Rule]) -> int | None:
    layoff_over = rules["scope_large_reduction_layoff_over"].value
    counts = [
        planned.count
        for planned in filing.measures
        if planned.measure is not Measure.LAYOFF or planned.layoff_days is None or planned.layoff_days > layoff_over
    ]
    known = [count for count in counts if count is not None]
    return sum(known) if known or not counts else None


def _clocks(filing: Filing, arrived_at: datetime, rules: Mapping[str, Rule]) -> Iterable[StatutoryClock]:
    if filing.kind is not FilingKind.NEGOTIATION_PROPOSAL:
        return
    starts_at = filing.negotiations.starts_at if filing.negotiations else None
    if starts_at is not None and (chosen := _negotiation_time(filing, rules)):
        yield StatutoryClock(
            "earliest_end_of_negotiations",
            local_day(starts_at) + timedelta(days=chosen[0].value),
            tuple(rule.source for rule in chosen),
            to_be_checked=any(rule.certainty != "read" for rule in chosen),
        )
    after, least = rules.get("earliest_end_after_proposal"), rules.get("earliest_end_from_terminations")
    terminations = planned_terminations(filing)
    if after is not None and least is not None and terminations is not None and terminations >= least.value:
        yield StatutoryClock(
            "earliest_end_of_employment",
            local_day(arrived_at) + timedelta(days=after.value),
            (after.source, least.source),
            to_be_checked=True,
        )


def _negotiation_time(filing: Filing, rules: Mapping[str, Rule]) -> list[Rule]:
    long, short = rules.get("negotiation_time_long"), rules.get("negotiation_time_short")
    least = rules.get("negotiation_time_long_from_affected")
    if long is None or short is None or least is None:
        return []
    staff_limit = rules.get("negotiation_time_short_below_staff")
    staff = filing.employer.regular_staff
    if staff_limit is not None and staff is not None and staff < staff_limit.value:
        return [short, staff_limit]
    count = affected(filing)
    # With no number given the longer time is shown: the reader is warned too early rather than too late.
    return [short, least] if count is not None and count < least.value else [long, least]


def _warnings(filing: Filing, arrived_at: datetime, rules: Mapping[str, Rule]) -> Iterable[Warning]:
    negotiations = filing.negotiations
    if filing.kind is not FilingKind.NEGOTIATION_PROPOSAL or negotiations is None or negotiations.starts_at is None:
        return
    if arrived_at > negotiations.starts_at:
        yield Warning("filed_after_negotiations_began", "The filing arrived after the negotiations began.")
    before, informed = rules.get("personnel_informed_before"), negotiations.personnel_informed_on
    if before and informed and (local_day(negotiations.starts_at) - informed).days < before.value:
        yield Warning(
            "personnel_informed_late",
            f"The personnel was informed less than {before.value} calendar days before the negotiations.",
        )
