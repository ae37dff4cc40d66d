"""The mail that comes back: SMTP at the joint office, for reports of what was not delivered and authorities' replies.

A mail is accepted only after what it says is committed. Nothing of its text is kept or logged.
"""

from email import message_from_bytes, policy

from aiosmtpd.smtp import Envelope

from services.change_security.domain.mail import Bounce, read
from services.change_security.instruments import MAIL_READ
from services.change_security.joint.delivery_commands import Letters
from shared.events.envelope import derived_id
from shared.messaging.transaction import Database
from shared.smtp import SmtpServer


class EmailIntake:
    """Takes in what comes back, by SMTP in the background."""

    def __init__(self, letters: Letters, database: Database, host: str, port: int | None) -> None:
        self._letters = letters
        self._database = database
        self._server = SmtpServer("change-security", host, port, self.answer)

    def start(self) -> None:
        """Listen, if there is a port."""
        self._server.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    async def answer(self, envelope: Envelope) -> str:
        """Take a mail in. 250 once it is committed; 554 tells a person that nobody reads it."""
        what = await self.take(envelope.original_content or b"")
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
