"""CPU time of each step, both sides in this process, with PostgreSQL and without Kafka: `python -m bench.steps`.

Half a minute, and stable: for the inner loop. With Kafka's clients, and in processes of their own: `make bench-quick`.
`--profile STEP` profiles the step of the suite with that name.
"""

import argparse
import asyncio
import cProfile
import gc
import os
import pstats
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import uvloop
from aiokafka.producer.message_accumulator import BatchBuilder
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.baseline import READ, TABLES, Baseline
from bench.notices import submissions
from bench.null_exporter import NullExporter
from deploy.local.postgres import EmbeddedPostgres, temporary_folder
from deploy.local.stack import CITIES, JOINT
from services.change_security.app import CHANGE_SECURITY
from services.change_security.authority.app import parts as city_parts
from services.change_security.joint.app import parts as joint_parts
from services.change_security.settings import Settings
from shared.clock import SystemClock
from shared.database import engine_for
from shared.messaging.batch import BatchProcessor
from shared.messaging.parking import Record
from shared.messaging.relay import Relay
from shared.messaging.transaction import Database
from shared.migrations import migrate
from shared.telemetry import tracer_provider
from shared.topics import CHANGE_NOTICES_INBOUND

CITY: Final = "vantaa"
SUBMISSION, SEND, CASE, CONFIRM, RECEIPT = "submission", "send assignments", "case", "send receipt", "receipt"
STEPS: Final[Mapping[str, int]] = {SUBMISSION: 1, SEND: 1, CASE: 3, CONFIRM: 3, RECEIPT: 3}
"""Step → how often for a notice of three stores."""

Step = Callable[[list[Record]], Awaitable[list[Record]]]
"""What a side does with records; it returns those that Kafka would bring on."""


class Batch(BatchBuilder):  # type: ignore[misc]
    """A batch that remembers what was put into it."""

    def __init__(self) -> None:
        super().__init__(262_144, 0)
        self.records: list[tuple[bytes, bytes, list[tuple[str, bytes]]]] = []

    def append(self, *, timestamp: int | None, key: bytes, value: bytes, headers: Any = ()) -> Any:
        """Add a record, if there is room."""
        added = super().append(timestamp=timestamp, key=key, value=value, headers=headers)
        if added is not None:
            self.records.append((key, value, headers))
        return added


class Producer:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Record] = []

    async def partitions_for(self, _: str) -> set[int]:
        """Return the partitions of any topic."""
        return {0, 1, 2, 3}

    def create_batch(self) -> Batch:
        """Return an empty batch."""
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> Awaitable[None]:
        """Keep the batch's records."""
        now = datetime.now(UTC)
        self.sent += [
            Record(topic, partition, place, key, headers, value, now)
            for place, (key, value, headers) in enumerate(batch.records, len(self.sent))
        ]
        return asyncio.sleep(0)


class Office:
    """One office's process of the suite: its kernel and its relay."""

    def __init__(self, office: str, url: str) -> None:
        given = {"OFFICE": office, "JOINT_OFFICE": JOINT, "CITY_OFFICES": ",".join(CITIES), "DATABASE_URL": url}
        os.environ |= given | {"KAFKA_BOOTSTRAP_SERVERS": "-", "JWKS_URL": "-", "TOKEN_ISSUER": "-", "POOL_KEY": "-"}
        settings = Settings()
        tracer = tracer_provider(CHANGE_SECURITY.name, settings, NullExporter()).get_tracer("bench")
        self.engine: AsyncEngine = engine_for(settings, CHANGE_SECURITY.schema)
        database = Database(self.engine, office, SystemClock(), tracer)
        parts = (joint_parts if office == JOINT else city_parts)(settings, database)
        self._processor = BatchProcessor(parts.inbound, database, settings, CHANGE_SECURITY.name)
        self._relay = Relay(self.engine, settings, CHANGE_SECURITY.name, tracer)

    async def handle(self, records: list[Record]) -> list[Record]:
        """Handle records."""
        await self._processor.handle(records)
        return []

    async def send(self, _: list[Record]) -> list[Record]:
        """Send what the outbox has."""
        producer: Any = Producer()
        async with self.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            while await self._relay._send_batch(connection, producer):  # noqa: SLF001 - a relay runs for ever
                pass
        sent: list[Record] = producer.sent
        return sent


class ByHand:
    """One role of the baseline."""

    def __init__(self, role: str, connection: Any) -> None:
        self._process = Baseline(argparse.Namespace(role=role, city=CITY, spans=True, receipts=True))
        self._connection = connection
        self._handle = getattr(self._process, role)

    async def handle(self, records: list[Record]) -> list[Record]:
        """Handle records."""
        spans: list[Any] = []
        async with self._connection.transaction():
            await self._handle(self._connection, records, spans)
        for span in spans:
            span.end()
        return []

    async def send(self, _: list[Record]) -> list[Record]:
        """Send what the outbox has."""
        producer: Any = Producer()
        while rows := await self._connection.fetch(READ):
            await self._process.send(self._connection, producer, rows)
        sent: list[Record] = producer.sent
        return sent


async def microseconds(step: Step, records: Sequence[Record], batch: int, count: int) -> tuple[float, list[Record]]:
    """Run a step; return its CPU time for each of `count`, and what it sent."""
    sent: list[Record] = []
    gc.collect()
    begun = time.process_time()
    for place in range(0, len(records) or 1, batch):
        sent += await step(list(records[place : place + batch]))
    return 1e6 * (time.process_time() - begun) / count, sent


async def run(steps: Mapping[str, Step], notices: int, batch: int, profiled: str | None) -> dict[str, float]:
    """Take notices through all steps, once to warm up, and measure them."""
    now = datetime.now(UTC)
    made = [
        Record(CHANGE_NOTICES_INBOUND.name, 0, place, key.encode(), headers, value, now)
        for place, (key, value, headers) in enumerate(submissions(batch + notices))
    ]
    found: dict[str, float] = {}
    for records, measuring in ((made[:batch], False), (made[batch:], True)):
        moving: list[Record] = []
        for name, step in steps.items():
            profile = cProfile.Profile() if measuring and name == profiled else None
            if profile is not None:
                profile.enable()
            given = records if name == SUBMISSION else moving if name in {CASE, RECEIPT} else []
            found[name], sent = await microseconds(step, given, batch, len(records))
            if profile is not None:
                profile.disable()
                pstats.Stats(profile).sort_stats("tottime").print_stats(50)
            moving = [record for record in sent if f".{CITY}." in record.topic]
        gc.freeze()
    return found


async def measure(urls: Mapping[str, str], notices: int, batch: int, profiled: str | None) -> list[dict[str, float]]:
    """Measure both sides: the baseline, then the suite."""
    connections = {office: await asyncpg.connect(url) for office, url in urls.items()}
    for connection in connections.values():
        await connection.execute(TABLES)
    intake, case, ledger = (
        ByHand(role, connections[office]) for role, office in (("intake", JOINT), ("city", CITY), ("ledger", JOINT))
    )
    by_hand = dict(zip(STEPS, (intake.handle, intake.send, case.handle, case.send, ledger.handle), strict=True))
    joint, city = (Office(office, urls[office]) for office in (JOINT, CITY))
    for office in (joint, city):
        await migrate(office.engine, CHANGE_SECURITY.migrations, CHANGE_SECURITY.schema)
    ours = dict(zip(STEPS, (joint.handle, joint.send, city.handle, city.send, joint.handle), strict=True))
    found = [await run(by_hand, notices, batch, None), await run(ours, notices, batch, profiled)]
    for office in (joint, city):
        await office.engine.dispose()
    for connection in connections.values():
        await connection.close()
    return found


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.steps", description=__doc__)
    parser.add_argument("--notices", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=250, help="how many records share a transaction")
    parser.add_argument("--profile", choices=list(STEPS))
    given = parser.parse_args()
    gc.set_threshold(100_000, 50, 100)  # as `shared.process` does
    folder = temporary_folder()
    with ExitStack() as stopping:
        servers = {office: EmbeddedPostgres(folder / office, short_lived=True) for office in (JOINT, CITY)}
        for server in servers.values():
            stopping.callback(server.stop)
            server.begin()
        urls = {office: server.url for office, server in servers.items()}
        by_hand, ours = uvloop.run(measure(urls, given.notices, given.batch, given.profile))
    table = Table(title=f"CPU, µs; {given.notices} notices, {given.batch} records a transaction")
    for column in ("step", "a notice", "baseline", "suite", "ratio"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for name, times in STEPS.items():
        table.add_row(
            name, f"× {times}", f"{by_hand[name]:.0f}", f"{ours[name]:.0f}", f"{ours[name] / by_hand[name]:.2f}"
        )
    sums = [sum(times * side[name] for name, times in STEPS.items()) for side in (by_hand, ours)]
    table.add_row("a notice", "", *(f"{whole:.0f}" for whole in sums), f"{sums[1] / sums[0]:.2f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
