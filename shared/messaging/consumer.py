"""The consumer: one database transaction for each batch, then the Kafka offset.

The order is the guarantee. Offsets are committed only after the transaction, so a crash between the two redelivers
records, and the inbox absorbs them: at least once on the wire, exactly once in effect.

If the transaction fails, the records are run one by one, so that only the failing one is tried again, and at last
parked. If the database itself is away, nothing was judged: the consumer waits for it and loses no attempt.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import instruments
from shared.database import is_unavailable
from shared.errors import UnprocessableError
from shared.events.envelope import Envelope, Event
from shared.messaging.codec import HEARTBEAT, Rejection, read_envelope, read_event
from shared.messaging.parking import Lane, Parking, Record
from shared.messaging.transaction import Database, Transaction
from shared.settings import ProcessSettings
from shared.telemetry import describe
from shared.topics import Topic

Handler = Callable[[Any, Transaction], Awaitable[None]]
Prepare = Callable[[Sequence[Any], Transaction], Awaitable[None]]


async def nothing_to_prepare(_: Sequence[Any], __: Transaction) -> None:
    """Prepare nothing."""


_LONGEST_DELAY: Final = 5.0
_log = structlog.get_logger("shared.messaging.consumer")


def nothing_to_examine(_: Record) -> Rejection | None:
    """Reject nothing."""
    return None


@dataclass(frozen=True)
class Inbound:
    """What a process reads: topics by name, event types, and the handler of each type.

    Attributes:
        group: the Kafka consumer group, `<service>.<office>`.
        topics: topic by its name in Kafka.
        types: the event types known to the process; a known type without a handler is passed over.
        handlers: what to do with each type.
        examine: looks at a raw record before it is read, and may reject it.
        prepare: reads at once what the handlers of a batch will need one by one.
    """

    group: str
    topics: Mapping[str, Topic]
    types: Mapping[str, type[Event]]
    handlers: Mapping[str, Handler]
    examine: Callable[[Record], Rejection | None] = nothing_to_examine
    prepare: Prepare = nothing_to_prepare


@dataclass(slots=True)
class _Item:
    record: Record
    envelope: Envelope | None
    event: Event | None
    rejection: Rejection | None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a consumer is behind on one topic: records not yet read, and the age in seconds of the last one read."""

    topic: str
    records: int
    seconds: float


class _RehearsedError(Exception):
    """Ends a rehearsal: what the record did is rolled back."""


class _StoppedError(Exception):
    """Told to stop between two attempts: the offsets are not committed, so the record is delivered again."""


_Outcome = Literal["handled", "duplicate", "parked", "held", "ignored"]


class Consumer:
    """Reads an office's topics and hands each record to its handler, exactly once in effect."""

    def __init__(self, inbound: Inbound, database: Database, settings: ProcessSettings, service: str) -> None:
        self.inbound = inbound
        self._database = database
        self._settings = settings
        self._labels = (settings.office, service)
        self._stopping = asyncio.Event()
        self._running = asyncio.Event()
        self._running.set()
        self._task: asyncio.Task[None] | None = None
        self._kafka: AIOKafkaConsumer | None = None
        self._read_until: dict[str, datetime] = {}
        self._reread = 0
        self.full = False
        """True while parking has reached its limit and nothing more is read."""

    # -- life ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start reading in the background."""
        self._task = asyncio.create_task(self._run(), name=f"consumer {self.inbound.group}")

    async def stop(self) -> None:
        """Stop reading; a batch in progress is finished and its offsets are committed."""
        self._stopping.set()
        self._running.set()
        if self._task is not None:
            await self._task

    def pause(self) -> None:
        """Stop taking records until `resume`; the place in the group is kept."""
        self._running.clear()

    def resume(self) -> None:
        """Take records again."""
        self._running.set()

    @property
    def paused(self) -> bool:
        """Whether an operator has paused the consumer."""
        return not self._running.is_set()

    async def is_ready(self) -> bool:
        """Whether the consumer has its partitions and room to park."""
        return self.assigned and not self.full

    @property
    def assigned(self) -> bool:
        """Whether Kafka has given this consumer its partitions."""
        return self._kafka is not None and bool(self._kafka.assignment())

    async def lags(self) -> list[Lag]:
        """Return how far behind this consumer is, by topic. Empty when it has no partitions.

        Raises:
            KafkaError: the broker does not answer.
        """
        kafka = self._kafka
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
        now = self._database.clock.now()
        return [
            Lag(topic, records, (now - self._read_until.get(topic, now)).total_seconds() if records else 0.0)
            for topic, records in sorted(behind.items())
        ]

    def reread(self, records: int) -> None:
        """Read the last records of each partition once more: the inbox must absorb them, so that nothing changes."""
        self._reread = max(self._reread, records)

    async def _step_back(self, kafka: AIOKafkaConsumer) -> None:
        count, self._reread = self._reread, 0
        beginnings = await kafka.beginning_offsets(list(kafka.assignment()))
        for partition, beginning in beginnings.items():
            kafka.seek(partition, max(beginning, await kafka.position(partition) - count))

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._kafka = kafka = AIOKafkaConsumer(
                *self.inbound.topics,
                bootstrap_servers=self._settings.kafka_bootstrap_servers,
                group_id=self.inbound.group,
                client_id=f"{self.inbound.group}.consumer",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_partition_fetch_bytes=4_194_304,
                metadata_max_age_ms=30_000,
                session_timeout_ms=10_000,
                retry_backoff_ms=50,
            )
            try:
                await kafka.start()
                await self._consume(kafka)
            except KafkaError as error:
                _log.warning("kafka is away", error=describe(error))
                await self._pause(1.0)
            except Exception as error:  # noqa: BLE001 - whatever it is, the consumer goes on
                # Nothing was committed for the batch in progress; starting again reads it again.
                _log.exception("consumer failed, starting again", error=describe(error))
                await self._pause(1.0)
            finally:
                with suppress(KafkaError):
                    await kafka.stop()
        _log.info("consumer stopped", group=self.inbound.group)

    async def _consume(self, kafka: AIOKafkaConsumer) -> None:
        while not self._stopping.is_set():
            if self.paused:
                await self._running.wait()
                continue
            if await self._parking_is_full():
                continue
            if self._reread and kafka.assignment():
                await self._step_back(kafka)
            fetched = await kafka.getmany(timeout_ms=250, max_records=self._settings.batch_size)
            if not fetched:
                continue
            records = [_record(record) for partition in fetched.values() for record in partition]
            if not await self.handle(records):
                return
            offsets = {partition: taken[-1].offset + 1 for partition, taken in fetched.items()}
            await self._commit(kafka, offsets)

    async def _commit(self, kafka: AIOKafkaConsumer, offsets: dict[TopicPartition, int]) -> None:
        try:
            await kafka.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            # The group was rebalanced meanwhile. The partition's new owner reads the batch again; the inbox absorbs it.
            _log.info("offsets not committed after a rebalance", error=describe(error))

    async def _parking_is_full(self) -> bool:
        if not self.full:
            return False
        try:
            async with self._database.read() as tx:
                waiting = await Parking(tx.connection).open_count()
        except Exception as error:  # noqa: BLE001 - judged on the next line
            _log.warning("parking cannot be counted", error=describe(error))
            waiting = self._settings.parking_limit
        self.full = waiting >= self._settings.parking_limit
        if self.full:
            await self._pause(1.0)
        return self.full

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    # -- one batch ----------------------------------------------------------------------------------------------------

    async def handle(self, records: Sequence[Record]) -> bool:
        """Give the records their whole effect, in order. Return False if told to stop before that was possible."""
        started = time.perf_counter()
        items = [self._read(record) for record in records]
        if not await self._with_database(lambda: self._together(items)):
            return False
        instruments.BATCH_SECONDS.labels(*self._labels).observe(time.perf_counter() - started)
        self._read_until |= {item.record.topic: item.record.timestamp for item in items}
        newest = {item.record.topic: item.record.timestamp for item in items if item.event is not None}
        for topic, at in newest.items():
            instruments.LAST_RECORD.labels(*self._labels, topic).set(at.timestamp())
        return True

    async def _with_database(self, work: Callable[[], Awaitable[None]]) -> bool:
        delay = self._settings.retry_delay_seconds
        while True:
            try:
                await work()
            except _StoppedError:
                return False
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("database is away, waiting", error=describe(error))
            else:
                return True
            await self._pause(delay)
            if self._stopping.is_set():
                return False
            delay = min(delay * 2 or 0.1, _LONGEST_DELAY)

    async def _together(self, items: Sequence[_Item]) -> None:
        try:
            await self._run_in_transaction(items)
        except Exception as error:
            if is_unavailable(error):
                raise
            _log.info("batch failed, running its records one by one", records=len(items), error=describe(error))
            for item in items:
                await self._alone(item)

    async def _alone(self, item: _Item) -> None:
        delay = self._settings.retry_delay_seconds
        while True:
            # A rejected record is not tried any more; what runs then is its parking.
            item.attempts += item.rejection is None
            try:
                await self._run_in_transaction([item])
            except UnprocessableError as error:
                item.rejection = Rejection(error.code, error.reason)
            except Exception as error:
                if is_unavailable(error):
                    item.attempts -= item.rejection is None  # not judged
                    raise
                instruments.ATTEMPTS_FAILED.labels(*self._labels).inc()
                if item.attempts >= self._settings.max_attempts:
                    item.rejection = Rejection("attempts-exhausted", describe(error))
                    continue
                await self._pause(delay)
                if self._stopping.is_set():
                    raise _StoppedError from error
                delay = min(delay * 2, _LONGEST_DELAY)
            else:
                return

    def _read(self, record: Record) -> _Item:
        envelope = read_envelope(record.headers, record.topic, record.timestamp)
        if isinstance(envelope, Rejection):
            return _Item(record, None, None, envelope)
        if envelope.type == HEARTBEAT:
            instruments.HEARTBEAT.labels(*self._labels, record.topic).set(record.timestamp.timestamp())
            return _Item(record, envelope, None, None)
        if rejection := self.inbound.examine(record):
            return _Item(record, envelope, None, rejection)
        topic = self.inbound.topics[record.topic]
        event = read_event(envelope, record.value, self.inbound.types, topic.types)
        if isinstance(event, Rejection):
            unknown = event.code == "unknown-type" and topic.unknown_types == "ignore"
            return _Item(record, envelope, None, None if unknown else event)
        return _Item(record, envelope, event, None)

    async def _run_in_transaction(self, items: Sequence[_Item]) -> None:
        outcomes: list[tuple[_Item, _Outcome]] = []
        spans: list[Span] = []
        async with self._database.engine.connect() as connection:
            async with connection.begin():
                tx = Transaction(connection, self._database)
                parking = Parking(connection)
                held = await parking.held_lanes({item.record.lane for item in items if item.record.lane is not None})
                new = await self._claim(connection, items, held)
                if new:
                    await self.inbound.prepare(
                        [item.event for item in items if item.envelope and item.envelope.identity in new], tx
                    )
                to_park: list[_Item] = []
                for item in items:
                    outcome = await self._one(item, tx, held, new, spans)
                    outcomes.append((item, outcome))
                    if outcome in {"parked", "held"}:
                        to_park.append(item)
                        if item.record.lane is not None:
                            held.add(item.record.lane)
                await tx.finish()
                parked = await self._park(parking, to_park, {id(item): outcome for item, outcome in outcomes})
            tx.end_spans()
            for span in spans:
                span.end()
        self._count(outcomes, parked)
        if parked:
            self.full = True  # looked into before the next fetch

    async def _one(self, item: _Item, tx: Transaction, held: set[Lane], new: set[UUID], spans: list[Span]) -> _Outcome:
        if item.record.lane in held:
            return "held"
        if item.rejection is not None:
            return "parked"
        if item.event is None or item.envelope is None:
            return "ignored"
        handler = self.inbound.handlers.get(item.event.type)
        if handler is None:
            return "ignored"
        identity = item.envelope.identity
        if identity not in new:
            return "duplicate"
        new.discard(identity)
        span = self._database.start_process_span(
            item.envelope, f"process {item.record.topic}", self._attributes(item.record, item.envelope, item.event)
        )
        token = otel_context.attach(trace.set_span_in_context(span))
        try:
            tx.begin(identity, item.envelope, span)
            await handler(item.event, tx)
        except Exception as error:
            if item.attempts:
                # Run alone: this attempt is final for the span. In a batch the record is run again and gets its own.
                span.set_attribute(instruments.ATTEMPT, item.attempts)
                span.set_attribute(instruments.ERROR_TYPE, type(error).__name__)
                span.set_status(StatusCode.ERROR)
                span.end()
            raise
        finally:
            otel_context.detach(token)
        spans.append(span)
        return "handled"

    async def _claim(self, connection: AsyncConnection, items: Sequence[_Item], held: set[Lane]) -> set[UUID]:
        """Claim the records' ids in the inbox; return those that were not handled before."""
        ids: dict[UUID, None] = {}
        waiting = set(held)
        for item in items:
            lane = item.record.lane
            if item.rejection is not None and lane is not None:
                waiting.add(lane)
            if item.event is None or item.envelope is None or item.rejection is not None or lane in waiting:
                continue
            if item.event.type in self.inbound.handlers:
                ids[item.envelope.identity] = None
        return await claim(connection, ids)

    async def _park(self, parking: Parking, items: Sequence[_Item], outcomes: Mapping[int, _Outcome]) -> list[str]:
        codes: list[str] = []
        statuses: tuple[Literal["parked", "held"], ...] = ("parked", "held")
        for status in statuses:
            rows = []
            for item in items:
                if outcomes[id(item)] != status:
                    continue
                why = item.rejection or Rejection("held-back", "an earlier record of the same key is parked")
                kind = item.envelope.type if item.envelope else None
                rows.append((item.record, kind, why.code, why.detail, item.attempts))
            codes += await parking.park(rows, status)
        return codes

    def _attributes(self, record: Record, envelope: Envelope, event: Event) -> dict[str, Any]:
        return {
            instruments.MESSAGING_SYSTEM: "kafka",
            instruments.OPERATION_NAME: "process",
            instruments.DESTINATION: record.topic,
            instruments.PARTITION: str(record.partition),
            instruments.OFFSET: record.offset,
            instruments.CONSUMER_GROUP: self.inbound.group,
            instruments.MESSAGE_ID: envelope.id,
            instruments.EVENT_TYPE: event.type,
            instruments.SUBJECT: event.key,
        }

    def _count(self, outcomes: Iterable[tuple[_Item, _Outcome]], parked: Iterable[str]) -> None:
        totals: dict[tuple[str, str], int] = {}
        for item, outcome in outcomes:
            totals[item.record.topic, outcome] = totals.get((item.record.topic, outcome), 0) + 1
        for (topic, what), count in totals.items():
            instruments.RECORDS.labels(*self._labels, topic, what).inc(count)
        topics = {item.rejection.code: item.record.topic for item, _ in outcomes if item.rejection}
        for code in parked:
            instruments.PARKED.labels(*self._labels, topics.get(code, "held"), code).inc()
            _log.warning("record parked", code=code, topic=topics.get(code))

    # -- operators' acts ----------------------------------------------------------------------------------------------

    async def replay(self, parked_id: UUID, *, actor: str, reason: str) -> int:
        """Handle a parked record again, then those held behind it, in order, until one fails.

        Each replayed record starts a new trace linked to its old one. Every act is audited.

        Returns:
            how many records were handled; 0 when the first failed again.

        Raises:
            LookupError: there is no such open record.
        """
        handled = 0
        following: UUID | None = parked_id
        while following is not None:
            outcome, following = await self._replay_one(following, actor, reason, first=handled == 0)
            if outcome != "replayed":
                break
            handled += 1
        return handled

    async def rehearse(self, parked_id: UUID) -> Rejection | None:
        """Say what a replay would end with, and roll it back: None when the record would be handled.

        Raises:
            LookupError: there is no such open record.
        """
        try:
            await self._replay_in_transaction(parked_id, "", "", rehearsing=True)
        except _RehearsedError:
            return None
        except LookupError:
            raise
        except UnprocessableError as error:
            return Rejection(error.code, error.reason)
        except Exception as error:
            if is_unavailable(error):
                raise
            return Rejection("attempts-exhausted", describe(error))
        return None

    async def discard(self, parked_id: UUID, *, actor: str, reason: str) -> int:
        """Give a parked record up, with a reason; what was held behind it is then handled, in order.

        Returns:
            how many held records were handled.

        Raises:
            LookupError: there is no such open record.
        """
        async with self._database.engine.connect() as connection, connection.begin():
            parking = Parking(connection)
            record, _ = await self._take(parking, parked_id)
            await parking.resolve(parked_id, "discarded")
            await parking.audit(parked_id, "discard", "discarded", actor, reason)
            following = await parking.first_open(record)
        return await self.replay(following, actor=actor, reason=reason) if following else 0

    async def _take(self, parking: Parking, parked_id: UUID) -> tuple[Record, str]:
        taken = await parking.take(parked_id)
        if taken is None:
            message = f"no open parked record {parked_id}"
            raise LookupError(message)
        if taken[0].lane is not None:
            await parking.lock(taken[0].lane)
        return taken

    async def _replay_one(self, parked_id: UUID, actor: str, reason: str, *, first: bool) -> tuple[str, UUID | None]:
        try:
            return await self._replay_in_transaction(parked_id, actor, reason)
        except LookupError:
            if first:
                raise
            return "gone", None
        except Exception as error:
            if is_unavailable(error):
                raise
            why = (
                Rejection(error.code, error.reason)
                if isinstance(error, UnprocessableError)
                else Rejection("attempts-exhausted", describe(error))
            )
            async with self._database.engine.connect() as connection, connection.begin():
                parking = Parking(connection)
                await parking.failed_again(parked_id, why.code, why.detail)
                await parking.audit(parked_id, "replay", f"failed: {why.code}", actor, reason)
            return "failed", None

    async def _replay_in_transaction(
        self, parked_id: UUID, actor: str, reason: str, *, rehearsing: bool = False
    ) -> tuple[str, UUID | None]:
        async with self._database.engine.connect() as connection, connection.begin():
            parking = Parking(connection)
            record, _ = await self._take(parking, parked_id)
            item = self._read(record)
            if item.rejection is not None:
                raise UnprocessableError(item.rejection.detail, item.rejection.code)
            tx = Transaction(connection, self._database)
            span = await self._replay_item(item, tx)
            await tx.finish()
            if rehearsing:
                raise _RehearsedError
            await parking.resolve(parked_id, "replayed")
            await parking.audit(parked_id, "replay", "replayed", actor, reason)
            following = await parking.first_open(record)
        tx.end_spans()
        if span is not None:
            span.end()
        return "replayed", following

    async def _replay_item(self, item: _Item, tx: Transaction) -> Span | None:
        if item.event is None or item.envelope is None:
            return None
        handler = self.inbound.handlers.get(item.event.type)
        identity = item.envelope.identity
        if handler is None or not await claim(tx.connection, [identity]):
            return None
        span = self._database.start_process_span(
            item.envelope,
            f"process {item.record.topic}",
            self._attributes(item.record, item.envelope, item.event),
            as_child=False,
        )
        with trace.use_span(span, record_exception=False):
            tx.begin(identity, item.envelope, span)
            await handler(item.event, tx)
        return span


async def claim(connection: AsyncConnection, ids: Iterable[UUID]) -> set[UUID]:
    """Enter ids in the inbox; return those that were not there before."""
    wanted = list(ids)
    if not wanted:
        return set()
    rows = await connection.execute(
        text(
            "INSERT INTO inbox (event_id) SELECT unnest(CAST(:ids AS uuid[]))"
            " ON CONFLICT (event_id) DO NOTHING RETURNING event_id"
        ),
        {"ids": wanted},
    )
    return set(rows.scalars())


def _record(record: "ConsumerRecord[bytes, bytes]") -> Record:
    return Record(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        list(record.headers or ()),
        record.value,
        datetime.fromtimestamp(record.timestamp / 1000, UTC),
    )
