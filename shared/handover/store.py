"""The queries on what is handed over."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import and_, or_
from sqlmodel import col, select

from shared.database import insert
from shared.handover.tables import DraftRow, DraftState, HandOverRow, HandOverState
from shared.store import Store

_HAND_OVER = insert(HandOverRow, HandOverRow)
_DRAFT = insert(DraftRow, DraftRow)


NEWEST_FACTS: Final = 500
"""How many of an employer's facts one answer carries: as many as fit into a message, the newest."""


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

    async def page(
        self, state: HandOverState | None, topic: str | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[HandOverRow]:
        """Return matters by the time when an answer is due."""
        due, hand_over_id = col(HandOverRow.due_at), col(HandOverRow.hand_over_id)
        query = select(HandOverRow).order_by(due, hand_over_id).limit(limit)
        if state is not None:
            query = query.where(HandOverRow.state == state)
        if topic is not None:
            query = query.where(HandOverRow.topic == topic)
        if after is not None:
            query = query.where(or_(due > after[0], and_(due == after[0], hand_over_id > after[1])))
        return await self._all(query)


class Drafts(Store):
    """The drafts that are made of what is handed over."""

    def add(self, row: DraftRow) -> None:
        """Keep a new draft."""
        self._tx.stage(_DRAFT, row)

    async def lock(self, draft_id: UUID) -> DraftRow | None:
        """Return a draft to be changed."""
        return await self._get(DraftRow, draft_id, lock=True)

    async def page(
        self, state: DraftState | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[DraftRow]:
        """Return drafts by the time when an answer is due."""
        due, draft_id = col(DraftRow.due_at), col(DraftRow.draft_id)
        query = select(DraftRow).order_by(due, draft_id).limit(limit)
        if state is not None:
            query = query.where(DraftRow.state == state)
        if after is not None:
            query = query.where(or_(due > after[0], and_(due == after[0], draft_id > after[1])))
        return await self._all(query)
