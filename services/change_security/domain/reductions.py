"""How many employees are concerned, as far as the numbers are given, and what the employer reduced before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.change_security.domain.filing import given_day, masked
from services.change_security.domain.texts import Message, message
from shared.events.v1.change_security import EarlierReduction, Filing, FilingKind, LayoffGround, Measure, PlannedMeasure


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of employees: at least so many, and which numbers are missing to know it."""

    at_least: int
    missing: tuple[Message, ...] = ()

    def __add__(self, other: "Tally") -> "Tally":
        """Add both, and what is missing in either."""
        return Tally(self.at_least + other.at_least, self.missing + other.missing)

    def reaches(self, limit: int) -> bool:
        """Whether it is certainly at least the limit."""
        return self.at_least >= limit

    def stays_below(self, limit: int) -> bool:
        """Whether it is certainly below the limit."""
        return not self.missing and self.at_least < limit


def total(tallies: Iterable[Tally]) -> Tally:
    """Add tallies."""
    return sum(tallies, Tally(0))


def affected(filing: Filing) -> Tally:
    """Return how many employees a filing concerns, by any measure."""
    if filing.kind is FilingKind.TERMINATION_NOTICE:
        return terminations(filing)
    return _measures(filing, frozenset(Measure))


def terminations(filing: Filing) -> Tally:
    """Return how many terminations are planned or notified. Measures without a termination plan none."""
    if filing.kind is not FilingKind.TERMINATION_NOTICE:
        return _measures(filing, frozenset({Measure.TERMINATION}))
    if not filing.terminations:
        return Tally(0, (message("terminations_missing", pointer="/terminations"),))
    return total(
        Tally(part.count)
        if part.count is not None
        else Tally(0, (message("termination_count_missing", pointer=f"/terminations/{place}/count", row=place + 1),))
        for place, part in enumerate(filing.terminations)
    )


def _measures(filing: Filing, wanted: frozenset[Measure]) -> Tally:
    if not filing.measures:
        return Tally(0, (message("measures_missing", pointer="/measures"),))
    return total(_count(place, part) for place, part in enumerate(filing.measures) if part.measure in wanted)


def _count(place: int, part: PlannedMeasure) -> Tally:
    if part.count is not None:
        return Tally(part.count)
    pointer = f"/measures/{place}/count"
    return Tally(0, (message("measure_count_missing", pointer=pointer, row=place + 1, measure=part.measure.value),))


def counted_in_large_reduction(filing: Filing, layoff_over: int) -> Tally:
    """Return how many of the planned measures count towards a large reduction of an employer of 20–49.

    A lay-off is left out only when it lasts at most `layoff_over` days and its ground is a temporary reduction of work.
    """
    if not filing.measures:
        return _measures(filing, frozenset())
    return total(_counted(place, part, layoff_over) for place, part in enumerate(filing.measures))


def _counted(place: int, part: PlannedMeasure, layoff_over: int) -> Tally:
    if part.count == 0 or _is_exempt(part, layoff_over):
        return Tally(0)
    lacking = _lacking_for_exemption(part, layoff_over)
    if not lacking:
        return _count(place, part)
    missing = (message(f"{name}_missing", pointer=f"/measures/{place}/{name}", row=place + 1) for name in lacking)
    return Tally(0, (*_count(place, part).missing, *missing))


def _is_exempt(part: "PlannedMeasure | Reduction", layoff_over: int) -> bool:
    return (
        part.measure is Measure.LAYOFF
        and part.layoff_ground is LayoffGround.TEMPORARY_REDUCTION
        and part.layoff_days is not None
        and part.layoff_days <= layoff_over
    )


def _lacking_for_exemption(part: "PlannedMeasure | Reduction", layoff_over: int) -> Sequence[str]:
    """Return the fields without which nobody can say whether a lay-off is exempt; none when it certainly is not."""
    if part.measure is not Measure.LAYOFF or part.layoff_ground is LayoffGround.OTHER:
        return ()
    if part.layoff_days is not None and part.layoff_days > layoff_over:
        return ()
    return [name for name in ("layoff_days", "layoff_ground") if getattr(part, name) is None]


def only_layoffs_up_to(filing: Filing, days: int) -> tuple[bool, tuple[Message, ...]]:
    """Return whether nothing but lay-offs of at most so many days are planned, and what is missing to know it."""
    planned = [(place, part) for place, part in enumerate(filing.measures) if part.count != 0]
    if not planned or any(
        part.measure is not Measure.LAYOFF or (part.layoff_days is not None and part.layoff_days > days)
        for _, part in planned
    ):
        return False, ()
    missing = tuple(
        message("layoff_days_missing", pointer=f"/measures/{place}/layoff_days", row=place + 1)
        for place, part in planned
        if part.layoff_days is None
    )
    return not missing, missing


# -- what the employer reduced before ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reduction:
    """One measure of an earlier filing of the same employer. `measure` None: the filing names none."""

    day: date
    kind: FilingKind
    measure: Measure | None
    count: int | None
    layoff_days: int | None = None
    layoff_ground: LayoffGround | None = None


@dataclass(frozen=True, slots=True)
class StoredFiling:
    """One revision of a filing in the store, with the arrival of its notice and the authorities that it concerns."""

    notice_id: UUID
    revision: int
    arrived_at: datetime
    filing: Filing
    concerns: frozenset[str] = frozenset()


def earlier_reductions(filings: Iterable[StoredFiling], notice_id: UUID) -> tuple[Reduction, ...]:
    """Return what the newest revisions of an employer's other notices reduce.

    Args:
        filings: filings of the same employer, in any order; without withdrawn notices.
        notice_id: the notice that is assessed. Its own revisions do not count.
    """
    newest: dict[UUID, StoredFiling] = {}
    for stored in filings:
        known = newest.get(stored.notice_id)
        if stored.notice_id != notice_id and (known is None or stored.revision > known.revision):
            newest[stored.notice_id] = stored
    return tuple(
        sorted(
            (reduction for stored in newest.values() for reduction in _reductions(stored)),
            key=lambda reduction: (reduction.day, reduction.kind),
        )
    )


def earlier_for(
    authority: str, filings: Iterable[StoredFiling], notice_id: UUID
) -> tuple[EarlierReduction, ...] | None:
    """Return what an authority may know of an employer's other notices; None when something must be withheld.

    Of a filing that does not concern it, counts of 1-4 are masked; and not even the existence is disclosed of one that
    is not public. With part of them it would count wrong, so it then gets none, and sees that they are not known.
    """
    shared: list[StoredFiling] = []
    for stored in filings:
        if authority in stored.concerns:
            shared.append(stored)
        elif stored.filing.not_public:
            return None
        else:
            shared.append(replace(stored, filing=masked(stored.filing)))
    return tuple(
        EarlierReduction(
            day=one.day,
            kind=one.kind,
            measure=one.measure,
            count=one.count,
            layoff_days=one.layoff_days,
            layoff_ground=one.layoff_ground,
        )
        for one in earlier_reductions(shared, notice_id)
    )


def as_known(given: Iterable[EarlierReduction] | None) -> tuple[Reduction, ...] | None:
    """Return the reductions that the joint office sent; None when it sent none that can be counted by."""
    if given is None:
        return None
    return tuple(
        Reduction(one.day, one.kind, one.measure, one.count, one.layoff_days, one.layoff_ground) for one in given
    )


def _reductions(stored: StoredFiling) -> list[Reduction]:
    filing = stored.filing
    day, _ = given_day(filing, stored.arrived_at)
    if filing.kind is FilingKind.TERMINATION_NOTICE:
        counts = [part.count for part in filing.terminations] or [None]
        return [Reduction(day, filing.kind, Measure.TERMINATION, count) for count in counts]
    return [
        Reduction(day, filing.kind, part.measure, part.count, part.layoff_days, part.layoff_ground)
        for part in filing.measures
    ] or [Reduction(day, filing.kind, None, None)]


def tally_of_earlier(earlier: Sequence[Reduction] | None, day: date, *, within_days: int, layoff_over: int) -> Tally:
    """Return how many employees the reductions of the days before count. `earlier` None: they are not known.

    A notice of terminations mostly names the terminations that a proposal planned: of the two sums the larger counts.
    """
    if earlier is None:
        return Tally(0, (message("earlier_reductions_missing", days=within_days),))
    counted: Mapping[FilingKind, list[Tally]] = {kind: [] for kind in FilingKind}
    others: list[Tally] = []
    for reduction in earlier:
        if not 0 <= (day - reduction.day).days <= within_days:
            continue
        one = _earlier(reduction, layoff_over)
        (counted[reduction.kind] if reduction.measure is Measure.TERMINATION else others).append(one)
    planned, notified = (total(counted[kind]) for kind in FilingKind)
    larger = Tally(max(planned.at_least, notified.at_least), planned.missing + notified.missing)
    return larger + total(others)


def _earlier(reduction: Reduction, layoff_over: int) -> Tally:
    day = reduction.day.isoformat()
    if reduction.measure is None:
        return Tally(0, (message("earlier_measures_missing", day=day),))
    if reduction.count == 0 or _is_exempt(reduction, layoff_over):
        return Tally(0)
    if reduction.count is None or _lacking_for_exemption(reduction, layoff_over):
        return Tally(0, (message("earlier_number_missing", day=day, measure=reduction.measure.value),))
    return Tally(reduction.count)
