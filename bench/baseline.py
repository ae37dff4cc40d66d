"""The baseline: the same flow written by hand with aiokafka and asyncpg, with the same guarantees and no domain.

intake: inbound topic → inbox, notice, three ledger rows, three outbox rows, in one transaction a batch → relay
city:   to.<city> → inbox, case, and (with receipts) an outbox row → relay
ledger: from.<city> → inbox, ledger row

Spans, ids and batches for Kafka are made as cheaply as the suite makes them, by the same functions.
One process span a message, when asked for. A process waits for a line on its standard input before it starts reading.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from pydantic import BaseModel

from bench.null_exporter import NullExporter
from shared.events.envelope import derived_id
from shared.messaging.codec import Headers
from shared.messaging.sending import batches_of
from shared.telemetry import start_message_span

CITIES = ("helsinki", "espoo", "vantaa")
TABLES = """
CREATE TABLE IF NOT EXISTS inbox (event_id uuid PRIMARY KEY, received_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS work (notice_id uuid PRIMARY KEY, version int NOT NULL, body jsonb NOT NULL);
CREATE TABLE IF NOT EXISTS ledger (notice_id uuid, city text, state text NOT NULL, PRIMARY KEY (notice_id, city));
CREATE TABLE IF NOT EXISTS outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    event_id uuid NOT NULL, topic text NOT NULL, key text NOT NULL, traceparent text, payload bytea NOT NULL,
    published_at timestamptz
);
CREATE INDEX IF NOT EXISTS outbox_unpublished ON outbox (xid, seq) WHERE published_at IS NULL;
"""
_CLAIM = "INSERT INTO inbox (event_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id"
WORK = """INSERT INTO work (notice_id, version, body) SELECT * FROM unnest($1::uuid[], $2::int[], $3::jsonb[])
ON CONFLICT (notice_id) DO UPDATE SET version = excluded.version, body = excluded.body
WHERE work.version < excluded.version"""
_LEDGER = """INSERT INTO ledger (notice_id, city, state) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
ON CONFLICT (notice_id, city) DO UPDATE SET state = excluded.state"""
OUTBOX = """INSERT INTO outbox (event_id, topic, key, traceparent, payload)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[])"""
READ = """SELECT seq, event_id, topic, key, traceparent, payload FROM outbox
WHERE published_at IS NULL AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, seq LIMIT 500"""


class Body(BaseModel):
    """As much as routing needs."""

    notice_id: UUID
    revision: int
    filing: dict[str, Any]


class Receipt(BaseModel):
    """A store has it."""

    notice_id: UUID
    city: str


class Baseline:
    """One process of the baseline."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(NullExporter(), max_queue_size=65_536))
        self.tracer = provider.get_tracer("baseline")

    def span(self, record: Any, headers: dict[str, bytes], subject: str) -> tuple[Any, str]:
        """Start the process span of a message; return it with the traceparent to pass on."""
        told = headers["traceparent"].decode()
        if not self.given.spans:
            return None, told
        _, trace_id, span_id, _ = told.split("-")
        span = start_message_span(
            self.tracer,
            f"process {record.topic}",
            SpanKind.CONSUMER,
            {
                "messaging.system": "kafka",
                "messaging.operation.name": "process",
                "messaging.destination.name": record.topic,
                "messaging.destination.partition.id": str(record.partition),
                "messaging.kafka.offset": record.offset,
                "messaging.message.id": headers["ce_id"].decode(),
                "subject": subject,
            },
            SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(1)),
        )
        context = span.get_span_context()
        return span, f"00-{context.trace_id:032x}-{context.span_id:016x}-01"

    async def run(self) -> None:
        """Run for ever."""
        role = self.given.role
        topics = {
            "intake": ["inbound.change-notices.v1"],
            "city": [f"to.{self.given.city}.change-security.v1"],
            "ledger": [f"from.{city}.change-security.v1" for city in CITIES],
        }[role]
        connection = await asyncpg.connect(self.given.dsn)
        await connection.execute("SELECT pg_advisory_lock(1)")
        await connection.execute(TABLES)
        await connection.execute("SELECT pg_advisory_unlock(1)")
        consumer = AIOKafkaConsumer(
            *topics,
            bootstrap_servers=self.given.bootstrap,
            group_id=f"baseline.{role}.{self.given.city}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4_194_304,
        )
        await consumer.start()
        relay = asyncio.create_task(self.relay()) if role != "ledger" else None
        print("READY", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        handle = {"intake": self.intake, "city": self.city, "ledger": self.ledger}[role]
        while True:
            fetched = await consumer.getmany(timeout_ms=250, max_records=500)
            if fetched:
                spans: list[Any] = []
                async with connection.transaction():
                    await handle(connection, [one for some in fetched.values() for one in some], spans)
                for span in spans:
                    span.end()
                await consumer.commit({place: some[-1].offset + 1 for place, some in fetched.items()})
            if relay is not None and relay.done():
                relay.result()

    async def fresh(self, connection: Any, records: Sequence[Any], model: type[Any]) -> list[tuple[Any, Any, Any]]:
        """Read the records and claim them; return those that are new, with their headers."""
        read = [(record, dict(record.headers), model.model_validate_json(record.value)) for record in records]
        ids = [derived_id(headers["ce_id"].decode()) for _, headers, _ in read]
        new = {row[0] for row in await connection.fetch(_CLAIM, ids)}
        return [one for one, event_id in zip(read, ids, strict=True) if event_id in new]

    async def intake(self, connection: Any, records: Sequence[Any], spans: list[Any]) -> None:
        """File notices."""
        work, ledger, outbox = [], [], []
        for record, headers, body in await self.fresh(connection, records, Body):
            span, traceparent = self.span(record, headers, str(body.notice_id))
            spans += [span] if span else []
            work.append((body.notice_id, body.revision, record.value.decode()))
            for city in CITIES:
                ledger.append((body.notice_id, city, "sent"))
                event_id = derived_id(f"{body.notice_id}{city}")
                topic = f"to.{city}.change-security.v1"
                outbox.append((event_id, topic, str(body.notice_id), traceparent, record.value))
        await connection.execute(WORK, *_columns(work))
        await connection.execute(_LEDGER, *_columns(ledger))
        await connection.execute(OUTBOX, *_columns(outbox))
        await connection.execute("NOTIFY outbox")

    async def city(self, connection: Any, records: Sequence[Any], spans: list[Any]) -> None:
        """Open cases."""
        work, outbox = [], []
        for record, headers, body in await self.fresh(connection, records, Body):
            span, traceparent = self.span(record, headers, str(body.notice_id))
            spans += [span] if span else []
            work.append((body.notice_id, body.revision, record.value.decode()))
            receipt = Receipt(notice_id=body.notice_id, city=self.given.city).model_dump_json().encode()
            event_id = derived_id(f"{body.notice_id}{self.given.city}receipt")
            topic = f"from.{self.given.city}.change-security.v1"
            outbox.append((event_id, topic, str(body.notice_id), traceparent, receipt))
        await connection.execute(WORK, *_columns(work))
        if self.given.receipts and outbox:
            await connection.execute(OUTBOX, *_columns(outbox))
            await connection.execute("NOTIFY outbox")

    async def ledger(self, connection: Any, records: Sequence[Any], spans: list[Any]) -> None:
        """Enter receipts."""
        rows: dict[tuple[UUID, str], str] = {}
        for record, headers, body in await self.fresh(connection, records, Receipt):
            span, _ = self.span(record, headers, str(body.notice_id))
            spans += [span] if span else []
            rows[body.notice_id, body.city] = "stored"
        await connection.execute(_LEDGER, *_columns([(*key, state) for key, state in rows.items()]))

    async def relay(self) -> None:
        """Send the outbox."""
        connection = await asyncpg.connect(self.given.dsn)
        wake = asyncio.Event()
        await connection.add_listener("outbox", lambda *_: wake.set())
        producer = AIOKafkaProducer(
            bootstrap_servers=self.given.bootstrap, enable_idempotence=True, acks="all", max_batch_size=262_144
        )
        await producer.start()
        while True:
            wake.clear()
            rows = await connection.fetch(READ)
            if not rows:
                left = await connection.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)")
                with suppress(TimeoutError):
                    await asyncio.wait_for(wake.wait(), 0.002 if left else 1)
                continue
            await self.send(connection, producer, rows)

    async def send(self, connection: Any, producer: AIOKafkaProducer, rows: Sequence[Any]) -> None:
        """Send rows of the outbox, and mark them."""
        batches = await batches_of(
            [(row["topic"], row["key"].encode(), row["payload"], _headers(row)) for row in rows], producer
        )
        futures = [await producer.send_batch(batch, topic, partition=place) for (topic, place), batch in batches]
        await asyncio.gather(*futures)
        await connection.execute(
            "UPDATE outbox SET published_at = now() WHERE seq = ANY($1::bigint[])", [row["seq"] for row in rows]
        )


def _headers(row: Any) -> Headers:
    return [
        ("content-type", b"application/json"),
        ("ce_id", str(row["event_id"]).encode()),
        ("ce_type", b"baseline.v1"),
        ("ce_source", b"/baseline"),
        ("traceparent", row["traceparent"].encode()),
    ]


def _columns(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.baseline", description=__doc__)
    parser.add_argument("--role", choices=["intake", "city", "ledger"], required=True)
    parser.add_argument("--city", default="")
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--spans", action="store_true")
    parser.add_argument("--receipts", action="store_true")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a group that is just being made is not news here
    uvloop.run(Baseline(parser.parse_args()).run())


if __name__ == "__main__":
    main()
