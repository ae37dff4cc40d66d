"""The queries of kept resourcing reviews."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.advisory.domain.kept_review import ReviewState
from services.advisory.joint.tables import KeptReviewRow
from shared.store import Store


class KeptReviews(Store):
    """Kept resourcing reviews."""

    def keep(self, row: KeptReviewRow) -> None:
        """Keep a review."""
        self._tx.session.add(row)

    async def get(self, request_id: UUID, *, lock: bool = False) -> KeptReviewRow | None:
        """Return a kept review."""
        return await self._get(KeptReviewRow, request_id, lock=lock)

    async def approved(self) -> Sequence[KeptReviewRow]:
        """Return approved reviews, those of the earliest days first: a few a year."""
        query = select(KeptReviewRow).where(KeptReviewRow.state == ReviewState.APPROVED)
        return sorted(await self._all(query), key=lambda row: (row.review.since, row.review.until))

    async def waiting(self) -> Sequence[KeptReviewRow]:
        """Return reviews that wait for approval, the longest waiting first."""
        query = select(KeptReviewRow).where(KeptReviewRow.state == ReviewState.KEPT)
        return await self._all(query.order_by(col(KeptReviewRow.kept_at), col(KeptReviewRow.request_id)))

    async def page(
        self, state: ReviewState | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[KeptReviewRow]:
        """Return kept reviews, the last kept first."""
        order = (col(KeptReviewRow.kept_at), col(KeptReviewRow.request_id))
        query = select(KeptReviewRow).order_by(*(column.desc() for column in order)).limit(limit)
        if state is not None:
            query = query.where(KeptReviewRow.state == state)
        return await self._all(query if before is None else query.where(tuple_(*order) < before))
