"""Commits the offset when everything is written, and only then the transaction: a kill in between loses the batch."""

import asyncio
from collections.abc import Sequence
from typing import Any

from services.change_security.__main__ import main
from shared.messaging.consumer import Consumer
from shared.messaging.parking import Parking

park = Consumer._park


async def park_then_commit_offset(self: Consumer, parking: Parking, items: Sequence[Any], outcomes: Any) -> Any:
    """The last thing that is done inside the transaction."""
    parked = await park(self, parking, items, outcomes)
    assert self._kafka is not None
    await self._kafka.commit({one: await self._kafka.position(one) for one in self._kafka.assignment()})
    await asyncio.sleep(0.5)  # wide enough for a kill to fall into
    return parked


Consumer._park = park_then_commit_offset  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
