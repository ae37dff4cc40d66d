"""An SMTP server in the background of a process: a mail is accepted only after what it brings is committed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from shared.http.problems import MAX_REQUEST_BYTES
from shared.telemetry import describe

_IDLE_SECONDS: Final = 60.0
_log = structlog.get_logger("shared.smtp")

Answer = Callable[[Envelope], Awaitable[str]]


class SmtpServer:
    """Listens from start to stop, if it has a port.

    Args:
        name: how the server calls itself.
        host, port: where it listens; without a port it does not.
        answer: takes one mail in and returns the reply, as `250 2.0.0 Recorded`. When it raises, the sender keeps the
            mail and tries again.
    """

    def __init__(self, name: str, host: str, port: int | None, answer: Answer) -> None:
        self._name = name
        self._host = host
        self._port = port
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._starting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen, if there is a port."""
        if self._port is not None:
            self._starting = asyncio.create_task(self._listen(), name="SMTP")

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(
                self,
                data_size_limit=MAX_REQUEST_BYTES,
                enable_SMTPUTF8=True,
                hostname=self._name,
                ident=self._name,
                loop=loop,
                timeout=_IDLE_SECONDS,
            ),
            self._host,
            self._port,
        )

    async def stop(self) -> None:
        """Stop listening."""
        if self._starting is not None:
            await self._starting
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Answer one mail; 451 asks the sender to try again."""
        try:
            return await self._answer(envelope)
        except Exception as error:  # noqa: BLE001 - the sender keeps it and tries again
            _log.warning("mail not taken", error=describe(error))
            return "451 4.3.0 Not recorded, try again later"
