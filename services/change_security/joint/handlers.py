"""The messages of the joint side: filings from other systems, filings that cities registered themselves, and receipts.

Idempotent by the inbox; beyond it, by revision (a filing), by version (a store's receipt) and by state (the ledger only
moves forward). Everything a batch needs is read at once by `prepare`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.change_security.domain.evidence import Arrival, arrived_by_authority, arrived_by_topic
from services.change_security.domain.ledger import Entry
from services.change_security.domain.notice import Channel, Notice, NoticeState, Receipt
from services.change_security.domain.receipt import refusal_of
from services.change_security.joint.acting_commands import JointActing
from services.change_security.joint.commands import AUTHORITY, JointOffice
from services.change_security.joint.handling_store import Specialists
from services.change_security.joint.plan_commands import enter_step
from services.change_security.joint.store import Notices
from shared.errors import UnprocessableError
from shared.events.envelope import Envelope
from shared.events.v1.change_security import (
    ActingReported,
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
    PartReturned,
    PlanStepReported,
    SpecialistListed,
)
from shared.messaging.handlers import Handlers
from shared.messaging.inbound import Parked
from shared.messaging.transaction import Transaction
from shared.screening import has_personal_identity_code
from shared.topics import CHANGE_NOTICES_INBOUND

_Answers = NoticeAcknowledged | NoticeDeclined | CaseClosed


async def prepare(events: Sequence[object], tx: Transaction) -> None:
    """Read and lock at once the notices and ledger entries that the batch will change."""
    answers = [event for event in events if isinstance(event, _Answers)]
    notices = {
        event.notice_id
        for event in events
        if isinstance(
            event,
            NoticeSubmitted
            | NoticeFiled
            | NoticeTaken
            | PartReturned
            | NoticeWithdrawalSubmitted
            | NoticeWithdrawalFiled
            | PlanStepReported
            | ActingReported,
        )
    }
    await Notices(tx).load(notices)
    await Notices(tx).load_entries((event.notice_id, event.authority) for event in answers)


class JointHandlers:
    """The handlers that change notices: what is done with each, the joint office decides."""

    def __init__(self, office: JointOffice, acting: JointActing, receiving_systems: Mapping[str, str]) -> None:
        self._office = office
        self._acting = acting
        self._receiving_systems = receiving_systems

    async def receive_submission(self, event: NoticeSubmitted, tx: Transaction) -> None:
        """File a notice that another system submits, or a revision of one that the same system filed."""
        system = _system(tx)
        notice = await Notices(tx).get(event.notice_id)
        _must_be_the_submitter(notice, system)
        if _is_repeated(notice, event.revision, event.filing):
            return
        arrival = arrived_by_topic(
            tx.office, _received_at(tx), event.arrived_at, self._receiving_systems.get(_envelope(tx).source)
        )
        if notice is None and event.revision == 1:
            receipt = _receipt(event, arrival, Channel.TOPIC, system, tx.clock.now())
            await self._office.file(tx, event.notice_id, event.filing, receipt, arrival=arrival)
        elif notice is None or event.revision > notice.revision + 1:
            await self._office.keep_waiting(tx, event.notice_id, event.filing, event.revision, system, arrival)
        else:
            await self._office.revise_submitted(tx, notice, event.filing, event.revision - 1, system, arrival)

    async def receive_withdrawal(self, event: NoticeWithdrawalSubmitted, tx: Transaction) -> None:
        """Withdraw a notice that the same system filed."""
        system = _system(tx)
        _must_be_the_submitter(await Notices(tx).get(event.notice_id), system)
        await self._office.withdraw(tx, event.notice_id, system)

    async def reconcile_filing(self, event: NoticeFiled, tx: Transaction) -> None:
        """Take in what a city registered itself: every other affected authority hears of it now.

        Two cities may have revised the same notice while neither could hear of the other. Nothing is overwritten:
        the later one to arrive becomes the next revision.
        """
        city = f"{AUTHORITY}{event.authority}"
        notice = await Notices(tx).get(event.notice_id)
        arrival = arrived_by_authority(tx.office, _received_at(tx), event.authority, event.arrived_at)
        if _is_repeated(notice, event.revision, event.filing):
            await self._office.add_receipt(tx, event.notice_id, event.revision, arrival)
        elif notice is None and event.revision == 1:
            receipt = _receipt(event, arrival, Channel.AUTHORITY, city, event.registered_at)
            await self._office.file(
                tx, event.notice_id, event.filing, receipt, arrival=arrival, registered_by=event.authority
            )
        elif notice is None or event.revision > notice.revision + 1:
            await self._office.keep_waiting(tx, event.notice_id, event.filing, event.revision, city, arrival)
        else:
            await self._office.revise_submitted(tx, notice, event.filing, notice.revision, city, arrival)

    async def reconcile_withdrawal(self, event: NoticeWithdrawalFiled, tx: Transaction) -> None:
        """Withdraw a notice whose withdrawal a city received."""
        await self._office.withdraw(tx, event.notice_id, f"{AUTHORITY}{event.authority}")

    async def enter_taken(self, event: NoticeTaken, tx: Transaction) -> None:
        """Enter that an authority has taken its own part. Of others' parts, older versions' word is a request."""
        await self._office.known(tx, event.notice_id)
        for part in event.parts:
            if part == event.authority:
                await self._office.take(tx, event.notice_id, part, event.taken_at, event.version, event.revision)
            else:
                await self._acting.ask(tx, event.notice_id, event.authority, part, event.taken_at)

    async def enter_returned(self, event: PartReturned, tx: Transaction) -> None:
        """Enter that an authority has returned its own part to joint handling."""
        await self._office.give_back(tx, event.notice_id, event.authority)

    async def enter_acting(self, event: ActingReported, tx: Transaction) -> None:
        """Enter what an authority says of its acting for another, or of another's for it."""
        await self._acting.enter(tx, event)


async def refuse_submission(parked: Parked, tx: Transaction) -> None:
    """Answer a system whose record is parked, with the code and nothing of the body."""
    if parked.record.topic != CHANGE_NOTICES_INBOUND.name:
        return
    envelope = parked.envelope
    if envelope is not None and has_personal_identity_code(f"{envelope.id} {envelope.source}".encode()):
        envelope = None
    tx.publish(refusal_of(parked.record.id, parked.record.key, envelope, parked.code, tx.clock.now()))


async def enter_stored(event: NoticeStored, tx: Transaction) -> None:
    """Enter the receipt of an authority's store."""
    Notices(tx).enter_stored(event)


async def enter_acknowledged(event: NoticeAcknowledged, tx: Transaction) -> None:
    """Enter that an officer has acknowledged the notice."""
    entry = await _entry(event, tx)
    Notices(tx).save_entry(
        entry.acknowledged(
            event.acting_authority, event.acknowledged_at, version=event.version, revision=event.revision
        )
    )


async def enter_declined(event: NoticeDeclined, tx: Transaction) -> None:
    """Enter that an authority says the notice is not its own."""
    entry = await _entry(event, tx)
    Notices(tx).save_entry(
        entry.not_ours(event.reason, event.declined_at, version=event.version, revision=event.revision)
    )


async def enter_case_closed(event: CaseClosed, tx: Transaction) -> None:
    """Enter that an authority has closed its case."""
    entry = await _entry(event, tx)
    closed = entry.case_closed(
        event.outcome,
        event.closed_at,
        event.acting_authority or event.authority,
        version=event.version,
        revision=event.revision,
    )
    Notices(tx).save_entry(closed)


async def list_specialist(event: SpecialistListed, tx: Transaction) -> None:
    """Take a city's officer into the choice of specialists."""
    await Specialists(tx).list_specialist(event)


def handlers_of(
    office: JointOffice, acting: JointActing, receiving_systems: Mapping[str, str] | None = None
) -> Handlers:
    """Return the handler of each event type of other systems and of the cities.

    `receiving_systems`: the authority of each system whose stated arrival is an authority's own receipt, by source.
    """
    notices = JointHandlers(office, acting, receiving_systems or {})
    return Handlers(
        notices.receive_submission,
        notices.receive_withdrawal,
        notices.reconcile_filing,
        notices.reconcile_withdrawal,
        notices.enter_taken,
        enter_stored,
        enter_acknowledged,
        enter_declined,
        enter_case_closed,
        list_specialist,
        enter_step,
        notices.enter_returned,
        notices.enter_acting,
    )


async def _entry(event: _Answers, tx: Transaction) -> Entry:
    entry = await Notices(tx).entry(event.notice_id, event.authority)
    if entry is None:
        raise UnprocessableError("the authority has no part in the notice", "not-a-recipient")
    return entry


def _must_be_the_submitter(notice: Notice | None, system: str) -> None:
    if notice is not None and notice.receipt.filed_by != system:
        raise UnprocessableError("the notice was filed by another system", "not-the-submitter")


def _is_repeated(notice: Notice | None, revision: int, filing: Filing) -> bool:
    return (
        notice is not None
        and notice.state in {NoticeState.OPEN, NoticeState.MERGED}
        and notice.revision == revision
        and notice.filing == filing
    )


def _system(tx: Transaction) -> str:
    """Name the system that filed by the topic: never to be taken for one that filed over HTTP, or for an authority."""
    return f"topic:{_envelope(tx).source}"


def _envelope(tx: Transaction) -> Envelope:
    if tx.envelope is None:
        message = "a message handler runs with an envelope"
        raise RuntimeError(message)
    return tx.envelope


def _received_at(tx: Transaction) -> datetime:
    return _envelope(tx).received_at or tx.clock.now()


def _receipt(
    event: NoticeSubmitted | NoticeFiled, arrival: Arrival, channel: Channel, filed_by: str, registered_at: datetime
) -> Receipt:
    return Receipt(channel, filed_by, arrival.at, registered_at, arrival.claimed, event.filer_reference)
