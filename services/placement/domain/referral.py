"""Referrals and job offers: a jobseeker consents, is offered a job, answers; and what a pool's silence is called.

Each decision takes the present state and returns the next one. The same act again changes nothing.

A consent lasts until its last day, its withdrawal, or the end of the referral. What ends with it: the access to the
jobseeker's name and contact, at once; and an open job offer, which has then no consequence. An offer that was accepted
stays accepted.
"""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from shared.errors import ConflictError, RefusedError
from shared.events.v1.placement import OfferState, ReferralOutcome, ReferralState, VacancyState


class PoolState(StrEnum):
    """Whether a pool has answered a recruitment assignment."""

    ANSWERED = "answered"
    ANSWERED_LATE = "answered_late"
    WAITING = "waiting"
    DID_NOT_ANSWER = "did_not_answer"


class Stay(StrEnum):
    """Whether a jobseeker who was hired stays in the pool. Until somebody answers the jobseeker does."""

    ASKED = "asked"
    STAYS = "stays"
    LEAVES = "leaves"


Consented = Literal[ReferralState.CONSENTED, ReferralState.DECLINED]
ConsentEnd = Literal[ReferralState.CONSENT_WITHDRAWN, ReferralState.CONSENT_LAPSED]


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


def check_vacancy(state: VacancyState, filled: int, positions: int) -> None:
    """Check that somebody can be referred to a vacancy, or be offered it.

    One that has expired is not shown any more, and those who applied in time are still chosen from.

    Raises:
        ConflictError: it is filled, or has no position left, or is withdrawn.
    """
    if state is VacancyState.WITHDRAWN:
        raise ConflictError("vacancy-withdrawn", "The employer has withdrawn the vacancy.")
    if state is VacancyState.FILLED or filled >= positions:
        raise ConflictError("positions-filled", "The vacancy is filled.")


def withdraw_offer(state: OfferState) -> OfferState:
    """Take a job offer back that nobody has answered.

    Raises:
        ConflictError: it is answered, or has expired.
    """
    if state not in {OfferState.OPEN, OfferState.WITHDRAWN}:
        raise ConflictError("invalid-state", f"The offer is {state}.")
    return OfferState.WITHDRAWN


def has_consequence(state: OfferState, *, binding: bool) -> bool:
    """Whether an answer to an offer leads to something: not to one that was taken back while the answer came."""
    return binding and state is not OfferState.WITHDRAWN


def check_hiring(state: ReferralState, outcome: ReferralOutcome) -> None:
    """Check that a referral can end so.

    Raises:
        ConflictError: nobody can be hired of whom the pool does not know.
    """
    if outcome is ReferralOutcome.HIRED and state is ReferralState.UNKNOWN_REFERENCE:
        raise ConflictError("invalid-state", "The pool does not know the candidate any more.")


def end(
    outcome: ReferralOutcome | None, wanted: ReferralOutcome, corrects: ReferralOutcome | None = None
) -> ReferralOutcome:
    """End a referral, or correct how it ended: `corrects` is the outcome that was entered by mistake.

    Raises:
        ConflictError: it has ended otherwise.
    """
    if outcome not in {corrects, wanted}:
        raise ConflictError("invalid-state", "The referral has ended otherwise.")
    return wanted


def places_filled(before: ReferralOutcome | None, after: ReferralOutcome) -> int:
    """Return by how many positions an outcome fills the vacancy: 1, 0, or -1 where a hiring is corrected."""
    return (after is ReferralOutcome.HIRED) - (before is ReferralOutcome.HIRED)


# -- in the owning city


def consent(state: ReferralState, outcome: ReferralOutcome | None, *, consented: bool) -> Consented:
    """Enter whether the jobseeker consents to be referred. The first answer counts; who withdrew may consent again.

    Raises:
        ConflictError: the jobseeker has answered otherwise or is not known here, or the referral has ended.
    """
    answer: Consented = ReferralState.CONSENTED if consented else ReferralState.DECLINED
    if state is answer:
        return answer
    may_answer = {ReferralState.REQUESTED}
    if consented:
        may_answer |= {ReferralState.CONSENT_WITHDRAWN, ReferralState.CONSENT_LAPSED}
    if state not in may_answer or outcome is not None:
        raise ConflictError("invalid-state", f"The referral is {outcome or state}.")
    return answer


def check_consent(how: object, until: date | None, today: date, *, consented: bool) -> None:
    """Check what is recorded of a consent.

    Raises:
        RefusedError: it does not say how the jobseeker consents, or its last day has passed.
    """
    if consented and how is None:
        raise RefusedError("/how", "missing", "How the jobseeker consents must be recorded.")
    if consented and until is not None and until < today:
        raise RefusedError("/until", "date-in-the-past", "The last day of the consent has passed.")


def withdraw(state: ReferralState, outcome: ReferralOutcome | None) -> ReferralState:
    """Withdraw the consent.

    Raises:
        ConflictError: there is none, or the referral has ended and with it the consent.
    """
    if state is not ReferralState.CONSENT_WITHDRAWN and (state is not ReferralState.CONSENTED or outcome is not None):
        raise ConflictError("invalid-state", f"The referral is {outcome or state}.")
    return ReferralState.CONSENT_WITHDRAWN


def may_contact(state: ReferralState, outcome: ReferralOutcome | None, until: date | None, today: date) -> bool:
    """Whether the jobseeker's name and contact may be given: after consent, through its last day or the end."""
    return state is ReferralState.CONSENTED and outcome is None and (until is None or today <= until)


def stay(asked: Stay | None, *, stays: bool) -> Stay:
    """Answer whether a hired jobseeker stays in the pool. The answer may be changed.

    Raises:
        ConflictError: nobody asks: the jobseeker was not hired.
    """
    if asked is None:
        raise ConflictError("invalid-state", "The jobseeker was not hired by this referral.")
    return Stay.STAYS if stays else Stay.LEAVES


def answer(
    state: OfferState, answer_by: datetime, now: datetime, *, accepted: bool
) -> Literal[OfferState.ACCEPTED, OfferState.DECLINED]:
    """Enter the jobseeker's answer to a job offer.

    Raises:
        ConflictError: it was answered otherwise, or the deadline has passed.
    """
    wanted: Literal[OfferState.ACCEPTED, OfferState.DECLINED] = OfferState.ACCEPTED if accepted else OfferState.DECLINED
    if state is not wanted and (state is not OfferState.OPEN or answer_by < now):
        raise ConflictError("invalid-state", "The offer is answered, expired, or ended with the consent.")
    return wanted
