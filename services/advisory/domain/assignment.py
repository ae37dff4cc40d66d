"""Who handles a contact: weighted fair queueing over authorities, then over their officers.

An authority's turn comes when it has handled the least for its agreed person-years: the contact goes where
(handled + 1) / agreed is smallest, among authorities that have an officer who is present, knows the topic and the
language, and has room. As long as nobody is behind by more than half a percentage point, only the officers with the
least open work are looked at, so that fairness does not make employers wait. Within the authority it goes to the
officer with the least open work for the officer's own person-years. Same input, same answer, and every decision says
why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import Field

from shared.events.envelope import Part
from shared.events.v1.advisory import Absence, ContactTopic, Language

BEHIND: Final = 0.005
"""An authority that is further behind its agreed share is next, even if its officers have more open work."""


class Competence(Part):
    """What an officer advises on, in which languages, for how much of a year, and when absent."""

    topics: tuple[ContactTopic, ...] = Field(max_length=10)
    languages: tuple[Language, ...] = Field(max_length=3)
    person_years: float = Field(ge=0, le=1)
    absences: tuple[Absence, ...] = Field(default=(), max_length=100)


@dataclass(frozen=True, slots=True)
class Adviser:
    """An officer as assignment sees one. `open`: contacts that are assigned and not answered."""

    officer: str
    authority: str
    topics: frozenset[ContactTopic]
    languages: frozenset[Language]
    person_years: float
    absences: tuple[Absence, ...] = ()
    open: int = 0

    def is_present(self, day: date) -> bool:
        """Whether the officer works on a day."""
        return self.person_years > 0 and not any(absence.since <= day <= absence.until for absence in self.absences)


@dataclass(frozen=True, slots=True)
class Decision:
    """To whom a contact goes and why, or why it waits."""

    adviser: Adviser | None
    reason: str


def assign(
    topic: ContactTopic,
    language: Language,
    advisers: Sequence[Adviser],
    handled: Mapping[str, int],
    agreed: Mapping[str, float],
    day: date,
    open_limit: int | None,
) -> Decision:
    """Decide who handles a contact.

    Args:
        topic: what it is about.
        language: the employer's.
        advisers: everyone who advises.
        handled: contacts that each authority has been given in the period.
        agreed: each authority's agreed person-years for advisory.
        day: today.
        open_limit: an officer has room below so many open contacts; None: however many.
    """
    able = [adviser for adviser in advisers if topic in adviser.topics and language in adviser.languages]
    if not able:
        return Decision(None, f"nobody advises on {topic} in {language}")
    present = [adviser for adviser in able if adviser.is_present(day)]
    if not present:
        return Decision(None, f"all {len(able)} who advise on {topic} in {language} are absent")
    free = [
        adviser
        for adviser in present
        if (open_limit is None or adviser.open < open_limit) and agreed.get(adviser.authority, 0) > 0
    ]
    if not free:
        return Decision(None, f"all {len(present)} who advise on {topic} in {language} have {open_limit} open contacts")
    authority = _turn({adviser.authority for adviser in free}, handled, agreed)
    if _behind(authority, handled, agreed) <= BEHIND:
        least = min(adviser.open for adviser in free)
        authority = _turn({adviser.authority for adviser in free if adviser.open == least}, handled, agreed)
    chosen = min(
        (adviser for adviser in free if adviser.authority == authority),
        key=lambda adviser: ((adviser.open + 1) / adviser.person_years, adviser.open, adviser.officer),
    )
    return Decision(chosen, _because(authority, chosen, handled, agreed, topic, language))


def deputy(
    topic: ContactTopic, language: Language, advisers: Sequence[Adviser], absent: Adviser, day: date
) -> Decision:
    """Decide who of the same authority takes an absent officer's contact: however busy, for the employer waits."""
    others = [
        adviser for adviser in advisers if adviser.authority == absent.authority and adviser.officer != absent.officer
    ]
    decision = assign(topic, language, others, {}, {absent.authority: 1.0}, day, open_limit=None)
    if decision.adviser is None:
        return Decision(None, f"the officer is absent, and in {absent.authority} {decision.reason}")
    return Decision(decision.adviser, f"the officer who had it is absent; given to another of {absent.authority}")


def _turn(authorities: set[str], handled: Mapping[str, int], agreed: Mapping[str, float]) -> str:
    return min(authorities, key=lambda name: ((handled.get(name, 0) + 1) / agreed[name], -agreed[name], name))


def _behind(authority: str, handled: Mapping[str, int], agreed: Mapping[str, float]) -> float:
    """Return by how much of all contacts an authority would stay behind its share if this one went elsewhere."""
    total = sum(handled.get(name, 0) for name in agreed) + 1
    return agreed[authority] / sum(agreed.values()) - handled.get(authority, 0) / total


def _because(
    authority: str,
    chosen: Adviser,
    handled: Mapping[str, int],
    agreed: Mapping[str, float],
    topic: ContactTopic,
    language: Language,
) -> str:
    total = sum(handled.get(name, 0) for name in agreed)
    actual = handled.get(authority, 0) / total if total else 0.0
    target = agreed[authority] / sum(agreed.values())
    return (
        f"{authority} has had {actual:.1%} of contacts, {target:.1%} is agreed; the officer advises on {topic} in"
        f" {language} and has {chosen.open} open"
    )
