"""What can be done to a notice at the joint office, each inside one transaction: decided by the domain, kept by the
store, published through the outbox. The HTTP API and the message handlers both come here.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.change_security.domain import handling as joint_handling
from services.change_security.domain import letters
from services.change_security.domain import notice as lifecycle
from services.change_security.domain.agreed_rules import agreed_book
from services.change_security.domain.delivery import DeliveryKind, DeliveryState, Waiting, protection
from services.change_security.domain.evidence import Arrival
from services.change_security.domain.filing import check
from services.change_security.domain.ledger import Awaited
from services.change_security.domain.merging import revise_absorbed
from services.change_security.domain.notice import (
    BY_SYSTEMS,
    Change,
    Channel,
    Notice,
    NoticeState,
    Receipt,
    Rulebook,
)
from services.change_security.domain.receipt import receipt_of
from services.change_security.domain.reductions import StoredFiling, earlier_for, earlier_reductions
from services.change_security.domain.routing import AuthorityTable
from services.change_security.domain.rules import days_of_earlier
from services.change_security.domain.workforce import workforce_released
from services.change_security.joint import smime
from services.change_security.joint.acting_commands import end_acting_of_released, end_acting_of_taken
from services.change_security.joint.delivery_store import Deliveries, Delivery
from services.change_security.joint.evidence_store import EmployersFilings, Evidence
from services.change_security.joint.handling_store import Handlings, Specialists
from services.change_security.joint.plan_commands import share_plan
from services.change_security.joint.resolution_store import Overdue, Oversight, SameMatter, record
from services.change_security.joint.store import Directory, NewFiling, Notices
from services.change_security.joint.tables import ActKind
from services.change_security.joint.webhook_commands import queue_receipt
from shared.agreement import Agreements
from shared.calendar import local_day
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import Event, derived_id
from shared.events.v1.change_security import (
    Filing,
    Handling,
    HandlingMode,
    NoticeAmended,
    NoticeAskedAgain,
    NoticeAssigned,
    Outcome,
)
from shared.figures import Figures
from shared.messaging.transaction import Transaction
from shared.telemetry import current_trace_id

AUTHORITY: Final = "authority:"
"""Begins the name of a filer that is a city of the region: each may revise what another filed."""
_MADE: Final = "agreed book"


class _Made(NamedTuple):
    """The rulebook that was made of a book and figures: once in a batch."""

    book: Rulebook
    figures: Figures
    agreed: Rulebook


_Content = NoticeAssigned | NoticeAmended | NoticeAskedAgain
"""What brings an office the filing."""


@dataclass
class JointOffice:
    """The joint side of change security. `book` is replaced when a new classification is imported."""

    book: Rulebook
    shipped: AuthorityTable

    async def read_directory(self, tx: Transaction) -> None:
        """Take imported municipalities and authorities into use beside the shipped ones."""
        municipalities, authorities = await Directory(tx).read()
        if not municipalities:
            return
        table = self.shipped.with_others(municipalities, authorities)
        if table.version != self.book.authorities.version:
            self.book = replace(self.book, authorities=table)

    async def agreed_book(self, tx: Transaction) -> Rulebook:
        """Return the rulebook with the agreement's figures, as they are in this transaction."""
        figures = await Agreements(tx).figures()
        made: _Made | None = tx.identity_map.get(_MADE)
        if made is None or made.book is not self.book or made.figures is not figures:
            made = _Made(self.book, figures, agreed_book(self.book, figures))
            tx.identity_map[_MADE] = made
        return made.agreed

    async def set_email(self, tx: Transaction, authority: str, address: str) -> None:
        """Set the address of an authority outside the region; what waited for one is sent.

        Raises:
            UnknownError: no such authority is imported.
        """
        if not await Directory(tx).set_email(authority, address):
            raise UnknownError("imported authority")
        await Deliveries(tx).requeue(authority, Waiting.NO_ADDRESS)
        await self.read_directory(tx)

    async def file(
        self,
        tx: Transaction,
        notice_id: UUID,
        filing: Filing,
        receipt: Receipt,
        *,
        arrival: Arrival,
        registered_by: str | None = None,
    ) -> Notice:
        """Open a notice and send it to every authority it concerns. It must be new.

        Args:
            tx: where it happens.
            notice_id: the new notice's id.
            filing: what the employer filed.
            receipt: how and when it came.
            arrival: when authorities received it themselves.
            registered_by: the authority that registered it itself and has a case already.

        Raises:
            RefusedError: the filing is refused.
        """
        check(filing)
        change = lifecycle.file(
            notice_id,
            filing,
            receipt,
            await self.agreed_book(tx),
            trace_id=current_trace_id(),
            registered_by=registered_by,
        )
        filed = await self.carry_out(tx, change, filing=NewFiling(receipt.filed_by, arrival))
        return await self._apply_waiting(tx, filed)

    async def revise(
        self, tx: Transaction, notice_id: UUID, filing: Filing, predecessor: int, filed_by: str, arrival: Arrival
    ) -> Notice:
        """Put a new revision in force. Its arrival is its own; the notice's stays.

        Raises:
            UnknownError, RefusedError
            ConflictError: the predecessor is not the newest revision, or the notice is no longer open.
        """
        check(filing)
        before = await self.known(tx, notice_id)
        revised = await self._revise(tx, before, filing, predecessor, NewFiling(filed_by, arrival))
        return await self._apply_waiting(tx, revised)

    async def add_receipt(self, tx: Transaction, notice_id: UUID, revision: int, arrival: Arrival) -> None:
        """Keep when an authority received a revision that is here already: its own receipt is evidence all the same."""
        await Evidence(tx).add(notice_id, revision, arrival)

    async def revise_submitted(
        self, tx: Transaction, notice: Notice, filing: Filing, predecessor: int, filed_by: str, arrival: Arrival
    ) -> None:
        """Put a revision in force that follows one of this very notice, though it may be merged into another.

        Raises:
            RefusedError
            ConflictError: the predecessor is not the newest revision, or the notice is no longer open.
        """
        check(filing)
        revised = await self._revise(tx, notice, filing, predecessor, NewFiling(filed_by, arrival))
        await self._apply_waiting(tx, revised)

    async def keep_waiting(
        self, tx: Transaction, notice_id: UUID, filing: Filing, revision: int, filed_by: str, arrival: Arrival
    ) -> None:
        """Keep a revision that came before its predecessor; it takes effect when that has come from the same filer.

        Raises:
            RefusedError
            ConflictError: another revision of that number waits already.
        """
        check(filing)
        await Notices(tx).load([notice_id])
        if Notices(tx).waits(notice_id, revision):
            raise ConflictError("stale-predecessor", "Another revision of that number waits already.")
        Notices(tx).keep_waiting(notice_id, revision, filing, filed_by, tx.clock.now(), arrival)

    async def _apply_waiting(self, tx: Transaction, notice: Notice) -> Notice:
        filers = (notice.receipt.filed_by, AUTHORITY)
        while waiting := await Notices(tx).take_waiting(notice.notice_id, notice.revision + 1, *filers):
            new = NewFiling(waiting.filed_by, waiting.arrival)
            notice = await self._revise(tx, notice, waiting.filing, notice.revision, new)
        return notice

    async def _revise(
        self, tx: Transaction, before: Notice, filing: Filing, predecessor: int, new: NewFiling
    ) -> Notice:
        now = tx.clock.now()
        if before.state is NoticeState.MERGED and predecessor == before.revision:
            kept = await self.known(tx, before.notice_id)
            both = revise_absorbed(kept, before, filing, now, await self.agreed_book(tx), arrived_at=new.arrival.at)
            Notices(tx).save(both.absorbed.notice, filing=new)
            await self._revised(tx, kept, both.kept, new)
            return await Notices(tx).get(before.notice_id) or both.absorbed.notice
        registrar = new.filed_by.removeprefix(AUTHORITY) if new.filed_by.startswith(AUTHORITY) else None
        change = lifecycle.revise(
            before,
            filing,
            predecessor,
            now,
            await self.agreed_book(tx),
            arrived_at=new.arrival.at,
            registered_by=registrar,
        )
        return await self._revised(tx, before, change, new)

    async def _revised(self, tx: Transaction, before: Notice, change: Change, new: NewFiling) -> Notice:
        notice = await self.carry_out(tx, change, filing=new)
        await self.settle_unrouted(tx, before, notice, by=new.filed_by, resolution="revised")
        return notice

    async def withdraw(self, tx: Transaction, notice_id: UUID, by: str) -> Notice:
        """End a notice that the employer has withdrawn.

        Raises:
            UnknownError
            ConflictError: the notice is closed.
        """
        before = await self.known(tx, notice_id)
        change = lifecycle.withdraw(before, tx.clock.now())
        notice = await self.carry_out(tx, change, over=True)
        await self.settle_unrouted(tx, before, notice, by=by, resolution="withdrawn")
        return notice

    async def close(self, tx: Transaction, notice_id: UUID, outcome: Outcome, by: str) -> Notice:
        """End a notice with or without terminations, and those linked to it: one matter has one outcome.

        Raises:
            UnknownError
            ConflictError: the notice has ended otherwise.
        """
        before = await self.known(tx, notice_id)
        linked = [
            related.notice_id
            for related in await SameMatter(tx).related(before.notice_id)
            if related.relation != "merged" and related.state == NoticeState.OPEN
        ]
        await Notices(tx).load(linked)
        closed = await self._close(tx, before, outcome, by)
        for other_id in linked:
            other = await Notices(tx).get(other_id)
            if other is not None and other.state is NoticeState.OPEN:
                await self._close(tx, other, outcome, by, other_id=before.notice_id)
        return closed

    async def _close(
        self, tx: Transaction, before: Notice, outcome: Outcome, by: str, *, other_id: UUID | None = None
    ) -> Notice:
        change = lifecycle.close(before, outcome, tx.clock.now())
        if change.notice == before:
            return before
        notice = await self.carry_out(tx, change, over=outcome is Outcome.NO_TERMINATIONS)
        await self.settle_unrouted(tx, before, notice, by=by, resolution="closed")
        record(tx, before.notice_id, ActKind.CLOSED, by, other_id=other_id, outcome=outcome)
        return notice

    async def add_authority(
        self, tx: Transaction, notice_id: UUID, authority: str, *, by: str, municipality: str | None, reason: str
    ) -> Notice:
        """Send a notice to an authority that a coordinator names; `municipality` leaves the unrouted queue.

        Raises:
            UnknownError: no such notice or authority.
            ConflictError: the notice is no longer open.
        """
        before = await self.known(tx, notice_id)
        change = lifecycle.add_authority(
            before, authority, tx.clock.now(), await self.agreed_book(tx), municipality=municipality
        )
        notice = await self.carry_out(tx, change)
        resolution = f"assigned to {authority}: {reason}"
        await self.settle_unrouted(tx, before, notice, by=by, resolution=resolution, settled=True)
        record(
            tx, before.notice_id, ActKind.AUTHORITY_ADDED, by, reason, authority=authority, municipality=municipality
        )
        return notice

    async def acknowledge_outside(
        self, tx: Transaction, notice_id: UUID, authority: str, version: int | None = None
    ) -> Notice:
        """Enter that an authority outside the region has confirmed a notice; the newest version, if none is named.

        Raises:
            UnknownError
        """
        notice = await self.known(tx, notice_id)
        if version is not None and notice.notice_id != notice_id:
            notice = await Notices(tx).get(notice_id) or notice  # the version is the merged notice's own
        change = lifecycle.acknowledge_outside(notice, authority, tx.clock.now(), version)
        return await self.carry_out(tx, change)

    async def take(
        self, tx: Transaction, notice_id: UUID, authority: str, at: datetime, version: int | None, revision: int | None
    ) -> Notice:
        """Let an authority take its own part out of joint handling; nobody acts in it for another any more.

        `version`, `revision`: what it had before it.

        Raises:
            UnknownError
        """
        notice = await self.known(tx, notice_id)
        # What a city had before it of a merged notice is no version of the one that continues.
        seen = (version, revision) if notice.notice_id == notice_id else (0, 0)
        change = lifecycle.take(notice, authority, at, version=seen[0], revision=seen[1])
        taken = await self.carry_out(tx, change)
        return await end_acting_of_taken(tx, taken, authority) if change.events else taken

    async def give_back(self, tx: Transaction, notice_id: UUID, authority: str) -> Notice:
        """Let an authority return its own part to joint handling.

        Raises:
            UnknownError
        """
        return await self.carry_out(tx, lifecycle.give_back(await self.known(tx, notice_id), authority))

    async def name_lead(self, tx: Transaction, notice_id: UUID, authority: str, reason: str, by: str) -> Notice:
        """Let a coordinator name the lead of a joint matter; the specialist is chosen anew.

        Raises:
            UnknownError, RefusedError, ConflictError
        """
        notice = await self.known(tx, notice_id)
        change = joint_handling.name_lead(notice, authority, reason, by, await self.staffing(tx))
        return await self._put_in_force(tx, notice, change)

    async def name_specialist(self, tx: Transaction, notice_id: UUID, officer: str, reason: str, by: str) -> Notice:
        """Let a coordinator name the specialist of a joint matter.

        Raises:
            UnknownError, RefusedError, ConflictError
        """
        notice = await self.known(tx, notice_id)
        change = joint_handling.name_specialist(notice, officer, reason, by, await self.staffing(tx))
        return await self._put_in_force(tx, notice, change)

    async def staff_waiting(self, tx: Transaction, limit: int = 200) -> int:
        """Name a specialist where a joint matter has none; return in how many it could be done.

        An absence may have ended, or a city has listed an officer.
        """
        staffed = 0
        today = local_day(tx.clock.now())
        somebody = any(listed.is_present(today) for listed in (await self.staffing(tx)).specialists)
        for notice_id in await Handlings(tx).unstaffed(limit, decided=somebody):
            notice = await self.known(tx, notice_id)
            change = joint_handling.renew(notice, await self._handling(tx, notice))
            staffed += change.notice.version > notice.version
            await self._put_in_force(tx, notice, change)
        return staffed

    async def escalate(self, tx: Transaction, limit: int = 200) -> list[Awaited]:
        """Tell offices, and the coordinators, about receipts that are overdue, once for each.

        Return what was awaited, one for each.
        """
        now = tx.clock.now()
        notices = Notices(tx)
        due = await notices.due_entries(now, limit)
        await notices.load_entries(due)
        awaited: list[Awaited] = []
        for notice_id, authority in due:
            entry = await notices.entry(notice_id, authority)
            escalation = entry.escalate(now) if entry is not None else None
            if escalation is None:
                continue
            escalated, event = escalation
            notices.save_entry(escalated)
            awaited.append(event.awaiting)
            Oversight(tx).add_overdue(
                Overdue(
                    derived_id("overdue", notice_id, authority, event.awaiting, event.due_at),
                    notice_id,
                    authority,
                    event.awaiting,
                    event.due_at,
                    now,
                )
            )
            if escalated.office is not None:
                tx.publish(event, to=escalated.office)
        return awaited

    async def known(self, tx: Transaction, notice_id: UUID) -> Notice:
        """Return a notice to be changed, locked; one that is merged leads to the one that continues.

        Raises:
            UnknownError
        """
        notice = await Notices(tx).get(notice_id)
        if notice is not None and notice.merged_into is not None:
            notice = await Notices(tx).get(notice.merged_into)
        if notice is None:
            raise UnknownError("notice")
        return notice

    async def earlier(self, tx: Transaction, notice: Notice) -> tuple[StoredFiling, ...] | None:
        """Return what the employer filed in the days before; None when the scope does not hang on it."""
        days = days_of_earlier(notice.filing, notice.receipt.arrived_at, self.book.rules)
        if days is None:
            return None
        return await EmployersFilings(tx).within(notice.filing.employer.business_id, days, notice.notice_id)

    async def _with_earlier(self, tx: Transaction, change: Change) -> Change:
        """Let each office hear of the employer's earlier reductions what its authority may know."""
        if not any(isinstance(event, _Content) for _, event in change.events):
            return change
        filings = await self.earlier(tx, change.notice)
        if filings is None:
            return change

        def completed(event: Event) -> Event:
            if not isinstance(event, _Content):
                return event
            shared = earlier_for(event.authority, filings, event.notice_id)
            return event.model_copy(update={"earlier_reductions": shared})

        return replace(change, events=tuple((office, completed(event)) for office, event in change.events))

    async def settle_unrouted(
        self, tx: Transaction, before: Notice, after: Notice, *, by: str, resolution: str, settled: bool = False
    ) -> None:
        """Close the places that waited and wait no longer; `settled`: a coordinator has dealt with them."""
        if before.unrouted:
            await Notices(tx).resolve_unrouted(
                after.notice_id, after.unrouted, at=tx.clock.now(), by=by, resolution=resolution, settled=settled
            )

    async def carry_out(
        self,
        tx: Transaction,
        change: Change,
        *,
        filing: NewFiling | None = None,
        over: bool = False,
        again: bool = False,
    ) -> Notice:
        """Keep what follows from an act, and tell the offices and the filer. How it is handled is decided anew.

        Args:
            tx: where it happens.
            change: what follows.
            filing: how its newest revision came, when that is new.
            over: it releases nobody to the labour market any more.
            again: it is open again, and releases them again.
        """
        before = change.notice
        if before.state is NoticeState.OPEN and (change.events or change.emails or before.handling is None):
            change = joint_handling.settle(change, await self._handling(tx, before))
        change = await self._with_earlier(tx, change)
        return await self._put_in_force(tx, before, change, filing=filing, over=over, again=again)

    async def _handling(self, tx: Transaction, notice: Notice) -> Handling:
        handling = joint_handling.decide(notice, await self.agreed_book(tx))
        if handling.mode is not HandlingMode.JOINT:
            return handling
        return joint_handling.staff(handling, notice.handling, notice.filing, await self.staffing(tx))

    async def staffing(self, tx: Transaction) -> joint_handling.Staffing:
        """Return what a lead and a specialist are chosen by: the listed officers, their load, the agreed shares."""
        book = await self.agreed_book(tx)
        return await Specialists(tx).staffing(book.agreed.shares_on(local_day(tx.clock.now())))

    async def _put_in_force(
        self,
        tx: Transaction,
        before: Notice,
        change: Change,
        *,
        filing: NewFiling | None = None,
        over: bool = False,
        again: bool = False,
    ) -> Notice:
        notice = change.notice
        stood = Notices(tx).version(notice.notice_id)
        if notice.handling != before.handling:
            Handlings(tx).keep(notice, tx.clock.now())
            Specialists(tx).count(before, notice)
        Notices(tx).save(notice, filing=filing)
        for office, event in change.events:
            tx.publish(event, to=office)
        for authority in change.emails:
            Deliveries(tx).queue(self._letter_to_authority(notice, authority, tx.clock.now()))
        if filing is not None or over or again:
            released = workforce_released(notice.notice_id, notice.version, notice.filing, over=over)
            if released is not None:
                tx.publish(released)
        await self._answer_filers(tx, stood, notice)
        if filing is not None and letters.mailbox(notice.filing) is not None:
            Deliveries(tx).queue(_letter(notice, None, DeliveryKind.EMPLOYER, tx.clock.now(), None))
        await share_plan(tx, before, change)
        return await end_acting_of_released(tx, notice)

    async def _answer_filers(self, tx: Transaction, before: tuple[int, int] | None, notice: Notice) -> None:
        """Answer who filed a notice that has changed, and who filed those merged into it: it goes on as theirs."""
        merged = [await Notices(tx).get(notice_id) for notice_id in notice.absorbed]
        absorbed = [one for one in merged if one is not None and one.merged_into == notice.notice_id]
        filed = [one for one in (notice, *absorbed) if one.receipt.channel in BY_SYSTEMS]
        if not filed:
            return
        filings = await self.earlier(tx, notice)
        earlier = None if filings is None else earlier_reductions(filings, notice.notice_id)
        for one in filed:
            answered = one if one is notice else replace(one, version=one.version + 1)
            receipt = receipt_of(before, notice, self.book.rules, earlier, filed=answered)
            if receipt is None:
                return
            if answered is not one:
                Notices(tx).save(answered)
            event_id = tx.publish(receipt)
            if one.receipt.channel is Channel.HTTP:
                queue_receipt(tx, receipt, event_id)

    def _letter_to_authority(self, notice: Notice, authority: str, at: datetime) -> Delivery:
        entry = self.book.authorities.authorities[authority]
        how = protection(
            with_filing=letters.is_about_filing(notice, authority),
            not_public=notice.filing.not_public,
            certificate=smime.is_valid(entry.certificate, at) if entry.certificate else None,
            has_code=False,
            has_link=False,
        )
        waiting = Waiting.NO_ADDRESS if not entry.email else how if isinstance(how, Waiting) else None
        return _letter(notice, authority, DeliveryKind.AUTHORITY, at, waiting)


def _letter(
    notice: Notice, authority: str | None, kind: DeliveryKind, at: datetime, waiting: Waiting | None
) -> Delivery:
    return Delivery(
        delivery_id=derived_id("delivery", notice.notice_id, authority or kind, notice.version),
        notice_id=notice.notice_id,
        authority=authority,
        version=notice.version,
        state=DeliveryState.WAITING if waiting else DeliveryState.QUEUED,
        next_attempt_at=at,
        kind=kind,
        token=secrets.token_hex(32),
        queued_at=at,
        waiting_for=waiting,
    )
