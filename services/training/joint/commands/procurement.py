"""Joint procurement: employers' proposals, their preliminary plans, and what seats cost each home authority."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.training.domain.course import CourseGroup
from services.training.domain.procurement import (
    EmployerShare,
    GroupStatement,
    Proposal,
    ProposalState,
    ShareRule,
    account,
    check,
    check_open,
    course_of,
    employer_share,
)
from services.training.domain.seats import Actor, check_free_seat
from services.training.joint.commands.catalogue import JointCatalogue
from services.training.joint.procurement_store import Accounts, Participants
from services.training.joint.store import Decisions, Procurement
from services.training.joint.tables import ProposalRow
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.training import Group
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointProcurement:
    """Takes proposals and makes plans of them. `rules`: the employers' shares of a price, each with its dates."""

    catalogue: JointCatalogue
    rules: tuple[ShareRule, ...]

    def share_of(self, proposal: Proposal) -> EmployerShare | None:
        """Return what the employer would pay; None without a rule."""
        return employer_share(self.rules, proposal)

    async def propose(self, tx: Transaction, proposal: Proposal, by: str) -> UUID:
        """Record an employer's proposal; return its id.

        Raises:
            RefusedError: a condition of joint procurement is not met.
        """
        check(proposal)
        row = ProposalRow(
            proposal_id=derived_id("proposal", tx.cause),
            proposed=proposal,
            proposed_by=by,
            proposed_at=tx.clock.now(),
            state=ProposalState.PROPOSED,
        )
        Procurement(tx).add(row)
        return row.proposal_id

    async def plan(self, tx: Transaction, proposal_id: UUID, details: Group, actor: Actor) -> CourseGroup:
        """Make the preliminary plan of a proposal: a course and a planned group, which then goes its way.

        Raises:
            UnknownError: no such proposal.
            ConflictError: it is planned or rejected already, or the group is not well formed or has too few
                seats for the own staff.
        """
        proposal = await self._open(tx, proposal_id)
        staff = sum(row.seats for row in await Participants(tx).of(proposal_id))
        check_free_seat(details.seats, staff - 1)
        course_id = derived_id(proposal_id, "course")
        await self.catalogue.publish_course(tx, course_id, course_of(proposal.proposed, details), 0)
        group = await self.catalogue.add_group(tx, derived_id(proposal_id, "group"), course_id, details)
        proposal.group_id = group.group_id
        self._decide(tx, proposal, ProposalState.PLANNED, actor, "")
        return group

    async def reject(self, tx: Transaction, proposal_id: UUID, actor: Actor, reason: str) -> None:
        """Reject a proposal, with a reason.

        Raises:
            UnknownError: no such proposal.
            ConflictError: it is planned or rejected already.
        """
        self._decide(tx, await self._open(tx, proposal_id), ProposalState.REJECTED, actor, reason)

    async def account(self, tx: Transaction, since: date, until: date) -> list[GroupStatement]:
        """Account for the seats of groups that start within the days, by home authority."""
        return account(await Accounts(tx).used(since, until), self.rules)

    def _decide(self, tx: Transaction, proposal: ProposalRow, state: ProposalState, actor: Actor, reason: str) -> None:
        proposal.state = state
        Decisions(tx).enter(proposal.proposal_id, state, reason, actor)

    async def _open(self, tx: Transaction, proposal_id: UUID) -> ProposalRow:
        proposal = await Procurement(tx).lock(proposal_id)
        if proposal is None:
            raise UnknownError("proposal")
        check_open(proposal.state)
        return proposal
