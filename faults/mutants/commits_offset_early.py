"""Commits the offset when everything is written, and only then the transaction: a kill in between loses the batch."""

import asyncio
from collections.abc import Sequence
from typing import Any

from services.change_security.__main__ import main
from shared.messaging.batch import BatchProcessor
from shared.messaging.frame import Fetched
from shared.messaging.parking import Parking

drain = Fetched.drain
park = BatchProcessor._park
in_hand: list[Fetched] = []


async def drain_and_remember(self: Fetched, limit: int) -> None:
    await drain(self, limit)
    in_hand[:] = [self]


async def park_then_commit_offset(self: BatchProcessor, parking: Parking, items: Sequence[Any], outcomes: Any) -> Any:
    """The last thing that is done inside the transaction."""
    parked = await park(self, parking, items, outcomes)
    await in_hand[0].ack()
    await asyncio.sleep(0.5)  # wide enough for a kill to fall into
    return parked


Fetched.drain = drain_and_remember  # type: ignore[method-assign]
BatchProcessor._park = park_then_commit_offset  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
