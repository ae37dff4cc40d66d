"""What a service's store starts from: statements on the transaction of a message or request."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from shared.messaging.transaction import Transaction

Found = Row[Any]


class Store:
    """Runs plain SQL in a transaction, behind what is staged in it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def _rows(self, sql: str, **values: Any) -> Sequence[Found]:
        await self._tx.flush()
        return (await self._tx.connection.execute(text(sql), values)).all()

    async def _row(self, sql: str, **values: Any) -> Found | None:
        rows = await self._rows(sql, **values)
        return rows[0] if rows else None

    async def _run(self, sql: str, **values: Any) -> int:
        """Run a statement; return how many rows it wrote."""
        await self._tx.flush()
        return (await self._tx.connection.execute(text(sql), values)).rowcount
