"""Agreed person-years by task and authority, dated, and how they compare with what was handled.

The agreement: about 50/25/25 per cent, at least 20/10/10 person-years (Helsinki/Espoo/Vantaa), reviewed regularly by the
management group. What one task takes of them is decided by the management group: as shipped, to be checked.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

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
    found: dict[str, Agreed] = {}
    for one in agreed:
        in_force = one.task == task and one.valid_from <= day and (one.valid_to is None or day <= one.valid_to)
        if in_force and (one.authority not in found or found[one.authority].valid_from <= one.valid_from):
            found[one.authority] = one
    return {authority: one.person_years for authority, one in sorted(found.items())}


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

    Actual person-years are the agreed ones of the whole task, for the days, divided by the acts that each authority did: what
    is measured is who did the work, not how long it took. Counts of 1-4 are masked; and so is the next smallest when
    only one would be, since it could be computed from the sum.
    """
    whole = sum(agreed.values())
    total = sum(acts.get(name, 0) for name in authorities)
    masked = {name for name in authorities if 0 < acts.get(name, 0) < LEAST_SHOWN}
    if len(masked) == 1:
        others = [name for name in authorities if name not in masked and acts.get(name, 0) > 0]
        masked |= set(sorted(others, key=lambda name: (acts[name], name))[:1])
    found = []
    for name in authorities:
        share = acts.get(name, 0) / total if total else None
        hidden = name in masked or share is None
        found.append(
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
    return found
