"""What a city does, each inside one transaction: its API and its message handlers come here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from services.placement.authority.store import OwnReferrals, Pool
from services.placement.authority.tables import (
    AskedRow,
    ConsentRow,
    ContactQueryRow,
    JobseekerRow,
    OwnOfferRow,
    OwnReferralRow,
)
from services.placement.catalogue import Classification
from services.placement.domain import referral as decisions
from services.placement.domain.matching import Match, rank, why_not
from services.placement.domain.occupation import isco
from services.placement.domain.pool import Jobseeker, classified, concept_uris
from services.placement.domain.referral import Stay
from shared.calendar import local_day
from shared.errors import ConflictError, RefusedError, UnknownError
from shared.events.v1.placement import (
    Candidate,
    CandidatesAnswered,
    CandidatesRequested,
    ConsentChannel,
    ConsentEnded,
    JobOfferAnswered,
    JobOfferConsequence,
    JobOfferMade,
    OfferState,
    PoolStages,
    ReferralAnswered,
    ReferralEnded,
    ReferralOutcome,
    ReferralRequested,
    ReferralState,
    Wanted,
)
from shared.identity import Officer
from shared.messaging.transaction import Transaction
from shared.pseudonyms import reference_of


@dataclass(frozen=True, slots=True)
class PoolCandidates:
    """A pool's best candidates, of how many that were scored; without any, at which stage they were lost."""

    considered: int
    candidates: tuple[Candidate, ...]
    stages: PoolStages | None


@dataclass(frozen=True, slots=True)
class CityPool:
    """A city's own jobseekers.

    Attributes:
        key: the city's own secret for opaque references.
    """

    key: bytes

    async def put(self, tx: Transaction, jobseeker: Jobseeker) -> Jobseeker:
        """Write a profile, new or changed; return it with ISCO-08 unit groups for its occupations.

        Raises:
            RefusedError: an occupation's URI is not in the imported classification.
        """
        uris = concept_uris([jobseeker])
        known = classified(jobseeker, await Classification(tx).groups(uris) if uris else {})
        Pool(tx).put(known, reference_of(self.key, jobseeker.jobseeker_id))
        return known

    async def take_in(self, tx: Transaction, profiles: Sequence[Jobseeker | str]) -> int:
        """Write what an import has read: profiles, and the ids of jobseekers to remove, in their order.

        Return how many profiles were passed over, because an occupation is not in the imported classification.
        """
        uris = concept_uris(profile for profile in profiles if not isinstance(profile, str))
        groups = await Classification(tx).groups(uris) if uris else {}
        passed_over = 0
        for profile in profiles:
            if isinstance(profile, str):
                await Pool(tx).remove(profile)
                continue
            try:
                Pool(tx).put(classified(profile, groups), reference_of(self.key, profile.jobseeker_id))
            except RefusedError:
                passed_over += 1
        return passed_over

    async def remove(self, tx: Transaction, jobseeker_id: str) -> None:
        """Remove a profile.

        Raises:
            UnknownError: there is none.
        """
        if not await Pool(tx).remove(jobseeker_id):
            raise UnknownError("jobseeker")

    async def answer(self, tx: Transaction, event: CandidatesRequested) -> None:
        """Answer with this pool's best candidates, by opaque reference. A late answer is given all the same.

        An answer without candidates says at which stage they were lost.
        """
        now = tx.clock.now()
        found = await self.best(tx, event.assignment_id, event.wanted, event.as_of, event.at_most)
        tx.publish(
            CandidatesAnswered(
                assignment_id=event.assignment_id,
                office=tx.office,
                considered=found.considered,
                candidates=found.candidates,
                answered_at=now,
                stages=found.stages,
            )
        )

    async def best(
        self, tx: Transaction, assignment_id: UUID, wanted: Wanted, as_of: date, at_most: int
    ) -> PoolCandidates:
        """Return this pool's best candidates, and remember what was asked, to explain it later."""
        asked = AskedRow(
            assignment_id=assignment_id, wanted=wanted, at_most=at_most, as_of=as_of, asked_at=tx.clock.now()
        )
        Pool(tx).remember(asked)
        profiles = await Pool(tx).near(isco(wanted.occupation))
        best, considered = rank(profiles, wanted, as_of, at_most)
        stages = None
        if not best:
            stages = PoolStages(profiles=await Pool(tx).size(), near_occupation=considered, answered=0)
        return PoolCandidates(considered, tuple(map(as_candidate, best)), stages)

    def reference(self, jobseeker_id: str) -> str:
        """Return the opaque reference under which other offices know a jobseeker of this city."""
        return reference_of(self.key, jobseeker_id)

    async def resolve(self, tx: Transaction, reference: str, who: Officer, purpose: str) -> JobseekerRow | None:
        """Return the own jobseeker of a reference, with name and contact; None when there is none.

        For the owning city alone. The query is logged either way.
        """
        jobseeker = await Pool(tx).by_reference(reference)
        query = ContactQueryRow(
            reference=reference,
            asked_by=who.actor,
            authority=who.authority,
            purpose=purpose,
            answered=jobseeker is not None,
            at=tx.clock.now(),
        )
        OwnReferrals(tx).log_query(query)
        return jobseeker

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

    async def consent(
        self,
        tx: Transaction,
        referral_id: UUID,
        by: str,
        *,
        consented: bool,
        how: ConsentChannel | None = None,
        purpose: str | None = None,
        until: date | None = None,
    ) -> OwnReferralRow:
        """Enter whether the jobseeker consents to be referred. The first answer counts; repeating it changes nothing.

        Args:
            tx: the transaction.
            referral_id: what is consented to.
            by: who enters it.
            consented: whether the jobseeker consents.
            how: how the jobseeker said so.
            purpose: for what; the referral's purpose, if nothing narrower was said.
            until: the last day of the consent; without it, it lasts until the referral ends.

        Raises:
            UnknownError: there is no such referral.
            RefusedError: it does not say how, or the last day has passed.
            ConflictError: the jobseeker has answered otherwise, or is not known here.
        """
        row = await self._locked(tx, referral_id)
        now = tx.clock.now()
        state = decisions.consent(row.state, row.outcome, consented=consented)
        if state is row.state:
            return row
        decisions.check_consent(how, until, local_day(now), consented=consented)
        row.state, row.answered_at, row.answered_by = state, now, by
        if consented:
            row.consent_until = until
            given = ConsentRow(
                referral_id=referral_id,
                given_at=now,
                how=how,
                purpose=purpose or row.purpose,
                until=until,
                entered_by=by,
            )
            OwnReferrals(tx).add_consent(given)
        tx.publish(
            ReferralAnswered(
                referral_id=referral_id,
                office=tx.office,
                state=state,
                answered_at=now,
                consent_until=until if consented else None,
            )
        )
        return row

    async def withdraw_consent(
        self, tx: Transaction, referral_id: UUID, by: str, how: ConsentChannel
    ) -> OwnReferralRow:
        """Withdraw the jobseeker's consent: access and open offers end at once. Repeating it changes nothing.

        Raises:
            UnknownError: there is no such referral.
            ConflictError: there is no consent, or the referral has ended.
        """
        row = await self._locked(tx, referral_id)
        if row.state is not decisions.withdraw(row.state, row.outcome):
            await self._end_consent(tx, row, "withdrawn", how, by)
        return row

    async def lapse_consents(self, tx: Transaction) -> int:
        """End the consents whose last day has passed; return how many."""
        past = await OwnReferrals(tx).consents_past(local_day(tx.clock.now()))
        for row in past:
            await self._end_consent(tx, row, "lapsed", None, None)
        return len(past)

    async def _end_consent(
        self,
        tx: Transaction,
        row: OwnReferralRow,
        why: Literal["withdrawn", "lapsed"],
        how: ConsentChannel | None,
        by: str | None,
    ) -> None:
        now = tx.clock.now()
        is_withdrawn = why == "withdrawn"
        row.state = ReferralState.CONSENT_WITHDRAWN if is_withdrawn else ReferralState.CONSENT_LAPSED
        row.consent_until = None
        await OwnReferrals(tx).end_consent(row.referral_id, now, how, by)
        await OwnReferrals(tx).withdraw_offers(row.referral_id, now)
        tx.publish(ConsentEnded(referral_id=row.referral_id, office=tx.office, why=why, ended_at=now))

    async def stay(self, tx: Transaction, referral_id: UUID, by: str, *, stays: bool) -> OwnReferralRow:
        """Enter whether a hired jobseeker stays in the pool; who leaves is no candidate any more. May be changed.

        Raises:
            UnknownError: there is no such referral.
            ConflictError: the jobseeker was not hired by it.
        """
        row = await self._locked(tx, referral_id)
        answer = decisions.stay(row.stay, stays=stays)
        if answer is not row.stay:
            row.stay, row.stay_answered_at, row.stay_answered_by = answer, tx.clock.now(), by
            await Pool(tx).set_active(row.reference, active=stays)
        return row

    async def ask_contact(self, tx: Transaction, referral_id: UUID, who: Officer, purpose: str) -> JobseekerRow | None:
        """Return the jobseeker for an officer to contact; None without consent. The query is logged either way.

        Raises:
            UnknownError: there is no such referral, or it concerns neither the city nor the officer's authority.
        """
        referral = await self._locked(tx, referral_id)
        if who.authority not in {tx.office, referral.requesting_authority}:
            raise UnknownError("referral")
        today = local_day(tx.clock.now())
        may_contact = decisions.may_contact(referral.state, referral.outcome, referral.consent_until, today)
        jobseeker = await Pool(tx).by_reference(referral.reference) if may_contact else None
        query = ContactQueryRow(
            referral_id=referral_id,
            reference=referral.reference,
            asked_by=who.actor,
            authority=who.authority,
            purpose=purpose,
            answered=jobseeker is not None,
            at=tx.clock.now(),
        )
        OwnReferrals(tx).log_query(query)
        return jobseeker

    async def end(self, tx: Transaction, event: ReferralEnded) -> None:
        """Note how a referral ended, or that its end is corrected; of who was hired, ask whether they stay.

        A hiring that is corrected asks no more, and who had left is in the pool again.
        """
        row = await OwnReferrals(tx).lock(event.referral_id)
        if row is None:
            return
        row.outcome = event.outcome
        if event.outcome is ReferralOutcome.HIRED:
            row.stay = row.stay or Stay.ASKED
        elif row.stay is not None:
            if row.stay is Stay.LEAVES:
                await Pool(tx).set_active(row.reference, active=True)
            row.stay = row.stay_answered_at = row.stay_answered_by = None

    async def receive_offer(self, tx: Transaction, event: JobOfferMade) -> None:
        """Keep a job offer for the jobseeker to answer; one whose deadline has passed on the way expires.

        One that was made before the end of the consent was known there ends with it.
        """
        row = OwnOfferRow(
            offer_id=event.offer_id,
            referral_id=event.referral_id,
            binding=event.binding,
            answer_by=event.answer_by,
            state=OfferState.OPEN,
        )
        if await OwnReferrals(tx).lock_offer(event.offer_id) is not None:
            return
        referral = await OwnReferrals(tx).read(event.referral_id)
        ended = {ReferralState.CONSENT_WITHDRAWN, ReferralState.CONSENT_LAPSED}
        if referral is not None and referral.state in ended:
            row.state, row.answered_at = OfferState.WITHDRAWN, tx.clock.now()
        elif row.answer_by <= tx.clock.now():
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

    async def receive_consequence(self, tx: Transaction, event: JobOfferConsequence) -> None:
        """Keep what a binding offer's answer leads to, for an officer to handle.

        Raises:
            UnknownError: there is no such offer.
        """
        offer = await OwnReferrals(tx).lock_offer(event.offer_id)
        if offer is None:
            raise UnknownError("job offer")
        offer.consequence, offer.consequence_at = event.consequence, tx.clock.now()
        offer.rule_valid_from, offer.rule_source = event.rule_valid_from, event.source
        offer.rule_certainty = event.certainty

    async def handle_consequence(self, tx: Transaction, offer_id: UUID, by: str, *, handled: bool) -> OwnOfferRow:
        """Enter that an officer has handled what an answer leads to, or has not after all.

        Raises:
            UnknownError: there is no such offer.
            ConflictError: its answer leads to nothing.
        """
        offer = await OwnReferrals(tx).lock_offer(offer_id)
        if offer is None:
            raise UnknownError("job offer")
        if offer.consequence in {None, "none"}:
            raise ConflictError("invalid-state", "The answer leads to nothing.")
        if handled is (offer.handled_at is None):
            offer.handled_at, offer.handled_by = (tx.clock.now(), by) if handled else (None, None)
        return offer

    async def expire_offers(self, tx: Transaction) -> int:
        """Expire the job offers whose deadline has passed without an answer; return how many."""
        past = await OwnReferrals(tx).offers_past(tx.clock.now())
        for offer in past:
            self._close(tx, offer, OfferState.EXPIRED)
        return len(past)

    def _close(
        self,
        tx: Transaction,
        offer: OwnOfferRow,
        state: Literal[OfferState.ACCEPTED, OfferState.DECLINED, OfferState.EXPIRED],
    ) -> None:
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
