"""Resourcing reviews that are kept: the management group approves them, and says when the next one is due."""

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Protocol

from services.advisory.domain.governance import must_be_member
from services.advisory.domain.resources import Review
from shared.errors import ConflictError, ForbiddenError, RefusedError

REMIND_BEFORE: Final = timedelta(days=14)
"""How long before its day a review is reminded of."""
_MONTHS: Final = 3


class ReviewState(StrEnum):
    """Where a kept review stands. One that is approved takes the place of an earlier one of the same days."""

    KEPT = "kept"
    APPROVED = "approved"
    REJECTED = "rejected"
    REPLACED = "replaced"


class Kept(Protocol):
    """What of a kept review is looked at."""

    review: Review
    state: ReviewState
    kept_by: str
    next_due: date


def check_keeping(review: Review, next_due: date, today: date) -> None:
    """Let a review be kept that is whole, of days that have passed.

    Raises:
        ConflictError: a service has not answered, or the last day has not passed.
        RefusedError: the next review would be due before this one's last day.
    """
    if review.missing_services:
        raise ConflictError("not-whole", "A service has not answered yet.")
    if review.until >= today:
        raise ConflictError("not-over", "The last day of the review has not passed.")
    if next_due <= review.until:
        raise RefusedError("/next_due", "before-the-end", "The next review is due after this one's last day.")


def check_approval(kept: Kept, by: str, *, is_member: bool) -> None:
    """Let a kept review be approved or rejected by a member of the management group who did not keep it.

    Raises:
        ForbiddenError: `not-a-member`, `own-review`.
        ConflictError: it was decided on already.
    """
    if kept.state is not ReviewState.KEPT:
        raise ConflictError("invalid-state", f"The review is {kept.state}.")
    must_be_member(is_member=is_member)
    if by == kept.kept_by:
        raise ForbiddenError("own-review", "Whoever kept a review cannot approve it.")


def due_on(approved: Iterable[Kept], first_day: date | None) -> date | None:
    """Return when the next review is due: as the last approved one says, or a quarter after the agreement's start."""
    newest = max(approved, key=lambda kept: kept.review.until, default=None)
    if newest is not None:
        return newest.next_due
    return None if first_day is None else quarter_of(first_day)[1] + timedelta(days=1)


def quarter_of(day: date) -> tuple[date, date]:
    """Return the first and the last day of a day's calendar quarter."""
    first = date(day.year, day.month - (day.month - 1) % _MONTHS, 1)
    after = date(first.year + (first.month + _MONTHS > 12), (first.month + _MONTHS - 1) % 12 + 1, 1)  # noqa: PLR2004
    return first, after - timedelta(days=1)


def is_quarter(review: Review) -> bool:
    """Whether a review is of one whole calendar quarter."""
    return quarter_of(review.since) == (review.since, review.until)
