"""Agreed person-years by task and authority, dated, and how they compare with what was handled.

The agreement: about 50/25/25 per cent, at least 20/10/10 person-years (Helsinki/Espoo/Vantaa), reviewed regularly by
the management group. What one task takes of them is decided by the management group: as shipped, to be checked.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from pydantic import Field

from shared.calendar import start_of
from shared.errors import RefusedError
from shared.events.envelope import Part
from shared.events.v1.advisory import Task

TASKS: Final[tuple[Task, ...]] = ("advisory", "placement", "change_security", "training", "coaching")
LEAST_SHOWN: Final = 5
"""Smaller counts can point at persons: they are masked."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """Person-years that an authority gives to a task during a time."""

    task: str
    authority: str
    person_years: float
    valid_from: date
    valid_to: date | None
    certainty: str
    source: str


def read_agreed(lines: Iterable[str]) -> tuple[Agreed, ...]:
    """Read the table of agreed person-years from CSV."""
    return tuple(
        Agreed(
            row["task"],
            row["authority"],
            float(row["person_years"]),
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            row["certainty"],
            row["source"],
        )
        for row in csv.DictReader(lines)
    )


def agreed_on(agreed: Iterable[Agreed], task: str, day: date) -> dict[str, float]:
    """Return the person-years in force for a task on a day, by authority; of two rules the later one counts."""
    newest: dict[str, Agreed] = {}
    for rule in agreed:
        in_force = rule.task == task and rule.valid_from <= day and (rule.valid_to is None or day <= rule.valid_to)
        if in_force and (rule.authority not in newest or newest[rule.authority].valid_from <= rule.valid_from):
            newest[rule.authority] = rule
    return {authority: rule.person_years for authority, rule in sorted(newest.items())}


class Decision(Part):
    """A decision of the management group on one task's person-years, in force from a day on."""

    person_years: dict[str, float] = Field(min_length=1, max_length=10)
    valid_from: date
    decided_on: date
    reason: str = Field(min_length=3, max_length=280, description="Kept and shown. Write no personal data.")


def check_decision(decision: Decision, authorities: frozenset[str]) -> None:
    """Refuse a decision that names another than the region's authorities, or negative years.

    Raises:
        RefusedError: `authorities-and-years`.
    """
    if decision.person_years.keys() - authorities or min(decision.person_years.values()) < 0:
        text = "Person-years are those of the region's authorities, and not negative."
        raise RefusedError("/person_years", "authorities-and-years", text)


def year_of(day: date) -> tuple[datetime, datetime]:
    """Return the instants between which the calendar year of a day lies: shares are kept by the year."""
    return start_of(date(day.year, 1, 1)), start_of(date(day.year + 1, 1, 1))


@dataclass(frozen=True, slots=True)
class Share:
    """An authority's part of the contacts of the year: agreed and actual. Shares are of 1."""

    authority: str
    person_years: float
    agreed_share: float
    contacts: int
    actual_share: float | None


def shares(agreed: Mapping[str, float], handled: Mapping[str, int]) -> list[Share]:
    """Compare agreed person-years with how many contacts each authority was given."""
    whole, total = sum(agreed.values()), sum(handled.values())
    return [
        Share(
            authority=name,
            person_years=years,
            agreed_share=round(years / whole, 4) if whole else 0.0,
            contacts=handled.get(name, 0),
            actual_share=round(handled.get(name, 0) / total, 4) if total else None,
        )
        for name, years in agreed.items()
    ]


@dataclass(frozen=True, slots=True)
class Compared:
    """One authority's agreed and actual part of a task in a period. Shares are of 1; `acts` None where masked."""

    task: str
    authority: str
    agreed_years: float
    agreed_share: float
    acts: int | None
    actual_share: float | None
    actual_years: float | None


def compare(
    task: str, agreed: Mapping[str, float], acts: Mapping[str, int], days: int, authorities: Sequence[str]
) -> list[Compared]:
    """Compare agreed with actual.

    Actual person-years are the agreed ones of the whole task, for the days, divided by the acts that each authority
    did: what is measured is who did the work, not how long it took. Counts of 1-4 are masked; and so is the next
    smallest when only one would be, since it could be computed from the sum.
    """
    whole = sum(agreed.values())
    total = sum(acts.get(name, 0) for name in authorities)
    masked = {name for name in authorities if 0 < acts.get(name, 0) < LEAST_SHOWN}
    if len(masked) == 1:
        others = [name for name in authorities if name not in masked and acts.get(name, 0) > 0]
        masked |= set(sorted(others, key=lambda name: (acts[name], name))[:1])
    rows = []
    for name in authorities:
        share = acts.get(name, 0) / total if total else None
        hidden = name in masked or share is None
        rows.append(
            Compared(
                task=task,
                authority=name,
                agreed_years=round(agreed.get(name, 0.0) * days / 365, 2),
                agreed_share=round(agreed.get(name, 0.0) / whole, 4) if whole else 0.0,
                acts=None if name in masked else acts.get(name, 0),
                actual_share=None if hidden or share is None else round(share, 4),
                actual_years=None if hidden or share is None else round(share * whole * days / 365, 2),
            )
        )
    return rows


class WorkQuestion(Part):
    """Which days to review, both included."""

    since: date
    until: date

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """The instants between which the days lie."""
        return start_of(self.since), start_of(self.until + timedelta(days=1))


def check_question(question: WorkQuestion) -> None:
    """Refuse a review that ends before it begins.

    Raises:
        RefusedError: `before-since`.
    """
    if question.until < question.since:
        raise RefusedError("/until", "before-since", "The last day is before the first.")


@dataclass(frozen=True, slots=True)
class Review:
    """The resourcing review of some days.

    Attributes:
        since, until: the days, both included.
        rows: agreed and actual by task and authority.
        missing_services: those that have not answered yet.
        to_be_checked: whether person-years are in it that the management group has not decided.
    """

    since: date
    until: date
    rows: tuple[Compared, ...]
    missing_services: tuple[str, ...]
    to_be_checked: bool


def review(
    question: WorkQuestion,
    shipped: Iterable[Agreed],
    decided: Iterable[Agreed],
    acts: Mapping[str, Mapping[str, int]],
    authorities: Sequence[str],
    missing_services: Iterable[str],
) -> Review:
    """Compare what was agreed on the first day with the acts of handling of all days.

    Args:
        question: the days.
        shipped: the person-years that the service ships.
        decided: the management group's decisions; they come on top.
        acts: acts of handling by task and authority.
        authorities: those of the region.
        missing_services: services that have not answered.
    """
    decided = list(decided)
    rules = [*shipped, *decided]
    days = (question.until - question.since).days + 1
    rows = tuple(
        row
        for task in TASKS
        for row in compare(task, agreed_on(rules, task, question.since), acts.get(task, {}), days, authorities)
    )
    verified = {(rule.task, rule.authority) for rule in decided if rule.valid_from <= question.since}
    unverified = any((row.task, row.authority) not in verified for row in rows)
    return Review(question.since, question.until, rows, tuple(missing_services), unverified)
