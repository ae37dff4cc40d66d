"""What FastStream is given of ours: the message it acknowledges, and the log it writes to."""

import logging
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream.kafka import ConsumerRecord
from faststream.kafka.message import KafkaMessage

from shared.telemetry import describe

_log = structlog.get_logger("shared.messaging.frame")


class Fetched(KafkaMessage):
    """Records that came together. They are acknowledged, or given back, as a whole and by their own offsets.

    FastStream's own message commits wherever the consumer stands, and gives back the first record's partition only.
    """

    def __init__(self, first: ConsumerRecord, kafka: AIOKafkaConsumer) -> None:
        # FastStream would read headers, which need not be UTF-8. The kernel does, tolerantly.
        super().__init__(raw_message=first, body=first.value or b"", consumer=kafka)
        self.committed = None
        self._kafka = kafka
        self.records = [first]

    async def drain(self, limit: int) -> None:
        """Add what has come already, up to `limit` records altogether. Waits for nothing."""
        if limit > len(self.records):
            fetched = await self._kafka.getmany(max_records=limit - len(self.records))
            self.records += chain.from_iterable(fetched.values())

    async def ack(self) -> None:
        """Commit the offsets behind these records.

        Raises:
            KafkaError: they could not be committed. They will be delivered again.
        """
        if self.committed is None:
            try:
                await self._kafka.commit({_partition(one): one.offset + 1 for one in self.records})
            except (CommitFailedError, IllegalStateError) as error:
                # The group was rebalanced meanwhile. The partition's new owner reads the records again; the inbox
                # absorbs them.
                _log.info("offsets not committed after a rebalance", error=describe(error))
        await super().ack()

    async def nack(self) -> None:
        """Have these records, of whatever partition, delivered again."""
        if self.committed is None:
            # The first of each partition wins.
            for partition, offset in {_partition(one): one.offset for one in reversed(self.records)}.items():
                if partition in self._kafka.assignment():
                    self._kafka.seek(partition, offset)
        await super().nack()

    async def reject(self) -> None:
        """Have these records delivered again: only the kernel gives a record up."""
        await self.nack()


class FrameLog:
    """FastStream's log, without the texts of errors: they may quote a record.

    FastStream logs an error of Kafka and goes on as if nothing had happened. Here `failed` is told of it.
    """

    def __init__(self, failed: Callable[[KafkaError], None]) -> None:
        self._failed = failed

    def log(self, level: int, msg: Any, /, *, exc_info: Any = None, extra: Mapping[str, Any] | None = None) -> None:
        """Write a line as FastStream would have it; of an error its class and place alone."""
        del extra
        if isinstance(exc_info, KafkaError):
            self._failed(exc_info)
        elif isinstance(exc_info, BaseException):
            _log.log(max(level, logging.WARNING), "error in the messaging frame", error=describe(exc_info))
        else:
            _log.debug("messaging frame", says=str(msg))


def _partition(record: ConsumerRecord) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)
