"""E-mail intake: SMTP at the joint office, and mailbox files. A message is accepted only after it is committed."""

import asyncio
import mailbox
from collections import Counter
from email import message_from_binary_file, message_from_bytes, policy
from pathlib import Path
from typing import Any, Final, cast

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.advisory.domain.mail import read
from services.advisory.joint.commands import JointContacts
from services.advisory.settings import SERVICE
from shared import instruments
from shared.events.envelope import derived_id
from shared.http.problems import MAX_REQUEST_BYTES
from shared.messaging.transaction import Database
from shared.screening import has_nul, has_personal_identity_code
from shared.telemetry import describe

_log = structlog.get_logger("services.advisory.joint.email_intake")
_BACKLOG_SECONDS: Final = 60.0


class EmailIntake:
    """Takes e-mails in as contacts: by SMTP in the background, or from a mailbox file."""

    def __init__(self, contacts: JointContacts, database: Database, host: str, port: int | None) -> None:
        self._contacts = contacts
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
                hostname="advisory",
                ident="advisory",
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
        """Take one e-mail in. 250 only once it is committed; 451 asks the sender to try again."""
        content = envelope.original_content or b""
        try:
            refused = await self.take(content)
        except Exception as error:  # noqa: BLE001 - the sender keeps it and tries again
            _log.warning("e-mail not taken", error=describe(error))
            return "451 4.3.0 Not recorded, try again later"
        return f"554 5.6.0 Not accepted: {refused}" if refused else "250 2.0.0 Recorded"

    async def take(self, content: bytes) -> str | None:
        """Take an e-mail in as a contact; return why not, without quoting it. The same message again has no effect."""
        message = message_from_bytes(content, policy=policy.default)
        mail = read(message, self._database.clock.now())
        words = (mail.person.text or "").encode("utf-8", "replace")
        for is_there, code in (
            (has_nul(words), "nul-character"),
            (has_personal_identity_code(words), "personal-identity-code"),
        ):
            if is_there:
                instruments.REFUSED.labels(self._database.office, SERVICE, f"urn:problem:{code}").inc()
                return code
        contact_id = derived_id("e-mail", mail.message_id or content)
        async with self._database.transaction(derived_id("take e-mail", contact_id)) as tx:
            await self._contacts.receive(tx, contact_id, mail.contact, "e-mail", mail.person)
        return None

    async def import_mailbox(self, file: Path) -> Counter[str]:
        """Take in every message of a mailbox file; return how many were taken and why others were not."""
        counts: Counter[str] = Counter()
        box = mailbox.mbox(file, factory=cast("Any", message_from_binary_file), create=False)
        try:
            for key in box.iterkeys():
                refused = await self.take(box.get_bytes(key))
                counts[refused or "taken"] += 1
        finally:
            box.close()
        return counts
