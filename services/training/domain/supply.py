"""Supply planning: who waits for what, for how long, who is expected, and which groups to procure.

A written rule, not a prediction of people: expected applicants are those who wait, those who come if the last twelve
weeks go on, and the part of a released workforce that the planner assumes will apply. Demand, release and
queue meet by occupation group, the first digits of an ISCO-08 code: a notice that is more exact than a course is not of
another occupation.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from shared.errors import RefusedError
from shared.events.v1.change_security import Occupation
from shared.events.v1.placement import VacancyPublished, VacancyState

LOOK_BACK: Final = timedelta(weeks=12)
LOOK_AHEAD: Final = timedelta(weeks=13)
GROUP_DIGITS: Final = 3
"""Of an ISCO-08 code: its minor group; two digits are the sub-major group."""
_LEAST_DIGITS: Final = 2
_SCHEMES: Final = {"ISCO-08", "ISCO08", "ESCO", "FINESCO"}
_ISCO: Final = re.compile(r"(?:^|/C)(\d{1,4})(?:\.\d+)*$")
"""A code of ISCO-08, of ESCO below it (5120.1), or the address of an ISCO group in ESCO (…/isco/C5120)."""


def occupation_group(code: str, digits: int = GROUP_DIGITS) -> str:
    """Return the occupation group of a code; a code that is not of ISCO-08 is a group of its own."""
    isco = _ISCO.search(code)
    return isco[1][:digits] if isco else code


def check_occupation(occupation: Occupation, pointer: str) -> None:
    """Check that jobseekers can be looked for by an occupation: the pools compare ISCO-08 groups.

    A URI of a single occupation is looked up by placement, in the classification that it has imported.

    Args:
        occupation: what a request gives.
        pointer: where it stands in the request's body.

    Raises:
        RefusedError: the scheme is another, or the code says no group of at least two digits.
    """
    if occupation.scheme.upper() not in _SCHEMES:
        text = "Occupations are given by ISCO-08, ESCO or FINESCO."
        raise RefusedError(f"{pointer}/scheme", "unknown-occupation-scheme", text)
    code = occupation.code.strip()
    group = _ISCO.search(code)
    if group is None and not code.startswith(("http://", "https://")):
        raise RefusedError(f"{pointer}/code", "unknown-occupation", "The code is none of ISCO-08.")
    if group is not None and len(group[1]) < _LEAST_DIGITS:
        text = "At least a sub-major group is needed: 2 digits."
        raise RefusedError(f"{pointer}/code", "occupation-too-broad", text)


def demand_of(event: VacancyPublished) -> int:
    """Return how many people a vacancy still demands: positions not filled, of an open one.

    An older version of placement does not say how many are filled.
    """
    if event.status is not VacancyState.OPEN or event.vacancy is None:
        return 0
    return event.vacancy.positions if event.open_positions is None else event.open_positions


@dataclass(frozen=True, slots=True)
class Waiting:
    """One application as planning sees it. `is_open`: it waits still."""

    occupation: str
    municipality: str
    queued_at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class Line:
    """An occupation group in a municipality: the queue now, and who is expected in the next 13 weeks. Ages are days."""

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
    """Groups to procure for an occupation group, with the reason in numbers."""

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
    digits: int = GROUP_DIGITS,
) -> list[Line]:
    """Return a line for each occupation group and municipality, those with the longest queue first."""
    ages: dict[tuple[str, str], list[float]] = {}
    recent: dict[tuple[str, str], int] = {}
    released, vacancies = _by_group(released, digits), _by_group(vacancies, digits)
    for application in applications:
        key = (occupation_group(application.occupation, digits), application.municipality)
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


def _by_group(counts: Mapping[tuple[str, str], int], digits: int) -> Counter[tuple[str, str]]:
    summed: Counter[tuple[str, str]] = Counter()
    for (occupation, municipality), count in counts.items():
        summed[occupation_group(occupation, digits), municipality] += count
    return summed


def groups_for(people: int, least: int, most: int) -> tuple[int, int]:
    """Return how many groups take most of the people, and how many seats each has; no group is below the least size.

    25 people in groups of 10–20 are two groups of 13.
    """
    groups = min(-(-people // most), people // least)
    return (groups, min(most, -(-people // groups))) if groups > 0 else (0, most)


def plan(
    queue: Sequence[Line],
    free_seats: Mapping[str, int],
    sizes: Mapping[str, tuple[int, int]],
    uptake: float,
    digits: int = GROUP_DIGITS,
) -> list[Planned]:
    """Return the groups to procure, the occupations with the most vacancies first.

    Args:
        queue: the lines.
        free_seats: seats that nobody has yet, in groups that are planned or open, by occupation.
        sizes: the least and the largest group, by occupation.
        uptake: the part of the released that is assumed to apply.
        digits: of the code, that make an occupation group.
    """
    free: Counter[str] = Counter()
    for code, seats in free_seats.items():
        free[occupation_group(code, digits)] += seats
    bounds: dict[str, tuple[int, int]] = {}
    for code, (least, most) in sizes.items():
        known = bounds.get(occupation_group(code, digits), (least, most))
        bounds[occupation_group(code, digits)] = min(least, known[0]), max(most, known[1])
    planned = []
    for occupation in sorted({line.occupation for line in queue} & bounds.keys()):
        own = [line for line in queue if line.occupation == occupation]
        least, most = bounds[occupation]
        expected = round(sum(line.expected(uptake) for line in own), 1)
        groups, seats_each = groups_for(max(0, int(expected) - free[occupation]), least, most)
        vacancies = sum(line.vacancies for line in own)
        planned.append(
            Planned(
                occupation=occupation,
                groups=groups,
                seats_each=seats_each,
                expected=expected,
                free_seats=free[occupation],
                vacancies=vacancies,
                because=f"{sum(line.waiting for line in own)} wait, {round(sum(line.arrivals for line in own), 1)} are"
                f" expected, {sum(line.released for line in own)} are released (of whom {uptake:.0%} are assumed to"
                f" apply); {free[occupation]} seats are free; a group takes {least}–{most}",
            )
        )
    return sorted(planned, key=lambda groups: (-groups.vacancies, -groups.groups, groups.occupation))
