"""The joint side: filings from other systems, filings that cities registered themselves, and receipts.

Idempotent by the inbox; beyond it, by revision (a filing), by version (a store's receipt) and by state (the ledger only
moves forward). Everything a batch needs is read at once by `prepare`.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.change_security.commands import AUTHORITY, JointOffice, UnknownNoticeError
from services.change_security.domain.ledger import Entry
from services.change_security.domain.matter import Channel, ConflictError, Matter, Receipt, Status
from services.change_security.store import Notices
from shared.errors import RefusedError, UnprocessableError
from shared.events.v1.change_security import (
    CaseClosed,
    Filing,
    NoticeAcknowledged,
    NoticeDeclined,
    NoticeFiled,
    NoticeStored,
    NoticeSubmitted,
    NoticeTaken,
    NoticeWithdrawalFiled,
    NoticeWithdrawalSubmitted,
)
from shared.messaging.handlers import Handler
from shared.messaging.transaction import Transaction

_Answers = NoticeAcknowledged | NoticeDeclined | CaseClosed


async def prepare(events: Sequence[object], tx: Transaction) -> None:
    """Read and lock at once the matters and ledger entries that the batch will change."""
    answers = [event for event in events if isinstance(event, _Answers)]
    matters = {
        event.notice_id
        for event in events
        if isinstance(
            event,
            NoticeSubmitted | NoticeFiled | NoticeTaken | NoticeWithdrawalSubmitted | NoticeWithdrawalFiled,
        )
    }
    await Notices(tx).load(matters)
    await Notices(tx).load_entries((event.notice_id, event.authority) for event in answers)


class JointHandlers:
    """The handlers of the joint side."""

    def __init__(self, office: JointOffice) -> None:
        self._office = office

    def by_type(self) -> Mapping[str, Handler]:
        """Return the handler of each event type."""
        return {
            NoticeSubmitted.type_name(): self.receive_submission,
            NoticeWithdrawalSubmitted.type_name(): self.receive_withdrawal,
            NoticeFiled.type_name(): self.reconcile_filing,
            NoticeWithdrawalFiled.type_name(): self.reconcile_withdrawal,
            NoticeStored.type_name(): enter_stored,
            NoticeAcknowledged.type_name(): enter_acknowledged,
            NoticeDeclined.type_name(): enter_declined,
            CaseClosed.type_name(): enter_case_closed,
            NoticeTaken.type_name(): self.enter_taken,
        }

    async def receive_submission(self, event: NoticeSubmitted, tx: Transaction) -> None:
        """File a notice that another system submits, or a revision of one that the same system filed."""
        filed_by = _system(tx)
        matter = await Notices(tx).get(event.notice_id)
        if matter is not None and matter.receipt.filed_by != filed_by:
            raise UnprocessableError("the notice was filed by another system", "not-the-filer")
        if _is_repeated(matter, event.revision, event.filing):
            return
        try:
            if matter is None and event.revision == 1:
                await self._office.file(tx, event.notice_id, event.filing, _receipt(event, tx, Channel.TOPIC, filed_by))
            elif matter is None or event.revision > matter.revision + 1:
                await self._office.keep_waiting(tx, event.notice_id, event.filing, event.revision, filed_by)
            else:
                await self._office.revise(tx, event.notice_id, event.filing, event.revision - 1, filed_by)
        except (RefusedError, ConflictError) as error:
            raise UnprocessableError(error.text, error.code) from error

    async def receive_withdrawal(self, event: NoticeWithdrawalSubmitted, tx: Transaction) -> None:
        """Withdraw a notice that the same system filed."""
        matter = await Notices(tx).get(event.notice_id)
        if matter is not None and matter.receipt.filed_by != _system(tx):
            raise UnprocessableError("the notice was filed by another system", "not-the-filer")
        await self._withdraw(event.notice_id, tx, _system(tx))

    async def reconcile_filing(self, event: NoticeFiled, tx: Transaction) -> None:
        """Take in what a city registered itself: every other affected authority hears of it now.

        Two cities may have revised the same notice while neither could hear of the other. Nothing is overwritten:
        the later one to arrive becomes the next revision.
        """
        matter = await Notices(tx).get(event.notice_id)
        if _is_repeated(matter, event.revision, event.filing):
            return
        try:
            if matter is None and event.revision > 1:
                await self._office.keep_waiting(tx, event.notice_id, event.filing, event.revision, _authority(event))
            elif matter is None:
                receipt = _receipt(event, tx, Channel.AUTHORITY, _authority(event))
                await self._office.file(tx, event.notice_id, event.filing, receipt, registered_by=event.authority)
            elif event.revision > matter.revision + 1:
                await self._office.keep_waiting(tx, event.notice_id, event.filing, event.revision, _authority(event))
            else:
                await self._office.revise(tx, event.notice_id, event.filing, matter.revision, _authority(event))
        except (RefusedError, ConflictError) as error:
            raise UnprocessableError(error.text, error.code) from error

    async def reconcile_withdrawal(self, event: NoticeWithdrawalFiled, tx: Transaction) -> None:
        """Withdraw a notice whose withdrawal a city received."""
        await self._withdraw(event.notice_id, tx, _authority(event))

    async def _withdraw(self, notice_id: UUID, tx: Transaction, by: str) -> None:
        try:
            await self._office.withdraw(tx, notice_id, by)
        except UnknownNoticeError as error:
            raise UnprocessableError("there is no such notice", "unknown-notice") from error
        except ConflictError as error:
            raise UnprocessableError(error.text, error.code) from error

    async def enter_taken(self, event: NoticeTaken, tx: Transaction) -> None:
        """Enter that an authority acts in its own or others' parts, and tell those."""
        try:
            await self._office.take(tx, event.notice_id, event.authority, event.parts, event.taken_at)
        except UnknownNoticeError as error:
            raise UnprocessableError("there is no such notice", "unknown-notice") from error


async def enter_stored(event: NoticeStored, tx: Transaction) -> None:
    """Enter the receipt of an authority's store."""
    Notices(tx).enter_stored(event.notice_id, event.authority, event.version, event.revision, event.stored_at)


async def enter_acknowledged(event: NoticeAcknowledged, tx: Transaction) -> None:
    """Enter that an officer has taken notice."""
    entry = await _entry(event, tx)
    Notices(tx).save_entry(event.notice_id, entry.acknowledged(event.acting_authority, event.acknowledged_at))


async def enter_declined(event: NoticeDeclined, tx: Transaction) -> None:
    """Enter that an authority says the notice is not its own."""
    entry = await _entry(event, tx)
    Notices(tx).save_entry(event.notice_id, entry.not_ours(event.reason))


async def enter_case_closed(event: CaseClosed, tx: Transaction) -> None:
    """Enter that an authority has closed its case."""
    entry = await _entry(event, tx)
    Notices(tx).save_entry(event.notice_id, entry.case_closed(event.outcome, event.closed_at))


async def _entry(event: _Answers, tx: Transaction) -> Entry:
    entry = await Notices(tx).entry(event.notice_id, event.authority)
    if entry is None:
        raise UnprocessableError("the authority has no part in the notice", "no-such-part")
    return entry


def _is_repeated(matter: Matter | None, revision: int, filing: Filing) -> bool:
    return (
        matter is not None and matter.status is Status.OPEN and matter.revision == revision and matter.filing == filing
    )


def _system(tx: Transaction) -> str:
    """Name the system that filed by the topic: never to be taken for one that filed over HTTP, or for an authority."""
    if tx.envelope is None:
        message = "a message handler runs with an envelope"
        raise RuntimeError(message)
    return f"topic:{tx.envelope.source}"


def _authority(event: NoticeFiled | NoticeWithdrawalFiled) -> str:
    return f"{AUTHORITY}{event.authority}"


def _receipt(event: NoticeSubmitted | NoticeFiled, tx: Transaction, channel: Channel, filed_by: str) -> Receipt:
    now = tx.clock.now()
    arrived = (tx.envelope.received_at if tx.envelope else None) or now
    if event.arrived_at is not None:
        # Earlier counts: another system, or a city, may have had it before us. Later cannot be.
        arrived = min(arrived, event.arrived_at)
    registered = event.registered_at if isinstance(event, NoticeFiled) else now
    return Receipt(channel, filed_by, arrived, registered)
