"""E-mail to authorities outside the region: from the queue to the SMTP server, each with its own receipt.

At least once: the Message-ID is derived from the delivery, so that a repeated mail is recognised as the same.
"""

from datetime import timedelta
from email.message import EmailMessage
from uuid import UUID, uuid4

import aiosmtplib
import structlog

from services.change_security.domain.notice import Notice
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.store import Deliveries, Notices
from services.change_security.joint.tables import DeliveryRow, DeliveryState
from services.change_security.settings import Settings
from shared.messaging.transaction import Database
from shared.telemetry import describe

_log = structlog.get_logger("services.change_security.email_delivery")
_LONGEST_WAIT = timedelta(hours=1)


class EmailDelivery:
    """Sends what is queued."""

    def __init__(self, database: Database, office: JointOffice, settings: Settings) -> None:
        self._database = database
        self._office = office
        self._settings = settings

    async def send_due(self) -> int:
        """Send every e-mail that is due; return how many the server took. A failed one is tried again later."""
        if self._settings.smtp_host is None:
            return 0
        sent = 0
        while (taken := await self._take()) is not None:
            delivery_id, letter = taken
            problem = await self._problem_of_sending(letter) if letter is not None else "no address"
            await self._settle(delivery_id, problem, has_address=letter is not None)
            sent += problem is None
        return sent

    async def _take(self) -> tuple[UUID, EmailMessage | None] | None:
        """Take one e-mail that is due, and put its next attempt off: no transaction stays open while a server dawdles.

        An open one would hold back the relay, which waits for every older transaction to end.
        """
        async with self._database.transaction(uuid4()) as tx:
            delivery = await Deliveries(tx).take_due()
            if delivery is None:
                return None
            delivery.attempts += 1
            delivery.next_attempt_at = tx.clock.now() + min(timedelta(seconds=20 * 2**delivery.attempts), _LONGEST_WAIT)
            notice = await Notices(tx).read(delivery.notice_id)
            authority = self._office.book.authorities.authorities.get(delivery.authority)
            if notice is None or authority is None or authority.email is None:
                return delivery.delivery_id, None
            return delivery.delivery_id, self._letter(delivery, notice, authority.email)

    async def _problem_of_sending(self, letter: EmailMessage) -> str | None:
        try:
            await self._send(letter)
        except (aiosmtplib.SMTPException, OSError) as error:
            return describe(error)
        return None

    async def _settle(self, delivery_id: UUID, problem: str | None, *, has_address: bool) -> None:
        async with self._database.transaction(uuid4()) as tx:
            delivery = await Deliveries(tx).lock(delivery_id)
            if delivery is None:
                return
            delivery.problem = problem
            if problem is None:
                delivery.state, delivery.sent_at = DeliveryState.SENT, tx.clock.now()
            elif not has_address:
                delivery.state = DeliveryState.NO_ADDRESS
            else:
                _log.warning("e-mail not taken, trying again", notice_id=str(delivery.notice_id), error=problem)

    def _letter(self, delivery: DeliveryRow, notice: Notice, address: str) -> EmailMessage:
        entry = notice.entry(delivery.authority)
        letter = EmailMessage()
        letter["From"] = self._settings.mail_from
        letter["To"] = address
        # No employer, no measure: a subject is shown where a body is not.
        letter["Subject"] = f"Muutosturva / Omställningsskydd / Change security: {notice.notice_id}"
        letter["Message-ID"] = f"<{delivery.delivery_id}@{self._settings.mail_from.rpartition('@')[2]}>"
        lines = [
            f"Notice: {notice.notice_id}",
            f"Revision: {notice.revision}",
            f"Status: {entry.state if entry and entry.state == 'released' else notice.state}",
            f"Arrived at an authority: {notice.receipt.arrived_at.isoformat()}",
            "",
            "Why you receive this:",
            *(
                f"- {reason.kind.value} {reason.municipality or ''}".rstrip()
                for reason in (entry.reasons if entry else ())
            ),
            "",
            "Please confirm receipt to the joint office of the capital region.",
            "The filing is attached.",
        ]
        letter.set_content("\n".join(lines))
        letter.add_attachment(
            notice.filing.model_dump_json(exclude_none=True, indent=2).encode(),
            maintype="application",
            subtype="json",
            filename=f"{notice.notice_id}-{notice.revision}.json",
        )
        return letter

    async def _send(self, letter: EmailMessage) -> None:
        settings = self._settings
        await aiosmtplib.send(
            letter,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            start_tls=settings.smtp_starttls,
            username=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            timeout=20,
        )
