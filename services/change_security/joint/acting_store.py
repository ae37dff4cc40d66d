"""The queries of acting for another at the joint office."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.change_security.domain.acting import OPEN
from services.change_security.joint.tables import ActingRow
from shared.events.v1.change_security import Acting, ActingState
from shared.messaging.transaction import Transaction
from shared.store import Store


class _Part(NamedTuple):
    notice_id: UUID
    competent_authority: str


class Actings(Store):
    """Which authorities act for another, asked to, or did."""

    def __init__(self, tx: Transaction) -> None:
        super().__init__(tx)
        # The parts in which something may still happen, of the notices that the transaction has read.
        self._open: set[tuple[UUID, str]] = tx.identity_map.setdefault("parts-with-acting", set())

    async def load(self, notice_ids: Sequence[UUID]) -> None:
        """Read in which parts of locked notices something may still happen."""
        found = await self._values(
            _Part,
            "SELECT DISTINCT notice_id, competent_authority FROM acting"
            " WHERE notice_id = ANY(CAST(:ids AS uuid[])) AND state IN ('asked', 'in_force')",
            ids=list(notice_ids),
        )
        self._open.update(found)

    def is_open(self, notice_id: UUID, competent: str) -> bool:
        """Whether something may still happen in a part of a notice that the transaction has read."""
        return (notice_id, competent) in self._open

    async def get(self, acting_id: UUID) -> ActingRow | None:
        """Return one, locked."""
        return await self._get(ActingRow, acting_id, lock=True)

    async def put(self, notice_id: UUID, acting: Acting) -> None:
        """Write one as it now is."""
        if acting.state in OPEN:
            self._open.add((notice_id, acting.competent_authority))
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
