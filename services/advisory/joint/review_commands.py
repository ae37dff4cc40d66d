"""Resourcing reviews are kept as they are, approved by the management group, and the next one is reminded of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.advisory.domain.kept_review import (
    REMIND_BEFORE,
    ReviewState,
    check_approval,
    check_keeping,
    due_on,
    is_quarter,
)
from services.advisory.domain.resources import Review
from services.advisory.joint.governance_store import Members
from services.advisory.joint.questions import JointReviews
from services.advisory.joint.review_store import KeptReviews
from services.advisory.joint.tables import KeptReviewRow
from shared.agreement import Agreements
from shared.calendar import local_day
from shared.errors import ConflictError, UnknownError
from shared.events.v1.agreement import Group
from shared.identity import Officer
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointKeptReviews:
    """Kept reviews. `reviews`: where they come from."""

    reviews: JointReviews

    async def keep(self, tx: Transaction, request_id: UUID, next_due: date, by: Officer) -> KeptReviewRow:
        """Keep a review as it is now.

        Raises:
            UnknownError: no such review.
            ConflictError: it is kept already, a service has not answered, or its last day has not passed.
            RefusedError: the next review would be due before this one's last day.
        """
        if await KeptReviews(tx).get(request_id, lock=True) is not None:
            raise ConflictError("kept-already", "The review is kept already.")
        review = await self.reviews.read(tx, request_id)
        check_keeping(review, next_due, local_day(tx.clock.now()))
        row = KeptReviewRow(
            request_id=request_id,
            review=review,
            state=ReviewState.KEPT,
            next_due=next_due,
            kept_by=by.actor,
            kept_at=tx.clock.now(),
        )
        KeptReviews(tx).keep(row)
        return row

    async def approve(self, tx: Transaction, request_id: UUID, by: Officer) -> KeptReviewRow:
        """Approve a kept review; an approved one of the same days is replaced by it.

        Raises:
            UnknownError
            ForbiddenError: the officer is no member of the management group, or kept it.
            ConflictError: it was decided on already.
        """
        row = await self._decide(tx, request_id, by, ReviewState.APPROVED, None)
        for earlier in await KeptReviews(tx).approved():
            same_days = (earlier.review.since, earlier.review.until) == (row.review.since, row.review.until)
            if same_days and earlier.request_id != request_id:
                earlier.state = ReviewState.REPLACED
        return row

    async def reject(self, tx: Transaction, request_id: UUID, reason: str, by: Officer) -> KeptReviewRow:
        """Reject a kept review, with a reason. Another of the same days can be asked for and kept.

        Raises:
            UnknownError
            ForbiddenError: the officer is no member of the management group, or kept it.
            ConflictError: it was decided on already.
        """
        return await self._decide(tx, request_id, by, ReviewState.REJECTED, reason)

    async def _decide(
        self, tx: Transaction, request_id: UUID, by: Officer, state: ReviewState, reason: str | None
    ) -> KeptReviewRow:
        row = await KeptReviews(tx).get(request_id, lock=True)
        if row is None:
            raise UnknownError("kept review")
        today = local_day(tx.clock.now())
        is_member = await Members(tx).is_member(Group.MANAGEMENT, by.subject, today)
        check_approval(row, by.actor, is_member=is_member)
        row.state, row.reason, row.decided_by, row.decided_on = state, reason, by.actor, today
        return row

    async def read(self, tx: Transaction, request_id: UUID) -> Review:
        """Return a review: as it was kept, or as it is now.

        Raises:
            UnknownError: no such review.
        """
        row = await KeptReviews(tx).get(request_id)
        return row.review if row is not None else await self.reviews.read(tx, request_id)

    async def quarters(self, tx: Transaction) -> Sequence[Review]:
        """Return the approved reviews of whole calendar quarters, in order: the trend."""
        return [row.review for row in await KeptReviews(tx).approved() if is_quarter(row.review)]

    async def next_due(self, tx: Transaction) -> tuple[date | None, bool]:
        """Return when the next review is due, and whether it is time to be reminded of it."""
        today = local_day(tx.clock.now())
        version = (await Agreements(tx).figures()).at(today).version
        first_day = version.agreement.term.since if version is not None else None
        day = due_on(await KeptReviews(tx).approved(), first_day)
        return day, day is not None and today >= day - REMIND_BEFORE
