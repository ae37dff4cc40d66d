"""The relay: outbox rows to Kafka, in the order their transactions committed.

A row is read only when no transaction that could precede it is still running (`xid < pg_snapshot_xmin`), so a slow
writer's rows are never stepped over. One relay leads an outbox, by an advisory lock that dies with its connection; a
second one waits. A row is marked only after Kafka has acknowledged it: a crash in between sends it again, and the
reader's inbox absorbs it.
"""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import uuid4

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Tracer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import instruments, topics
from shared.database import is_unavailable
from shared.events.envelope import Envelope
from shared.messaging.codec import HEARTBEAT, headers_of
from shared.settings import ProcessSettings
from shared.telemetry import as_parent, context_of, describe

_BATCH: Final = 500
_IDLE_SECONDS: Final = 1.0
_PRUNE_SECONDS: Final = 3600.0
_STOP_SECONDS: Final = 10.0
_UNSETTLED_SECONDS: Final = (0.002, 0.05)
"""Rows wait for an older transaction to end, which wakes nobody: look again soon, then less and less often."""

_SPANS_OF_THEIR_OWN: Final = 16
_LINKS: Final = 128
"""OpenTelemetry's default limit of links on a span."""

_log = structlog.get_logger("shared.messaging.relay")

_READ: Final = text(
    "SELECT seq, event_id, topic, key, type, traceparent, payload, created_at FROM outbox"
    " WHERE published_at IS NULL AND xid < pg_snapshot_xmin(pg_current_snapshot())"
    " ORDER BY xid, seq LIMIT :batch"
)
_ANY_LEFT: Final = text("SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)")
_BACKLOG: Final = text(
    "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox WHERE published_at IS NULL"
)
_MARK: Final = text("UPDATE outbox SET published_at = now() WHERE seq = ANY(CAST(:sent AS bigint[]))")
_LEAD: Final = text("SELECT pg_try_advisory_lock(hashtext('outbox'), hashtext(current_schema()))")


class _Row(NamedTuple):
    seq: int
    event_id: Any
    topic: str
    key: str
    type: str
    traceparent: str | None
    payload: bytes
    created_at: datetime


class Relay:
    """Sends one service's outbox to Kafka."""

    def __init__(self, engine: AsyncEngine, settings: ProcessSettings, service: str, tracer: Tracer) -> None:
        self._engine = engine
        self._settings = settings
        self._source = f"/offices/{settings.office}/{service}"
        self._labels = (settings.office, service)
        self._tracer = tracer
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._next_prune = time.monotonic()
        self._beats_on = topics.written_by(service, settings.office, settings.city_offices)
        self._next_beat = time.monotonic()
        self._stop_by = float("inf")
        self.leading = False
        """Whether this process leads its outbox just now."""

    def start(self) -> None:
        """Start relaying in the background."""
        self._task = asyncio.create_task(self._run(), name=f"relay {self._source}")

    async def stop(self) -> None:
        """Send what is committed, for ten seconds at most, and then stop; what is left is sent by the next leader."""
        self._stopping.set()
        self._stop_by = time.monotonic() + _STOP_SECONDS
        self._wake.set()
        if self._task is not None:
            await self._task

    async def backlog(self) -> tuple[int, float]:
        """Return how many committed rows Kafka has not yet, and the age of the oldest in seconds."""
        async with self._engine.connect() as connection:
            waiting, seconds = (await connection.execute(_BACKLOG)).one()
        return int(waiting), float(seconds)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                async with self._engine.connect() as connection:
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                    if await self._lead(connection):
                        try:
                            await self._relay(connection)
                        finally:
                            # The lock belongs to the connection. Back in the pool it would keep everyone from leading.
                            await connection.invalidate()
            except KafkaError as error:
                instruments.SEND_FAILED.labels(*self._labels).inc()
                _log.warning("publishing failed, retrying", error=describe(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, the relay goes on
                log = _log.warning if is_unavailable(error) else _log.exception
                log("relay failed, starting again", error=describe(error))
            finally:
                self._set_leading(leading=False)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _IDLE_SECONDS)

    async def _lead(self, connection: AsyncConnection) -> bool:
        led = bool((await connection.execute(_LEAD)).scalar_one())
        self._set_leading(leading=led)
        return led

    def _set_leading(self, *, leading: bool) -> None:
        self.leading = leading
        instruments.RELAY_LEADER.labels(*self._labels).set(int(leading))

    async def _relay(self, connection: AsyncConnection) -> None:
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        schema = (await connection.execute(text("SELECT current_schema()"))).scalar_one()
        await driver.add_listener(f"outbox_{schema}", lambda *_: self._wake.set())
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka_bootstrap_servers,
            client_id=f"{self._labels[1]}.{self._labels[0]}.relay",
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            max_batch_size=262_144,
            request_timeout_ms=20_000,
            retry_backoff_ms=50,
        )
        try:
            await producer.start()
            await self._drain_for_ever(connection, producer)
        finally:
            with suppress(KafkaError):
                await producer.stop()

    async def _drain_for_ever(self, connection: AsyncConnection, producer: AIOKafkaProducer) -> None:
        shortest, longest = _UNSETTLED_SECONDS
        look_again = shortest
        while True:
            self._wake.clear()
            await self._beat(producer)
            if await self._send_batch(connection, producer):
                look_again = shortest
                continue
            unsettled = bool((await connection.execute(_ANY_LEFT)).scalar_one())
            if self._stopping.is_set() and (not unsettled or time.monotonic() > self._stop_by):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), look_again if unsettled else _IDLE_SECONDS)
            look_again = min(look_again * 2, longest) if unsettled else shortest
            await self._prune(connection)

    async def _send_batch(self, connection: AsyncConnection, producer: AIOKafkaProducer) -> int:
        rows = [_Row._make(row) for row in await connection.execute(_READ, {"batch": _BATCH})]
        if not rows:
            return 0
        spans = self._send_spans(rows)
        # All are handed over in order before any is awaited; none is marked unless all were acknowledged, so a
        # failed row is never overtaken for good by a later one of its key.
        futures = [
            await producer.send(row.topic, row.payload, key=row.key.encode(), headers=self._headers(row))
            for row in rows
        ]
        results = await asyncio.gather(*futures, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        for span in spans:
            span.end()
        await connection.execute(_MARK, {"sent": [row.seq for row in rows]})
        for topic, count in Counter(row.topic for row in rows).items():
            instruments.SENT.labels(*self._labels, topic).inc(count)
        return len(rows)

    async def _beat(self, producer: AIOKafkaProducer) -> None:
        """Send a heartbeat on every topic this outbox writes: a topic that is quiet is then told from one that is
        broken.
        """
        seconds = self._settings.heartbeat_seconds
        if not seconds or time.monotonic() < self._next_beat:
            return
        self._next_beat = time.monotonic() + seconds
        headers = headers_of(Envelope(str(uuid4()), self._source, HEARTBEAT, datetime.now(UTC)))
        body = f'{{"type":"{HEARTBEAT}"}}'.encode()
        for name in self._beats_on:
            await producer.send(name, body, key=HEARTBEAT.encode(), headers=headers)

    def _headers(self, row: _Row) -> list[tuple[str, bytes]]:
        return headers_of(Envelope(str(row.event_id), self._source, row.type, row.created_at, row.traceparent))

    def _send_spans(self, rows: list[_Row]) -> list[Span]:
        """Start a `send` span for the rows of each creation, as its child. A failed batch leaves no span.

        Under load, when a batch carries many creations, one span stands for the batch and is linked to them.
        """
        by_creation: dict[str | None, list[_Row]] = {}
        for row in rows:
            by_creation.setdefault(row.traceparent, []).append(row)
        if len(by_creation) > _SPANS_OF_THEIR_OWN:
            created = [context for one in islice(by_creation, _LINKS) if (context := context_of(one))]
            return [self._send_span(None, len(rows), [Link(context) for context in created])]
        return [self._send_span(context_of(one), len(group), []) for one, group in by_creation.items()]

    def _send_span(self, created: SpanContext | None, count: int, links: list[Link]) -> Span:
        return self._tracer.start_span(
            "send",
            context=as_parent(created),
            kind=SpanKind.PRODUCER,
            attributes={
                instruments.MESSAGING_SYSTEM: "kafka",
                instruments.OPERATION_NAME: "send",
                instruments.MESSAGE_COUNT: count,
            },
            links=links,
        )

    async def _prune(self, connection: AsyncConnection) -> None:
        """Delete, once an hour, what the archive need not keep: sent rows, and inbox ids older than any redelivery."""
        now = time.monotonic()
        if now < self._next_prune:
            return
        self._next_prune = now + _PRUNE_SECONDS
        age = {"age": timedelta(days=self._settings.archive_days)}
        await connection.execute(
            text("DELETE FROM outbox WHERE created_at < now() - CAST(:age AS interval) AND published_at IS NOT NULL"),
            age,
        )
        await connection.execute(text("DELETE FROM inbox WHERE received_at < now() - CAST(:age AS interval)"), age)
