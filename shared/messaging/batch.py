"""The kernel: records have their whole effect in one database transaction, or none.

A batch shares one transaction. If it fails, the records are run one by one, so that only the failing one is tried
again, and at last parked. If the database itself is unavailable, nothing was judged: the kernel waits for it and no
attempt is lost. Delivery is at least once; the inbox absorbs what comes again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import structlog
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import instruments
from shared.database import is_unavailable
from shared.errors import ConflictError, ForbiddenError, RefusedError, UnknownError, UnprocessableError
from shared.events.envelope import Envelope, Event
from shared.messaging.codec import HEARTBEAT, Rejection, read_envelope, read_event
from shared.messaging.handlers import Handler
from shared.messaging.inbound import Inbound, Parked
from shared.messaging.parking import HELD_BACK, OrderingKey, Parking, Record
from shared.messaging.transaction import Database, Transaction
from shared.settings import ProcessSettings
from shared.telemetry import describe

_LONGEST_DELAY: Final = 5.0
_log = structlog.get_logger("shared.messaging.batch")

Outcome = Literal["handled", "duplicate", "parked", "held", "ignored"]


@dataclass(slots=True)
class Item:
    """A record on its way: read as far as it could be, and rejected or not."""

    record: Record
    envelope: Envelope | None
    event: Event | None
    rejection: Rejection | None
    attempts: int = 0


class _StoppedError(Exception):
    """Told to stop between two attempts: the offsets are not committed, so the record is delivered again."""


class BatchProcessor:
    """Gives an office's records to their handlers, in order, exactly once in effect.

    Attributes:
        full: parking has reached its limit, or may have: read nothing before `has_room` says so.
        read_until: the time of the last record handled, by topic.
    """

    def __init__(self, inbound: Inbound, database: Database, settings: ProcessSettings, service: str) -> None:
        self.inbound = inbound
        self.database = database
        self.full = False
        self.read_until: dict[str, datetime] = {}
        self._settings = settings
        self._labels = (settings.office, service)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Give up waiting between attempts; what is running is finished."""
        self._stopping.set()

    async def handle(self, records: Sequence[Record]) -> bool:
        """Give the records their whole effect, in order. Return False if told to stop before that was possible."""
        started = time.perf_counter()
        items = [self.read(record) for record in records]
        if not await self._with_database(lambda: self._together(items)):
            return False
        instruments.BATCH_SECONDS.labels(*self._labels).observe(time.perf_counter() - started)
        self.read_until |= {item.record.topic: item.record.timestamp for item in items}
        newest = {item.record.topic: item.record.timestamp for item in items if item.event is not None}
        for topic, at in newest.items():
            instruments.LAST_RECORD.labels(*self._labels, topic).set(at.timestamp())
        # Now, not with the next record: on a quiet topic the process would long seem to be full.
        await self.has_room()
        return True

    async def has_room(self) -> bool:
        """Whether parking is below its limit, looked into only if something was parked since the last time."""
        if not self.full:
            return True
        try:
            async with self.database.read() as tx:
                waiting = await Parking(tx.connection).open_count()
        except Exception as error:  # noqa: BLE001 - judged on the next line
            _log.warning("parking cannot be counted", error=describe(error))
            waiting = self._settings.parking_limit
        self.full = waiting >= self._settings.parking_limit
        return not self.full

    def read(self, record: Record) -> Item:
        """Read a record tolerantly: what is wrong with it becomes its rejection."""
        envelope = read_envelope(record.headers, record.topic, record.timestamp)
        if isinstance(envelope, Rejection):
            return Item(record, None, None, envelope)
        if envelope.type == HEARTBEAT:
            instruments.HEARTBEAT.labels(*self._labels, record.topic).set(record.timestamp.timestamp())
            return Item(record, envelope, None, None)
        if rejection := self.inbound.screen(record):
            return Item(record, envelope, None, rejection)
        topic = self.inbound.topics[record.topic]
        event = read_event(envelope, record.value, self.inbound.types, topic.types)
        if isinstance(event, Rejection):
            unknown = event.code == "unknown-type" and topic.unknown_types == "ignore"
            return Item(record, envelope, None, None if unknown else event)
        if not topic.may_carry(event, record.topic):
            rejection = Rejection(
                "sender-mismatch", "the event speaks for another office than the one whose topic it is"
            )
            return Item(record, envelope, None, rejection)
        return Item(record, envelope, event, None)

    async def claim(self, connection: AsyncConnection, items: Sequence[Item], held: set[OrderingKey]) -> set[UUID]:
        """Claim the ids of what has a handler and is not held back; return those that were not handled before."""
        ids: dict[UUID, None] = {}
        waiting = set(held)
        for item in items:
            key = item.record.ordering_key
            if item.rejection is not None and key is not None:
                waiting.add(key)
            if item.envelope is not None and item.rejection is None and key not in waiting and self._handler_of(item):
                ids[item.envelope.identity] = None
        return await claim(connection, ids)

    async def apply(
        self, item: Item, tx: Transaction, new: set[UUID], spans: list[Span], *, as_child: bool = True
    ) -> Outcome:
        """Run the handler of an item whose id is among the `new` ones, once; its span is added to `spans`.

        Whoever commits ends the spans. `as_child=False` starts a new trace, as a replay does.
        """
        handler = self._handler_of(item)
        if handler is None or item.event is None or item.envelope is None:
            return "ignored"
        identity = item.envelope.identity
        if identity not in new:
            return "duplicate"
        new.discard(identity)
        span = self.database.start_process_span(
            item.envelope,
            f"process {item.record.topic}",
            self._attributes(item.record, item.envelope, item.event),
            as_child=as_child,
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

    def _handler_of(self, item: Item) -> Handler | None:
        return self.inbound.handlers.get(item.event.type) if item.event is not None else None

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
                _log.warning("database unavailable, waiting", error=describe(error))
            else:
                return True
            await self._pause(delay)
            if self._stopping.is_set():
                return False
            delay = min(delay * 2 or 0.1, _LONGEST_DELAY)

    async def _together(self, items: Sequence[Item]) -> None:
        try:
            await self._run_in_transaction(items)
        except Exception as error:
            if is_unavailable(error):
                raise
            _log.info("batch failed, running its records one by one", records=len(items), error=describe(error))
            for item in items:
                await self._alone(item)

    async def _alone(self, item: Item) -> None:
        delay = self._settings.retry_delay_seconds
        while True:
            # A rejected record is not tried any more; what runs then is its parking.
            item.attempts += item.rejection is None
            try:
                await self._run_in_transaction([item])
            except Exception as error:
                if is_unavailable(error):
                    item.attempts -= item.rejection is None  # not judged
                    raise
                if (refusal := refusal_of(error)) is not None:
                    item.rejection = refusal
                    continue
                instruments.ATTEMPTS_FAILED.labels(*self._labels).inc()
                if item.attempts >= self._settings.max_attempts:
                    item.rejection = exhausted(error)
                    continue
                await self._pause(delay)
                if self._stopping.is_set():
                    raise _StoppedError from error
                delay = min(delay * 2, _LONGEST_DELAY)
            else:
                return

    async def _run_in_transaction(self, items: Sequence[Item]) -> None:
        outcomes: list[tuple[Item, Outcome]] = []
        spans: list[Span] = []
        async with self.database.engine.connect() as connection:
            async with connection.begin():
                tx = Transaction(connection, self.database)
                parking = Parking(connection)
                keys = {item.record.ordering_key for item in items}
                held = await parking.held_keys({key for key in keys if key is not None})
                new = await self.claim(connection, items, held)
                if new:
                    await self.inbound.prepare(
                        [item.event for item in items if item.envelope and item.envelope.identity in new], tx
                    )
                to_park: list[Item] = []
                for item in items:
                    key = item.record.ordering_key
                    outcome: Outcome
                    if key in held:
                        outcome = "held"
                    elif item.rejection is not None:
                        outcome = "parked"
                    else:
                        outcome = await self.apply(item, tx, new, spans)
                    outcomes.append((item, outcome))
                    if outcome in {"parked", "held"}:
                        to_park.append(item)
                        if key is not None:
                            held.add(key)
                await tx.flush()
                parked = await self._park(parking, to_park, {id(item): outcome for item, outcome in outcomes})
                await self._answer(to_park, parked, tx)
                await tx.finish()
            tx.end_spans()
            for span in spans:
                span.end()
        self._count(outcomes, parked.values())
        if parked:
            self.full = True  # looked into as soon as the batch is done

    async def _park(self, parking: Parking, items: Sequence[Item], outcomes: Mapping[int, Outcome]) -> dict[UUID, str]:
        codes: dict[UUID, str] = {}
        states: tuple[Literal["parked", "held"], ...] = ("parked", "held")
        for state in states:
            rows = []
            for item in items:
                if outcomes[id(item)] != state:
                    continue
                why = item.rejection or Rejection(HELD_BACK, "an earlier record of the same key is parked")
                kind = item.envelope.type if item.envelope else None
                rows.append((item.record, kind, why.code, why.detail, item.attempts))
            codes |= await parking.park(rows, state)
        return codes

    async def _answer(self, items: Sequence[Item], parked: Mapping[UUID, str], tx: Transaction) -> None:
        for item in items:
            code = parked.get(item.record.id)
            if code is not None and code != HELD_BACK:
                await self.answer(item, code, tx)

    async def answer(self, item: Item, code: str, tx: Transaction) -> None:
        """Let the service answer the sender of a record that has been judged and is parked."""
        tx.begin(item.record.id)
        await self.inbound.on_parked(Parked(item.record, item.envelope, code), tx)

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

    def _count(self, outcomes: Iterable[tuple[Item, Outcome]], parked: Iterable[str]) -> None:
        totals: dict[tuple[str, str], int] = {}
        for item, outcome in outcomes:
            totals[item.record.topic, outcome] = totals.get((item.record.topic, outcome), 0) + 1
        for (topic, what), count in totals.items():
            instruments.RECORDS.labels(*self._labels, topic, what).inc(count)
        topics = {item.rejection.code: item.record.topic for item, _ in outcomes if item.rejection}
        for code in parked:
            instruments.PARKED.labels(*self._labels, topics.get(code, "held"), code).inc()
            _log.warning("record parked", code=code, topic=topics.get(code))

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def refusal_of(error: Exception) -> Rejection | None:
    """Return why a record is parked at once when its handler raises this; None for an error that may pass."""
    match error:
        case UnprocessableError():
            return Rejection(error.code, error.reason)
        case UnknownError():
            return Rejection(error.code, f"there is no such {error.what}")
        case RefusedError() | ConflictError() | ForbiddenError():
            return Rejection(error.code, error.text)
        case _:
            return None


def exhausted(error: Exception) -> Rejection:
    """Return why a record is parked that failed for the last time: the error's class and place, not its text."""
    return Rejection("attempts-exhausted", describe(error))


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
