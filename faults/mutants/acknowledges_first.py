"""Commits the offset before it handles a batch: what is in hand when it is killed is lost."""

import asyncio
from collections.abc import Sequence

from aiokafka import TopicPartition

from services.change_security.__main__ import main
from shared.messaging.consumer import Consumer
from shared.messaging.parking import Record

handle = Consumer.handle


async def acknowledge_then_handle(self: Consumer, records: Sequence[Record]) -> bool:
    assert self._kafka is not None
    offsets = {TopicPartition(one.topic, one.partition): one.offset + 1 for one in records}
    await self._commit(self._kafka, offsets)
    await asyncio.sleep(0.5)  # wide enough for a kill to fall into
    return await handle(self, records)


Consumer.handle = acknowledge_then_handle  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
