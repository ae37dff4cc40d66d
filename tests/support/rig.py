"""A consumer of test events on the real broker and database, with its own schema, topics and group."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from opentelemetry.sdk.trace import TracerProvider
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import SystemClock
from shared.database import Bulk, engine_for
from shared.events.envelope import Event
from shared.messaging.handlers import Handler
from shared.messaging.inbound import Inbound, OnParked, Screen, nobody_to_answer, nothing_to_screen
from shared.messaging.loop import Consumer
from shared.messaging.parking import ParkedRecord, ParkedState, Parking
from shared.messaging.relay import Relay
from shared.messaging.schema import DDL
from shared.messaging.transaction import Database, Transaction
from shared.settings import ProcessSettings
from shared.topics import Topic


class Happened(Event):
    """Something happened to a subject, the n-th time."""

    KEY: ClassVar[str] = "subject"
    type: Literal["test.happened.v1"] = "test.happened.v1"
    subject: str
    n: int
    colour: Literal["red", "blue"] = "red"


class Other(Event):
    """Known, but without a handler."""

    KEY: ClassVar[str] = "subject"
    type: Literal["test.other.v1"] = "test.other.v1"
    subject: str


EFFECT = Bulk[Happened](
    "INSERT INTO effect (subject, n) SELECT subject, n FROM {rows}", {"subject": "text", "n": "integer"}
)


async def record_effect(event: Happened, tx: Transaction) -> None:
    """The plain handler: one row for each time it runs."""
    tx.stage(EFFECT, event)


async def until(holds: Callable[[], Awaitable[bool]], what: str, seconds: float = 30) -> None:
    """Wait until something holds."""
    try:
        async with asyncio.timeout(seconds):
            while not await holds():  # noqa: ASYNC110 - nothing tells when
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"waited {seconds:.0f} s until {what}")


@dataclass
class Rig:
    """The consumer and everything around it."""

    engine: AsyncEngine
    settings: ProcessSettings
    topic: str
    second_topic: str
    provider: TracerProvider = field(default_factory=TracerProvider)

    def __post_init__(self) -> None:
        self.database = Database(
            self.engine, "test", SystemClock(), self.provider.get_tracer("test"), lambda _: self.topics[self.topic]
        )
        self.group = f"rig.{self.topic}"
        kind = Topic(
            name=self.topic,
            key="subject",
            writes="tests",
            reads="tests",
            types=frozenset({Happened.type_name(), Other.type_name()}),
        )
        self.topics = {self.topic: kind, self.second_topic: kind}

    def consumer(
        self,
        handler: Handler = record_effect,
        *,
        screen: Screen = nothing_to_screen,
        erase_on_discard: frozenset[str] = frozenset(),
        on_parked: OnParked = nobody_to_answer,
        **settings: Any,
    ) -> Consumer:
        """Make a consumer; each has the same group and, unless told otherwise, the same instance name."""
        inbound = Inbound(
            group=self.group,
            topics=self.topics,
            types={event.type_name(): event for event in (Happened, Other)},
            handlers={Happened.type_name(): handler},
            screen=screen,
            erase_on_discard=erase_on_discard,
            on_parked=on_parked,
        )
        return Consumer(inbound, self.database, self.settings.model_copy(update=settings), "rig")

    def relay(self) -> Relay:
        """Make a relay of this schema's outbox."""
        return Relay(self.engine, self.settings, "rig", self.provider.get_tracer("test"))

    async def produce(self, *records: "Raw", topic: str | None = None) -> None:
        """Send records as they are, in order."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers, acks="all", max_request_size=4_000_000
        )
        await producer.start()
        try:
            futures = [
                await producer.send(topic or self.topic, record.value, key=record.key, headers=record.headers)
                for record in records
            ]
            await asyncio.gather(*futures)
        finally:
            await producer.stop()

    async def effects(self) -> list[tuple[str, int]]:
        """Return every effect, in the order of writing."""
        return [(str(row[0]), int(row[1])) for row in await self.rows("SELECT subject, n FROM effect ORDER BY id")]

    async def parked(self, state: ParkedState | None = None) -> list[ParkedRecord]:
        """Return parked records."""
        async with self.engine.connect() as connection:
            return await Parking(connection).page(state=state, limit=1000)

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        """Run a query."""
        async with self.engine.connect() as connection:
            return list((await connection.execute(text(sql), values)).all())

    async def execute(self, sql: str, **values: Any) -> None:
        """Run a statement and commit it."""
        async with self.engine.begin() as connection:
            await connection.execute(text(sql), values)

    async def committed(self) -> int:
        """Return the sum of the group's committed offsets on the first topic."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.kafka_bootstrap_servers)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(self.group)
        finally:
            await admin.close()
        return sum(found.offset for partition, found in offsets.items() if partition.topic == self.topic)

    async def settled(self, count: int) -> None:
        """Wait until the group has committed so many records of the first topic."""

        async def done() -> bool:
            return await self.committed() >= count

        await until(done, f"{count} records committed")

    async def read_topic(self, count: int) -> list[Any]:
        """Read records of the first topic from its beginning."""
        consumer = AIOKafkaConsumer(
            self.topic,
            bootstrap_servers=self.settings.kafka_bootstrap_servers,
            auto_offset_reset="earliest",
            group_id=None,
        )
        await consumer.start()
        found: list[Any] = []
        try:
            async with asyncio.timeout(60):
                while len(found) < count:
                    for records in (await consumer.getmany(timeout_ms=500)).values():
                        found += records
                # What should not be there would come right behind.
                for records in (await consumer.getmany(timeout_ms=700)).values():
                    found += records
        finally:
            await consumer.stop()
        return found


@dataclass
class Raw:
    """A record as it goes to Kafka."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def happened(subject: str, n: int, *, event_id: str | None = None, **changes: Any) -> Raw:
    """A good record."""
    body = {"type": Happened.type_name(), "subject": subject, "n": n} | changes
    return Raw(subject.encode(), json.dumps(body).encode(), headers(event_id=event_id))


def headers(event_id: str | None = None, event_type: str = "test.happened.v1") -> list[tuple[str, bytes]]:
    """Good CloudEvents headers."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", (event_id or str(uuid4())).encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", b"/tests"),
        ("content-type", b"application/json"),
    ]


@asynccontextmanager
async def running(*parts: Any) -> AsyncIterator[None]:
    """Run consumers and relays while the block lasts."""
    for part in parts:
        part.start()
    try:
        yield
    finally:
        for part in parts:
            await part.stop()


async def make_rig(bootstrap: str, database_url: str, name: str) -> Rig:
    """Make a rig with its own schema and topics."""
    unique = f"{name[:40].replace('_', '-')}-{uuid4().hex[:8]}"
    schema = unique.replace("-", "_")
    settings = ProcessSettings(
        office="test",
        joint_office="joint",
        database_url=database_url,
        kafka_bootstrap_servers=bootstrap,
        jwks_url="http://127.0.0.1/none",
        token_issuer="none",
        retry_delay_seconds=0.01,
    )
    engine = engine_for(settings, schema)
    async with engine.begin() as connection:
        await connection.execute(text(f'CREATE SCHEMA "{schema}"'))
        for statement in (
            *DDL,
            "CREATE TABLE effect (id bigint GENERATED ALWAYS AS IDENTITY, subject text, n integer)",
        ):
            await connection.execute(text(statement))
    topic, second = f"test.{unique}.v1", f"test.{unique}.second.v1"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        large = {"max.message.bytes": "4194304"}
        await admin.create_topics(
            [NewTopic(topic, 4, 1, topic_configs=large), NewTopic(second, 1, 1, topic_configs=large)]
        )
    finally:
        await admin.close()
    return Rig(engine, settings, topic, second)
