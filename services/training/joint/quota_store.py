"""The queries of decisions on the shares of seats, and of the places that the cities know."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.training.domain.places import Place
from services.training.joint.tables import QueuePlaceRow, SeatQuotaRow
from shared.database import insert
from shared.errors import UnknownError
from shared.store import Store

_PLACE = insert(QueuePlaceRow, QueuePlaceRow, replace=("course_id", "office", "position", "estimated_start"))


class Quotas(Store):
    """Recorded decisions on the authorities' shares of seats."""

    def add(self, quota: SeatQuotaRow) -> None:
        """Record a decision."""
        self._tx.session.add(quota)

    async def get(self, quota_id: UUID) -> SeatQuotaRow:
        """Return a decision.

        Raises:
            UnknownError: no such decision.
        """
        row = await self._get(SeatQuotaRow, quota_id)
        if row is None:
            raise UnknownError("seat quota")
        return row

    async def every(self) -> Sequence[SeatQuotaRow]:
        """Return all decisions: a handful."""
        return await self._all(select(SeatQuotaRow))

    async def page(self, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[SeatQuotaRow]:
        """Return decisions, the last recorded first."""
        order = (col(SeatQuotaRow.recorded_at), col(SeatQuotaRow.quota_id))
        query = select(SeatQuotaRow).order_by(*(column.desc() for column in order)).limit(limit)
        return await self._all(query if after is None else query.where(tuple_(*order) < after))


class Places(Store):
    """Places in the queues, as the applicants' cities were last told."""

    async def courses(self) -> list[UUID]:
        """Return the courses that somebody waits for, or of which a city knows places."""
        return await self._values(
            UUID, "SELECT course_id FROM application WHERE state = 'waiting' UNION SELECT course_id FROM queue_place"
        )

    async def known(self, course_id: UUID) -> list[Place]:
        """Return the places of a course that the cities know."""
        return await self._values(
            Place,
            "SELECT application_id, office AS authority, position, estimated_start FROM queue_place"
            " WHERE course_id = :id",
            id=course_id,
        )

    def keep(self, course_id: UUID, place: Place) -> None:
        """Keep what a city is told."""
        row = QueuePlaceRow(
            application_id=place.application_id,
            course_id=course_id,
            office=place.authority,
            position=place.position,
            estimated_start=place.estimated_start,
        )
        self._tx.stage(_PLACE, row)

    async def forget(self, course_id: UUID) -> None:
        """Forget the places of who waits no more: who waits again is told anew."""
        await self._run(
            "DELETE FROM queue_place USING application WHERE queue_place.course_id = :id"
            " AND application.application_id = queue_place.application_id AND application.state <> 'waiting'",
            id=course_id,
        )
