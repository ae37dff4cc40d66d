"""Commits the offset before it handles a batch: what is in hand when it is killed is lost."""

import asyncio

from services.change_security.__main__ import main
from shared.messaging.frame import Fetched

drain = Fetched.drain


async def drain_and_acknowledge(self: Fetched, limit: int) -> None:
    await drain(self, limit)
    await self.ack()
    await asyncio.sleep(0.5)  # wide enough for a kill to fall into


Fetched.drain = drain_and_acknowledge  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
