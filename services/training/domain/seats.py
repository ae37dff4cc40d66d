"""Who is offered a seat next: the written decision rule, quotas by authority, and a pooled remainder.

The rule: points by the course's criteria first, then queue time, then the application's id, so that no two orders are
possible. Each authority has its share of the seats, rounded down; what is left over is pooled. A quota that its own
queue cannot fill is released to the pool, so that no seat stays empty while someone eligible waits.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.errors import ConflictError
from shared.events.v1.training import AfterDecline, ApplicationState, GroupState, SeatAnswer

MAX_REASON: Final = 300
"""Characters of a reason in the events."""


class SeatOfferState(StrEnum):
    """What became of a seat offer, at the joint office. `corrected`: a no-show or drop-out that was taken back."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    NO_SHOW = "no_show"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    MOVED = "moved"
    DROPPED_OUT = "dropped_out"
    CORRECTED = "corrected"


KEEPS_SEAT: Final = frozenset({SeatOfferState.OPEN, SeatOfferState.ACCEPTED})
_IN_GROUP: Final = frozenset({ApplicationState.ACCEPTED, ApplicationState.COMPLETED, ApplicationState.NO_SHOW})
_NO_SEAT_YET: Final = frozenset({GroupState.PLANNED, GroupState.PROCUREMENT})
LEFT: Final = frozenset({SeatOfferState.NO_SHOW, SeatOfferState.DROPPED_OUT})
"""What ends an application by its seat, and is taken back with its reinstatement."""
STANDING: Final = frozenset({ApplicationState.WAITING, ApplicationState.OFFERED, ApplicationState.ACCEPTED})
"""States in which an application has not ended: an applicant has one such to a course."""
_REINSTATED: Final = frozenset({ApplicationState.REJECTED, ApplicationState.NO_SHOW, ApplicationState.WITHDRAWN})
ENDED: Final = frozenset({GroupState.COMPLETED, GroupState.CANCELLED})
"""States in which a group stays."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and for which authority: an officer, or the written rule."""

    name: str
    authority: str | None = None


RULE: Final = Actor("rule")
_UNVERIFIED: Final = " (to be checked: no decision on the quota is recorded)"
_POOLED: Final = "the points decided: a pooled seat, by points and queue time in the joint queue"


@dataclass(frozen=True, slots=True)
class Change:
    """What an act makes of an application and of the seat offer that it holds, if it holds one.

    `offer` is None where the offer stays as it is.
    """

    application: ApplicationState
    offer: SeatOfferState | None
    reason: str
    actor: Actor = RULE

    @property
    def act(self) -> str:
        """What is written down as decided: what becomes of the application, or of the seat if it waits again."""
        return self.offer if self.offer and self.application is ApplicationState.WAITING else self.application

    @property
    def is_in_group(self) -> bool:
        """Whether the application belongs to the group of the seat afterwards."""
        return self.application in _IN_GROUP


@dataclass(frozen=True, slots=True)
class Share:
    """An authority's share of seats during a time, per cent, as it ships with the service."""

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
    ends_on: date = date.max


def obstacles(applicant: Applicant, slot: Slot) -> list[str]:
    """Return what keeps an applicant out of a group; nothing when the applicant is eligible."""
    lacking = []
    if slot.language not in applicant.languages:
        lacking.append(f"language {slot.language}")
    if slot.municipality not in applicant.travel:
        lacking.append(f"travel to {slot.municipality}")
    start_by = slot.ends_on if slot.is_continuous else slot.starts_on
    if applicant.can_start_from > start_by:
        lacking.append(f"a start by {start_by.isoformat()}")
    return lacking


def read_shares(lines: Iterable[str]) -> tuple[Share, ...]:
    """Read the table of shipped shares from CSV."""
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
    return {authority: seats * percent // 100 for authority, percent in shares.items()}


def queue(waiting: Iterable[Applicant]) -> list[Applicant]:
    """Return the joint queue in the order of the written rule."""
    return sorted(waiting, key=lambda applicant: applicant.order)


def offers_seats(state: GroupState, last_entry_day: date, today: date, *, is_continuous: bool) -> bool:
    """Whether a group's free seats are offered now: never after the last day on which it may be entered.

    From selection on; where people may start at any time, as soon as it is open.
    """
    if today > last_entry_day:
        return False
    if is_continuous and state is GroupState.OPEN:
        return True
    return state in {GroupState.SELECTION, GroupState.CONFIRMED, GroupState.RUNNING}


def next_offers(
    seats: int,
    taken: Sequence[str],
    waiting: Iterable[Applicant],
    shares: Mapping[str, int],
    *,
    is_verified: bool = True,
) -> list[tuple[Applicant, str]]:
    """Return who is offered the free seats, with the reason for each: whether the quota or the points decided.

    The points decided where the applicant would have the seat without any quota.

    Args:
        seats: all seats of the group.
        taken: the authority of each seat that is accepted, or offered and not answered.
        waiting: who is eligible and waits.
        shares: the authorities' shares of the seats, per cent.
        is_verified: whether a recorded decision stands behind the shares.
    """
    free = max(0, seats - len(taken))
    own = quotas(seats, shares)
    used = Counter(taken)
    in_order = queue(waiting)
    by_points = {applicant.application_id for applicant in in_order[:free]}
    chosen: list[tuple[Applicant, str]] = []
    left: list[Applicant] = []
    for applicant in in_order:
        home = applicant.authority
        if len(chosen) < free and used[home] < own.get(home, 0):
            used[home] += 1
            within = f"within the {own[home]} seats of {home}"
            if applicant.application_id in by_points:
                reason = f"the points decided: by points and queue time, also {within}"
            else:
                reason = f"the quota decided: {within}, by points and queue time{'' if is_verified else _UNVERIFIED}"
            chosen.append((applicant, reason))
        else:
            left.append(applicant)
    # Seats that are pooled, and quotas that their own queue could not fill.
    pooled = left[: max(0, free - len(chosen))]
    return chosen + [(applicant, _POOLED) for applicant in pooled]


# -- what becomes of a seat


def goes_on(rules: Iterable[AfterDecline] | None, offered_on: date) -> bool:
    """Whether an application goes on waiting after a seat is turned down: the rule in force when it was offered."""
    in_force = [rule for rule in rules or () if rule.valid_from <= offered_on]
    return not in_force or max(in_force, key=lambda rule: rule.valid_from).application == "waits"


def answered(answer: SeatAnswer, *, goes_on_waiting: bool = True) -> Change:
    """Return what an applicant's answer, or that none came in time, makes of the seat.

    A seat that is turned down is one group's: the application goes on waiting for the others, unless the course ends
    it.
    """
    if answer is SeatAnswer.ACCEPTED:
        return Change(ApplicationState.ACCEPTED, SeatOfferState.ACCEPTED, "the applicant has accepted")
    offer = SeatOfferState.DECLINED if answer is SeatAnswer.DECLINED else SeatOfferState.EXPIRED
    why = "the applicant has declined" if answer is SeatAnswer.DECLINED else "no answer came by the deadline"
    if goes_on_waiting:
        return Change(ApplicationState.WAITING, offer, f"{why}; the application waits for other groups")
    return Change(ApplicationState.DECLINED, offer, f"{why}; by the course's rule the application has ended")


def withdrawn(state: ApplicationState) -> Change | None:
    """Return what a withdrawal makes of the seat; None when nothing is left to withdraw."""
    if state in {ApplicationState.WITHDRAWN, ApplicationState.COMPLETED}:
        return None
    return Change(ApplicationState.WITHDRAWN, SeatOfferState.WITHDRAWN, "the applicant has withdrawn")


def group_ended(group: GroupState, offer: SeatOfferState) -> Change:
    """Return what the end of a group makes of a seat in it: who has not had the training waits again as before."""
    if group is GroupState.CANCELLED:
        reason = "the group was cancelled; the place in the queue is kept"
        return Change(ApplicationState.WAITING, SeatOfferState.CANCELLED, reason)
    if offer is SeatOfferState.ACCEPTED:
        return Change(ApplicationState.COMPLETED, None, "the group was completed")
    return Change(ApplicationState.WAITING, SeatOfferState.CANCELLED, "the group was completed before an answer")


def no_show(group: GroupState, offer: SeatOfferState, actor: Actor, reason: str) -> Change:
    """Return what it makes of a seat that nobody came to it.

    Raises:
        ConflictError: the seat was not accepted, or the group is neither confirmed nor running.
    """
    if offer is not SeatOfferState.ACCEPTED or group not in {GroupState.CONFIRMED, GroupState.RUNNING}:
        raise ConflictError("not-accepted", "Nobody has accepted that seat, or the group has not begun.")
    return Change(ApplicationState.NO_SHOW, SeatOfferState.NO_SHOW, reason, actor)


def dropped_out(group: GroupState, offer: SeatOfferState, actor: Actor, reason: str) -> Change:
    """Return what it makes of a seat that somebody leaves who has begun.

    Raises:
        ConflictError: the seat was not accepted, or the group is not running.
    """
    if offer is not SeatOfferState.ACCEPTED or group is not GroupState.RUNNING:
        raise ConflictError("not-accepted", "Nobody has accepted that seat, or the group is not running.")
    why = f"dropped out: {reason}"[:MAX_REASON]
    return Change(ApplicationState.WITHDRAWN, SeatOfferState.DROPPED_OUT, why, actor)


def rejected(state: ApplicationState, actor: Actor, reason: str) -> Change:
    """Return what a rejection makes of an application.

    Raises:
        ConflictError: it does not wait.
    """
    if state is not ApplicationState.WAITING:
        raise ConflictError("not-waiting", f"The application is {state}.")
    return Change(ApplicationState.REJECTED, None, reason, actor)


def reinstated(state: ApplicationState, reason: str) -> str:
    """Return the reason of a reinstatement: a rejection, no-show or drop-out was a mistake, or was overturned.

    Raises:
        ConflictError: the application has not ended so.
    """
    if state not in _REINSTATED:
        raise ConflictError("invalid-state", f"The application is {state}.")
    return f"reinstated: {reason}"[:MAX_REASON]


def transferred(actor: Actor, reason: str) -> Change:
    """Return what a transfer makes of an application and of the seat that it leaves."""
    return Change(ApplicationState.ACCEPTED, SeatOfferState.MOVED, f"transferred: {reason}"[:MAX_REASON], actor)


def selected(reason: str) -> str:
    """Return the reason of a seat offer that an officer makes out of the order."""
    return f"selected by an officer: {reason}"[:MAX_REASON]


def check_entry(last_entry_day: date, today: date) -> None:
    """Check that a group may still be entered.

    Raises:
        ConflictError: the last day for it has gone.
    """
    if today > last_entry_day:
        raise ConflictError("too-late", f"The group could be entered until {last_entry_day.isoformat()}.")


def check_selection(group: GroupState, application: ApplicationState, *, is_same_course: bool) -> None:
    """Check that an officer may offer a seat of a group to an applicant out of the order.

    Raises:
        ConflictError: the group takes nobody now, or the applicant does not wait for its course.
    """
    if group in ENDED | _NO_SEAT_YET:
        raise ConflictError("invalid-state", f"The group is {group}.")
    if not is_same_course or application is not ApplicationState.WAITING:
        raise ConflictError("not-waiting", "The applicant does not wait for this course.")


def check_transfer(
    group: GroupState, offer: SeatOfferState | None, *, is_same_group: bool, is_same_course: bool
) -> None:
    """Check that an applicant may be transferred to a group.

    Raises:
        ConflictError: the applicant has accepted no seat elsewhere, or the group is of another course, or has ended.
    """
    if offer is not SeatOfferState.ACCEPTED or is_same_group:
        raise ConflictError("not-accepted", "The applicant has accepted no seat in another group.")
    if not is_same_course or group in ENDED:
        raise ConflictError("wrong-group", "The group is of another course, or has ended.")


def check_free_seat(seats: int, taken: int) -> None:
    """Check that a group has a free seat.

    Raises:
        ConflictError: it has none.
    """
    if taken >= seats:
        raise ConflictError("no-free-seat", "Every seat is taken or offered.")
