"""Measures the suite against its hand-written baseline: `make bench`.

Each measurement has a fresh broker and fresh databases; baseline and suite take turns in one run, and what counts is
the ratio. `--notices N` sets the size, `--rounds R` how often each is measured (the median counts).
"""

import argparse
import asyncio
import json
import logging
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid5

import asyncpg
import httpx
import psutil
from rich.console import Console
from rich.table import Table

from bench.baseline import OUTBOX, WORK
from bench.notices import filing, headers, notice_id, preload, send_all
from deploy.local.client import Callers
from deploy.local.processes import answers
from deploy.local.stack import CITIES, JOINT, OFFICES, ROOT, Bus, Stack
from shared.events.v1.change_security import Filing, NoticeAssigned

CONSOLE = Console(width=110)


@dataclass
class Flow:
    """One measured flow."""

    seconds_to_stores: float
    seconds_to_ledger: float | None
    python_cpu: float
    kafka_cpu: float
    postgres_cpu: float
    notices: int

    @property
    def rate(self) -> float:
        """Notices a second, from start to committed in every affected store."""
        return self.notices / self.seconds_to_stores

    @property
    def cpu_ms(self) -> float:
        """Python CPU milliseconds a notice."""
        return 1000 * self.python_cpu / self.notices


def cpu_of(pids: list[int]) -> float:
    """Return the CPU seconds of processes and their children."""
    total = 0.0
    for pid in pids:
        try:
            family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
            total += sum(sum(one.cpu_times()[:2]) for one in family)
        except psutil.NoSuchProcess:
            continue
    return total


@contextmanager
def bare_stack(**settings: str) -> Iterator[Stack]:
    """Start broker and databases alone."""
    ours = {("change_security", office): "bench.suite" for office in OFFICES}
    with Stack(with_zipkin=False, services=(), settings=settings, modules=ours, bus=Bus.PLAINTEXT) as stack:
        yield stack


@contextmanager
def baseline(stack: Stack, *, spans: bool, receipts: bool) -> Iterator[list[subprocess.Popen[str]]]:
    """Start the baseline's processes; each waits for a line on its standard input."""

    def start(role: str, office: str) -> subprocess.Popen[str]:
        options = [*(["--spans"] if spans else []), *(["--receipts"] if receipts else [])]
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "bench.baseline",
                *("--role", role, "--city", office if role == "city" else ""),
                *("--dsn", stack.databases[office].url, "--bootstrap", stack.kafka.bootstrap),
                *options,
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    roles = [("intake", JOINT), *(("city", city) for city in CITIES), *([("ledger", JOINT)] if receipts else [])]
    processes = [start(role, office) for role, office in roles]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "READY"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def go(process: subprocess.Popen[str]) -> None:
    """Let a baseline process start reading."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


@contextmanager
def suite(stack: Stack, *, spans: bool) -> Iterator[list[int]]:
    """Start the suite's own processes for all offices."""
    stack.settings |= {
        "OTEL_TRACES_SAMPLER": "parentbased_always_on" if spans else "always_off",
        "LOG_LEVEL": "WARNING",
    }
    children = []
    try:
        for office in OFFICES:
            stack.start_process("change_security", office)
            children.append(stack.child("change_security", office))
        for office in OFFICES:
            stack.wait_ready("change_security", office)
        yield [child.pid for child in children]
    finally:
        for child in children:
            child.stop()


async def wait_counts(urls: list[str], query: str, wanted: int, seconds: float = 300) -> None:
    """Wait until a count is reached in every database."""
    deadline = time.monotonic() + seconds
    for url in urls:
        connection = await asyncpg.connect(url)
        try:
            while await connection.fetchval(query) < wanted:
                if time.monotonic() > deadline:
                    raise TimeoutError(query)
                await asyncio.sleep(0.02)
        finally:
            await connection.close()


def measured(stack: Stack, pids: list[int], count: int, stored: str, confirmed: str | None, start: Any) -> Flow:
    """Let a flow go, and measure it."""
    cities = [stack.databases[city].url for city in CITIES]
    servers = [pid for database in stack.databases.values() if (pid := database.pid)]
    before = cpu_of(pids), cpu_of([stack.kafka.pid]), cpu_of(servers)
    begun = time.perf_counter()
    start()
    asyncio.run(wait_counts(cities, stored, count))
    to_stores = time.perf_counter() - begun
    to_ledger = None
    if confirmed is not None:
        asyncio.run(wait_counts([stack.databases[JOINT].url], confirmed, 3 * count))
        to_ledger = time.perf_counter() - begun
    after = cpu_of(pids), cpu_of([stack.kafka.pid]), cpu_of(servers)
    python, kafka, postgres = (now - then for now, then in zip(after, before, strict=True))
    return Flow(to_stores, to_ledger, python, kafka, postgres, count)


def flow_of_baseline(count: int, *, spans: bool, receipts: bool) -> Flow:
    """Measure the baseline."""
    with bare_stack() as stack, baseline(stack, spans=spans, receipts=receipts) as processes:
        asyncio.run(preload(stack.client(), count))
        for process in processes[1:]:
            go(process)
        return measured(
            stack,
            [process.pid for process in processes],
            count,
            "SELECT count(*) FROM work",
            "SELECT count(*) FROM ledger WHERE state = 'stored'" if receipts else None,
            lambda: go(processes[0]),
        )


def flow_of_suite(count: int, *, spans: bool) -> Flow:
    """Measure the suite."""
    with bare_stack() as stack, suite(stack, spans=spans) as pids:
        operator = Callers(stack, "change_security").operator
        operator.send("/v1/consumer/pause")
        time.sleep(0.5)
        asyncio.run(preload(stack.client(), count))
        return measured(
            stack,
            pids,
            count,
            "SELECT count(*) FROM change_security.authority_case",
            "SELECT count(*) FROM change_security.ledger_entry WHERE state = 'stored'",
            lambda: operator.send("/v1/consumer/resume"),
        )


# -- idle latency -----------------------------------------------------------------------------------------------------


async def probe(urls: list[str], query: str, accept: Any, times: int) -> list[float]:
    """Accept notices one at a time in an idle system; return milliseconds from acceptance to the last store."""
    connections = [await asyncpg.connect(url) for url in urls]
    queries = [await connection.prepare(query) for connection in connections]
    found = []
    try:
        for number in range(times + 20):
            begun = time.perf_counter()
            one = await accept(number)

            async def seen(prepared: Any, wanted: Any = one) -> None:
                while not await prepared.fetchval(wanted):  # noqa: ASYNC110 - nothing tells when
                    await asyncio.sleep(0.0004)

            await asyncio.gather(*(seen(prepared) for prepared in queries))
            found.append(1000 * (time.perf_counter() - begun))
            await asyncio.sleep(random.uniform(0.01, 0.04))
    finally:
        for connection in connections:
            await connection.close()
    return sorted(found[20:])


def latency_of_suite(times: int, *, spans: bool = True) -> list[float]:
    """Measure HTTP acceptance to the last city's store."""
    with bare_stack() as stack, suite(stack, spans=spans):
        token = stack.issuer.system("bench", "notices:write")

        async def run() -> list[float]:
            async with httpx.AsyncClient(
                base_url=stack.url("change_security", JOINT), headers={"Authorization": f"Bearer {token}"}
            ) as client:

                async def accept(number: int) -> Any:
                    answer = await client.post("/v1/notices", json={"filing": filing(number)})
                    return answer.json()["notice_id"]

                return await probe(
                    [stack.databases[city].url for city in CITIES],
                    "SELECT EXISTS (SELECT FROM change_security.authority_case WHERE notice_id = $1)",
                    accept,
                    times,
                )

        return asyncio.run(run())


def latency_of_baseline(times: int) -> list[float]:
    """Measure a transaction with notice and outbox rows to the last city's store."""
    with bare_stack() as stack, baseline(stack, spans=True, receipts=True) as processes:
        for process in processes:
            go(process)

        async def run() -> list[float]:
            connection = await asyncpg.connect(stack.databases[JOINT].url)

            async def accept(number: int) -> Any:
                one = notice_id(number)
                body = json.dumps({"notice_id": str(one), "revision": 1, "filing": filing(number)})
                rows = [
                    (
                        uuid5(one, city),
                        f"to.{city}.change-security.v1",
                        str(one),
                        f"00-{number + 1:032x}-{number + 1:016x}-01",
                        body.encode(),
                    )
                    for city in CITIES
                ]
                async with connection.transaction():
                    await connection.execute(WORK, [one], [1], [body])
                    await connection.execute(OUTBOX, *map(list, zip(*rows, strict=True)))
                    await connection.execute("NOTIFY outbox")
                return one

            found = await probe(
                [stack.databases[city].url for city in CITIES],
                "SELECT EXISTS (SELECT FROM work WHERE notice_id = $1)",
                accept,
                times,
            )
            await connection.close()
            return found

        return asyncio.run(run())


# -- rebuilding a store -----------------------------------------------------------------------------------------------


def assigned(number: int) -> bytes:
    """Return the body of an assignment to Vantaa, which the baseline can read too."""
    told = NoticeAssigned.model_validate(
        {
            "notice_id": notice_id(number),
            "version": 1,
            "revision": 1,
            "authority": "vantaa",
            "reasons": [{"kind": "workplace", "municipality": "092"}],
            "handling_mode": "own",
            "routing_version": "bench",
            "arrived_at": "2026-11-24T07:00:00Z",
            "registered_at": "2026-11-24T07:00:00Z",
            "acknowledge_by": "2026-11-26T14:00:00Z",
            "filing": Filing.model_validate(filing(number)),
        }
    )
    return told.model_dump_json(exclude_none=True).encode()


async def fill(client: Mapping[str, Any], count: int) -> None:
    """Put so many assignments on Vantaa's topic."""
    kind = NoticeAssigned.type_name()
    records = ((str(notice_id(one)), assigned(one), headers(one, kind, b"/bench")) for one in range(count))
    await send_all(client, "to.vantaa.change-security.v1", records)


def rebuild(count: int) -> tuple[float, float]:
    """Rebuild Vantaa's store from the first offset; return the baseline's rate and the suite's, notices a second."""
    with bare_stack() as stack:
        asyncio.run(fill(stack.client(), count))
        url = [stack.databases["vantaa"].url]
        with baseline(stack, spans=True, receipts=True) as processes:
            begun = time.perf_counter()
            go(processes[1 + CITIES.index("vantaa")])
            asyncio.run(wait_counts(url, "SELECT count(*) FROM work", count))
            by_hand = count / (time.perf_counter() - begun)
        stack.start_process("change_security", "vantaa")
        begun = time.perf_counter()
        child = stack.child("change_security", "vantaa")
        child.wait_until(lambda: answers(f"{stack.url('change_security', 'vantaa')}/livez"), 60)
        begun = time.perf_counter()
        asyncio.run(wait_counts(url, "SELECT count(*) FROM change_security.authority_case", count))
        ours = count / (time.perf_counter() - begun)
        child.stop()
    return by_hand, ours


def percentiles(found: list[float]) -> str:
    """Show the median, p95 and p99."""
    at = {q: found[min(len(found) - 1, int(len(found) * q / 100))] for q in (50, 95, 99)}
    return "  ".join(f"p{q} {value:.1f} ms" for q, value in at.items())


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--notices", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--probes", type=int, default=300)
    parser.add_argument("--rebuild", type=int, default=100_000)
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that starts, or is killed, is not news here
    count = given.notices
    kinds: dict[str, Any] = {
        "baseline, spans, receipts": lambda: flow_of_baseline(count, spans=True, receipts=True),
        "suite, spans": lambda: flow_of_suite(count, spans=True),
        "baseline, spans, no receipts": lambda: flow_of_baseline(count, spans=True, receipts=False),
        "suite, no spans": lambda: flow_of_suite(count, spans=False),
        "baseline, no spans, receipts": lambda: flow_of_baseline(count, spans=False, receipts=True),
    }
    flows: dict[str, list[Flow]] = {kind: [] for kind in kinds}
    for number in range(given.rounds):
        for kind, measure in kinds.items():
            CONSOLE.print(f"round {number + 1}: {kind} …", style="dim")
            flows[kind].append(measure())
    table = Table(title=f"{count} notices, inbound topic → joint office's and three cities' stores")
    for column in ("", "notices/s", "to ledger, notices/s", "Python CPU ms/notice", "Kafka CPU", "PostgreSQL CPU"):
        table.add_column(column, justify="left" if not column else "right")
    middle: dict[str, Flow] = {}
    for kind, found in flows.items():
        one = middle[kind] = sorted(found, key=lambda flow: flow.rate)[len(found) // 2]
        whole = f"{count / one.seconds_to_ledger:.0f}" if one.seconds_to_ledger else ""
        table.add_row(
            kind,
            f"{one.rate:.0f}",
            whole,
            f"{one.cpu_ms:.2f}",
            f"{1000 * one.kafka_cpu / count:.2f}",
            f"{1000 * one.postgres_cpu / count:.2f}",
        )
    CONSOLE.print(table)
    ours = middle["suite, spans"]
    same = ours.rate / middle["baseline, spans, receipts"].rate
    bare = ours.rate / middle["baseline, spans, no receipts"].rate
    tracing = 1 - ours.rate / middle["suite, no spans"].rate
    CONSOLE.print(f"ratio to the baseline that does the same work (with receipts): {same:.2f}")
    CONSOLE.print(f"ratio to the baseline without receipts: {bare:.2f}")
    CONSOLE.print(f"tracing costs the suite {100 * tracing:.0f} % of its throughput")
    suite_latency, baseline_latency = latency_of_suite(given.probes), latency_of_baseline(given.probes)
    CONSOLE.print(f"idle latency, HTTP request → last of three stores, suite: {percentiles(suite_latency)}")
    CONSOLE.print(f"idle latency, transaction → last of three stores, baseline: {percentiles(baseline_latency)}")
    ratio = statistics.median(suite_latency) / statistics.median(baseline_latency)
    CONSOLE.print(f"idle latency ratio: {ratio:.2f}")
    if given.rebuild:
        by_hand, rebuilt = rebuild(given.rebuild)
        CONSOLE.print(
            f"rebuild of {given.rebuild} notices in one city: {rebuilt:.0f}/s ({given.rebuild / rebuilt:.0f} s),"
            f" baseline {by_hand:.0f}/s, ratio {rebuilt / by_hand:.2f}"
        )


if __name__ == "__main__":
    main()
