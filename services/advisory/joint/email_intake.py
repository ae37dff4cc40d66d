"""E-mail intake: SMTP at the joint office, and mailbox files. A message is accepted only after it is committed."""

import mailbox
from collections import Counter
from email import message_from_binary_file, message_from_bytes, policy
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import Envelope

from services.advisory.domain.mail import read
from services.advisory.joint.commands import JointContacts
from services.advisory.settings import SERVICE
from shared import instruments
from shared.events.envelope import derived_id
from shared.messaging.transaction import Database
from shared.screening import has_nul, has_personal_identity_code
from shared.smtp import SmtpServer


class EmailIntake:
    """Takes e-mails in as contacts: by SMTP in the background, or from a mailbox file."""

    def __init__(self, contacts: JointContacts, database: Database, host: str, port: int | None) -> None:
        self._contacts = contacts
        self._database = database
        self._server = SmtpServer("advisory", host, port, self.answer)

    def start(self) -> None:
        """Listen, if there is a port."""
        self._server.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    async def answer(self, envelope: Envelope) -> str:
        """Take one e-mail in. 250 only once it is committed."""
        refused = await self.take(envelope.original_content or b"")
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
