"""Consent, contact, job offers and a pool's silence, as pure decisions."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.placement.domain import referral
from services.placement.domain.referral import PoolState, pool_state
from shared.errors import ConflictError
from shared.events.v1.placement import OfferState, ReferralOutcome, ReferralState, VacancyState

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("received_at", "now", "state"),
    [
        (None, NOW, PoolState.WAITING),
        (None, LATER, PoolState.DID_NOT_ANSWER),
        (NOW, LATER, PoolState.ANSWERED),
        (LATER, LATER, PoolState.ANSWERED_LATE),
    ],
)
def test_a_pools_silence_has_a_name_after_the_deadline(
    received_at: datetime | None, now: datetime, state: PoolState
) -> None:
    assert pool_state(received_at, NOW, now) is state


@pytest.mark.parametrize(
    ("state", "filled", "code"),
    [
        (VacancyState.FILLED, 0, "positions-filled"),
        (VacancyState.EXPIRED, 2, "positions-filled"),
        (VacancyState.WITHDRAWN, 2, "vacancy-withdrawn"),
    ],
)
def test_nobody_is_offered_a_vacancy_without_a_position_left(state: VacancyState, filled: int, code: str) -> None:
    referral.check_vacancy(VacancyState.EXPIRED, 1, 2)
    with pytest.raises(ConflictError) as conflict:
        referral.check_vacancy(state, filled, 2)
    assert conflict.value.code == code


def test_the_first_answer_of_a_jobseeker_counts() -> None:
    assert referral.consent(ReferralState.REQUESTED, None, consented=True) is ReferralState.CONSENTED
    assert referral.consent(ReferralState.DECLINED, None, consented=False) is ReferralState.DECLINED
    for state in (ReferralState.DECLINED, ReferralState.UNKNOWN_REFERENCE):
        with pytest.raises(ConflictError) as conflict:
            referral.consent(state, None, consented=True)
        assert conflict.value.code == "invalid-state"


def test_a_contact_is_given_after_consent_and_until_the_referral_ends() -> None:
    may = [state for state in ReferralState if referral.may_contact(state, None, None, TODAY)]
    assert may == [ReferralState.CONSENTED]
    assert not any(referral.may_contact(ReferralState.CONSENTED, outcome, None, TODAY) for outcome in ReferralOutcome)


@pytest.mark.parametrize(
    ("state", "outcome", "offers", "answer_by"),
    [
        (ReferralState.REQUESTED, None, [], LATER),
        (ReferralState.DECLINED, None, [], LATER),
        (ReferralState.CONSENTED, ReferralOutcome.WITHDRAWN, [], LATER),
        (ReferralState.CONSENTED, None, [], NOW),
        (ReferralState.CONSENTED, None, [OfferState.DECLINED, OfferState.OPEN], LATER),
        (ReferralState.CONSENTED, None, [OfferState.ACCEPTED], LATER),
    ],
)
def test_an_offer_needs_consent_a_deadline_ahead_and_no_other_that_stands(
    state: ReferralState, outcome: ReferralOutcome | None, offers: list[OfferState], answer_by: datetime
) -> None:
    with pytest.raises(ConflictError):
        referral.check_offer(state, outcome, offers, answer_by, NOW)


def test_an_offer_may_follow_those_that_were_declined_or_expired() -> None:
    referral.check_offer(ReferralState.CONSENTED, None, [OfferState.DECLINED, OfferState.EXPIRED], LATER, NOW)


def test_an_offer_is_answered_once_and_before_its_deadline() -> None:
    assert referral.answer(OfferState.OPEN, LATER, NOW, accepted=True) is OfferState.ACCEPTED
    assert referral.answer(OfferState.OPEN, NOW, NOW, accepted=False) is OfferState.DECLINED
    assert referral.answer(OfferState.ACCEPTED, NOW, LATER, accepted=True) is OfferState.ACCEPTED
    for state, now in ((OfferState.OPEN, LATER), (OfferState.ACCEPTED, NOW), (OfferState.EXPIRED, NOW)):
        with pytest.raises(ConflictError):
            referral.answer(state, NOW, now, accepted=False)


def test_a_referral_ends_in_one_way() -> None:
    assert referral.end(None, ReferralOutcome.HIRED) is ReferralOutcome.HIRED
    assert referral.end(ReferralOutcome.HIRED, ReferralOutcome.HIRED) is ReferralOutcome.HIRED
    with pytest.raises(ConflictError):
        referral.end(ReferralOutcome.HIRED, ReferralOutcome.NOT_HIRED)
