"""What a run says, on the console and in docs/benchmarks.md: ratios first, each with its spread over the rounds."""

import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil
from rich.table import Table

from bench.flow import Flow
from deploy.local.stack import ROOT

BASELINE: Final = "baseline"
SUITE: Final = "suite"
PAGE: Final = ROOT / "docs" / "benchmarks.md"

Flows = Mapping[str, Sequence[Flow]]
"""The flows of each kind, one of each a round."""

_COLUMNS: Final[Mapping[str, Callable[[Flow], float]]] = {
    "Python CPU, ms/notice": lambda flow: flow.cpu_ms,
    "all CPU, ms/notice": lambda flow: flow.whole_cpu_ms,
    "Kafka CPU": lambda flow: 1000 * flow.kafka_cpu / flow.notices,
    "PostgreSQL CPU": lambda flow: 1000 * flow.postgres_cpu / flow.notices,
    "notices/s": lambda flow: flow.rate,
    "memory, MB": lambda flow: flow.memory_mb,
}
"""Memory: of the largest Python process."""


def summary(flows: Flows) -> list[str]:
    """Return the ratios of the suite to the baseline: of each round's pair, the median and the spread."""
    compared: dict[str, Callable[[Flow], float]] = {
        "Python CPU per notice": lambda flow: flow.cpu_ms,
        "CPU per notice of all processes": lambda flow: flow.whole_cpu_ms,
        "Throughput": lambda flow: flow.rate,
    }
    return [
        f"{what}: {_spread([of(ours) / of(by_hand) for ours, by_hand in _pairs(flows)], 2)} of the baseline"
        for what, of in compared.items()
    ]


def table(flows: Flows) -> Table:
    """Return the figures of each kind, for the console."""
    made = Table(title=f"{_notices(flows)} notices, inbound topic → joint office's and three cities' stores")
    for column in ("", *_COLUMNS):
        made.add_column(column, justify="right" if column else "left")
    for row in _rows(flows):
        made.add_row(*row)
    return made


def write(flows: Flows, others: Sequence[str]) -> None:
    """Write docs/benchmarks.md."""
    rounds = len(flows[SUITE])
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. The baseline is the same flow written by hand with aiokafka and asyncpg, with the",
        "same guarantees and no domain (`bench/baseline.py`). Compare ratios: both sides took turns in one run. A",
        "ratio of CPU time holds on a loaded machine; throughput and latency depend on what else runs there.",
        "",
        *(f"- **{line}**" for line in summary(flows)),
        "",
        f"Median of {rounds} rounds, lowest and highest in brackets. {_notices(flows)} notices of three stores each,",
        "from the inbound topic to the joint office's and three cities' stores, receipts included.",
        "",
        f"| | {' | '.join(_COLUMNS)} |",
        f"|---|{'---:|' * len(_COLUMNS)}",
        *(f"| {' | '.join(row)} |" for row in _rows(flows)),
        "",
        *(f"- {line}" for line in others),
        *([""] if others else []),
        f"Machine: {_machine()}. Commit {_commit()}, {datetime.now(UTC):%d %B %Y}.",
    ]
    PAGE.write_text("\n".join(lines) + "\n")


def _pairs(flows: Flows) -> list[tuple[Flow, Flow]]:
    return list(zip(flows[SUITE], flows[BASELINE], strict=True))


def _notices(flows: Flows) -> int:
    return flows[SUITE][0].notices


def _rows(flows: Flows) -> list[list[str]]:
    return [
        [
            kind,
            *(
                _spread([of(flow) for flow in measured], 0 if "/s" in what or "MB" in what else 2)
                for what, of in _COLUMNS.items()
            ),
        ]
        for kind, measured in flows.items()
    ]


def _spread(values: Sequence[float], digits: int) -> str:
    middle, least, most = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({least}–{most})"


def _machine() -> str:
    cores, memory = os.cpu_count(), psutil.virtual_memory().total / 1e9
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return f"{_processor()}, {cores} cores, {memory:.0f} GB, Python {platform.python_version()}, load {busy}"


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _commit() -> str:
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
