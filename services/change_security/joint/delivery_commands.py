"""What is done with letters: an authority's certificate, codes, resending, bounces, and the authority's receipt."""

import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.change_security.domain import letters
from services.change_security.domain.delivery import (
    CODE_LENGTH,
    CODE_LETTERS,
    Code,
    CodeAnswer,
    ConfirmedBy,
    DeliveryKind,
    DeliveryState,
    Protection,
    Waiting,
    try_code,
)
from services.change_security.domain.mail import Bounce, Reply, mark_of
from services.change_security.domain.notice import Notice
from services.change_security.joint import smime
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.delivery_store import Deliveries
from services.change_security.joint.store import Directory, Notices
from services.change_security.joint.tables import DeliveryRow
from shared.errors import ConflictError, UnknownError
from shared.messaging.transaction import Transaction

_UNDER_WAY: Final = frozenset({DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.BOUNCED})
"""States in which an authority may have the letter: its receipt counts. A letter may be sent, and queued again."""


@dataclass(frozen=True)
class Letters:
    """The joint office's letters.

    Attributes:
        office: its notices and ledger.
        public_url: where others reach this service; None: there are no links.
    """

    office: JointOffice
    public_url: str | None

    async def set_certificate(self, tx: Transaction, authority: str, pem: str) -> smime.Certificate:
        """Set an authority's certificate; what waited for one is sent.

        Raises:
            RefusedError: it is no certificate that letters can be encrypted to now.
            UnknownError: no such authority is imported.
        """
        certificate = smime.read(pem, tx.clock.now())
        if not await Directory(tx).set_certificate(authority, pem):
            raise UnknownError("imported authority")
        await Deliveries(tx).requeue(authority, Waiting.NO_CERTIFICATE, Waiting.CERTIFICATE_EXPIRED)
        await self.office.read_directory(tx)
        return certificate

    async def remove_certificate(self, tx: Transaction, authority: str) -> None:
        """Remove an authority's certificate.

        Raises:
            UnknownError: no such authority is imported.
        """
        if not await Directory(tx).set_certificate(authority, None):
            raise UnknownError("imported authority")
        await self.office.read_directory(tx)

    async def make_code(self, tx: Transaction, delivery_id: UUID) -> tuple[DeliveryRow, str]:
        """Make a code with which the filing can be fetched once; an older code no longer opens it. Return the code.

        The letter with the link is sent at once; the code is told by telephone.

        Raises:
            UnknownError
            ConflictError: the letter is none that can be fetched, or this service has no public address.
        """
        delivery = await self._locked(tx, delivery_id)
        if self.public_url is None:
            raise ConflictError("no-public-address", "This service has no address that others can reach.")
        if delivery.kind is not DeliveryKind.AUTHORITY or delivery.state in {
            DeliveryState.CONFIRMED,
            DeliveryState.SUPERSEDED,
        }:
            raise ConflictError("invalid-state", f"The letter is {delivery.state}.")
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        kept = Code.of(code, tx.clock.now())
        delivery.code_digest, delivery.code_attempts, delivery.code_expires_at = kept.digest, 0, kept.expires_at
        delivery.state, delivery.waiting_for, delivery.next_attempt_at = DeliveryState.QUEUED, None, tx.clock.now()
        return delivery, code

    async def send_again(self, tx: Transaction, delivery_id: UUID) -> DeliveryRow:
        """Send a letter again that was sent or came back: its address may have been changed.

        Raises:
            UnknownError
            ConflictError: it is confirmed, waits for something else, or a newer one took its place.
        """
        delivery = await self._locked(tx, delivery_id)
        if delivery.state not in _UNDER_WAY:
            raise ConflictError("invalid-state", f"The letter is {delivery.state}.")
        delivery.state, delivery.next_attempt_at = DeliveryState.QUEUED, tx.clock.now()
        delivery.attempts, delivery.problem = 0, None
        return delivery

    async def read_letter(self, tx: Transaction, token: str) -> DeliveryRow:
        """Return the letter that a link leads to.

        Raises:
            UnknownError
        """
        delivery = await Deliveries(tx).with_token(token)
        if delivery is None or delivery.kind is not DeliveryKind.AUTHORITY:
            raise UnknownError("letter")
        return delivery

    async def confirm(self, tx: Transaction, delivery_id: UUID, by: ConfirmedBy) -> DeliveryRow:
        """Enter an authority's receipt of a letter in the ledger. The first one counts.

        Raises:
            UnknownError
            ConflictError: the letter was never sent, or the filing that it leads to is still to be fetched.
        """
        delivery = await self._locked(tx, delivery_id)
        if delivery.state is DeliveryState.CONFIRMED:
            return delivery
        if delivery.authority is None or delivery.state not in _UNDER_WAY:
            raise ConflictError("invalid-state", f"The letter is {delivery.state}.")
        if delivery.code_digest is not None:
            raise ConflictError("nothing-fetched", "The filing is to be fetched with the code; that confirms it.")
        delivery.state, delivery.confirmed_at, delivery.confirmed_by = DeliveryState.CONFIRMED, tx.clock.now(), by
        await self.office.acknowledge_outside(tx, delivery.notice_id, delivery.authority, delivery.version)
        return delivery

    async def acknowledge_outside(self, tx: Transaction, notice_id: UUID, authority: str) -> Notice:
        """Enter that an authority has confirmed a notice otherwise; its letters are then confirmed too.

        Raises:
            UnknownError
        """
        notice = await self.office.acknowledge_outside(tx, notice_id, authority)
        for matter in {notice_id, notice.notice_id}:
            await Deliveries(tx).confirm_all(matter, authority)
        return notice

    async def retrieve(self, tx: Transaction, token: str, code: str) -> tuple[CodeAnswer, Notice | None]:
        """Give out a filing once, for the right code: that is the authority's receipt. A wrong code is counted.

        Returns:
            how the code was judged, and the notice if it was right.

        Raises:
            UnknownError
            ConflictError: there is nothing to fetch, or not any more.
        """
        found = await self.read_letter(tx, token)
        delivery = await self._locked(tx, found.delivery_id)
        if delivery.code_digest is None or delivery.code_expires_at is None or delivery.state not in _UNDER_WAY:
            raise ConflictError("nothing-to-fetch", "There is nothing to fetch here, or it was fetched already.")
        kept = Code(delivery.code_digest, delivery.code_attempts, delivery.code_expires_at)
        answer = try_code(kept, code, tx.clock.now())
        if answer is not CodeAnswer.RIGHT:
            delivery.code_attempts += 1
            if answer is not CodeAnswer.WRONG:
                expired = answer is CodeAnswer.EXPIRED
                delivery.waiting_for = Waiting.CODE_EXPIRED if expired else Waiting.CODE_LOCKED
                delivery.state, delivery.code_digest = DeliveryState.WAITING, None
            return answer, None
        notice = await self.office.known(tx, delivery.notice_id)
        if delivery.authority is None or not letters.is_about_filing(notice, delivery.authority):
            raise ConflictError("nothing-to-fetch", "The notice no longer concerns the authority, or it has ended.")
        delivery.code_digest, delivery.protection = None, Protection.RETRIEVAL
        await self.confirm(tx, delivery.delivery_id, ConfirmedBy.RETRIEVAL)
        return answer, notice

    async def enter_mail(self, tx: Transaction, mail: Bounce | Reply) -> bool:
        """Enter what came back by mail: a letter bounced, or an authority's reply, which is its receipt.

        Returns:
            whether it concerned one of our letters; a reply counts from the authority's own mail domain alone, and is
            none to a filing that is still to be fetched.
        """
        delivery = await Deliveries(tx).read(mail.letter.delivery_id)
        if delivery is None or mark_of(delivery.token) != mail.letter.mark:
            return False
        if isinstance(mail, Bounce):
            delivery = await self._locked(tx, delivery.delivery_id)
            if delivery.state is not DeliveryState.CONFIRMED:
                delivery.state, delivery.waiting_for = DeliveryState.BOUNCED, None
                delivery.bounce_status, delivery.bounced_at = mail.status, tx.clock.now()
            return True
        entry = self.office.book.authorities.authorities.get(delivery.authority or "")
        if entry is None or entry.email is None or _domain(mail.sender) != _domain(entry.email.lower()):
            return False
        if delivery.code_digest is not None:
            return False  # whoever asks for the code has not had the filing
        if delivery.state in _UNDER_WAY:
            await self.confirm(tx, delivery.delivery_id, ConfirmedBy.REPLY)
        return True

    async def expire_codes(self, tx: Transaction) -> int:
        """Let letters wait for a coordinator whose code nobody used in time; return how many."""
        return await Deliveries(tx).expire_codes()

    async def _locked(self, tx: Transaction, delivery_id: UUID) -> DeliveryRow:
        """Return a letter to be changed, with its notice locked before it.

        Raises:
            UnknownError
        """
        found = await Deliveries(tx).read(delivery_id)
        if found is None:
            raise UnknownError("delivery")
        await Notices(tx).load([found.notice_id])
        delivery = await Deliveries(tx).lock(delivery_id)
        if delivery is None:
            raise UnknownError("delivery")
        return delivery


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
