"""Measures the suite against its hand-written baseline: `make bench`, and `make bench-quick` for the inner loop.

Baseline and suite take turns in one run, each on a fresh broker and fresh databases, and what counts is the ratio of
what a notice costs in CPU time: it is stable on a loaded machine. Throughput is given with its spread over the rounds.
`--notices N` sets the size, `--rounds R` how often each is measured. `--write` writes docs/benchmarks.md.
"""

import argparse
import asyncio
import json
import logging
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid5

import asyncpg
import httpx
from rich.console import Console

from bench import page
from bench.baseline import OUTBOX, WORK
from bench.flow import Flow, bare_stack, baseline, flow_of_baseline, flow_of_suite, go, suite, wait_counts
from bench.notices import filing, headers, notice_id, send_all
from deploy.local.processes import answers
from deploy.local.stack import CITIES, JOINT
from shared.events.v1.change_security import Filing, NoticeAssigned

CONSOLE = Console(width=110)


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


async def fill(bootstrap: str, count: int) -> None:
    """Put so many assignments on Vantaa's topic."""
    kind = NoticeAssigned.type_name()
    records = ((str(notice_id(one)), assigned(one), headers(one, kind, b"/bench")) for one in range(count))
    await send_all(bootstrap, "to.vantaa.change-security.v1", records)


def rebuild(count: int) -> tuple[float, float]:
    """Rebuild Vantaa's store from the first offset; return the baseline's rate and the suite's, notices a second."""
    with bare_stack() as stack:
        asyncio.run(fill(stack.kafka.bootstrap, count))
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


def flows(kinds: dict[str, Callable[[], Flow]], rounds: int) -> page.Flows:
    """Measure each kind of flow once a round, in turns."""
    found: dict[str, list[Flow]] = {kind: [] for kind in kinds}
    for number in range(rounds):
        for kind, measure in kinds.items():
            CONSOLE.print(f"round {number + 1}: {kind} …", style="dim")
            found[kind].append(measure())
    return found


def latency(probes: int) -> list[str]:
    """Measure idle latency of both sides; return what to say of it."""
    by_suite, by_baseline = latency_of_suite(probes), latency_of_baseline(probes)
    ratio = statistics.median(by_suite) / statistics.median(by_baseline)
    return [
        f"Idle latency, HTTP request → last of three stores, suite: {percentiles(by_suite)}",
        f"Idle latency, transaction → last of three stores, baseline: {percentiles(by_baseline)}",
        f"Idle latency ratio: {ratio:.2f}",
    ]


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the two flows that count, 3000 notices, two rounds")
    parser.add_argument("--flames", type=Path, metavar="FOLDER", help="draw a flame graph of each process (py-spy)")
    parser.add_argument("--notices", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--probes", type=int, default=300, help="0: do not measure latency")
    parser.add_argument("--rebuild", type=int, default=100_000, help="0: do not measure rebuilding")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that starts, or is killed, is not news here
    count = given.notices or (3000 if given.quick else 8000)
    graphs = given.flames
    kinds: dict[str, Callable[[], Flow]] = {
        page.BASELINE: lambda: flow_of_baseline(count, spans=True, receipts=True, graphs=graphs),
        page.SUITE: lambda: flow_of_suite(count, spans=True, graphs=graphs),
    }
    if not given.quick:
        kinds |= {
            "baseline without receipts": lambda: flow_of_baseline(count, spans=True, receipts=False),
            "baseline without spans": lambda: flow_of_baseline(count, spans=False, receipts=True),
            "suite without spans": lambda: flow_of_suite(count, spans=False),
        }
    found = flows(kinds, given.rounds or (2 if given.quick else 3))
    CONSOLE.print(*page.summary(found), sep="\n")
    CONSOLE.print(page.table(found))
    others: list[str] = []
    if given.probes and not given.quick:
        others += latency(given.probes)
    if given.rebuild and not given.quick:
        by_hand, rebuilt = rebuild(given.rebuild)
        others.append(
            f"Rebuild of {given.rebuild} notices in one city: {rebuilt:.0f}/s ({given.rebuild / rebuilt:.0f} s),"
            f" baseline {by_hand:.0f}/s, ratio {rebuilt / by_hand:.2f}"
        )
    CONSOLE.print(*others, sep="\n")
    if given.write:
        page.write(found, others)


if __name__ == "__main__":
    main()
