"""Candidates for groups: asked for from the jobseeker pools, through placement, and invited through their city."""

from dataclasses import dataclass
from uuid import UUID

from services.training.catalogue import Catalogue
from services.training.domain.course import check_not_ended
from services.training.domain.supply import check_occupation
from services.training.joint.store import Candidates
from services.training.joint.tables import InvitationRow
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.placement import CandidatesGathered, Wanted
from shared.events.v1.training import ApplicantInvited, CandidatesWanted, InvitationAnswered
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointCandidates:
    """Asks for candidates and invites them. `offices`: those whose pools are asked."""

    offices: tuple[str, ...]

    async def ask(self, tx: Transaction, group_id: UUID, wanted: Wanted, at_most: int) -> UUID:
        """Ask placement for candidates from the jobseeker pools; return the request's id.

        Raises:
            UnknownError: no such group.
            ConflictError: it has ended.
            RefusedError: nobody can be looked for by the occupation.
        """
        check_occupation(wanted.occupation, "/wanted/occupation")
        check_not_ended(await Catalogue(tx).group(group_id))
        request_id = derived_id("candidates", tx.cause)
        await Candidates(tx).ask(request_id, group_id, self.offices)
        tx.publish(CandidatesWanted(group_id=group_id, request_id=request_id, wanted=wanted, at_most=at_most))
        return request_id

    async def enter(self, tx: Transaction, event: CandidatesGathered) -> bool:
        """Enter a pool's answer; the first one counts. False when that pool was not asked."""
        asked = await Candidates(tx).lock(event.request_id, event.office)
        if asked is None:
            return False
        if asked.received_at is None:
            asked.candidates, asked.received_at = event.candidates, tx.clock.now()
        return True

    async def invite(self, tx: Transaction, group_id: UUID, office: str, reference: str) -> InvitationRow:
        """Invite a candidate to apply: the owning city is told, which alone knows who it is.

        Raises:
            UnknownError: no such group, or no pool answered with that candidate.
            ConflictError: the candidate was invited before.
        """
        group = await Catalogue(tx).group(group_id)
        answers = await Candidates(tx).answers(group_id, office)
        if reference not in {candidate.reference for pool in answers for candidate in pool.candidates or ()}:
            raise UnknownError("candidate")
        invitation = InvitationRow(
            invitation_id=derived_id("invitation", tx.cause),
            group_id=group_id,
            office=office,
            reference=reference,
            invited_at=tx.clock.now(),
        )
        if not await Candidates(tx).invite(invitation):
            raise ConflictError("invited", "The candidate is invited already.")
        event = ApplicantInvited(
            invitation_id=invitation.invitation_id, group_id=group_id, course_id=group.course_id, reference=reference
        )
        tx.publish(event, to=office)
        return invitation

    async def enter_invitation_answer(self, tx: Transaction, event: InvitationAnswered) -> None:
        """Enter what came of an invitation. The newest answer counts.

        Raises:
            UnknownError: there is no such invitation to a jobseeker of that office.
        """
        invitation = await Candidates(tx).invitation(event.invitation_id, event.office)
        if invitation is None:
            raise UnknownError("invitation")
        if invitation.answered_at is None or invitation.answered_at < event.answered_at:
            invitation.answer, invitation.answered_at = event.answer, event.answered_at
