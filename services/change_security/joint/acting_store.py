"""The queries of acting for another at the joint office."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.change_security.joint.tables import ActingRow
from shared.events.v1.change_security import Acting, ActingState
from shared.store import Store


class Actings(Store):
    """Which authorities act for another, asked to, or did."""

    async def get(self, acting_id: UUID) -> ActingRow | None:
        """Return one, locked."""
        return await self._get(ActingRow, acting_id, lock=True)

    async def put(self, notice_id: UUID, acting: Acting) -> None:
        """Write one as it now is."""
        await self._tx.session.merge(
            ActingRow(
                acting_id=acting.acting_id,
                notice_id=notice_id,
                competent_authority=acting.competent_authority,
                state=acting.state,
                asked_at=acting.asked_at,
                acting=acting,
            )
        )

    async def of(self, notice_id: UUID, competent: str) -> Sequence[ActingRow]:
        """Return those of one authority's part, locked, newest first."""
        query = (
            select(ActingRow)
            .where(ActingRow.notice_id == notice_id, ActingRow.competent_authority == competent)
            .order_by(col(ActingRow.asked_at).desc(), col(ActingRow.acting_id))
        )
        return await self._all(query.with_for_update())

    async def page(
        self, state: ActingState | None, notice_id: UUID | None, limit: int, after: tuple[datetime, UUID] | None
    ) -> Sequence[ActingRow]:
        """Return them, oldest first."""
        place = tuple_(col(ActingRow.asked_at), col(ActingRow.acting_id))
        query = select(ActingRow)
        if state is not None:
            query = query.where(ActingRow.state == state)
        if notice_id is not None:
            query = query.where(ActingRow.notice_id == notice_id)
        if after is not None:
            query = query.where(place > after)
        return await self._all(query.order_by(col(ActingRow.asked_at), col(ActingRow.acting_id)).limit(limit))
