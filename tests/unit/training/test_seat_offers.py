"""What becomes of a seat, and of the application that holds it."""

from datetime import date

import pytest

from services.training.domain import seats
from services.training.domain.seats import KEEPS_SEAT, Actor, SeatOfferState
from shared.errors import ConflictError
from shared.events.v1.training import AfterDecline, ApplicationState, GroupState, SeatAnswer

OFFICER = Actor("officer:test", "helsinki")


@pytest.mark.parametrize(
    ("answer", "offer", "application", "is_in_group"),
    [
        (SeatAnswer.ACCEPTED, SeatOfferState.ACCEPTED, ApplicationState.ACCEPTED, True),
        (SeatAnswer.DECLINED, SeatOfferState.DECLINED, ApplicationState.WAITING, False),
        (SeatAnswer.EXPIRED, SeatOfferState.EXPIRED, ApplicationState.WAITING, False),
    ],
)
def test_an_answer_keeps_the_seat_only_when_it_accepts(
    answer: SeatAnswer, offer: SeatOfferState, application: ApplicationState, *, is_in_group: bool
) -> None:
    change = seats.answered(answer)
    assert (change.offer, change.application, change.is_in_group) == (offer, application, is_in_group)
    assert (offer in KEEPS_SEAT) is is_in_group


@pytest.mark.parametrize("answer", [SeatAnswer.DECLINED, SeatAnswer.EXPIRED])
def test_a_course_can_end_the_application_of_who_turns_a_seat_down(answer: SeatAnswer) -> None:
    change = seats.answered(answer, goes_on_waiting=False)
    assert change.application is ApplicationState.DECLINED
    assert change.offer not in KEEPS_SEAT
    assert "by the course's rule" in change.reason


def test_the_rule_after_a_decline_is_the_one_in_force_when_the_seat_was_offered() -> None:
    rules = [
        AfterDecline(valid_from=date(2027, 6, 1), application="waits"),
        AfterDecline(valid_from=date(2027, 1, 1), application="ends"),
    ]
    assert seats.goes_on(None, date(2027, 1, 1))
    assert seats.goes_on(rules, date(2026, 12, 31))
    assert not seats.goes_on(rules, date(2027, 1, 1))
    assert not seats.goes_on(rules, date(2027, 5, 31))
    assert seats.goes_on(rules, date(2027, 6, 1))


@pytest.mark.parametrize("offer", sorted(KEEPS_SEAT))
def test_who_had_a_seat_in_a_cancelled_group_waits_again(offer: SeatOfferState) -> None:
    change = seats.group_ended(GroupState.CANCELLED, offer)
    assert (change.application, change.offer) == (ApplicationState.WAITING, SeatOfferState.CANCELLED)
    assert not change.is_in_group


def test_who_has_accepted_completes_the_group_and_who_has_not_answered_waits_again() -> None:
    completed = seats.group_ended(GroupState.COMPLETED, SeatOfferState.ACCEPTED)
    assert (completed.application, completed.offer, completed.is_in_group) == (ApplicationState.COMPLETED, None, True)
    unanswered = seats.group_ended(GroupState.COMPLETED, SeatOfferState.OPEN)
    assert (unanswered.application, unanswered.offer) == (ApplicationState.WAITING, SeatOfferState.CANCELLED)


@pytest.mark.parametrize("state", list(ApplicationState))
def test_everything_can_be_withdrawn_that_has_not_been_or_is_not_completed(state: ApplicationState) -> None:
    change = seats.withdrawn(state)
    assert (change is None) is (state in {ApplicationState.WITHDRAWN, ApplicationState.COMPLETED})
    if change is not None:
        assert (change.application, change.offer) == (ApplicationState.WITHDRAWN, SeatOfferState.WITHDRAWN)


def test_only_who_has_accepted_and_only_once_the_group_is_confirmed_can_fail_to_come() -> None:
    change = seats.no_show(GroupState.CONFIRMED, SeatOfferState.ACCEPTED, OFFICER, "ei tullut")
    assert (change.application, change.offer, change.actor) == (
        ApplicationState.NO_SHOW,
        SeatOfferState.NO_SHOW,
        OFFICER,
    )
    for group, offer in (
        (GroupState.SELECTION, SeatOfferState.ACCEPTED),
        (GroupState.RUNNING, SeatOfferState.OPEN),
        (GroupState.COMPLETED, SeatOfferState.ACCEPTED),
    ):
        with pytest.raises(ConflictError) as refused:
            seats.no_show(group, offer, OFFICER, "ei tullut")
        assert refused.value.code == "not-accepted"


def test_only_who_waits_is_rejected() -> None:
    assert seats.rejected(ApplicationState.WAITING, OFFICER, "ehdot").application is ApplicationState.REJECTED
    with pytest.raises(ConflictError, match="The application is offered"):
        seats.rejected(ApplicationState.OFFERED, OFFICER, "ehdot")


@pytest.mark.parametrize(
    ("group", "application", "same_course", "code"),
    [
        (GroupState.PLANNED, ApplicationState.WAITING, True, "invalid-state"),
        (GroupState.PROCUREMENT, ApplicationState.WAITING, True, "invalid-state"),
        (GroupState.CANCELLED, ApplicationState.WAITING, True, "invalid-state"),
        (GroupState.OPEN, ApplicationState.OFFERED, True, "not-waiting"),
        (GroupState.OPEN, ApplicationState.WAITING, False, "not-waiting"),
    ],
)
def test_an_officer_selects_only_who_waits_for_a_group_that_takes_people(
    group: GroupState, application: ApplicationState, code: str, *, same_course: bool
) -> None:
    seats.check_selection(GroupState.OPEN, ApplicationState.WAITING, is_same_course=True)
    with pytest.raises(ConflictError) as refused:
        seats.check_selection(group, application, is_same_course=same_course)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("group", "offer", "same_group", "same_course", "code"),
    [
        (GroupState.OPEN, None, False, True, "not-accepted"),
        (GroupState.OPEN, SeatOfferState.OPEN, False, True, "not-accepted"),
        (GroupState.OPEN, SeatOfferState.ACCEPTED, True, True, "not-accepted"),
        (GroupState.OPEN, SeatOfferState.ACCEPTED, False, False, "wrong-group"),
        (GroupState.COMPLETED, SeatOfferState.ACCEPTED, False, True, "wrong-group"),
    ],
)
def test_an_applicant_is_transferred_from_an_accepted_seat_to_another_group_of_the_course(
    group: GroupState, offer: SeatOfferState | None, code: str, *, same_group: bool, same_course: bool
) -> None:
    seats.check_transfer(GroupState.OPEN, SeatOfferState.ACCEPTED, is_same_group=False, is_same_course=True)
    with pytest.raises(ConflictError) as refused:
        seats.check_transfer(group, offer, is_same_group=same_group, is_same_course=same_course)
    assert refused.value.code == code


def test_a_full_group_has_no_free_seat() -> None:
    seats.check_free_seat(4, taken=3)
    with pytest.raises(ConflictError, match="Every seat"):
        seats.check_free_seat(4, taken=4)


def test_reasons_are_as_long_as_the_events_take() -> None:
    assert len(seats.selected("x" * 400)) == 300
    assert len(seats.transferred(OFFICER, "x" * 400).reason) == 300
