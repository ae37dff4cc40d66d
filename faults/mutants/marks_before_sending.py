"""Marks outbox rows as sent, and then sends them: what is in hand when it is killed is lost."""

import asyncio
from typing import Any

from sqlalchemy import text

from services.change_security.__main__ import main
from shared.messaging import relay

MARKING = text(
    "WITH taken AS (UPDATE outbox SET published_at = now() WHERE seq IN (SELECT seq FROM outbox"
    " WHERE published_at IS NULL AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, seq LIMIT :batch)"
    " RETURNING *)"
    " SELECT seq, event_id, topic, key, type, traceparent, payload, created_at FROM taken ORDER BY xid, seq"
)


class Relay(relay.Relay):
    """Takes its time between the mark and the sending."""

    async def _send_batch(self, connection: Any, producer: Any) -> int:
        return await super()._send_batch(connection, Slow(producer))


class Slow:
    """A producer that is wide enough for a kill to fall into."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self._waited = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    async def send_batch(self, *what: Any, **how: Any) -> Any:
        if not self._waited:
            self._waited = True
            await asyncio.sleep(2)
        return await self._producer.send_batch(*what, **how)


setattr(relay, "_READ", MARKING)  # noqa: B010 - a constant elsewhere

if __name__ == "__main__":
    from shared import process

    setattr(process, "Relay", Relay)  # noqa: B010 - not exported
    main()
