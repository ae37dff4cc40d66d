"""Referrals and job offers: a jobseeker consents, is offered a job, answers; and what a pool's silence is called.

Each decision takes the present state and returns the next one. The same act again changes nothing.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from shared.errors import ConflictError
from shared.events.v1.placement import OfferState, ReferralOutcome, ReferralState


class PoolState(StrEnum):
    """Whether a pool has answered a recruitment assignment."""

    ANSWERED = "answered"
    ANSWERED_LATE = "answered_late"
    WAITING = "waiting"
    DID_NOT_ANSWER = "did_not_answer"


def pool_state(received_at: datetime | None, answer_by: datetime, now: datetime) -> PoolState:
    """Tell whether a pool has answered, and in time."""
    if received_at is None:
        return PoolState.WAITING if now <= answer_by else PoolState.DID_NOT_ANSWER
    return PoolState.ANSWERED if received_at <= answer_by else PoolState.ANSWERED_LATE


# -- at the joint office


def check_offer(
    state: ReferralState,
    outcome: ReferralOutcome | None,
    offers: Iterable[OfferState],
    answer_by: datetime,
    now: datetime,
) -> None:
    """Check that a job offer can be made now. `offers`: the states of those made before.

    Raises:
        ConflictError: the jobseeker has not consented, an offer is open or accepted, or the deadline has passed.
    """
    if state is not ReferralState.CONSENTED or outcome is not None:
        raise ConflictError("invalid-state", "The jobseeker has not consented, or the referral has ended.")
    if answer_by <= now:
        raise ConflictError("invalid-state", "The deadline has passed.")
    if not {OfferState.OPEN, OfferState.ACCEPTED}.isdisjoint(offers):
        raise ConflictError("invalid-state", "An offer is open or accepted already.")


def end(outcome: ReferralOutcome | None, wanted: ReferralOutcome) -> ReferralOutcome:
    """End a referral.

    Raises:
        ConflictError: it has ended otherwise.
    """
    if outcome not in {None, wanted}:
        raise ConflictError("invalid-state", "The referral has ended otherwise.")
    return wanted


# -- in the owning city


def consent(state: ReferralState, *, consented: bool) -> ReferralState:
    """Enter whether the jobseeker consents to be referred. The first answer counts.

    Raises:
        ConflictError: the jobseeker has answered otherwise, or is not known here.
    """
    answer = ReferralState.CONSENTED if consented else ReferralState.DECLINED
    if state not in {answer, ReferralState.REQUESTED}:
        raise ConflictError("invalid-state", f"The referral is {state}.")
    return answer


def may_contact(state: ReferralState, outcome: ReferralOutcome | None) -> bool:
    """Whether the jobseeker's name and contact may be given: after consent, until the referral ends."""
    return state is ReferralState.CONSENTED and outcome is None


def answer(state: OfferState, answer_by: datetime, now: datetime, *, accepted: bool) -> OfferState:
    """Enter the jobseeker's answer to a job offer.

    Raises:
        ConflictError: it was answered otherwise, or the deadline has passed.
    """
    wanted = OfferState.ACCEPTED if accepted else OfferState.DECLINED
    if state is not wanted and (state is not OfferState.OPEN or answer_by < now):
        raise ConflictError("invalid-state", "The offer is answered or expired.")
    return wanted
