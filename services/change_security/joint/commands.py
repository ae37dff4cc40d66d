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
from services.change_security.domain.filing import check
from services.change_security.domain.ledger import Awaited
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
from services.change_security.domain.routing import AuthorityTable
from services.change_security.domain.workforce import workforce_released
from services.change_security.joint import smime
from services.change_security.joint.acting_commands import end_acting_of_released
from services.change_security.joint.delivery_store import Deliveries, Delivery
from services.change_security.joint.handling_store import Handlings, Specialists
from services.change_security.joint.plan_commands import share_plan
from services.change_security.joint.store import Directory, Notices
from services.change_security.joint.webhook_commands import queue_receipt
from shared.agreement import Agreements
from shared.calendar import local_day
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.change_security import Filing, Handling, HandlingMode, Outcome
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
        self, tx: Transaction, notice_id: UUID, filing: Filing, receipt: Receipt, *, registered_by: str | None = None
    ) -> Notice:
        """Open a notice and send it to every authority it concerns. It must be new.

        Args:
            tx: where it happens.
            notice_id: the new notice's id.
            filing: what the employer filed.
            receipt: how and when it came.
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
        return await self._apply_waiting(tx, await self._carry_out(tx, change, filed_by=receipt.filed_by))

    async def revise(self, tx: Transaction, notice_id: UUID, filing: Filing, predecessor: int, filed_by: str) -> Notice:
        """Put a new revision in force.

        Raises:
            UnknownError, RefusedError
            ConflictError: the predecessor is not the newest revision, or the notice is no longer open.
        """
        check(filing)
        before = await self.known(tx, notice_id)
        return await self._apply_waiting(tx, await self._revise(tx, before, filing, predecessor, filed_by))

    async def keep_waiting(
        self, tx: Transaction, notice_id: UUID, filing: Filing, revision: int, filed_by: str
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
        Notices(tx).keep_waiting(notice_id, revision, filing, filed_by, tx.clock.now())

    async def _apply_waiting(self, tx: Transaction, notice: Notice) -> Notice:
        filers = (notice.receipt.filed_by, AUTHORITY)
        while waiting := await Notices(tx).take_waiting(notice.notice_id, notice.revision + 1, *filers):
            notice = await self._revise(tx, notice, waiting.filing, notice.revision, waiting.filed_by)
        return notice

    async def _revise(self, tx: Transaction, before: Notice, filing: Filing, predecessor: int, filed_by: str) -> Notice:
        change = lifecycle.revise(before, filing, predecessor, tx.clock.now(), await self.agreed_book(tx))
        notice = await self._carry_out(tx, change, filed_by=filed_by)
        await self._settle_unrouted(tx, before, notice, by=filed_by, resolution="revised")
        return notice

    async def withdraw(self, tx: Transaction, notice_id: UUID, by: str) -> Notice:
        """End a notice that the employer has withdrawn.

        Raises:
            UnknownError
            ConflictError: the notice is closed.
        """
        before = await self.known(tx, notice_id)
        change = lifecycle.withdraw(before, tx.clock.now())
        notice = await self._carry_out(tx, change, over=True)
        await self._settle_unrouted(tx, before, notice, by=by, resolution="withdrawn")
        return notice

    async def close(self, tx: Transaction, notice_id: UUID, outcome: Outcome, by: str) -> Notice:
        """End a notice with or without terminations.

        Raises:
            UnknownError
            ConflictError: the notice has ended otherwise.
        """
        before = await self.known(tx, notice_id)
        change = lifecycle.close(before, outcome, tx.clock.now())
        notice = await self._carry_out(tx, change, over=outcome is Outcome.NO_TERMINATIONS)
        await self._settle_unrouted(tx, before, notice, by=by, resolution="closed")
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
        change = lifecycle.add_authority(before, authority, tx.clock.now(), await self.agreed_book(tx))
        notice = await self._carry_out(tx, change)
        still_open = [place for place in before.unrouted if (place.municipality or "") != municipality]
        await Notices(tx).resolve_unrouted(
            notice_id, still_open, at=tx.clock.now(), by=by, resolution=f"assigned to {authority}: {reason}"
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
        change = lifecycle.acknowledge_outside(notice, authority, tx.clock.now(), version)
        return await self._carry_out(tx, change)

    async def take(self, tx: Transaction, notice_id: UUID, authority: str, at: datetime) -> Notice:
        """Let an authority take its own part out of joint handling.

        Raises:
            UnknownError
        """
        return await self._carry_out(tx, lifecycle.take(await self.known(tx, notice_id), authority, at))

    async def give_back(self, tx: Transaction, notice_id: UUID, authority: str) -> Notice:
        """Let an authority return its own part to joint handling.

        Raises:
            UnknownError
        """
        return await self._carry_out(tx, lifecycle.give_back(await self.known(tx, notice_id), authority))

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
        """Tell offices about receipts that are overdue, once for each. Return what was awaited, one for each."""
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
            if escalated.office is not None:
                tx.publish(event, to=escalated.office)
        return awaited

    async def known(self, tx: Transaction, notice_id: UUID) -> Notice:
        """Return a notice to be changed, locked.

        Raises:
            UnknownError
        """
        notice = await Notices(tx).get(notice_id)
        if notice is None:
            raise UnknownError("notice")
        return notice

    async def _settle_unrouted(
        self, tx: Transaction, before: Notice, after: Notice, *, by: str, resolution: str
    ) -> None:
        if before.unrouted:
            await Notices(tx).resolve_unrouted(
                after.notice_id, after.unrouted, at=tx.clock.now(), by=by, resolution=resolution
            )

    async def _carry_out(
        self, tx: Transaction, change: Change, *, filed_by: str | None = None, over: bool = False
    ) -> Notice:
        before = change.notice
        if before.state is NoticeState.OPEN and (change.events or change.emails or before.version == 1):
            change = joint_handling.settle(change, await self._handling(tx, before))
        return await self._put_in_force(tx, before, change, filed_by=filed_by, over=over)

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
        self, tx: Transaction, before: Notice, change: Change, *, filed_by: str | None = None, over: bool = False
    ) -> Notice:
        notice = change.notice
        stood = Notices(tx).version(notice.notice_id)
        if notice.handling != before.handling:
            Handlings(tx).keep(notice, tx.clock.now())
            Specialists(tx).count(before, notice)
        Notices(tx).save(notice, filed_by=filed_by)
        for office, event in change.events:
            tx.publish(event, to=office)
        for authority in change.emails:
            Deliveries(tx).queue(self._letter_to_authority(notice, authority, tx.clock.now()))
        if filed_by is not None or over:
            released = workforce_released(notice.notice_id, notice.version, notice.filing, over=over)
            if released is not None:
                tx.publish(released)
        self._answer_filer(tx, stood, notice, is_filed=filed_by is not None)
        await share_plan(tx, before, change)
        return await end_acting_of_released(tx, notice)

    def _answer_filer(self, tx: Transaction, before: tuple[int, int] | None, notice: Notice, *, is_filed: bool) -> None:
        if notice.receipt.channel in BY_SYSTEMS:
            receipt = receipt_of(before, notice, self.book.rules)
            if receipt is not None:
                event_id = tx.publish(receipt)
                if notice.receipt.channel is Channel.HTTP:
                    queue_receipt(tx, receipt, event_id)
        if is_filed and letters.mailbox(notice.filing) is not None:
            Deliveries(tx).queue(_letter(notice, None, DeliveryKind.EMPLOYER, tx.clock.now(), None))

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
