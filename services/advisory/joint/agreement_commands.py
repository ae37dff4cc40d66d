"""The agreement at the joint office: its versions, the operating model, decisions, and what every service reads."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.advisory.domain.agreement import (
    NOTHING,
    DecisionState,
    FirstAgreement,
    Proposal,
    Results,
    check_confirmation,
    check_proposal,
    must_be_proposed,
    publication,
    results_of,
    results_of_taking_back,
)
from services.advisory.domain.governance import (
    AgendaItem,
    check_decided_at,
    check_open,
    must_be_member,
    must_be_of_group,
)
from services.advisory.domain.operating_model import ModelTexts
from services.advisory.joint.agreement_store import AgreementTexts, Decisions, OperatingModels
from services.advisory.joint.governance_store import Meetings, Members
from services.advisory.joint.tables import AgreementTextRow, DecisionRow, OperatingModelRow
from shared.agreement import Agreements
from shared.calendar import local_day
from shared.errors import ConflictError, ForbiddenError, RefusedError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.agreement import Agreement, AgreementPublished, DecisionRef
from shared.identity import RULE, Officer
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointAgreement:
    """The agreement and the decisions on it.

    Attributes:
        first: the agreement as it was signed.
        authorities: those of the region.
    """

    first: FirstAgreement
    authorities: frozenset[str]

    async def publish_first(self, tx: Transaction) -> None:
        """Publish the agreement as it was signed, unless an edition is kept already."""
        if (await Agreements(tx).figures()).published is not None:
            return
        await AgreementTexts(tx).add_first(self.first.agreement, RULE)
        await self._publish(tx)

    async def _publish(self, tx: Transaction) -> AgreementPublished:
        published = publication(self.first, [row.results or NOTHING for row in await Decisions(tx).taken()])
        await Agreements(tx).keep(published)
        tx.publish(published)
        return published

    async def write_version(self, tx: Transaction, agreement: Agreement, by: str) -> AgreementTextRow:
        """Write the next version of the agreement; a decision of the management group puts it in force.

        Raises:
            RefusedError: a party or a share is of none of the region's authorities.
        """
        named = {party.authority for party in agreement.parties} | {share.authority for share in agreement.shares}
        if not named <= self.authorities:
            raise RefusedError("/parties", "no-such-authority", "Unknown authority.")
        await Agreements(tx).lock()  # one number after the other
        row = AgreementTextRow(
            version=await AgreementTexts(tx).newest() + 1,
            agreement=agreement,
            written_by=by,
            written_at=tx.clock.now(),
        )
        AgreementTexts(tx).write(row)
        return row

    async def write_model(self, tx: Transaction, texts: ModelTexts, by: str) -> OperatingModelRow:
        """Write the next version of the operating model; a decision of the management group confirms it."""
        await Agreements(tx).lock()
        row = OperatingModelRow(
            version=await OperatingModels(tx).newest() + 1, texts=texts, written_by=by, written_at=tx.clock.now()
        )
        OperatingModels(tx).write(row)
        return row

    async def propose(self, tx: Transaction, proposal: Proposal, by: Officer) -> DecisionRow:
        """Propose a decision; with a meeting, it is put on the meeting's agenda.

        Raises:
            UnknownError: no such meeting.
            RefusedError: it cannot be decided.
            ConflictError: the meeting takes nothing more on its agenda, or is another group's.
        """
        check_proposal(proposal, self.authorities, local_day(tx.clock.now()))
        await self._check_named(tx, proposal)
        row = DecisionRow(
            decision_id=derived_id("decision", tx.cause),
            group_name=proposal.group,
            state=DecisionState.PROPOSED,
            proposal=proposal,
            proposed_by=by.actor,
            proposed_at=tx.clock.now(),
        )
        if proposal.meeting_id is not None:
            meeting = await Meetings(tx).get(proposal.meeting_id, lock=True)
            if meeting is None:
                raise UnknownError("meeting")
            check_open(meeting)
            must_be_of_group(meeting, proposal.group)
            meeting.agenda = (*meeting.agenda, AgendaItem(title=proposal.title, decision_id=row.decision_id))
        Decisions(tx).add(row)
        return row

    async def _check_named(self, tx: Transaction, proposal: Proposal) -> None:
        """Check that the texts and the decision that a proposal names are there.

        Raises:
            RefusedError: one is not; or another group's decision is to be taken back.
        """
        version, model, earlier = proposal.agreement_version, proposal.operating_model, proposal.takes_back
        if version is not None and await AgreementTexts(tx).get(version) is None:
            raise RefusedError("/agreement_version", "unknown-version", "There is no such version.")
        if model is not None and await OperatingModels(tx).get(model) is None:
            raise RefusedError("/operating_model", "unknown-version", "There is no such version.")
        if earlier is None:
            return
        row = await Decisions(tx).get(earlier)
        if row is None or row.state is not DecisionState.TAKEN:
            raise RefusedError("/takes_back", "not-taken", "There is no such decision that was taken.")
        if row.group_name is not proposal.group:
            raise RefusedError("/takes_back", "other-group", "The group that took a decision takes it back.")

    async def confirm(self, tx: Transaction, decision_id: UUID, by: Officer) -> DecisionRow:
        """Take a proposed decision: what it says is published, and in force from its day on in every service.

        Raises:
            UnknownError
            ForbiddenError: the officer is no member of the group, or wrote what is decided.
            ConflictError: it was decided on already, its day has passed, or its meeting lies ahead.
        """
        figures = await Agreements(tx).lock()
        row = await self.get(tx, decision_id, lock=True)
        today, proposal = local_day(tx.clock.now()), row.proposal
        version, model = await self._texts(tx, proposal)
        writers = {text.written_by for text in (version, model) if text is not None}
        is_member = await Members(tx).is_member(row.group_name, by.subject, today)
        check_confirmation(row, by.actor, writers, today, is_member=is_member)
        await self._check_meeting(tx, row, today)
        ref = DecisionRef(decision_id=decision_id, group=row.group_name, reference=proposal.reference, decided_on=today)
        published = figures.published
        if published is None:
            raise ConflictError("not-published", "The agreement is not published yet.")
        row.results = self._results(published, proposal, ref, version)
        row.state, row.edition = DecisionState.TAKEN, published.edition + 1
        row.decided_by, row.decided_on = by.actor, today
        await self._publish(tx)
        return row

    @staticmethod
    def _results(
        published: AgreementPublished, proposal: Proposal, ref: DecisionRef, version: AgreementTextRow | None
    ) -> Results:
        if proposal.takes_back is not None:
            return results_of_taking_back(published, proposal.takes_back, proposal.valid_from, ref)
        return results_of(proposal, ref, version.agreement if version is not None else None)

    @staticmethod
    async def _texts(tx: Transaction, proposal: Proposal) -> tuple[AgreementTextRow | None, OperatingModelRow | None]:
        version, model = proposal.agreement_version, proposal.operating_model
        return (
            await AgreementTexts(tx).get(version) if version is not None else None,
            await OperatingModels(tx).get(model) if model is not None else None,
        )

    @staticmethod
    async def _check_meeting(tx: Transaction, row: DecisionRow, today: date) -> None:
        if row.proposal.meeting_id is None:
            return
        meeting = await Meetings(tx).get(row.proposal.meeting_id, lock=True)
        if meeting is None:
            raise UnknownError("meeting")
        check_decided_at(meeting, row.group_name, today)

    async def reject(self, tx: Transaction, decision_id: UUID, reason: str, by: Officer) -> DecisionRow:
        """Turn a proposed decision down, with a reason. It can be proposed anew.

        Raises:
            UnknownError
            ForbiddenError: the officer is no member of the group.
            ConflictError: it was decided on already.
        """
        row = await self.get(tx, decision_id, lock=True)
        today = local_day(tx.clock.now())
        must_be_member(is_member=await Members(tx).is_member(row.group_name, by.subject, today))
        return self._end(row, DecisionState.REJECTED, reason, by, today)

    async def withdraw(self, tx: Transaction, decision_id: UUID, reason: str, by: Officer) -> DecisionRow:
        """Withdraw an own proposal before it is decided on.

        Raises:
            UnknownError
            ForbiddenError: another officer proposed it.
            ConflictError: it was decided on already.
        """
        row = await self.get(tx, decision_id, lock=True)
        if by.actor != row.proposed_by:
            raise ForbiddenError("not-the-proposer", "Only the officer who proposed it withdraws it.")
        return self._end(row, DecisionState.WITHDRAWN, reason, by, local_day(tx.clock.now()))

    @staticmethod
    def _end(row: DecisionRow, state: DecisionState, reason: str, by: Officer, today: date) -> DecisionRow:
        must_be_proposed(row)
        row.state, row.reason, row.decided_by, row.decided_on = state, reason, by.actor, today
        return row

    async def get(self, tx: Transaction, decision_id: UUID, *, lock: bool = False) -> DecisionRow:
        """Return a decision.

        Raises:
            UnknownError
        """
        row = await Decisions(tx).get(decision_id, lock=lock)
        if row is None:
            raise UnknownError("decision")
        return row
