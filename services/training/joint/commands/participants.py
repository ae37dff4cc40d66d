"""Who takes part in a joint-procurement training beside applicants, and who has attended how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.training.catalogue import Catalogue
from services.training.domain.attendance import (
    Attended,
    Participant,
    check_attendance,
    check_drop_out,
    check_participant,
    check_removal,
    check_return,
)
from services.training.domain.course import check_not_ended
from services.training.domain.seats import Actor, check_free_seat
from services.training.joint.commands.seats import JointSeats
from services.training.joint.procurement_store import Accounts, Participants
from services.training.joint.store import Decisions, Procurement, Queue
from services.training.joint.tables import AttendanceRow, ParticipantRow
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import derived_id
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointParticipants:
    """Enters own staff of employers, and the attendance of everyone."""

    seats: JointSeats

    async def add(self, tx: Transaction, proposal_id: UUID, participant: Participant, actor: Actor) -> ParticipantRow:
        """Let own staff take part in the training that their employer has proposed.

        Raises:
            UnknownError: no such proposal.
            RefusedError: the authority is unknown, or a reference is of more than one.
            ConflictError: the training is for no own staff, is rejected, or has no seat left.
        """
        group_id = await self._locked_group(tx, proposal_id)
        proposal = await Procurement(tx).lock(proposal_id)
        if proposal is None:
            raise UnknownError("proposal")
        if proposal.group_id != group_id:
            raise ConflictError("stale-predecessor", "Another change came before.")
        taken = sum(row.seats for row in await Participants(tx).of(proposal_id))
        check_participant(participant, proposal.proposed, proposal.state, taken, frozenset(self.seats.offices))
        if group_id is not None:
            group = await Catalogue(tx).group(group_id)
            check_not_ended(group)
            check_free_seat(group.group.seats, await self.seats.taken(tx, group_id) + participant.people - 1)
        row = ParticipantRow(
            participant_id=derived_id("participant", tx.cause),
            proposal_id=proposal_id,
            people=participant.people,
            participant=participant,
            added_by=actor.name,
            added_at=tx.clock.now(),
        )
        Participants(tx).add(row)
        return row

    async def remove(self, tx: Transaction, participant_id: UUID, actor: Actor, reason: str) -> ParticipantRow:
        """Take own staff out again; the seats that become free are offered.

        Raises:
            UnknownError: no such participant.
            ConflictError: they are taken out already, or have attended.
        """
        proposal_id = (await Participants(tx).get(participant_id)).proposal_id
        group_id = await self._locked_group(tx, proposal_id)
        row = await Participants(tx).get(participant_id, lock=True)
        check_removal(row.removed_at, await Accounts(tx).attended(participant_id))
        row.removed_at = tx.clock.now()
        Decisions(tx).enter(proposal_id, "participant removed", reason, actor)
        if group_id is not None:
            await self.seats.fill(tx, (await Catalogue(tx).group(group_id)).course_id)
        return row

    async def drop_out(self, tx: Transaction, participant_id: UUID, actor: Actor, reason: str) -> ParticipantRow:
        """Enter that own staff have left a running group; within the late entry days the seats are offered on.

        Raises:
            UnknownError: no such participant.
            ConflictError: they do not take part any more, or the group is not running.
        """
        proposal_id = (await Participants(tx).get(participant_id)).proposal_id
        group_id = await self._locked_group(tx, proposal_id)
        row = await Participants(tx).get(participant_id, lock=True)
        group = await Catalogue(tx).group(group_id) if group_id is not None else None
        check_drop_out(group.state if group else None, row.removed_at, row.dropped_out_at)
        row.dropped_out_at = tx.clock.now()
        Decisions(tx).enter(proposal_id, "participant dropped out", reason, actor)
        if group is not None:
            await self.seats.fill(tx, group.course_id)
        return row

    async def come_back(self, tx: Transaction, participant_id: UUID, actor: Actor, reason: str) -> ParticipantRow:
        """Take a drop-out back: own staff have free seats of their group again.

        Raises:
            UnknownError: no such participant.
            ConflictError: they have not dropped out, the group is not running, or has not so many seats left.
        """
        proposal_id = (await Participants(tx).get(participant_id)).proposal_id
        group_id = await self._locked_group(tx, proposal_id)
        row = await Participants(tx).get(participant_id, lock=True)
        if group_id is None:
            raise ConflictError("not-dropped-out", "They have not dropped out.")
        group = await Catalogue(tx).group(group_id)
        check_return(group.state, row.dropped_out_at)
        check_free_seat(group.group.seats, await self.seats.taken(tx, group_id) + row.people - 1)
        row.dropped_out_at = None
        Decisions(tx).enter(proposal_id, "participant came back", reason, actor)
        return row

    async def attend(self, tx: Transaction, group_id: UUID, attended: Sequence[Attended], actor: Actor) -> None:
        """Enter how many training days holders of seats have attended so far. What was entered before is kept.

        Raises:
            UnknownError: no such group.
            ConflictError: it has not begun.
            RefusedError: somebody holds no seat of the group, or has attended more days than it lasts.
        """
        group, _ = await Catalogue(tx).locked_group(group_id)
        staff = await Participants(tx).in_group(group_id)
        holders = {*await Queue(tx).holders(group_id), *(row.participant_id for row in staff)}
        check_attendance(attended, holders, group.state, group.group)
        for number, one in enumerate(attended):
            entry = AttendanceRow(
                entry_id=derived_id("attendance", tx.cause, number),
                group_id=group_id,
                holder_id=one.holder_id,
                days=one.days,
                recorded_by=actor.name,
                recorded_at=tx.clock.now(),
            )
            Accounts(tx).attend(entry)

    async def _locked_group(self, tx: Transaction, proposal_id: UUID) -> UUID | None:
        """Lock the course of a proposal that is planned; return its group."""
        proposal = await Procurement(tx).get(proposal_id)
        if proposal is None:
            raise UnknownError("proposal")
        if proposal.group_id is not None:
            await Catalogue(tx).locked_group(proposal.group_id)
        return proposal.group_id
