"""What can be done to a matter at the joint office, each inside one transaction: decided by the domain, kept by the
store, told through the outbox. The HTTP API and the message handlers both come here.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.change_security.domain import matter as course
from services.change_security.domain.filing import has_business_id
from services.change_security.domain.matter import Change, ConflictError, Matter, Receipt, Rulebook
from services.change_security.domain.release import workforce_released
from services.change_security.domain.routing import AuthorityTable
from services.change_security.store import Deliveries, Directory, Notices
from shared import topics
from shared.errors import RefusedError
from shared.events.envelope import derived_id
from shared.events.v1.change_security import Filing, Outcome, ReceiptOverdue
from shared.messaging.transaction import Transaction
from shared.telemetry import current_trace_id

AUTHORITY: Final = "authority:"
"""Begins the name of a filer that is a city of the region: each may revise what another filed."""


class UnknownNoticeError(LookupError):
    """There is no such notice at the joint office."""


def check(filing: Filing) -> None:
    """Refuse what is not a filing of an employer.

    Raises:
        RefusedError: the business id is wrong.
    """
    if not has_business_id(filing):
        raise RefusedError("/employer/business_id", "wrong-business-id", "The business id (Y-tunnus) is not valid.")


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

    async def file(
        self, tx: Transaction, notice_id: UUID, filing: Filing, receipt: Receipt, *, registered_by: str | None = None
    ) -> Matter:
        """Open a matter and send it to every authority it concerns. The notice must be new.

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
        change = course.file(
            notice_id, filing, receipt, self.book, trace_id=current_trace_id(), registered_by=registered_by
        )
        self._carry_out(tx, change, filed_by=receipt.filed_by)
        return await self._apply_waiting(tx, change.matter)

    async def revise(self, tx: Transaction, notice_id: UUID, filing: Filing, predecessor: int, filed_by: str) -> Matter:
        """Put a new revision in force.

        Raises:
            UnknownNoticeError, RefusedError
            ConflictError: the predecessor is not the newest revision, or the matter is no longer open.
        """
        check(filing)
        before = await self.known(tx, notice_id)
        change = course.revise(before, filing, predecessor, tx.clock.now(), self.book)
        self._carry_out(tx, change, filed_by=filed_by)
        await self._settle_unrouted(tx, before, change.matter, by=filed_by, resolution="revised")
        return await self._apply_waiting(tx, change.matter)

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
            raise ConflictError("stale_predecessor", "Another revision of that number waits already.")
        Notices(tx).keep_waiting(notice_id, revision, filing, filed_by, tx.clock.now())

    async def _apply_waiting(self, tx: Transaction, matter: Matter) -> Matter:
        filers = (matter.receipt.filed_by, AUTHORITY)
        while waiting := await Notices(tx).take_waiting(matter.notice_id, matter.revision + 1, *filers):
            filing, filed_by = waiting
            change = course.revise(matter, filing, matter.revision, tx.clock.now(), self.book)
            self._carry_out(tx, change, filed_by=filed_by)
            await self._settle_unrouted(tx, matter, change.matter, by=filed_by, resolution="revised")
            matter = change.matter
        return matter

    async def withdraw(self, tx: Transaction, notice_id: UUID, by: str) -> Matter:
        """End a matter that the employer has withdrawn.

        Raises:
            UnknownNoticeError
            ConflictError: the matter is closed.
        """
        before = await self.known(tx, notice_id)
        change = course.withdraw(before, tx.clock.now())
        self._carry_out(tx, change, over=True)
        await self._settle_unrouted(tx, before, change.matter, by=by, resolution="withdrawn")
        return change.matter

    async def close(self, tx: Transaction, notice_id: UUID, outcome: Outcome, by: str) -> Matter:
        """End a matter with or without terminations.

        Raises:
            UnknownNoticeError
            ConflictError: the matter has ended otherwise.
        """
        before = await self.known(tx, notice_id)
        change = course.close(before, outcome, tx.clock.now())
        self._carry_out(tx, change, over=outcome is Outcome.NO_TERMINATIONS)
        await self._settle_unrouted(tx, before, change.matter, by=by, resolution="closed")
        return change.matter

    async def add_authority(
        self, tx: Transaction, notice_id: UUID, authority: str, *, by: str, municipality: str | None, reason: str
    ) -> Matter:
        """Send a notice to an authority that a coordinator names; `municipality` leaves the queue of the unrouted.

        Raises:
            UnknownNoticeError
            ConflictError: no such authority, or the matter is no longer open.
        """
        before = await self.known(tx, notice_id)
        change = course.add_authority(before, authority, tx.clock.now(), self.book)
        self._carry_out(tx, change)
        keep = [found for found in before.unrouted if (found.municipality or "") != municipality]
        await Notices(tx).resolve_unrouted(
            notice_id, keep, at=tx.clock.now(), by=by, resolution=f"assigned to {authority}: {reason}"
        )
        return change.matter

    async def take(self, tx: Transaction, notice_id: UUID, taker: str, parts: tuple[str, ...], at: datetime) -> None:
        """Let an authority act in others' parts.

        Raises:
            UnknownNoticeError
        """
        self._carry_out(tx, course.take(await self.known(tx, notice_id), taker, parts, at))

    async def escalate(self, tx: Transaction, limit: int = 200) -> list[str]:
        """Tell offices about receipts that are overdue, once for each. Return what was awaited, one for each."""
        now = tx.clock.now()
        notices = Notices(tx)
        due = await notices.due_entries(now, limit)
        await notices.load_entries(due)
        awaited: list[str] = []
        for notice_id, authority in due:
            entry = await notices.entry(notice_id, authority)
            awaiting = entry.overdue(now) if entry else None
            if entry is None or awaiting is None or awaiting == entry.escalated:
                continue
            notices.save_entry(notice_id, replace(entry, escalated=awaiting))
            awaited.append(awaiting)
            if entry.office is not None:
                tx.publish(
                    ReceiptOverdue(
                        notice_id=notice_id,
                        version=entry.version_sent,
                        revision=entry.revision_sent,
                        authority=authority,
                        awaiting=awaiting,
                        due_at=entry.store_by if awaiting == "stored" else entry.acknowledge_by,
                    ),
                    to=topics.CHANGE_SECURITY_TO,
                    office=entry.office,
                )
        return awaited

    async def known(self, tx: Transaction, notice_id: UUID) -> Matter:
        """Return a matter to be changed, locked.

        Raises:
            UnknownNoticeError
        """
        matter = await Notices(tx).get(notice_id)
        if matter is None:
            raise UnknownNoticeError
        return matter

    async def _settle_unrouted(
        self, tx: Transaction, before: Matter, after: Matter, *, by: str, resolution: str
    ) -> None:
        if before.unrouted:
            await Notices(tx).resolve_unrouted(
                after.notice_id, after.unrouted, at=tx.clock.now(), by=by, resolution=resolution
            )

    def _carry_out(self, tx: Transaction, change: Change, *, filed_by: str | None = None, over: bool = False) -> None:
        matter = change.matter
        Notices(tx).save(matter, filed_by=filed_by)
        for office, event in change.told:
            tx.publish(event, to=topics.CHANGE_SECURITY_TO, office=office)
        for authority in change.mailed:
            Deliveries(tx).queue(
                derived_id("delivery", matter.notice_id, authority, matter.version),
                matter.notice_id,
                authority,
                matter.version,
                has_address=bool(self.book.authorities.authorities[authority].email),
            )
        if filed_by is not None or over:
            released = workforce_released(matter.notice_id, matter.version, matter.filing, over=over)
            if released is not None:
                tx.publish(released, to=topics.CHANGE_SECURITY_SHARED)
