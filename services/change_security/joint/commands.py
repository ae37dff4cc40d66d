"""What can be done to a notice at the joint office, each inside one transaction: decided by the domain, kept by the
store, published through the outbox. The HTTP API and the message handlers both come here.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.change_security.domain import notice as lifecycle
from services.change_security.domain.filing import check
from services.change_security.domain.ledger import Awaited
from services.change_security.domain.merging import revise_absorbed
from services.change_security.domain.notice import Change, Notice, NoticeState, Receipt, Rulebook
from services.change_security.domain.routing import AuthorityTable
from services.change_security.domain.workforce import workforce_released
from services.change_security.joint.resolution_store import Acts, Overdue, Oversight, SameMatter
from services.change_security.joint.store import Deliveries, Delivery, Directory, Notices
from services.change_security.joint.tables import ActKind, DeliveryState, NoticeActRow
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.change_security import Filing, Outcome
from shared.messaging.transaction import Transaction
from shared.telemetry import current_trace_id

AUTHORITY: Final = "authority:"
"""Begins the name of a filer that is a city of the region: each may revise what another filed."""


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

    async def set_email(self, tx: Transaction, authority: str, address: str) -> None:
        """Set the address of an authority outside the region; what waited for one is sent.

        Raises:
            UnknownError: no such authority is imported.
        """
        if not await Directory(tx).set_email(authority, address):
            raise UnknownError("imported authority")
        await Deliveries(tx).requeue(authority)
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
            notice_id, filing, receipt, self.book, trace_id=current_trace_id(), registered_by=registered_by
        )
        self.carry_out(tx, change, filed_by=receipt.filed_by)
        return await self._apply_waiting(tx, change.notice)

    async def revise(self, tx: Transaction, notice_id: UUID, filing: Filing, predecessor: int, filed_by: str) -> Notice:
        """Put a new revision in force.

        Raises:
            UnknownError, RefusedError
            ConflictError: the predecessor is not the newest revision, or the notice is no longer open.
        """
        check(filing)
        before = await self.known(tx, notice_id)
        return await self._apply_waiting(tx, await self._revise(tx, before, filing, predecessor, filed_by))

    async def revise_submitted(
        self, tx: Transaction, notice: Notice, filing: Filing, predecessor: int, filed_by: str
    ) -> None:
        """Put a revision in force that follows one of this very notice, though it may be merged into another.

        Raises:
            RefusedError
            ConflictError: the predecessor is not the newest revision, or the notice is no longer open.
        """
        check(filing)
        await self._apply_waiting(tx, await self._revise(tx, notice, filing, predecessor, filed_by))

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
        if before.state is NoticeState.MERGED and predecessor == before.revision:
            kept = await self.known(tx, before.notice_id)
            both = revise_absorbed(kept, before, filing, tx.clock.now(), self.book)
            Notices(tx).save(both.absorbed.notice, filed_by=filed_by)
            await self._revised(tx, kept, both.kept, filed_by)
            return both.absorbed.notice
        registrar = filed_by.removeprefix(AUTHORITY) if filed_by.startswith(AUTHORITY) else None
        now = tx.clock.now()
        change = lifecycle.revise(before, filing, predecessor, now, self.book, registered_by=registrar)
        await self._revised(tx, before, change, filed_by)
        return change.notice

    async def _revised(self, tx: Transaction, before: Notice, change: Change, filed_by: str) -> None:
        self.carry_out(tx, change, filed_by=filed_by)
        await self.settle_unrouted(tx, before, change.notice, by=filed_by, resolution="revised")

    async def withdraw(self, tx: Transaction, notice_id: UUID, by: str) -> Notice:
        """End a notice that the employer has withdrawn.

        Raises:
            UnknownError
            ConflictError: the notice is closed.
        """
        before = await self.known(tx, notice_id)
        change = lifecycle.withdraw(before, tx.clock.now())
        self.carry_out(tx, change, over=True)
        await self.settle_unrouted(tx, before, change.notice, by=by, resolution="withdrawn")
        return change.notice

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
        self.carry_out(tx, change, over=outcome is Outcome.NO_TERMINATIONS)
        await self.settle_unrouted(tx, before, change.notice, by=by, resolution="closed")
        self.record(tx, before.notice_id, ActKind.CLOSED, by, other_id=other_id, outcome=outcome)
        return change.notice

    async def add_authority(
        self, tx: Transaction, notice_id: UUID, authority: str, *, by: str, municipality: str | None, reason: str
    ) -> Notice:
        """Send a notice to an authority that a coordinator names; `municipality` leaves the unrouted queue.

        Raises:
            UnknownError: no such notice or authority.
            ConflictError: the notice is no longer open.
        """
        before = await self.known(tx, notice_id)
        change = lifecycle.add_authority(before, authority, tx.clock.now(), self.book, municipality=municipality)
        self.carry_out(tx, change)
        resolution = f"assigned to {authority}: {reason}"
        await self.settle_unrouted(tx, before, change.notice, by=by, resolution=resolution, settled=True)
        self.record(
            tx, before.notice_id, ActKind.AUTHORITY_ADDED, by, reason, authority=authority, municipality=municipality
        )
        return change.notice

    async def acknowledge_outside(self, tx: Transaction, notice_id: UUID, authority: str, by: str) -> Notice:
        """Enter that an authority outside the region has confirmed a notice.

        Raises:
            UnknownError
        """
        change = lifecycle.acknowledge_outside(await self.known(tx, notice_id), authority, tx.clock.now())
        self.carry_out(tx, change)
        self.record(tx, change.notice.notice_id, ActKind.CONFIRMED, by, authority=authority)
        return change.notice

    async def take(self, tx: Transaction, notice_id: UUID, taker: str, parts: tuple[str, ...], at: datetime) -> None:
        """Let an authority act in others' parts.

        Raises:
            UnknownError
        """
        self.carry_out(tx, lifecycle.take(await self.known(tx, notice_id), taker, parts, at))

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

    async def settle_unrouted(
        self, tx: Transaction, before: Notice, after: Notice, *, by: str, resolution: str, settled: bool = False
    ) -> None:
        """Close the places that waited and wait no longer; `settled`: a coordinator has dealt with them."""
        if before.unrouted:
            await Notices(tx).resolve_unrouted(
                after.notice_id, after.unrouted, at=tx.clock.now(), by=by, resolution=resolution, settled=settled
            )

    def record(
        self,
        tx: Transaction,
        notice_id: UUID,
        act: ActKind,
        by: str,
        reason: str | None = None,
        *,
        authority: str | None = None,
        municipality: str | None = None,
        other_id: UUID | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        """Record an act of a coordinator: who, when, why."""
        Acts(tx).add(
            NoticeActRow(
                notice_id=notice_id,
                act=act,
                by=by,
                at=tx.clock.now(),
                reason=reason,
                authority=authority,
                municipality=municipality,
                other_id=other_id,
                outcome=outcome,
            )
        )

    def carry_out(
        self,
        tx: Transaction,
        change: Change,
        *,
        filed_by: str | None = None,
        over: bool = False,
        again: bool = False,
    ) -> None:
        """Keep what follows from an act, and tell the offices.

        `filed_by`: who filed its newest revision, when that is new; `over`: it releases nobody to the labour market any
        more; `again`: it does so again.
        """
        notice = change.notice
        Notices(tx).save(notice, filed_by=filed_by)
        for office, event in change.events:
            tx.publish(event, to=office)
        for authority in change.emails:
            Deliveries(tx).queue(self._delivery(notice, authority, tx.clock.now()))
        if filed_by is not None or over or again:
            released = workforce_released(notice.notice_id, notice.version, notice.filing, over=over)
            if released is not None:
                tx.publish(released)

    def _delivery(self, notice: Notice, authority: str, at: datetime) -> Delivery:
        has_address = bool(self.book.authorities.authorities[authority].email)
        return Delivery(
            delivery_id=derived_id("delivery", notice.notice_id, authority, notice.version),
            notice_id=notice.notice_id,
            authority=authority,
            version=notice.version,
            state=DeliveryState.QUEUED if has_address else DeliveryState.NO_ADDRESS,
            next_attempt_at=at,
        )
