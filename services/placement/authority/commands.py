"""What a city does, each inside one transaction: its API and its message handlers come here."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from services.placement.authority.store import OwnReferrals, Pool
from services.placement.authority.tables import (
    AskedRow,
    ContactQueryRow,
    JobseekerRow,
    OwnOfferRow,
    OwnReferralRow,
)
from services.placement.domain import referral as decisions
from services.placement.domain.matching import Match, isco, rank, why_not
from services.placement.domain.pool import Jobseeker
from shared.errors import UnknownError
from shared.events.v1.placement import (
    Candidate,
    CandidatesAnswered,
    CandidatesRequested,
    JobOfferAnswered,
    JobOfferMade,
    OfferState,
    ReferralAnswered,
    ReferralEnded,
    ReferralRequested,
    ReferralState,
)
from shared.identity import Officer
from shared.messaging.transaction import Transaction
from shared.opaque import reference_of


@dataclass(frozen=True, slots=True)
class CityPool:
    """A city's own jobseekers.

    Attributes:
        key: the city's own secret for opaque references.
    """

    key: bytes

    def put(self, tx: Transaction, jobseeker: Jobseeker) -> None:
        """Write a profile, new or changed."""
        Pool(tx).put(jobseeker, reference_of(self.key, jobseeker.jobseeker_id))

    async def take_in(self, tx: Transaction, profiles: Iterable[Jobseeker | str]) -> None:
        """Write what an import has read: profiles, and the ids of jobseekers to remove, in their order."""
        for profile in profiles:
            if isinstance(profile, str):
                await Pool(tx).remove(profile)
            else:
                self.put(tx, profile)

    async def remove(self, tx: Transaction, jobseeker_id: str) -> None:
        """Remove a profile.

        Raises:
            UnknownError: there is none.
        """
        if not await Pool(tx).remove(jobseeker_id):
            raise UnknownError("jobseeker")

    async def answer(self, tx: Transaction, event: CandidatesRequested) -> None:
        """Answer with this pool's best candidates, by opaque reference. A late answer is given all the same."""
        now = tx.clock.now()
        asked = AskedRow(
            assignment_id=event.assignment_id,
            wanted=event.wanted,
            at_most=event.at_most,
            as_of=event.as_of,
            asked_at=now,
        )
        Pool(tx).remember(asked)
        profiles = await Pool(tx).near(isco(event.wanted.occupation))
        best, considered = rank(profiles, event.wanted, event.as_of, event.at_most)
        tx.publish(
            CandidatesAnswered(
                assignment_id=event.assignment_id,
                office=tx.office,
                considered=considered,
                candidates=tuple(map(as_candidate, best)),
                answered_at=now,
            )
        )

    async def explain(self, tx: Transaction, assignment_id: UUID, jobseeker_id: str) -> tuple[Match, str]:
        """Explain why a jobseeker is, or is not, among an assignment's candidates, as the pool is now.

        Raises:
            UnknownError: the pool was not asked, or has no such jobseeker.
        """
        asked = await Pool(tx).asked(assignment_id)
        if asked is None:
            raise UnknownError("assignment")
        profile = await Pool(tx).profile(jobseeker_id)
        if profile is None:
            raise UnknownError("jobseeker")
        profiles = await Pool(tx).near(isco(asked.wanted.occupation))
        best, _considered = rank(profiles, asked.wanted, asked.as_of, asked.at_most)
        return why_not(profile, asked.wanted, asked.as_of, best, asked.at_most)


def as_candidate(match: Match) -> Candidate:
    """Return a match as another authority may see it."""
    profile = match.profile
    return Candidate(
        reference=profile.reference,
        score=match.score,
        occupations=tuple(profile.occupations),
        languages=tuple(sorted(set(profile.languages))),
        commuting=tuple(sorted(set(profile.commuting))),
        available_from=profile.available_from,
        reasons=match.reasons,
    )


@dataclass(frozen=True, slots=True)
class CityReferrals:
    """Referrals of a city's own jobseekers: consent, the logged query for a contact, job offers.

    Attributes:
        network: the authorities of the region, whose officers may ask for a contact.
    """

    network: frozenset[str]

    async def receive(self, tx: Transaction, event: ReferralRequested) -> None:
        """Keep a referral for an officer to ask the jobseeker's consent; an unknown reference is answered at once."""
        now = tx.clock.now()
        is_known = await Pool(tx).by_reference(event.reference) is not None
        state = ReferralState.REQUESTED if is_known else ReferralState.UNKNOWN_REFERENCE
        row = OwnReferralRow(
            referral_id=event.referral_id,
            assignment_id=event.assignment_id,
            vacancy_id=event.vacancy_id,
            reference=event.reference,
            purpose=event.purpose,
            requesting_authority=event.requesting_authority,
            state=state,
            requested_at=now,
        )
        OwnReferrals(tx).add(row)
        if not is_known:
            tx.publish(ReferralAnswered(referral_id=event.referral_id, office=tx.office, state=state, answered_at=now))

    async def consent(self, tx: Transaction, referral_id: UUID, by: str, *, consented: bool) -> OwnReferralRow:
        """Enter whether the jobseeker consents to be referred. The first answer counts; repeating it changes nothing.

        Raises:
            UnknownError: there is no such referral.
            ConflictError: the jobseeker has answered otherwise, or is not known here.
        """
        row = await self._locked(tx, referral_id)
        state = decisions.consent(row.state, consented=consented)
        if state is not row.state:
            row.state, row.answered_at, row.answered_by = state, tx.clock.now(), by
            tx.publish(
                ReferralAnswered(referral_id=referral_id, office=tx.office, state=state, answered_at=row.answered_at)
            )
        return row

    async def ask_contact(self, tx: Transaction, referral_id: UUID, who: Officer, purpose: str) -> JobseekerRow | None:
        """Return the jobseeker for an officer to contact; None without consent. The query is logged either way.

        Raises:
            UnknownError: there is no such referral, or it concerns neither the city nor the officer's authority.
        """
        referral = await self._locked(tx, referral_id)
        if who.authority not in {tx.office, referral.requesting_authority}:
            raise UnknownError("referral")
        may_contact = decisions.may_contact(referral.state, referral.outcome)
        jobseeker = await Pool(tx).by_reference(referral.reference) if may_contact else None
        query = ContactQueryRow(
            referral_id=referral_id,
            asked_by=who.actor,
            authority=who.authority,
            purpose=purpose,
            answered=jobseeker is not None,
            at=tx.clock.now(),
        )
        OwnReferrals(tx).log_query(query)
        return jobseeker

    async def end(self, tx: Transaction, event: ReferralEnded) -> None:
        """Note how a referral ended."""
        await OwnReferrals(tx).end(event.referral_id, event.outcome)

    async def receive_offer(self, tx: Transaction, event: JobOfferMade) -> None:
        """Keep a job offer for the jobseeker to answer; one whose deadline has passed on the way expires."""
        row = OwnOfferRow(
            offer_id=event.offer_id,
            referral_id=event.referral_id,
            binding=event.binding,
            answer_by=event.answer_by,
            state=OfferState.OPEN,
        )
        if await OwnReferrals(tx).lock_offer(event.offer_id) is not None:
            return
        if row.answer_by <= tx.clock.now():
            self._close(tx, row, OfferState.EXPIRED)
        OwnReferrals(tx).add_offer(row)

    async def answer_offer(self, tx: Transaction, offer_id: UUID, *, accepted: bool) -> OwnOfferRow:
        """Enter the jobseeker's answer to a job offer. Repeating it changes nothing.

        Raises:
            UnknownError: there is no such offer.
            ConflictError: it was answered otherwise, or the deadline has passed.
        """
        offer = await OwnReferrals(tx).lock_offer(offer_id)
        if offer is None:
            raise UnknownError("job offer")
        state = decisions.answer(offer.state, offer.answer_by, tx.clock.now(), accepted=accepted)
        if state is not offer.state:
            self._close(tx, offer, state)
        return offer

    async def expire_offers(self, tx: Transaction) -> int:
        """Expire the job offers whose deadline has passed without an answer; return how many."""
        past = await OwnReferrals(tx).offers_past(tx.clock.now())
        for offer in past:
            self._close(tx, offer, OfferState.EXPIRED)
        return len(past)

    def _close(self, tx: Transaction, offer: OwnOfferRow, state: OfferState) -> None:
        offer.state, offer.answered_at = state, tx.clock.now()
        tx.publish(
            JobOfferAnswered(
                referral_id=offer.referral_id,
                office=tx.office,
                offer_id=offer.offer_id,
                state=state,
                answered_at=offer.answered_at,
            )
        )

    async def _locked(self, tx: Transaction, referral_id: UUID) -> OwnReferralRow:
        referral = await OwnReferrals(tx).lock(referral_id)
        if referral is None:
            raise UnknownError("referral")
        return referral
