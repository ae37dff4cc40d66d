"""A guarded broker of its own for what would disturb everyone else, and the report."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.verdicts import Verdicts
from tests.support.bus import GuardedBus, guarded_bus

_VERDICTS = Verdicts()
_OUTCOMES: list[tuple[str, str]] = []


@pytest.fixture(scope="session")
def bus() -> Iterator[GuardedBus]:
    """A broker alone, with topics and access lists."""
    with guarded_bus() as running:
        yield running


@pytest.fixture
def verdicts() -> Verdicts:
    """Where a test says how much it tried."""
    return _VERDICTS


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what became of each test."""
    if report.when == "call" or report.outcome != "passed":
        name = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        _OUTCOMES.append((name, report.outcome))


def pytest_sessionfinish() -> None:
    """Write the report where it is wanted."""
    if path := os.environ.get("SECURITY_REPORT"):
        _VERDICTS.write(Path(path), _OUTCOMES)
