"""Agreed person-years by task and authority, dated, and how they compare with what was handled.

The agreement: about 50/25/25 per cent, at least 20/10/10 person-years (Helsinki/Espoo/Vantaa), reviewed regularly by
the management group. What one task takes of them is decided by the management group: as shipped, to be checked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from shared.calendar import start_of
from shared.errors import RefusedError
from shared.events.envelope import Part
from shared.events.v1.advisory import Task
from shared.events.v1.agreement import AgreedShare, Figure, FigureName

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


def agreed_in(figures: Iterable[Figure]) -> tuple[Agreed, ...]:
    """Return the person-years among the agreement's figures, in the order in which they were decided."""
    return tuple(
        Agreed(
            task=figure.scope or "",
            authority=authority,
            person_years=person_years,
            valid_from=figure.valid_from,
            valid_to=None,
            certainty=figure.certainty,
            source=figure.source if figure.decision is None else f"{figure.decision.reference}: {figure.source}",
        )
        for figure in figures
        if figure.name == FigureName.PERSON_YEARS
        for authority, person_years in (figure.by_authority or {}).items()
    )


def in_force_on(agreed: Iterable[Agreed], task: str, day: date) -> dict[str, Agreed]:
    """Return what is in force for a task on a day, by authority; of two rules the later one counts."""
    newest: dict[str, Agreed] = {}
    for rule in agreed:
        in_force = rule.task == task and rule.valid_from <= day and (rule.valid_to is None or day <= rule.valid_to)
        if in_force and (rule.authority not in newest or newest[rule.authority].valid_from <= rule.valid_from):
            newest[rule.authority] = rule
    return dict(sorted(newest.items()))


def agreed_on(agreed: Iterable[Agreed], task: str, day: date) -> dict[str, float]:
    """Return the person-years in force for a task on a day, by authority."""
    return {authority: rule.person_years for authority, rule in in_force_on(agreed, task, day).items()}


def counted(rules: Iterable[Agreed], task: str, day: date) -> tuple[datetime, datetime]:
    """Return between which instants the acts are counted that are shared out on a day.

    Shares are kept by the calendar year. When they change within it, counting starts anew: what was shared out by the
    earlier shares is not made up for by the new ones.
    """
    begun = [rule.valid_from for rule in rules if rule.task == task and rule.valid_from <= day]
    first = max([date(day.year, 1, 1), *begun])
    return start_of(first), start_of(date(day.year + 1, 1, 1))


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
class Span:
    """Person-years of an authority for a task during some days of a period, both included."""

    task: str
    authority: str
    since: date
    until: date
    person_years: float
    certainty: str
    source: str


def spans(rules: Iterable[Agreed], task: str, since: date, until: date) -> list[Span]:
    """Return which person-years were in force when within some days, by authority and day."""
    of_task = [rule for rule in rules if rule.task == task]
    days = sorted({since, *(rule.valid_from for rule in of_task if since < rule.valid_from <= until)})
    ends = [*(day - timedelta(days=1) for day in days[1:]), until]
    found: list[Span] = []
    for first, last in zip(days, ends, strict=True):
        for authority, rule in in_force_on(of_task, task, first).items():
            before = next((span for span in found if span.authority == authority and span.until < first), None)
            same = before is not None and (before.person_years, before.source) == (rule.person_years, rule.source)
            if before is not None and same and before.until == first - timedelta(days=1):
                found[found.index(before)] = replace(before, until=last)
            else:
                found.append(Span(task, authority, first, last, rule.person_years, rule.certainty, rule.source))
    return found


def prorated(found: Iterable[Span]) -> dict[str, float]:
    """Return the person-years that fall on the days of spans, by authority; each day is a part of its own year."""
    years: dict[str, float] = {}
    for span in found:
        for year in range(span.since.year, span.until.year + 1):
            first, last = max(span.since, date(year, 1, 1)), min(span.until, date(year, 12, 31))
            whole = (date(year + 1, 1, 1) - date(year, 1, 1)).days
            part = span.person_years * ((last - first).days + 1) / whole
            years[span.authority] = years.get(span.authority, 0.0) + part
    return years


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
    task: str, agreed: Mapping[str, float], acts: Mapping[str, int], authorities: Sequence[str]
) -> list[Compared]:
    """Compare agreed with actual.

    Actual person-years are the agreed ones of the whole task in the period, divided by the acts that each authority
    did: what is measured is who did the work, not how long it took.

    A count of 1-4 is masked, and with it every other count of the task and every share: a share and one count would
    give the sum, and the sum the small count. What is shown is the same whatever the small count is.
    """
    whole = sum(agreed.values())
    total = sum(acts.get(name, 0) for name in authorities)
    hidden = is_masked(acts, authorities)
    rows = []
    for name in authorities:
        share = None if hidden or not total else acts.get(name, 0) / total
        rows.append(
            Compared(
                task=task,
                authority=name,
                agreed_years=round(agreed.get(name, 0.0), 2),
                agreed_share=round(agreed.get(name, 0.0) / whole, 4) if whole else 0.0,
                acts=None if hidden and acts.get(name, 0) else acts.get(name, 0),
                actual_share=None if share is None else round(share, 4),
                actual_years=None if share is None else round(share * whole, 2),
            )
        )
    return rows


def is_masked(acts: Mapping[str, int], authorities: Iterable[str]) -> bool:
    """Whether a task's counts are masked: one of them is 1-4."""
    return any(0 < acts.get(name, 0) < LEAST_SHOWN for name in authorities)


@dataclass(frozen=True, slots=True)
class Total:
    """One authority's part of all tasks in a period, against what the agreement says in principle.

    Attributes:
        authority: the authority.
        agreed_years: person-years of all tasks, for the period.
        agreed_share: its part of them, of 1.
        share_in_principle: what the agreement says of that part, of 1; None when it says nothing.
        least_years: the least that the agreement says, for the period.
        is_below_least: whether the tasks' person-years are less than that.
        acts: acts of the tasks that are not masked.
        actual_share: its part of them, of 1.
    """

    authority: str
    agreed_years: float
    agreed_share: float
    share_in_principle: float | None
    least_years: float | None
    is_below_least: bool
    acts: int
    actual_share: float | None


def totals(
    agreed: Mapping[str, Mapping[str, float]],
    acts: Mapping[str, Mapping[str, int]],
    principle: Iterable[AgreedShare],
    years: float,
    authorities: Sequence[str],
) -> list[Total]:
    """Add the tasks up. A task that is masked is left out of the acts, so that it cannot be computed from the sum.

    Args:
        agreed: prorated person-years by task and authority.
        acts: acts by task and authority.
        principle: the agreement's shares and least person-years.
        years: how many years the period has.
        authorities: those of the region.
    """
    said = {share.authority: share for share in principle}
    shown = [of_task for of_task in acts.values() if not is_masked(of_task, authorities)]
    all_acts = sum(of_task.get(name, 0) for of_task in shown for name in authorities)
    all_years = sum(sum(of_task.values()) for of_task in agreed.values())
    found = []
    for name in authorities:
        own = sum(of_task.get(name, 0.0) for of_task in agreed.values())
        done = sum(of_task.get(name, 0) for of_task in shown)
        share = said.get(name)
        least = share.least_person_years * years if share else None
        found.append(
            Total(
                authority=name,
                agreed_years=round(own, 2),
                agreed_share=round(own / all_years, 4) if all_years else 0.0,
                share_in_principle=share.percent / 100 if share else None,
                least_years=None if least is None else round(least, 2),
                is_below_least=least is not None and round(own, 2) < round(least, 2),
                acts=done,
                actual_share=round(done / all_acts, 4) if all_acts else None,
            )
        )
    return found


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
        totals: all tasks, against the agreement's shares and least person-years.
        spans: which person-years were in force when.
        missing_services: those that have not answered yet.
        to_be_checked: whether person-years are in it that the management group has not decided.
    """

    since: date
    until: date
    rows: tuple[Compared, ...]
    totals: tuple[Total, ...]
    spans: tuple[Span, ...]
    missing_services: tuple[str, ...]
    to_be_checked: bool


def review(
    question: WorkQuestion,
    rules: Sequence[Agreed],
    principle: Iterable[AgreedShare],
    acts: Mapping[str, Mapping[str, int]],
    authorities: Sequence[str],
    missing_services: Iterable[str],
) -> Review:
    """Compare what was agreed with the acts of handling of some days, each task prorated over what was in force.

    Args:
        question: the days.
        rules: person-years, as shipped and as decided.
        principle: the agreement's shares and least person-years.
        acts: acts of handling by task and authority.
        authorities: those of the region.
        missing_services: services that have not answered.
    """
    in_force = [span for task in TASKS for span in spans(rules, task, question.since, question.until)]
    agreed: dict[str, dict[str, float]] = {
        task: prorated(span for span in in_force if span.task == task) for task in TASKS
    }
    rows = tuple(row for task in TASKS for row in compare(task, agreed[task], acts.get(task, {}), authorities))
    whole = Span("", "", question.since, question.until, 1.0, "", "")
    years = prorated([whole])[""]
    covered = {(span.task, span.authority) for span in in_force}
    missing = {(task, name) for task in TASKS for name in authorities} - covered
    return Review(
        since=question.since,
        until=question.until,
        rows=rows,
        totals=tuple(totals(agreed, acts, principle, years, authorities)),
        spans=tuple(in_force),
        missing_services=tuple(missing_services),
        to_be_checked=bool(missing) or any(span.certainty != "verified" for span in in_force),
    )
