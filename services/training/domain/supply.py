"""Supply planning: who waits for what, for how long, who is expected, and which groups to procure.

A written rule, not a prediction of people: expected applicants are those who wait, those who come if the last twelve
weeks go on, and the part of a released workforce that the planner assumes will apply.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

LOOK_BACK: Final = timedelta(weeks=12)
LOOK_AHEAD: Final = timedelta(weeks=13)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One application as planning sees it. `is_open`: it waits still."""

    occupation: str
    municipality: str
    queued_at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class Line:
    """An occupation in a municipality: the queue now, and who is expected in the next 13 weeks. Ages are days."""

    occupation: str
    municipality: str
    waiting: int
    median_age: float
    oldest_age: float
    arrivals: float
    released: int
    vacancies: int

    def expected(self, uptake: float) -> float:
        """How many are expected to want a seat. `uptake`: the part of the released that is assumed to apply."""
        return self.waiting + self.arrivals + uptake * self.released


@dataclass(frozen=True, slots=True)
class Planned:
    """Groups to procure for an occupation, with the reason in numbers."""

    occupation: str
    groups: int
    seats_each: int
    expected: float
    free_seats: int
    vacancies: int
    because: str


def lines(
    applications: Iterable[Waiting],
    released: Mapping[tuple[str, str], int],
    vacancies: Mapping[tuple[str, str], int],
    now: datetime,
) -> list[Line]:
    """Return a line for each occupation and municipality, those with the longest queue first."""
    ages: dict[tuple[str, str], list[float]] = {}
    recent: dict[tuple[str, str], int] = {}
    for application in applications:
        key = (application.occupation, application.municipality)
        if application.is_open:
            ages.setdefault(key, []).append((now - application.queued_at) / timedelta(days=1))
        if now - application.queued_at <= LOOK_BACK:
            recent[key] = recent.get(key, 0) + 1
    made = []
    for key in ages.keys() | recent.keys() | released.keys() | vacancies.keys():
        own = ages.get(key, [])
        made.append(
            Line(
                occupation=key[0],
                municipality=key[1],
                waiting=len(own),
                median_age=round(median(own), 1) if own else 0.0,
                oldest_age=round(max(own), 1) if own else 0.0,
                arrivals=round(recent.get(key, 0) * (LOOK_AHEAD / LOOK_BACK), 1),
                released=released.get(key, 0),
                vacancies=vacancies.get(key, 0),
            )
        )
    return sorted(made, key=lambda line: (-line.waiting, line.occupation, line.municipality))


def plan(
    queue: Sequence[Line], free_seats: Mapping[str, int], sizes: Mapping[str, tuple[int, int]], uptake: float
) -> list[Planned]:
    """Return the groups to procure, the occupations with the most vacancies first.

    Args:
        queue: the lines.
        free_seats: seats that nobody has yet, in groups that are planned or open, by occupation.
        sizes: the least and the largest group, by occupation.
        uptake: the part of the released that is assumed to apply.
    """
    planned = []
    for occupation in sorted({line.occupation for line in queue} & sizes.keys()):
        own = [line for line in queue if line.occupation == occupation]
        least, most = sizes[occupation]
        expected = round(sum(line.expected(uptake) for line in own), 1)
        missing = int(expected) - free_seats.get(occupation, 0)
        whole, rest = divmod(max(0, missing), most)
        groups = whole + (rest >= least)
        vacancies = sum(line.vacancies for line in own)
        planned.append(
            Planned(
                occupation=occupation,
                groups=groups,
                seats_each=most,
                expected=expected,
                free_seats=free_seats.get(occupation, 0),
                vacancies=vacancies,
                because=f"{sum(line.waiting for line in own)} wait, {round(sum(line.arrivals for line in own), 1)} are"
                f" expected, {sum(line.released for line in own)} are released (of whom {uptake:.0%} are assumed to"
                f" apply); {free_seats.get(occupation, 0)} seats are free; a group takes {least}–{most}",
            )
        )
    return sorted(planned, key=lambda groups: (-groups.vacancies, -groups.groups, groups.occupation))
