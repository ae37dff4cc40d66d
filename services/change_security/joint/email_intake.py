"""The mail that comes back: SMTP at the joint office, for reports of what was not delivered and authorities' replies.

A mail is accepted only after what it says is committed. Nothing of its text is kept or logged.
"""

import asyncio
from email import message_from_bytes, policy
from typing import Final

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.change_security.domain.mail import Bounce, read
from services.change_security.instruments import MAIL_READ
from services.change_security.joint.delivery_commands import Letters
from shared.events.envelope import derived_id
from shared.http.problems import MAX_REQUEST_BYTES
from shared.messaging.transaction import Database
from shared.telemetry import describe

_log = structlog.get_logger("services.change_security.joint.email_intake")
_BACKLOG_SECONDS: Final = 60.0


class EmailIntake:
    """Takes in what comes back, by SMTP in the background."""

    def __init__(self, letters: Letters, database: Database, host: str, port: int | None) -> None:
        self._letters = letters
        self._database = database
        self._host = host
        self._port = port
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
                hostname="change-security",
                ident="change-security",
                loop=loop,
                timeout=_BACKLOG_SECONDS,
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
        """Take a mail in. 250 once it is committed; 451 asks the sender to try again; 554 tells a person that nobody
        reads it.
        """
        try:
            what = await self.take(envelope.original_content or b"")
        except Exception as error:  # noqa: BLE001 - the sender keeps it and tries again
            _log.warning("mail not taken", error=describe(error))
            return "451 4.3.0 Not recorded, try again later"
        MAIL_READ.labels(what).inc()
        # A report has nobody behind it who could be told.
        refused = what == "refused" and envelope.mail_from
        return "554 5.6.0 Not accepted: no answer to a letter of this service" if refused else "250 2.0.0 Recorded"

    async def take(self, content: bytes) -> str:
        """Take a mail in; return what it was. The same mail again has no effect."""
        message = message_from_bytes(content, policy=policy.default)
        mail = read(message)
        if mail is None:
            has_person = not message.get("Auto-Submitted") and message.get_content_type() != "multipart/report"
            return "refused" if has_person else "ignored"
        async with self._database.transaction(derived_id("mail", content)) as tx:
            if not await self._letters.enter_mail(tx, mail):
                return "refused"
        return "bounce" if isinstance(mail, Bounce) else "receipt"
