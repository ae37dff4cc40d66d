"""Work that is done again and again in the background, until the process stops."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import structlog

from shared.telemetry import describe

_log = structlog.get_logger("shared.periodic")


class Background(Protocol):
    """Something that works in the background from start to stop."""

    def start(self) -> None:
        """Start."""

    async def stop(self) -> None:
        """Finish what is in progress, and stop."""


class Periodic:
    """Does some work at an interval. A failure is logged, and the next round tries again."""

    def __init__(self, name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        self._name = name
        self._seconds = seconds
        self._work = work
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start in the background; the first round is now."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Stop when the round in progress is done."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._work()
            except Exception as error:  # noqa: BLE001 - the next round tries again
                _log.warning("periodic work failed", work=self._name, error=describe(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._seconds)
