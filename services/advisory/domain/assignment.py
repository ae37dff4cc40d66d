"""Who handles a contact: an officer who is present, knows the topic and the language, and has room.

Among those the agreed person-years decide (`shared.fair_shares`). Same input, same answer, and every decision says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import Field

from shared.events.envelope import Part
from shared.events.v1.advisory import ContactTopic, Language
from shared.events.values import Absence
from shared.fair_shares import Choice, choose


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
    choice = choose(free, handled, agreed)
    return Decision(choice.candidate, _because(choice, topic, language))


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


def _because(choice: Choice[Adviser], topic: ContactTopic, language: Language) -> str:
    adviser = choice.candidate
    return (
        f"{adviser.authority} has had {choice.actual:.1%} of contacts, {choice.agreed:.1%} is agreed; the officer"
        f" advises on {topic} in {language} and has {adviser.open} open"
    )
