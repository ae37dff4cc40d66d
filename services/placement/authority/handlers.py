"""The authority side: a city's own pool answers from its own store, and its jobseekers for themselves.

Idempotent by the inbox; beyond it, because the joint office counts a pool's first answer, and a referral or an offer is
kept once.
"""

from collections.abc import Mapping
from typing import Final

from services.placement.domain.matching import Match, isco, rank
from services.placement.store import OwnReferrals, Pool
from shared.events.envelope import Event
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
from shared.messaging.consumer import Handler
from shared.messaging.transaction import Transaction


async def answer_for_pool(event: CandidatesRequested, tx: Transaction) -> None:
    """Answer with this pool's best candidates, by opaque reference. A late answer is given all the same."""
    pool = Pool(tx)
    await pool.remember_asked(event)
    profiles = await pool.near(isco(event.wanted.occupation))
    best, considered = rank(profiles, event.wanted, event.as_of, event.at_most)
    tell(
        tx,
        CandidatesAnswered(
            assignment_id=event.assignment_id,
            office=tx.office,
            considered=considered,
            candidates=tuple(map(as_candidate, best)),
            answered_at=tx.clock.now(),
        ),
    )


async def receive_referral(event: ReferralRequested, tx: Transaction) -> None:
    """Keep a referral for an officer to ask the jobseeker's consent; a reference we do not know is told at once."""
    known = await Pool(tx).by_reference(event.reference)
    state = ReferralState.REQUESTED if known else ReferralState.UNKNOWN_REFERENCE
    await OwnReferrals(tx).receive(event, state)
    if known is None:
        tell(
            tx,
            ReferralAnswered(referral_id=event.referral_id, office=tx.office, state=state, answered_at=tx.clock.now()),
        )


async def receive_offer(event: JobOfferMade, tx: Transaction) -> None:
    """Keep a job offer for the jobseeker to answer; one whose deadline has gone on the way expires."""
    await OwnReferrals(tx).receive_offer(event)
    if event.answer_by <= tx.clock.now():
        await OwnReferrals(tx).answer_offer(event.offer_id, OfferState.EXPIRED)
        tell(tx, offer_answer(event, OfferState.EXPIRED, tx))


async def end_referral(event: ReferralEnded, tx: Transaction) -> None:
    """Note how a referral ended."""
    await OwnReferrals(tx).end(event.referral_id, event.outcome)


def offer_answer(offer: JobOfferMade, state: OfferState, tx: Transaction) -> JobOfferAnswered:
    """Return what the joint office is told of an offer's answer."""
    return JobOfferAnswered(
        referral_id=offer.referral_id,
        office=tx.office,
        offer_id=offer.offer_id,
        state=state,
        answered_at=tx.clock.now(),
    )


def as_candidate(match: Match) -> Candidate:
    """Return a match as another authority may see it."""
    profile = match.profile
    return Candidate(
        reference=profile.reference,
        score=match.score,
        occupations=profile.occupations,
        languages=tuple(sorted(profile.languages)),
        commuting=tuple(sorted(profile.commuting)),
        available_from=profile.available_from,
        reasons=match.reasons,
    )


def tell(tx: Transaction, event: Event) -> None:
    """Tell the joint office."""
    tx.publish(event)


HANDLERS: Final[Mapping[str, Handler]] = {
    CandidatesRequested.type_name(): answer_for_pool,
    ReferralRequested.type_name(): receive_referral,
    JobOfferMade.type_name(): receive_offer,
    ReferralEnded.type_name(): end_referral,
}
