"""Gives an event its id when it is sent: what is sent again after a kill comes as something new."""

import asyncio
from typing import Any
from uuid import uuid4

from services.change_security.__main__ import main
from shared import process
from shared.messaging import relay


class Relay(relay.Relay):
    """Makes ids of its own, and is slow to mark what was sent."""

    def _headers(self, row: Any) -> list[tuple[str, bytes]]:
        return super()._headers(row._replace(event_id=uuid4()))

    async def _send_batch(self, connection: Any, producer: Any) -> int:
        return await super()._send_batch(Slow(connection), producer)  # type: ignore[arg-type]


class Slow:
    """A connection that is wide enough for a kill to fall into, between sending and marking."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def execute(self, statement: Any, values: Any = None) -> Any:
        if statement is relay._MARK:
            await asyncio.sleep(2)
        return await self._connection.execute(statement, values)


setattr(process, "Relay", Relay)  # noqa: B010 - not exported

if __name__ == "__main__":
    main()
