"""The consumer's life in FastStream's frame: connection, membership in the group, and the offset after the transaction.

The order is the guarantee. Offsets are committed only after the kernel's transaction, so a crash between the two
redelivers records, and the inbox absorbs them: at least once on the wire, exactly once in effect.
"""

import asyncio
import logging
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.exceptions import NackMessage
from faststream.kafka import ConsumerRecord, KafkaBroker

from shared.messaging.batch import BatchProcessor
from shared.messaging.frame import Fetched, FrameLog
from shared.messaging.inbound import Inbound
from shared.messaging.parking import Record
from shared.messaging.refusals import Refusals
from shared.messaging.replay import Replay
from shared.messaging.security import Security
from shared.messaging.transaction import Database
from shared.settings import ProcessSettings
from shared.telemetry import describe

_WATCH_SECONDS: Final = 1.0
_FENCED_SECONDS: Final = 60.0
_NEWCOMER_YIELDS_AFTER: Final = 2
_ESTABLISHED_YIELDS_AFTER: Final = 4
_FINISH_SECONDS: Final = 3600.0
"""However long the batch in hand takes: FastStream waits for it not at all unless it is told how long."""
_HOLDS_SECONDS: Final = 3.0
"""Kafka may say only at the first fetch that a topic may not be read. What it has not refused by then it grants."""
_NO_PARTITION: Final = TopicPartition("", 0)
_log = structlog.get_logger("shared.messaging.loop")


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a consumer is behind on one topic: records not yet read, and the age in seconds of the last one read."""

    topic: str
    records: int
    seconds: float


class FencedError(Exception):
    """Another process takes this one's place in the group again and again: both have the same instance name."""


class Consumer:
    """Reads an office's topics for as long as the process lives.

    Attributes:
        inbound: what is read.
        processor: the kernel that handles what is read.
        parked: what operators do with parked records.
        broker: FastStream's, with the one subscriber.
    """

    def __init__(self, inbound: Inbound, database: Database, settings: ProcessSettings, service: str) -> None:
        self.inbound = inbound
        self.processor = BatchProcessor(inbound, database, settings, service)
        self.parked = Replay(self.processor)
        self._clock = database.clock
        self._settings = settings
        self._security = Security(settings)
        self._refusals = Refusals(settings.office, service, self._security)
        self._batch_size = settings.batch_size
        self._session_seconds = settings.session_timeout_seconds
        self._instance = f"{inbound.group}.{settings.instance}"
        self._stopping = asyncio.Event()
        self._running = asyncio.Event()
        self._running.set()
        self._broken = asyncio.Event()
        self._broken_by: KafkaError | None = None
        self._task: asyncio.Task[None] | None = None
        self._member = ""
        self._member_since = 0.0
        self._lost_early = 0
        self._established = False
        self.broker = KafkaBroker(
            settings.kafka_bootstrap_servers,
            security=self._security.frame,
            sasl_oauth_token_provider=self._security.token_provider,
            client_id=f"{inbound.group}.consumer",
            consumer_only=True,  # the relay has its own producer
            metadata_max_age_ms=30_000,
            retry_backoff_ms=50,
            apply_types=False,  # records are read one by one, so that a bad one costs no other
            graceful_timeout=_FINISH_SECONDS,
            logger=FrameLog(self._break_off),
            log_level=logging.DEBUG,
        )
        self._subscriber = self.broker.subscriber(
            *inbound.topics,
            group_id=inbound.group,
            group_instance_id=self._instance,
            session_timeout_ms=int(self._session_seconds * 1000),
            heartbeat_interval_ms=int(self._session_seconds * 200),
            ack_policy=AckPolicy.NACK_ON_ERROR,  # by default offsets are committed first, and records lost
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4_194_304,
            parser=self._as_fetched,
            decoder=_as_it_came,
        )
        self._subscriber(self._receive)

    def start(self) -> None:
        """Start reading in the background, as soon as Kafka is there."""
        self._task = asyncio.create_task(self._run(), name=f"consumer {self.inbound.group}")

    async def stop(self) -> None:
        """Stop reading; a batch in progress is finished and its offsets are committed."""
        self._stopping.set()
        self.processor.stop()
        self._running.set()
        if self._task is not None:
            await self._task

    def pause(self) -> None:
        """Handle no more records until `resume`; the place in the group is kept."""
        self._running.clear()

    def resume(self) -> None:
        """Handle records again."""
        self._running.set()

    @property
    def paused(self) -> bool:
        """Whether an operator has paused the consumer."""
        return not self._running.is_set()

    @property
    def full(self) -> bool:
        """Whether parking has reached its limit and nothing more is read."""
        return self.processor.full

    async def is_ready(self) -> bool:
        """Whether the consumer has its partitions and room to park, and Kafka refuses it nothing."""
        return self.assigned and not self.full and not self._refusals

    @property
    def assigned(self) -> bool:
        """Whether Kafka has given this consumer its partitions."""
        kafka = self._subscriber.consumer
        return kafka is not None and not self._broken.is_set() and bool(kafka.assignment())

    @property
    def certificate_expires(self) -> datetime | None:
        """When the certificate does that is shown to Kafka; None without one."""
        return self._security.expires

    async def lags(self) -> list[Lag]:
        """Return how far behind this consumer is, by topic. Empty when it has no partitions.

        Raises:
            KafkaError: the broker does not answer.
        """
        kafka = self._subscriber.consumer
        if kafka is None or not kafka.assignment():
            return []
        partitions = list(kafka.assignment())
        ends, *committed = await asyncio.gather(
            kafka.end_offsets(partitions), *(kafka.committed(partition) for partition in partitions)
        )
        behind: dict[str, int] = {}
        for partition, offset in zip(partitions, committed, strict=True):
            left = ends[partition] - (offset or 0)
            behind[partition.topic] = behind.get(partition.topic, 0) + max(0, left)
        now = self._clock.now()
        read_until = self.processor.read_until
        return [
            Lag(topic, records, (now - read_until.get(topic, now)).total_seconds() if records else 0.0)
            for topic, records in sorted(behind.items())
        ]

    async def rewind(self, records: int) -> None:
        """Read the last records of each partition once more: the inbox must absorb them, so that nothing changes.

        Raises:
            KafkaError: the broker does not answer.
        """
        kafka = self._subscriber.consumer
        if kafka is not None and kafka.assignment():
            for partition, beginning in (await kafka.beginning_offsets(list(kafka.assignment()))).items():
                kafka.seek(partition, max(beginning, await kafka.position(partition) - records))

    async def _run(self) -> None:
        while not self._stopping.is_set():
            pause = 1.0
            try:
                await self.broker.start()
                self._take_up_leadership()
                await self._watch()
            except FencedError:
                _log.error("another process has this one's instance name, waiting", instance=self._instance)
                pause = _FENCED_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311 - so that two newcomers part
            except Exception as error:  # noqa: BLE001 - whatever it is, the consumer goes on
                if await self._is_refusal(error):
                    pause = self._settings.kafka_refused_seconds
                else:
                    _log.warning("kafka unavailable, starting again", error=describe(error))
            finally:
                self._broken.set()  # what waits inside a batch lets go of it
                with suppress(Exception):
                    await self.broker.stop()
            await self._pause(pause)
            self._security.renew()
            self._broken.clear()
        _log.info("consumer stopped", group=self.inbound.group)

    async def _is_refusal(self, error: Exception) -> bool:
        return await self._refusals.judge(error, self._settings, topics=self.inbound.topics, group=self.inbound.group)

    def _take_up_leadership(self) -> None:
        """Join once more, after Kafka gave back the place of a process that was here before.

        Kafka gives it back as it was, and does not say that it was the leader's: a topic that this process reads and
        the one before did not, or that is made later, would be given to nobody. The second time it is told. For a
        place that is not the leader's nothing changes.
        """
        if (kafka := self._subscriber.consumer) is not None:
            coordinator = kafka._coordinator  # noqa: SLF001 - aiokafka has no other way to ask for it
            if coordinator._group_subscription is None:  # noqa: SLF001 - set for the leader alone
                coordinator.request_rejoin()

    async def _watch(self) -> None:
        """Raise when the membership in the group has broken down. Returns when told to stop.

        FastStream logs that, reads nothing more, and stays "ready". aiokafka offers no way to look at the membership
        but a poll, and a poll would keep the partitions of a handler that hangs. So its coordinator is looked at.

        Raises:
            KafkaError: Kafka refused something that is not tried again.
            FencedError: another process has the same instance name.
        """
        self._member = ""
        began = time.monotonic()
        while not self._stopping.is_set() and (kafka := self._subscriber.consumer) is not None:
            coordinator = kafka._coordinator  # noqa: SLF001 - aiokafka has no other way to ask for it
            if coordinator._coordination_task.done():  # noqa: SLF001 - see above
                raise self._broken_by or KafkaError("the membership in the group has ended")
            if self._refusals and self.assigned and time.monotonic() - began > _HOLDS_SECONDS:
                self._refusals.clear()
            self._security.renew()
            self._watch_membership(coordinator.member_id, time.monotonic())
            await self._pause(_WATCH_SECONDS)
            if self._broken.is_set():
                raise self._broken_by or KafkaError("Kafka refused")

    def _watch_membership(self, member: str, now: float) -> None:
        """Notice that another process joins under this one's name: Kafka then forgets this one's membership.

        aiokafka joins again, which throws the other out, and so on without end. A membership that is lost sooner than
        it can time out was taken; once may be a rebalance, twice in a row is another process. Of the two the newcomer
        yields: one that was here undisturbed for longer than that waits for it to do so.
        """
        if not member or member == self._member:
            return
        if self._member:
            early = now - self._member_since < self._session_seconds * 0.8
            self._lost_early = self._lost_early + 1 if early else 0
            self._established = self._established or not early
            _log.warning("membership in the group lost, joined again", instance=self._instance)
        self._member, self._member_since = member, now
        if self._lost_early >= (_ESTABLISHED_YIELDS_AFTER if self._established else _NEWCOMER_YIELDS_AFTER):
            self._lost_early, self._established = 0, False
            raise FencedError

    def _break_off(self, error: KafkaError) -> None:
        _log.warning("kafka refused", error=describe(error))
        self._broken_by = error
        self._broken.set()

    async def _as_fetched(self, record: ConsumerRecord) -> Fetched:
        """Leave the record as it is: FastStream's own parser loses one with a header that is not UTF-8."""
        return Fetched(record, self._subscriber.consumer)

    async def _receive(self, fetched: Fetched) -> None:
        """Handle the record that FastStream waited for and those that came with it; when this returns, it acknowledges.

        FastStream's own batches (`batch=True`) sleep beside every empty poll, which delays what comes to an idle
        system. An error is tried again here: let out, FastStream would read the same records again at once, without
        end.
        """
        await fetched.drain(self._batch_size)
        while await self._may_go_on():
            try:
                if await self.processor.handle([_record(one) for one in fetched.records]):
                    return
            except Exception as error:  # noqa: BLE001 - whatever it is, the consumer goes on
                _log.exception("consumer failed, trying again", error=describe(error))
                await self._pause(1.0)
        raise NackMessage

    async def _may_go_on(self) -> bool:
        """Wait until no operator has paused the consumer and parking has room. False when told to stop meanwhile.

        Waiting here is no hanging: each round polls for nothing, so that the group does not take the partitions away.
        """
        while not self._stopping.is_set() and not self._broken.is_set():
            if not self.paused and await self.processor.has_room():
                return True
            if (kafka := self._subscriber.consumer) is not None:
                await kafka.getmany(_NO_PARTITION)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._running.wait() if self.paused else self._stopping.wait(), 1.0)
        return False

    async def _pause(self, seconds: float) -> None:
        """Wait until told to stop, or until the time has gone."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


async def _as_it_came(message: Fetched) -> Fetched:
    return message


def _record(record: ConsumerRecord) -> Record:
    return Record(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        list(record.headers or ()),
        record.value,
        datetime.fromtimestamp(record.timestamp / 1000, UTC),
    )
