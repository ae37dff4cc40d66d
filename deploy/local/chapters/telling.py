"""What the chapters have in common: a stack, a console, and the employer of the story."""

from typing import ClassVar

from rich.console import Console

from deploy.local.client import Callers
from deploy.local.stack import Stack

EMPLOYER = {
    "business_id": "2077474-0",
    "name": "Esimerkkitehdas Oy",
    "domicile": "091",
    "regular_staff": 420,
    "phone": "+358 9 000 0000",
}


class Chapter:
    """One chapter: tells, on a console, what a service does on the running stack."""

    SERVICE: ClassVar[str]
    TITLE: ClassVar[str]

    def __init__(self, stack: Stack, console: Console) -> None:
        self._stack = stack
        self._print = console.print
        self._console = console
        self._callers = Callers(stack, self.SERVICE)

    def tell(self, number: int) -> None:
        """Open the chapter and tell it."""
        self._print()
        self._console.rule(f"[bold]{number}. {self.TITLE}", align="left")
        self._tell()

    def _tell(self) -> None:
        raise NotImplementedError
