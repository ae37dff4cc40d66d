"""One measured flow: notices from the inbound topic to the joint office's and three cities' stores, by either side.

Each has a fresh broker and fresh databases. What a notice costs in CPU time is the figure that holds on a loaded
machine; how many there are in a second is not.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from bench.notices import preload
from deploy.local.client import Callers
from deploy.local.processes import StartError
from deploy.local.stack import CITIES, JOINT, OFFICES, ROOT, Stack


@dataclass
class Flow:
    """One measured flow."""

    seconds_to_stores: float
    seconds_to_ledger: float | None
    python_cpu: float
    kafka_cpu: float
    postgres_cpu: float
    notices: int
    memory_mb: float
    """Resident memory of the largest Python process at the end."""

    @property
    def rate(self) -> float:
        """Notices a second, from start to committed in every affected store."""
        return self.notices / self.seconds_to_stores

    @property
    def cpu_ms(self) -> float:
        """Python CPU milliseconds a notice."""
        return 1000 * self.python_cpu / self.notices

    @property
    def whole_cpu_ms(self) -> float:
        """CPU milliseconds a notice of all processes together: Python, Kafka, PostgreSQL."""
        return 1000 * (self.python_cpu + self.kafka_cpu + self.postgres_cpu) / self.notices


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
    with Stack(with_zipkin=False, services=(), settings=settings, modules=ours) as stack:
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


def measured(
    stack: Stack, pids: list[int], count: int, stored: str, confirmed: str | None, start: Callable[[], object]
) -> Flow:
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
    memory = max(psutil.Process(pid).memory_info().rss for pid in pids) / 1e6
    return Flow(to_stores, to_ledger, python, kafka, postgres, count, memory)


@contextmanager
def flames(folder: Path | None, side: str, processes: Mapping[str, int]) -> Iterator[None]:
    """Draw a flame graph of each process while the block runs: `<side>-<process>.svg`. It costs them some time.

    Raises:
        StartError: py-spy is missing.
    """
    if folder is None:
        yield
        return
    program = shutil.which("py-spy", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        raise StartError("flame graphs need py-spy: uv pip install py-spy")
    folder.mkdir(parents=True, exist_ok=True)
    recorders = [
        subprocess.Popen(
            [program, "record", "--rate", "200", "--output", str(folder / f"{side}-{name}.svg"), "--pid", str(pid)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name, pid in processes.items()
    ]
    time.sleep(2)  # until they have found their way into the processes
    try:
        yield
    finally:
        for recorder in recorders:
            recorder.send_signal(signal.SIGINT)
        for recorder in recorders:
            recorder.wait()


def flow_of_baseline(count: int, *, spans: bool, receipts: bool, graphs: Path | None = None) -> Flow:
    """Measure the baseline."""
    with bare_stack() as stack, baseline(stack, spans=spans, receipts=receipts) as processes:
        asyncio.run(preload(stack.kafka.bootstrap, count))
        for process in processes[1:]:
            go(process)
        roles = ("intake", *CITIES, "ledger")
        with flames(graphs, "baseline", {role: process.pid for role, process in zip(roles, processes, strict=False)}):
            return measured(
                stack,
                [process.pid for process in processes],
                count,
                "SELECT count(*) FROM work",
                "SELECT count(*) FROM ledger WHERE state = 'stored'" if receipts else None,
                lambda: go(processes[0]),
            )


def flow_of_suite(count: int, *, spans: bool, graphs: Path | None = None) -> Flow:
    """Measure the suite."""
    with bare_stack() as stack, suite(stack, spans=spans) as pids:
        operator = Callers(stack, "change_security").operator
        operator.send("/v1/consumer/pause")
        time.sleep(0.5)
        asyncio.run(preload(stack.kafka.bootstrap, count))
        with flames(graphs, "suite", dict(zip(OFFICES, pids, strict=True))):
            return measured(
                stack,
                pids,
                count,
                "SELECT count(*) FROM change_security.authority_case",
                "SELECT count(*) FROM change_security.ledger_entry WHERE state = 'stored'",
                lambda: operator.send("/v1/consumer/resume"),
            )
