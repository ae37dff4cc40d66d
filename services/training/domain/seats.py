"""Who is offered a seat next: the written decision rule, quotas by authority, and a pooled remainder.

The rule: points by the course's criteria first, then queue time, then the application's id, so that no two orders are
possible. Each authority has its share of the seats, rounded down; what is left over is pooled. A quota that its own
queue cannot fill is released to the pool, so that no seat stays empty while someone eligible waits.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from shared.events.v1.training import GroupState

HUNDRED: Final = 100


@dataclass(frozen=True, slots=True)
class Share:
    """An authority's agreed share of seats during a time, per cent."""

    authority: str
    percent: int
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Applicant:
    """An application in a joint queue."""

    application_id: UUID
    authority: str
    points: int
    queued_at: datetime
    languages: frozenset[str] = frozenset()
    travel: frozenset[str] = frozenset()
    can_start_from: date = date.min

    @property
    def order(self) -> tuple[int, datetime, UUID]:
        """The place in the queue: lower comes first."""
        return (-self.points, self.queued_at, self.application_id)


@dataclass(frozen=True, slots=True)
class Slot:
    """A group as applicants must fit it, formed or to be formed. Sizes are people."""

    name: str
    language: str
    municipality: str
    starts_on: date
    min_size: int
    max_size: int
    is_continuous: bool = False


def obstacles(applicant: Applicant, slot: Slot) -> list[str]:
    """Return what keeps an applicant out of a group; nothing when the applicant is eligible."""
    found = []
    if slot.language not in applicant.languages:
        found.append(f"language {slot.language}")
    if slot.municipality not in applicant.travel:
        found.append(f"travel to {slot.municipality}")
    if applicant.can_start_from > slot.starts_on and not slot.is_continuous:
        found.append(f"a start by {slot.starts_on.isoformat()}")
    return found


def read_shares(lines: Iterable[str]) -> tuple[Share, ...]:
    """Read the table of agreed shares from CSV."""
    return tuple(
        Share(
            row["authority"],
            int(row["percent"]),
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        )
        for row in csv.DictReader(lines)
    )


def shares_on(shares: Iterable[Share], day: date) -> dict[str, int]:
    """Return the shares in force on a day, by authority."""
    return {
        share.authority: share.percent
        for share in shares
        if share.valid_from <= day and (share.valid_to is None or day <= share.valid_to)
    }


def quotas(seats: int, shares: Mapping[str, int]) -> dict[str, int]:
    """Return each authority's own seats; what is left of all seats is pooled."""
    return {authority: seats * percent // HUNDRED for authority, percent in shares.items()}


def queue(waiting: Iterable[Applicant]) -> list[Applicant]:
    """Return the joint queue in the order of the written rule."""
    return sorted(waiting, key=lambda one: one.order)


def offers_seats(state: GroupState, starts_on: date, today: date, late_entry_days: int, *, is_continuous: bool) -> bool:
    """Whether a group's free seats are offered now.

    From selection on until the start; after it for `late_entry_days` more, and always where people may start at any time.
    """
    if is_continuous:
        return state in {GroupState.OPEN, GroupState.SELECTION, GroupState.CONFIRMED, GroupState.RUNNING}
    if state is GroupState.RUNNING:
        return today <= starts_on + timedelta(days=late_entry_days)
    return state in {GroupState.SELECTION, GroupState.CONFIRMED}


def next_offers(
    seats: int, taken: Sequence[str], waiting: Iterable[Applicant], shares: Mapping[str, int]
) -> list[tuple[Applicant, str]]:
    """Return who is offered the free seats, with the reason for each.

    Args:
        seats: all seats of the group.
        taken: the authority of each seat that is accepted, or offered and not answered.
        waiting: who is eligible and waits.
        shares: the agreed shares, per cent.
    """
    free = seats - len(taken)
    own = quotas(seats, shares)
    used = Counter(taken)
    chosen: list[tuple[Applicant, str]] = []
    left: list[Applicant] = []
    for one in queue(waiting):
        if len(chosen) < free and used[one.authority] < own.get(one.authority, 0):
            used[one.authority] += 1
            chosen.append((one, f"within the {own[one.authority]} seats of {one.authority}, by points and queue time"))
        else:
            left.append(one)
    # Seats that are pooled, and quotas that their own queue could not fill.
    pooled = left[: max(0, free - len(chosen))]
    return chosen + [(one, "a pooled seat, by points and queue time in the joint queue") for one in pooled]
