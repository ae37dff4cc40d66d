"""What coordinators do where a notice would otherwise end nowhere. Each act is recorded: who, when, why."""

from dataclasses import dataclass
from uuid import UUID

from services.change_security.domain import merging, resolution
from services.change_security.domain.notice import Notice
from services.change_security.domain.routing import Unrouted
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.plan_commands import unite_plans
from services.change_security.joint.resolution_store import Oversight, record
from services.change_security.joint.store import Notices
from services.change_security.joint.tables import ActKind, OverdueRow
from shared.errors import UnknownError
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class Coordination:
    """The coordinators' acts on notices of the joint office."""

    office: JointOffice

    async def release(self, tx: Transaction, notice_id: UUID, authority: str, by: str, reason: str) -> Notice:
        """Release an authority by hand.

        Raises:
            UnknownError, ConflictError
        """
        before = await self.office.known(tx, notice_id)
        change = resolution.release(before, authority, tx.clock.now())
        notice = await self.office.carry_out(tx, change)
        record(tx, before.notice_id, ActKind.AUTHORITY_RELEASED, by, reason, authority=authority)
        return notice

    async def insist(self, tx: Transaction, notice_id: UUID, authority: str, by: str, reason: str) -> Notice:
        """Ask an authority again that has declined.

        Raises:
            UnknownError, ConflictError
        """
        before = await self.office.known(tx, notice_id)
        change = resolution.insist(before, authority, reason, tx.clock.now(), await self.office.agreed_book(tx))
        notice = await self.office.carry_out(tx, change)
        record(tx, before.notice_id, ActKind.INSISTED, by, reason, authority=authority)
        return notice

    async def dismiss(self, tx: Transaction, notice_id: UUID, place: Unrouted, by: str, reason: str) -> Notice:
        """Take a place out of the unrouted queue.

        Raises:
            UnknownError, ConflictError
        """
        before = await self.office.known(tx, notice_id)
        change = resolution.dismiss(before, place)
        notice = await self.office.carry_out(tx, change)
        dismissed = f"dismissed: {reason}"
        await self.office.settle_unrouted(tx, before, notice, by=by, resolution=dismissed, settled=True)
        record(tx, before.notice_id, ActKind.PLACE_DISMISSED, by, reason, municipality=place.municipality)
        return notice

    async def restore(self, tx: Transaction, notice_id: UUID, place: Unrouted, by: str, reason: str) -> Notice:
        """Put a place into the unrouted queue again.

        Raises:
            UnknownError, ConflictError
        """
        before = await self.office.known(tx, notice_id)
        change = resolution.restore(before, place)
        notice = await self.office.carry_out(tx, change)
        record(tx, before.notice_id, ActKind.PLACE_RESTORED, by, reason, municipality=place.municipality)
        return notice

    async def reopen(self, tx: Transaction, notice_id: UUID, by: str, reason: str) -> Notice:
        """Open a notice again that was withdrawn or closed by mistake.

        Raises:
            UnknownError, ConflictError
        """
        before = await self.office.known(tx, notice_id)
        change = resolution.reopen(before, reason, tx.clock.now(), await self.office.agreed_book(tx))
        notice = await self.office.carry_out(tx, change, again=True)
        record(tx, before.notice_id, ActKind.REOPENED, by, reason)
        return notice

    async def merge(self, tx: Transaction, notice_id: UUID, absorbed_id: UUID, by: str, reason: str) -> Notice:
        """Make two notices one; `absorbed_id` leads to the other from then on.

        Raises:
            UnknownError, RefusedError, ConflictError
        """
        kept, absorbed = await self._both(tx, notice_id, absorbed_id)
        both = merging.merge(kept, absorbed, tx.clock.now(), await self.office.agreed_book(tx))
        notice = await self.office.carry_out(tx, both.kept)
        await self.office.carry_out(tx, both.absorbed, over=True)
        await unite_plans(tx, notice, absorbed)
        record(tx, notice_id, ActKind.MERGED, by, reason, other_id=absorbed_id)
        return notice

    async def unmerge(self, tx: Transaction, notice_id: UUID, absorbed_id: UUID, by: str, reason: str) -> Notice:
        """Make one notice two again.

        Raises:
            UnknownError, ConflictError
        """
        kept, absorbed = await self._both(tx, notice_id, absorbed_id)
        both = merging.unmerge(kept, absorbed, reason, tx.clock.now(), await self.office.agreed_book(tx))
        # First the one that leaves: from then on its filer is answered for itself alone.
        await self.office.carry_out(tx, both.absorbed, again=True)
        notice = await self.office.carry_out(tx, both.kept)
        for one, other in ((notice_id, absorbed_id), (absorbed_id, notice_id)):
            record(tx, one, ActKind.UNMERGED, by, reason, other_id=other)
        return notice

    async def link(self, tx: Transaction, notice_id: UUID, proposal_id: UUID, by: str, reason: str) -> Notice:
        """Link a notice of terminations to the proposal that it follows. What is merged leads to what continues.

        Raises:
            UnknownError, RefusedError
        """
        await Notices(tx).load([notice_id, proposal_id])
        notice, proposal = await self.office.known(tx, notice_id), await self.office.known(tx, proposal_id)
        change = merging.link(notice, proposal)
        await Notices(tx).save_link(change.notice)
        self._record_both(tx, ActKind.LINKED, notice.notice_id, proposal.notice_id, by, reason)
        return change.notice

    async def unlink(self, tx: Transaction, notice_id: UUID, by: str, reason: str) -> Notice:
        """Undo the link of a notice of terminations to a proposal, and those of the notices merged into it.

        Raises:
            UnknownError, ConflictError
        """
        notice = await self.office.known(tx, notice_id)
        await Notices(tx).load(notice.absorbed)
        absorbed = [await Notices(tx).get(absorbed_id) for absorbed_id in notice.absorbed]
        linked = [one for one in (notice, *absorbed) if one is not None and one.relates_to is not None]
        for one in linked or [notice]:
            await Notices(tx).save_link(merging.unlink(one).notice)
            if one.relates_to is not None:
                self._record_both(tx, ActKind.UNLINKED, one.notice_id, one.relates_to, by, reason)
        return await self.office.known(tx, notice.notice_id)

    async def keep_apart(self, tx: Transaction, notice_id: UUID, other_id: UUID, by: str, reason: str) -> None:
        """Say that two notices are neither one nor of one matter: they are suggested no more.

        Raises:
            UnknownError
        """
        await self._both(tx, notice_id, other_id)
        self._record_both(tx, ActKind.KEPT_APART, notice_id, other_id, by, reason)

    async def note_overdue(self, tx: Transaction, overdue_id: UUID, by: str, note: str) -> OverdueRow:
        """Enter that a coordinator has looked into an overdue receipt.

        Raises:
            UnknownError
        """
        row = await Oversight(tx).lock_overdue(overdue_id)
        if row is None:
            raise UnknownError("overdue receipt")
        row.acknowledged_at, row.acknowledged_by, row.note = tx.clock.now(), by, note
        record(tx, row.notice_id, ActKind.OVERDUE_NOTED, by, note, authority=row.authority)
        return row

    async def _both(self, tx: Transaction, first_id: UUID, second_id: UUID) -> tuple[Notice, Notice]:
        await Notices(tx).load([first_id, second_id])
        first, second = await Notices(tx).get(first_id), await Notices(tx).get(second_id)
        if first is None or second is None:
            raise UnknownError("notice")
        return first, second

    def _record_both(
        self, tx: Transaction, act: ActKind, first_id: UUID, second_id: UUID, by: str, reason: str
    ) -> None:
        for one, other in ((first_id, second_id), (second_id, first_id)):
            record(tx, one, act, by, reason, other_id=other)
