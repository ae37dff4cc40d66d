"""The queries of contracts with providers and of their call-offs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.training.joint.tables import CallOffRow, ContractRow
from shared.errors import UnknownError
from shared.store import Store


class Contracts(Store):
    """Contracts with providers."""

    def add(self, row: ContractRow | CallOffRow) -> None:
        """Record a contract or a call-off."""
        self._tx.session.add(row)

    async def get(self, contract_id: UUID, *, lock: bool = False) -> ContractRow:
        """Return a contract; locked, to take from it.

        Raises:
            UnknownError: no such contract.
        """
        row = await self._get(ContractRow, contract_id, lock=lock)
        if row is None:
            raise UnknownError("contract")
        return row

    async def page(self, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[ContractRow]:
        """Return contracts, newest first."""
        order = (col(ContractRow.recorded_at), col(ContractRow.contract_id))
        query = select(ContractRow).order_by(*(column.desc() for column in order)).limit(limit)
        return await self._all(query if after is None else query.where(tuple_(*order) < after))

    async def call_off(self, call_off_id: UUID, *, lock: bool = False) -> CallOffRow:
        """Return a call-off; locked, to be cancelled.

        Raises:
            UnknownError: no such call-off.
        """
        row = await self._get(CallOffRow, call_off_id, lock=lock)
        if row is None:
            raise UnknownError("call-off")
        return row

    async def standing(self, contract_id: UUID) -> Sequence[CallOffRow]:
        """Return the call-offs of a contract that are not cancelled."""
        return await self._all(
            select(CallOffRow).where(CallOffRow.contract_id == contract_id, col(CallOffRow.cancelled_at).is_(None))
        )

    async def call_offs(
        self, contract_id: UUID, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[CallOffRow]:
        """Return the call-offs of a contract, newest first, also cancelled ones."""
        order = (col(CallOffRow.ordered_at), col(CallOffRow.call_off_id))
        query = select(CallOffRow).where(CallOffRow.contract_id == contract_id)
        query = query.order_by(*(column.desc() for column in order)).limit(limit)
        return await self._all(query if after is None else query.where(tuple_(*order) < after))
