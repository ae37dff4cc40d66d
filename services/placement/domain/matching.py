"""How a jobseeker's profile is scored for a vacancy: five factors, each with its reason.

Pure: the same profiles and the same want give the same order, whatever the order in which they are read. Ties are
broken by the opaque reference.

Occupations are compared by ISCO-08, a tree: 2512 (software developers) lies in 251, 25 and 2.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import nsmallest
from operator import itemgetter
from typing import Final

from services.placement.domain.occupation import isco
from shared.events.v1.placement import MatchReason, Wanted

OCCUPATION_POINTS: Final = {4: 50, 3: 35, 2: 15}
"""Points by how many leading digits of ISCO-08 agree; fewer than two are no match."""
SKILLS_POINTS: Final = 20
LANGUAGE_POINTS: Final = 10
COMMUTING_POINTS: Final = 10
AVAILABILITY_POINTS: Final = 10
LATE_DAYS: Final = 60
LEAST_SHARED_DIGITS: Final = 2

_DEPTH: Final = {4: "the same occupation", 3: "the same minor group", 2: "the same sub-major group"}


@dataclass(frozen=True, slots=True)
class Profile:
    """What of a jobseeker is compared. `reference` is opaque, skills are in lower case."""

    reference: str
    occupations: Collection[str]
    skills: Collection[str]
    languages: Collection[str]
    commuting: Collection[str]
    available_from: date | None


@dataclass(frozen=True, slots=True)
class Match:
    """A scored profile with its reasons."""

    profile: Profile
    score: int
    reasons: tuple[MatchReason, ...]


def shared_digits(one: str, other: str) -> int:
    """Return how many leading digits two ISCO-08 codes share."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


class Scorer:
    """Scores profiles for one want on one day.

    Attributes:
        isco: the ISCO-08 group that is wanted.
        skills: in lower case.
        languages: obligatory ones.
        places: municipalities of the workplaces.
        starts_on: the day from which somebody is wanted.
    """

    def __init__(self, wanted: Wanted, as_of: date) -> None:
        self.isco = isco(wanted.occupation)
        self.skills = frozenset(skill.casefold() for skill in wanted.skills)
        self.languages = frozenset(wanted.languages)
        self.places = wanted.places
        self.starts_on = wanted.starts_on or as_of

    def points(self, profile: Profile) -> tuple[int, int, int, int, int]:
        """Return the points of occupation, skills, languages, commuting and availability."""
        nearest = max((shared_digits(code, self.isco) for code in profile.occupations), default=0)
        skills = len(self.skills.intersection(profile.skills))
        languages = len(self.languages.intersection(profile.languages))
        return (
            OCCUPATION_POINTS.get(nearest, 0),
            SKILLS_POINTS * skills // len(self.skills) if self.skills else SKILLS_POINTS,
            LANGUAGE_POINTS * languages // len(self.languages) if self.languages else LANGUAGE_POINTS,
            COMMUTING_POINTS if not self.places.isdisjoint(profile.commuting) else 0,
            self._availability(profile.available_from),
        )

    def _availability(self, available_from: date | None) -> int:
        if available_from is None:
            return 0
        late = (available_from - self.starts_on).days
        if late <= 0:
            return AVAILABILITY_POINTS
        return max(0, AVAILABILITY_POINTS * (LATE_DAYS - late) // LATE_DAYS)

    def explain(self, profile: Profile) -> Match:
        """Return a profile's score with a reason for each factor."""
        occupation, skills, languages, commuting, availability = points = self.points(profile)
        nearest = max((shared_digits(code, self.isco) for code in profile.occupations), default=0)
        known_skills = self.skills.intersection(profile.skills)
        missing = tuple(sorted(self.languages.difference(profile.languages)))
        late = (profile.available_from - self.starts_on).days if profile.available_from else None
        reasons = (
            _reason("occupation", occupation, OCCUPATION_POINTS[4], _DEPTH.get(nearest, "another occupation")),
            _reason(
                "skills",
                skills,
                SKILLS_POINTS,
                f"{len(known_skills)} of {len(self.skills)} skills" if self.skills else "no skills asked for",
            ),
            _reason(
                "languages",
                languages,
                LANGUAGE_POINTS,
                _languages(len(self.languages), missing),
                missing,
            ),
            _reason(
                "commuting",
                commuting,
                COMMUTING_POINTS,
                "commutes to the workplace" if commuting else "does not commute to the workplace",
            ),
            _reason(
                "availability",
                availability,
                AVAILABILITY_POINTS,
                "availability not known"
                if late is None
                else "available in time"
                if late <= 0
                else f"available {late} days late",
            ),
        )
        return Match(profile, sum(points), reasons)


def _languages(wanted: int, missing: Sequence[str]) -> str:
    if not wanted:
        return "no languages asked for"
    lacking = f"; obligatory and missing: {', '.join(missing)}" if missing else ""
    return f"{wanted - len(missing)} of {wanted} languages{lacking}"


def _reason(factor: str, points: int, of: int, why: str, missing: Sequence[str] = ()) -> MatchReason:
    return MatchReason.model_validate(
        {"factor": factor, "points": points, "of": of, "why": why, "missing": missing or None}
    )


def rank(profiles: Iterable[Profile], wanted: Wanted, as_of: date, at_most: int) -> tuple[Sequence[Match], int]:
    """Return the best matches, best first, and how many profiles were considered.

    A profile whose occupation shares fewer than two digits of ISCO-08 is no candidate, however well the rest fits.
    """
    scorer = Scorer(wanted, as_of)
    considered = 0
    scored: list[tuple[int, str, Profile]] = []
    for profile in profiles:
        considered += 1
        points = scorer.points(profile)
        if points[0]:
            scored.append((-sum(points), profile.reference, profile))
    best = nsmallest(at_most, scored, key=itemgetter(0, 1))
    return [scorer.explain(profile) for _, _, profile in best], considered


def why_not(profile: Profile, wanted: Wanted, as_of: date, others: Sequence[Match], at_most: int) -> tuple[Match, str]:
    """Explain to an officer of the owning city why a jobseeker is, or is not, among the candidates."""
    match = Scorer(wanted, as_of).explain(profile)
    if any(other.profile.reference == profile.reference for other in others):
        return match, "among the candidates"
    if not match.reasons[0].points:
        return match, "no occupation of the profile is near the one wanted"
    if len(others) >= at_most:
        return match, f"{at_most} others score {others[-1].score} or more, or come before with the same score"
    return match, "the profile is not active"
