"""What the chapters have in common: the running stack, the console, and the employer and notice that they follow."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from rich.console import Console

from deploy.local.client import Callers
from deploy.local.sample_data import proposal_json
from deploy.local.stack import Stack

EMPLOYER: Final[dict[str, Any]] = proposal_json()["employer"] | {"phone": "+358 9 000 0000"}


@dataclass
class Story:
    """What one chapter leaves for the next: the notice that was filed, and the trace of its filing."""

    notice_id: str = ""
    trace_id: str = ""


class Chapter:
    """One chapter: tells, on a console, what a service does on the running stack."""

    SERVICE: ClassVar[str]
    TITLE: ClassVar[str]

    def __init__(self, stack: Stack, console: Console, story: Story) -> None:
        self._stack = stack
        self._print = console.print
        self._console = console
        self._callers = Callers(stack, self.SERVICE)
        self._story = story

    def tell(self, number: int) -> None:
        """Open the chapter and tell it."""
        self._print()
        self._console.rule(f"[bold]{number}. {self.TITLE}", align="left")
        self._tell()

    def _tell(self) -> None:
        raise NotImplementedError
