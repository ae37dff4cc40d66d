"""What can be done at the joint office, each inside one transaction: the HTTP API and the message handlers come here."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from services.placement.domain import vacancy as course
from services.placement.domain.vacancy import Posting
from services.placement.store import Assignments, Vacancies, parsed
from shared.calendar import local_day
from shared.errors import RefusedError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.placement import (
    CandidatesRequested,
    JobOfferMade,
    OfferState,
    ReferralEnded,
    ReferralOutcome,
    ReferralRequested,
    ReferralState,
    Vacancy,
    VacancyStatus,
    Wanted,
)
from shared.events.v1.training import CandidatesWanted
from shared.messaging.transaction import Transaction
from shared.telemetry import current_trace_id


class NotNowError(Exception):
    """The act does not fit the state; nothing was changed."""


def check(vacancy: Vacancy) -> None:
    """Refuse a vacancy whose employer's business id does not hold.

    Raises:
        RefusedError
    """
    if not course.has_business_id(vacancy):
        raise RefusedError("/employer/business_id", "wrong-business-id", "The business id (Y-tunnus) is not valid.")


class JointPlacement:
    """The joint side of placement."""

    def __init__(self, offices: Iterable[str], answer_within: timedelta) -> None:
        self.offices = tuple(offices)
        self._answer_within = answer_within

    # -- vacancies

    async def report(
        self, tx: Transaction, vacancy_id: UUID, vacancy: Vacancy, status: VacancyStatus, filed_by: str
    ) -> Posting:
        """Report a new vacancy.

        Raises:
            RefusedError
        """
        check(vacancy)
        return await self._publish(tx, course.report(vacancy_id, vacancy, status, filed_by, tx.clock.now()))

    async def revise(self, tx: Transaction, vacancy_id: UUID, vacancy: Vacancy, predecessor: int) -> Posting:
        """Put a new revision in force.

        Raises:
            UnknownError, RefusedError, ConflictError
        """
        check(vacancy)
        posting = await self.known(tx, vacancy_id)
        return await self._publish(tx, course.revise(posting, vacancy, predecessor, tx.clock.now()))

    async def move(self, tx: Transaction, vacancy_id: UUID, status: VacancyStatus) -> Posting:
        """Change a vacancy's status.

        Raises:
            UnknownError, ConflictError
        """
        before = await self.known(tx, vacancy_id)
        after = course.move(before, status, tx.clock.now())
        return after if after is before else await self._publish(tx, after)

    async def expire(self, tx: Transaction) -> int:
        """Expire the vacancies whose last day has gone; return how many."""
        past = await Vacancies(tx).past(local_day(tx.clock.now()))
        for posting in past:
            await self._publish(tx, course.move(posting, VacancyStatus.EXPIRED, tx.clock.now()))
        return len(past)

    async def known(self, tx: Transaction, vacancy_id: UUID) -> Posting:
        """Return a vacancy, locked.

        Raises:
            UnknownError
        """
        posting = await Vacancies(tx).get(vacancy_id)
        if posting is None:
            raise UnknownError("vacancy")
        return posting

    async def _publish(self, tx: Transaction, posting: Posting) -> Posting:
        if await Vacancies(tx).save(posting) and posting.status is not VacancyStatus.DRAFT:
            tx.publish(course.published(posting))
        return posting

    # -- recruitment assignments

    async def ask_pools(
        self, tx: Transaction, assignment_id: UUID, vacancy_id: UUID, *, at_most: int, by: str, answer_within: timedelta
    ) -> None:
        """Ask every city's pool for candidates.

        Raises:
            UnknownError: no such vacancy.
            NotNowError: the vacancy is not open.
        """
        posting = await self.known(tx, vacancy_id)
        if posting.status is not VacancyStatus.OPEN:
            raise NotNowError(f"The vacancy is {posting.status}.")
        wanted = course.wanted(posting.vacancy)
        answer_by = tx.clock.now() + answer_within
        await Assignments(tx).ask(
            assignment_id, vacancy_id, wanted, at_most, by, answer_by, self.offices, current_trace_id()
        )
        self._request(tx, assignment_id, wanted, at_most, answer_by)

    async def gather(self, tx: Transaction, told: CandidatesWanted) -> None:
        """Ask every city's pool for candidates of a training group."""
        assignment_id = derived_id("gather", told.request_id)
        if await Assignments(tx).read(assignment_id) is not None:
            return
        answer_by = tx.clock.now() + self._answer_within
        await Assignments(tx).ask(
            assignment_id,
            None,
            told.wanted,
            told.at_most,
            "service:training",
            answer_by,
            self.offices,
            current_trace_id(),
            group_id=told.group_id,
            request_id=told.request_id,
        )
        self._request(tx, assignment_id, told.wanted, told.at_most, answer_by)

    def _request(self, tx: Transaction, assignment_id: UUID, wanted: Wanted, at_most: int, answer_by: datetime) -> None:
        told = CandidatesRequested(
            assignment_id=assignment_id,
            wanted=wanted,
            at_most=at_most,
            answer_by=answer_by,
            as_of=local_day(tx.clock.now()),
        )
        for office in self.offices:
            tx.publish(told, to=office)

    async def refer(
        self,
        tx: Transaction,
        referral_id: UUID,
        assignment_id: UUID,
        office: str,
        reference: str,
        *,
        purpose: str,
        by: str,
        authority: str,
    ) -> None:
        """Ask the owning city whether a candidate consents to be referred.

        Raises:
            UnknownError: no such assignment, or the candidate is not in that pool's answer.
            NotNowError: the candidate was referred before.
        """
        found = await Assignments(tx).read(assignment_id)
        if found is None:
            raise UnknownError("assignment")
        assignment, answers = found
        known = {
            (answer.office, candidate["reference"]) for answer in answers for candidate in parsed(answer.candidates)
        }
        if (office, reference) not in known:
            raise UnknownError("candidate")
        if assignment.vacancy_id is None:
            raise NotNowError("The candidates of a training group are invited by training.")
        if not await Assignments(tx).refer(referral_id, assignment, office, reference, purpose, by, authority):
            raise NotNowError("The candidate is referred already.")
        tx.publish(
            ReferralRequested(
                referral_id=referral_id,
                assignment_id=assignment_id,
                vacancy_id=assignment.vacancy_id,
                reference=reference,
                purpose=purpose,
                requesting_authority=authority,
            ),
            to=office,
        )

    async def offer(
        self, tx: Transaction, offer_id: UUID, referral_id: UUID, *, binding: bool, answer_by: datetime
    ) -> None:
        """Make a job offer to a jobseeker who has consented.

        Raises:
            UnknownError: no such referral.
            NotNowError: the jobseeker has not consented, an offer is open or accepted, or the deadline has gone.
        """
        referral = await Assignments(tx).referral(referral_id)
        if referral is None:
            raise UnknownError("referral")
        if referral.state != ReferralState.CONSENTED or referral.outcome is not None:
            raise NotNowError("The jobseeker has not consented, or the referral has ended.")
        if answer_by <= tx.clock.now():
            raise NotNowError("The deadline has gone.")
        offers = await Assignments(tx).offers(referral_id)
        if any(offer.state in {OfferState.OPEN, OfferState.ACCEPTED} for offer in offers):
            raise NotNowError("An offer is open or accepted already.")
        await Assignments(tx).offer(offer_id, referral_id, binding=binding, answer_by=answer_by)
        tx.publish(
            JobOfferMade(referral_id=referral_id, offer_id=offer_id, binding=binding, answer_by=answer_by),
            to=referral.office,
        )

    async def end_referral(self, tx: Transaction, referral_id: UUID, outcome: ReferralOutcome) -> None:
        """End a referral, and tell the owning city how.

        Raises:
            UnknownError: no such referral.
            NotNowError: it has ended otherwise.
        """
        referral = await Assignments(tx).referral(referral_id)
        if referral is None:
            raise UnknownError("referral")
        if referral.outcome is not None:
            if referral.outcome != outcome:
                raise NotNowError("The referral has ended otherwise.")
            return
        await Assignments(tx).end_referral(referral_id, outcome)
        tx.publish(
            ReferralEnded(referral_id=referral_id, outcome=outcome, ended_at=tx.clock.now()),
            to=referral.office,
        )
