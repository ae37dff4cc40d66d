"""The queries on what is handed over."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from shared.database import insert
from shared.handover.tables import HandOverRow, HandOverState
from shared.store import Store

_HAND_OVER = insert(HandOverRow, HandOverRow)


class HandOvers(Store):
    """What is handed over to this service."""

    async def add(self, row: HandOverRow) -> bool:
        """Keep a matter; False when it is there already."""
        if await self._get(HandOverRow, row.hand_over_id) is not None:
            return False
        self._tx.stage(_HAND_OVER, row)
        return True

    async def lock(self, hand_over_id: UUID) -> HandOverRow | None:
        """Return a matter to be changed."""
        return await self._get(HandOverRow, hand_over_id, lock=True)

    async def page(self, state: HandOverState | None, limit: int) -> Sequence[HandOverRow]:
        """Return matters by the time when an answer is due."""
        query = select(HandOverRow).order_by(col(HandOverRow.due_at), col(HandOverRow.hand_over_id)).limit(limit)
        return await self._all(query if state is None else query.where(HandOverRow.state == state))
