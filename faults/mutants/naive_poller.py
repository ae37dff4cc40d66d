"""Asks its outbox for rows after the last number it has sent: a slower transaction's smaller numbers are skipped."""

import asyncio
import itertools
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.change_security.__main__ import main
from shared.messaging import relay
from shared.messaging.transaction import Transaction

finish = Transaction.finish
turn = itertools.count()


async def finish_in_no_order(self: Transaction) -> None:
    """Every second transaction takes a while from its insert to its commit, as under load."""
    await finish(self)
    if self._outgoing and next(turn) % 2:
        await asyncio.sleep(0.3)


class Poller(relay.Relay):
    """Remembers the last number."""

    last = 0

    async def _send_batch(self, connection: AsyncConnection, producer: Any) -> int:
        async with self._engine.connect() as second:
            read = "SELECT seq FROM outbox WHERE seq > :last ORDER BY seq LIMIT 500"
            found = list((await second.execute(text(read), {"last": self.last})).scalars())
        if not found:
            return 0
        self.last = found[-1]
        return await super()._send_batch(Chosen(connection, found), producer)  # type: ignore[arg-type]


class Chosen:
    """Reads those rows of the outbox alone."""

    def __init__(self, connection: AsyncConnection, numbers: list[int]) -> None:
        self._connection = connection
        self._numbers = numbers

    async def execute(self, statement: Any, values: dict[str, Any]) -> Any:
        if statement is relay._READ:
            unpublished = "WHERE published_at IS NULL AND xid < pg_snapshot_xmin(pg_current_snapshot())"
            read = str(relay._READ).replace(unpublished, "WHERE seq = ANY(:numbers)")
            assert ":numbers" in read
            return await self._connection.execute(text(read), {"numbers": self._numbers, **values})
        return await self._connection.execute(statement, values)


Transaction.finish = finish_in_no_order  # type: ignore[method-assign]

if __name__ == "__main__":
    from shared import process

    setattr(process, "Relay", Poller)  # noqa: B010 - not exported
    main()
