"""Letters by e-mail: to authorities outside the region, each with its own receipt, and to employers' mailboxes.

At least once: the Message-ID is that of the delivery, so that a repeated mail is recognised as the same, and what comes
back finds it. No transaction is open while a server dawdles: an open one would hold back the relay, which waits for
every older transaction to end.
"""

from dataclasses import dataclass
from email.message import EmailMessage
from http import HTTPStatus
from typing import Final
from uuid import UUID, uuid4

import aiosmtplib
import structlog

from services.change_security.domain import letters
from services.change_security.domain.delivery import (
    DeliveryKind,
    DeliveryState,
    Protection,
    Waiting,
    pause_after,
    protection,
)
from services.change_security.domain.filing import missing
from services.change_security.domain.letters import Letter, Links
from services.change_security.domain.mail import LetterId, mark_of
from services.change_security.domain.notice import Notice
from services.change_security.domain.routing import Authority
from services.change_security.joint import smime
from services.change_security.joint.delivery_commands import Letters
from services.change_security.joint.delivery_store import Deliveries
from services.change_security.joint.store import Notices
from services.change_security.joint.tables import DeliveryRow
from services.change_security.settings import Settings
from shared.messaging.transaction import Database, Transaction
from shared.telemetry import describe

_REFUSED_FOR_GOOD: Final = HTTPStatus.INTERNAL_SERVER_ERROR.value
"""SMTP's codes from 500 are final too (RFC 5321)."""

_log = structlog.get_logger("services.change_security.email_delivery")


@dataclass(frozen=True)
class _Taken:
    """A letter on its way. `asks`: it asks an employer to complete the filing."""

    delivery_id: UUID
    notice_id: UUID
    mail: EmailMessage
    protection: Protection
    asks: bool


class EmailDelivery:
    """Sends what is queued."""

    def __init__(self, database: Database, letters: Letters, settings: Settings) -> None:
        self._database = database
        self._letters = letters
        self._settings = settings

    async def send_due(self) -> int:
        """Send every e-mail that is due; return how many the server took. A failed one is tried again later."""
        async with self._database.transaction(uuid4()) as tx:
            await self._letters.expire_codes(tx)
        if self._settings.smtp_host is None:
            return 0
        sent = 0
        while (taken := await self._take()) is not None:
            status, problem = await self._attempt(taken.mail)
            await self._settle(taken, status, problem)
            sent += problem is None
        return sent

    async def _take(self) -> _Taken | None:
        """Take one e-mail that is due, and put its next attempt off; those that must wait are set aside on the way."""
        async with self._database.transaction(uuid4()) as tx:
            while (delivery := await Deliveries(tx).take_due()) is not None:
                made = await self._make(tx, delivery)
                if isinstance(made, _Taken):
                    delivery.attempts += 1
                    delivery.next_attempt_at = tx.clock.now() + pause_after(delivery.attempts)
                    return made
                delivery.state, delivery.waiting_for = DeliveryState.WAITING, made
            return None

    async def _make(self, tx: Transaction, delivery: DeliveryRow) -> _Taken | Waiting:
        notice = await Notices(tx).read(delivery.notice_id)
        if notice is None:
            message = "a letter stands with its notice"
            raise RuntimeError(message)
        table = self._letters.office.book.authorities
        if delivery.kind is DeliveryKind.EMPLOYER:
            mailbox = letters.mailbox(notice.filing)
            if mailbox is None:
                return Waiting.NO_ADDRESS
            mail = self._mail(delivery, notice, mailbox, letters.to_employer(notice, table))
            asks = bool(missing(notice.filing))
            return _Taken(delivery.delivery_id, notice.notice_id, mail, Protection.NONE, asks)
        authority = table.authorities.get(delivery.authority or "")
        if authority is None or not authority.email:
            return Waiting.NO_ADDRESS
        how = self._protection(tx, delivery, notice, authority)
        if isinstance(how, Waiting):
            return how
        links = self._links(delivery)
        letter = letters.to_authority(notice, authority.code, table, how, links, authority.languages)
        mail = self._mail(delivery, notice, authority.email, letter)
        if how is Protection.SMIME and authority.certificate:
            mail = smime.encrypt(mail, authority.certificate)
        return _Taken(delivery.delivery_id, notice.notice_id, mail, how, asks=False)

    def _protection(
        self, tx: Transaction, delivery: DeliveryRow, notice: Notice, authority: Authority
    ) -> Protection | Waiting:
        now = tx.clock.now()
        return protection(
            with_filing=letters.is_about_filing(notice, authority.code),
            not_public=notice.filing.not_public,
            certificate=smime.is_valid(authority.certificate, now) if authority.certificate else None,
            has_code=delivery.code_digest is not None,
            has_link=self._settings.public_url is not None,
        )

    def _links(self, delivery: DeliveryRow) -> Links:
        if self._settings.public_url is None:
            return Links()
        base = f"{self._settings.public_url.rstrip('/')}/v1"
        return Links(f"{base}/confirmations/{delivery.token}", f"{base}/retrievals/{delivery.token}")

    def _mail(self, delivery: DeliveryRow, notice: Notice, address: str, letter: Letter) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._settings.mail_from
        mail["To"] = address
        mail["Subject"] = letter.subject
        domain = self._settings.mail_from.rpartition("@")[2]
        mail["Message-ID"] = LetterId(delivery.delivery_id, mark_of(delivery.token)).header(domain)
        # Out-of-office answers are not wanted (RFC 3834).
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        if letter.has_filing:
            mail.add_attachment(
                notice.filing.model_dump_json(exclude_none=True, indent=2).encode(),
                maintype="application",
                subtype="json",
                filename=f"{notice.notice_id}-{notice.revision}.json",
            )
        return mail

    async def _attempt(self, mail: EmailMessage) -> tuple[str | None, str | None]:
        """Send; return the status code of a final refusal, and the problem. Neither quotes an address."""
        try:
            await self._send(mail)
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = max(refusal.code for refusal in error.recipients)
            return (f"{code}" if code >= _REFUSED_FOR_GOOD else None), describe(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            return None, describe(error)
        return None, None

    async def _settle(self, taken: _Taken, status: str | None, problem: str | None) -> None:
        async with self._database.transaction(uuid4()) as tx:
            if problem is None and taken.asks:
                # The notice before its letters: locks have one order.
                await Notices(tx).completion_asked(taken.notice_id, tx.clock.now())
            delivery = await Deliveries(tx).lock(taken.delivery_id)
            if delivery is None:
                return
            delivery.problem = problem
            if problem is None:
                delivery.sent_at, delivery.protection = tx.clock.now(), taken.protection
            if delivery.state is not DeliveryState.QUEUED:
                return  # quicker than this: it came back, was confirmed, or a newer one took its place
            if problem is None:
                delivery.state = DeliveryState.SENT
            elif status is not None:
                delivery.state, delivery.bounce_status, delivery.bounced_at = (
                    DeliveryState.BOUNCED,
                    status,
                    tx.clock.now(),
                )
            else:
                _log.warning("e-mail not taken, trying again", notice_id=str(taken.notice_id), error=problem)

    async def _send(self, mail: EmailMessage) -> None:
        settings = self._settings
        await aiosmtplib.send(
            mail,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            start_tls=settings.smtp_starttls,
            username=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            timeout=20,
        )
