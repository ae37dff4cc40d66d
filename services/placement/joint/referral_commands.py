"""What the joint office does with referrals and job offers, each inside one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.placement.domain import referral as decisions
from services.placement.domain.offer_rules import OfferRule, rule_for
from services.placement.joint.commands import JointVacancies
from services.placement.joint.store import Assignment, Assignments, Referrals, Vacancies
from services.placement.joint.tables import OfferRow, ReferralRow
from shared.calendar import local_day
from shared.errors import ConflictError, UnknownError, UnprocessableError
from shared.events.envelope import derived_id
from shared.events.v1.placement import (
    ConsentEnded,
    JobOfferAnswered,
    JobOfferConsequence,
    JobOfferMade,
    JobOfferWithdrawn,
    OfferState,
    ReferralAnswered,
    ReferralEnded,
    ReferralOutcome,
    ReferralRequested,
    ReferralState,
)
from shared.messaging.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Referred:
    """A referral with its job offers, the oldest first."""

    row: ReferralRow
    offers: Sequence[OfferRow]


@dataclass(frozen=True, slots=True)
class JointReferrals:
    """Referrals of candidates, and job offers to them.

    Attributes:
        vacancies: whose positions a hiring fills.
        rules: what the answer to a binding offer leads to, and from when.
    """

    vacancies: JointVacancies
    rules: Sequence[OfferRule]

    async def refer(
        self,
        tx: Transaction,
        assignment_id: UUID,
        office: str,
        reference: str,
        *,
        purpose: str,
        requested_by: str,
        authority: str,
    ) -> Referred:
        """Ask the owning city whether a candidate consents to be referred.

        Raises:
            UnknownError: there is no such assignment, or the candidate is not in that pool's answer.
            ConflictError: the candidate is referred to the vacancy already, or is a training group's; or the vacancy
                is filled or withdrawn.
        """
        assignment = await Assignments(tx).read(assignment_id)
        if assignment is None:
            raise UnknownError("assignment")
        if not _is_candidate(assignment, office, reference):
            raise UnknownError("candidate")
        if assignment.row.vacancy_id is None:
            raise ConflictError("invalid-state", "The candidates of a training group are invited by training.")
        posting = await Vacancies(tx).read(assignment.row.vacancy_id)
        if posting is not None:
            decisions.check_vacancy(posting.state, posting.filled, posting.vacancy.positions)
        if await Referrals(tx).is_referred(assignment.row.vacancy_id, office, reference):
            raise ConflictError("invalid-state", "The candidate is referred already.")
        row = ReferralRow(
            referral_id=derived_id("referral", tx.cause),
            assignment_id=assignment_id,
            vacancy_id=assignment.row.vacancy_id,
            office=office,
            reference=reference,
            purpose=purpose,
            requested_by=requested_by,
            requesting_authority=authority,
            state=ReferralState.REQUESTED,
            requested_at=tx.clock.now(),
        )
        if not await Referrals(tx).add(row):
            raise ConflictError("invalid-state", "The candidate is referred already.")
        tx.publish(
            ReferralRequested(
                referral_id=row.referral_id,
                assignment_id=assignment_id,
                vacancy_id=row.vacancy_id,
                reference=reference,
                purpose=purpose,
                requesting_authority=authority,
            ),
            to=office,
        )
        return Referred(row, ())

    async def offer(self, tx: Transaction, referral_id: UUID, *, binding: bool, answer_by: datetime) -> Referred:
        """Make a job offer to a jobseeker who has consented.

        Raises:
            UnknownError: there is no such referral.
            ConflictError: as `domain.referral.check_offer`; or the vacancy is filled or withdrawn.
        """
        referral = await self._locked(tx, referral_id)
        posting = await Vacancies(tx).lock(referral.vacancy_id)  # who ends it then closes this offer too
        if posting is not None:
            decisions.check_vacancy(posting.state, posting.filled, posting.vacancy.positions)
        offers = await Referrals(tx).offers(referral_id)
        now = tx.clock.now()
        states = [offer.state for offer in offers]
        decisions.check_offer(referral.state, referral.outcome, states, answer_by, now)
        row = OfferRow(
            offer_id=derived_id("job-offer", tx.cause),
            referral_id=referral_id,
            binding=binding,
            answer_by=answer_by,
            state=OfferState.OPEN,
            made_at=now,
        )
        Referrals(tx).add_offer(row)
        tx.publish(
            JobOfferMade(referral_id=referral_id, offer_id=row.offer_id, binding=binding, answer_by=answer_by),
            to=referral.office,
        )
        return Referred(referral, (*offers, row))

    async def withdraw_offer(self, tx: Transaction, referral_id: UUID, offer_id: UUID) -> Referred:
        """Take a job offer back that was made by mistake, or is not meant any more. Repeating it changes nothing.

        Raises:
            UnknownError: there is no such referral, or no such offer of it.
            ConflictError: the offer is answered, or has expired.
        """
        referral = await self._locked(tx, referral_id)
        offer = await Referrals(tx).lock_offer(offer_id, referral.office)
        if offer is None or offer.referral_id != referral_id:
            raise UnknownError("job offer")
        state = decisions.withdraw_offer(offer.state)
        if state is not offer.state:
            offer.state, offer.answered_at = state, tx.clock.now()
            tx.publish(
                JobOfferWithdrawn(
                    referral_id=referral_id, offer_id=offer_id, why="by_officer", withdrawn_at=offer.answered_at
                ),
                to=referral.office,
            )
        return Referred(referral, await Referrals(tx).offers(referral_id))

    async def end(
        self, tx: Transaction, referral_id: UUID, outcome: ReferralOutcome, corrects: ReferralOutcome | None
    ) -> Referred:
        """End a referral, or correct its end; the owning city is told how. The same outcome again changes nothing.

        A hiring fills a position of the vacancy. Offers that are open end with the referral, without consequence.

        Raises:
            UnknownError: there is no such referral.
            ConflictError: it has ended otherwise, all positions are filled, or the pool does not know the candidate.
        """
        referral = await self._locked(tx, referral_id)
        decisions.check_hiring(referral.state, outcome)
        if referral.outcome is not decisions.end(referral.outcome, outcome, corrects):
            await self.vacancies.fill(tx, referral.vacancy_id, decisions.places_filled(referral.outcome, outcome))
            referral.outcome = outcome
            await Referrals(tx).withdraw_offers(referral_id, tx.clock.now())
            tx.publish(
                ReferralEnded(referral_id=referral_id, outcome=outcome, ended_at=tx.clock.now()), to=referral.office
            )
        return Referred(referral, await Referrals(tx).offers(referral_id))

    async def enter_consent(self, tx: Transaction, event: ReferralAnswered) -> None:
        """Enter whether the jobseeker consents.

        Raises:
            UnprocessableError: that office was not asked.
        """
        if not await Referrals(tx).enter_consent(event):
            raise UnprocessableError("that office was not asked", "unsolicited-answer")

    async def end_consent(self, tx: Transaction, event: ConsentEnded) -> None:
        """Enter that the consent was withdrawn or has lapsed, and with it the open offers.

        Raises:
            UnprocessableError: that office was not asked.
        """
        is_withdrawn = event.why == "withdrawn"
        state: decisions.ConsentEnd = ReferralState.CONSENT_WITHDRAWN if is_withdrawn else ReferralState.CONSENT_LAPSED
        if not await Referrals(tx).end_consent(event.referral_id, event.office, state, event.ended_at):
            raise UnprocessableError("that office was not asked", "unsolicited-answer")

    async def enter_offer_answer(self, tx: Transaction, event: JobOfferAnswered) -> None:
        """Enter the answer to a job offer. What a binding one's answer leads to is told to the owning city.

        An answer that was given before the withdrawal of the offer was known counts, and leads to nothing.

        Raises:
            UnprocessableError: there is no such offer to a jobseeker of that office.
        """
        offer = await Referrals(tx).lock_offer(event.offer_id, event.office)
        if offer is None:
            raise UnprocessableError("there is no such offer", "unsolicited-answer")
        has_consequence = decisions.has_consequence(offer.state, binding=offer.binding)
        offer.state, offer.answered_at = event.state, event.answered_at
        if event.state is OfferState.OPEN or not has_consequence:
            return
        rule = rule_for(self.rules, local_day(offer.made_at), event.state)
        if rule is not None:
            tx.publish(
                JobOfferConsequence(
                    referral_id=event.referral_id,
                    offer_id=event.offer_id,
                    answer=event.state,
                    consequence=rule.consequence,
                    rule_valid_from=rule.valid_from,
                    source=rule.source,
                    certainty=rule.certainty,
                ),
                to=event.office,
            )

    async def _locked(self, tx: Transaction, referral_id: UUID) -> ReferralRow:
        referral = await Referrals(tx).lock(referral_id)
        if referral is None:
            raise UnknownError("referral")
        return referral


def _is_candidate(assignment: Assignment, office: str, reference: str) -> bool:
    return any(
        answer.office == office and reference == candidate.reference
        for answer in assignment.answers
        for candidate in answer.candidates or ()
    )
