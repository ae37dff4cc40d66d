"""An applicant's place in a joint queue, and when the applicant may start: an estimate by the written rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from services.training.domain.seats import Applicant, Slot, next_offers, obstacles, queue
from shared.events.v1.training import GroupState

TAKES_LATER: Final = frozenset(GroupState) - {GroupState.COMPLETED, GroupState.CANCELLED}
"""States of groups that applicants may come into, now or later."""


@dataclass(frozen=True, slots=True)
class Room:
    """A group that applicants may come into: its seats, the authority of each taken one, and who is passed over."""

    slot: Slot
    seats: int
    taken: Sequence[str]
    passed_over: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """An application's place in the queue, from 1, and when it may start."""

    application_id: UUID
    authority: str
    position: int
    estimated_start: date | None


def places(waiting: Iterable[Applicant], rooms: Iterable[Room], shares: Mapping[str, int], today: date) -> list[Place]:
    """Return everyone's place, with the start of the first group whose seats would come to the applicant.

    Each group takes in turn whom the written rule offers its seats, as if everybody accepted.
    """
    in_order = queue(waiting)
    starts: dict[UUID, date] = {}
    for room in sorted(rooms, key=lambda room: (room.slot.starts_on, room.slot.name)):
        fitting = [
            applicant
            for applicant in in_order
            if applicant.application_id not in starts
            and applicant.application_id not in room.passed_over
            and not obstacles(applicant, room.slot)
        ]
        for applicant, _ in next_offers(room.seats, room.taken, fitting, shares):
            starts[applicant.application_id] = max(room.slot.starts_on, applicant.can_start_from, today)
    return [
        Place(applicant.application_id, applicant.authority, position, starts.get(applicant.application_id))
        for position, applicant in enumerate(in_order, 1)
    ]


def changed(now: Iterable[Place], known: Iterable[Place]) -> list[Place]:
    """Return the places that their cities do not know as they are now."""
    before = set(known)
    return [place for place in now if place not in before]
