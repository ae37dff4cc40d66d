"""Who is offered a seat: the written rule, quotas, and what is pooled."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training import data
from services.training.domain.course import last_entry_day
from services.training.domain.deadlines import answer_by
from services.training.domain.seats import (
    Applicant,
    Slot,
    check_entry,
    next_offers,
    obstacles,
    offers_seats,
    queue,
    quotas,
    shares_on,
)
from shared.errors import ConflictError
from shared.events.v1.training import Course, CourseKind, Group, GroupState, Labels

SHARES = {"helsinki": 50, "espoo": 25, "vantaa": 25}
AT = datetime(2026, 11, 1, tzinfo=UTC)


def applicant(number: int, authority: str = "helsinki", points: int = 50, days: int = 0) -> Applicant:
    return Applicant(UUID(int=number), authority, points, AT + timedelta(days=days))


applicants = st.lists(
    st.builds(
        applicant,
        number=st.integers(1, 10_000),
        authority=st.sampled_from(sorted(SHARES)),
        points=st.integers(0, 100),
        days=st.integers(0, 60),
    ),
    max_size=60,
    unique_by=lambda one: one.application_id,
)
taken = st.lists(st.sampled_from(sorted(SHARES)), max_size=20)


@given(seats=st.integers(1, 40), taken=taken, waiting=applicants)
def test_no_seat_is_given_twice_and_none_stays_empty_while_someone_eligible_waits(
    seats: int, taken: list[str], waiting: list[Applicant]
) -> None:
    chosen = next_offers(seats, taken, waiting, SHARES)
    assert len(chosen) == min(max(0, seats - len(taken)), len(waiting))
    assert len({one.application_id for one, _ in chosen}) == len(chosen)


@given(seats=st.integers(1, 40), waiting=applicants)
def test_an_authority_gets_its_own_seats_before_others_get_them(seats: int, waiting: list[Applicant]) -> None:
    chosen = next_offers(seats, [], waiting, SHARES)
    for authority, quota in quotas(seats, SHARES).items():
        own = sum(one.authority == authority for one in waiting)
        assert sum(one.authority == authority for one, _ in chosen) >= min(own, quota)


@given(seats=st.integers(1, 40), taken=taken, waiting=applicants)
def test_nobody_is_passed_over_for_someone_behind_of_the_same_authority(
    seats: int, taken: list[str], waiting: list[Applicant]
) -> None:
    chosen = {one.application_id for one, _ in next_offers(seats, taken, waiting, SHARES)}
    for authority in SHARES:
        own = [one.application_id in chosen for one in queue(waiting) if one.authority == authority]
        assert own == sorted(own, reverse=True)


@given(waiting=applicants)
def test_the_order_does_not_depend_on_the_order_of_arrival(waiting: list[Applicant]) -> None:
    assert next_offers(10, [], waiting, SHARES) == next_offers(10, [], waiting[::-1], SHARES)


def test_points_come_before_queue_time() -> None:
    early, better = applicant(1, points=40), applicant(2, points=60, days=30)
    assert queue([early, better]) == [better, early]
    assert queue([applicant(3, days=2), applicant(4, days=1)])[0].application_id == UUID(int=4)


def test_a_quota_that_its_own_queue_cannot_fill_is_released() -> None:
    waiting = [applicant(number, "vantaa") for number in range(1, 11)]
    chosen = next_offers(8, [], waiting, SHARES)
    assert len(chosen) == 8
    assert [reason.split(",")[0] for _, reason in chosen] == ["the points decided: by points and queue time"] * 2 + [
        "the points decided: a pooled seat"
    ] * 6


def test_a_seats_reason_says_whether_the_quota_or_the_points_decided() -> None:
    ours = [applicant(number, "helsinki", points=90) for number in range(1, 5)]
    espoo = applicant(9, "espoo", points=10)
    reasons = {chosen.application_id: reason for chosen, reason in next_offers(4, [], [*ours, espoo], SHARES)}
    assert reasons[espoo.application_id] == ("the quota decided: within the 1 seats of espoo, by points and queue time")
    assert all(reasons[one.application_id].startswith("the points decided") for one in ours[:3])
    unverified = dict(next_offers(4, [], [*ours, espoo], SHARES, is_verified=False))
    assert "to be checked: no decision on the quota is recorded" in unverified[espoo]
    assert max(len(reason) for reason in unverified.values()) < 200


@given(seats=st.integers(1, 40), taken=taken, waiting=applicants)
def test_the_points_decided_for_who_would_have_the_seat_without_quotas(
    seats: int, taken: list[str], waiting: list[Applicant]
) -> None:
    without = {one.application_id for one, _ in next_offers(seats, taken, waiting, {})}
    for one, reason in next_offers(seats, taken, waiting, SHARES):
        assert reason.startswith("the points decided") is (one.application_id in without)


def test_the_agreed_shares_are_dated_data_that_add_up() -> None:
    shares = shares_on(data.shares(), date(2026, 11, 24))
    assert shares == SHARES
    assert shares_on(data.shares(), date(2024, 12, 31)) == {}
    assert sum(quotas(10, shares).values()) == 9  # one seat of ten is pooled


def test_who_does_not_fit_is_told_what_is_in_the_way() -> None:
    slot = Slot("a", "sv", "049", date(2027, 1, 1), 8, 16)
    one = Applicant(
        UUID(int=1), "vantaa", 50, AT, frozenset({"fi"}), frozenset({"092"}), can_start_from=date(2027, 2, 1)
    )
    assert obstacles(one, slot) == ["language sv", "travel to 049", "a start by 2027-01-01"]
    anytime = Slot("a", "fi", "092", date(2027, 1, 1), 8, 16, is_continuous=True)
    assert obstacles(one, anytime) == []

    assert obstacles(one, replace(anytime, ends_on=date(2027, 1, 31))) == ["a start by 2027-01-31"]


STARTS, ENDS = date(2027, 1, 10), date(2027, 3, 31)


def offers(state: GroupState, today: date, *, late: int = 5, ends: date = ENDS, continuous: bool = False) -> bool:
    """Whether a group of January to March offers its seats on a day."""
    course = Course(
        kind=CourseKind.JOB_COACHING,
        title=Labels(fi="Valmennus"),
        late_entry_days=late,
        start_type="continuous" if continuous else "common",
    )
    group = Group(seats=4, language="fi", municipality="092", starts_on=STARTS, ends_on=ends)
    return offers_seats(state, last_entry_day(group, course), today, is_continuous=continuous)


ON_OFFER = [GroupState.SELECTION, GroupState.CONFIRMED, GroupState.RUNNING]


@pytest.mark.parametrize("state", ON_OFFER)
def test_no_seat_is_offered_after_the_late_entry_days(state: GroupState) -> None:
    assert offers(state, date(2027, 1, 15))
    assert not offers(state, date(2027, 1, 16))


@pytest.mark.parametrize("state", ON_OFFER)
def test_without_late_entry_no_seat_is_offered_after_the_day_of_the_start(state: GroupState) -> None:
    assert offers(state, STARTS, late=0)
    assert not offers(state, date(2027, 1, 11), late=0)


@pytest.mark.parametrize("state", ON_OFFER)
def test_no_seat_is_offered_past_the_end_of_a_group_shorter_than_its_late_entry(state: GroupState) -> None:
    assert offers(state, date(2027, 1, 12), ends=date(2027, 1, 12))
    assert not offers(state, date(2027, 1, 13), ends=date(2027, 1, 12))


@pytest.mark.parametrize("state", [GroupState.OPEN, *ON_OFFER])
def test_a_continuous_group_offers_seats_to_its_end_and_none_past_it(state: GroupState) -> None:
    assert offers(state, date(2026, 12, 1), continuous=True)
    assert offers(state, ENDS, continuous=True)
    assert not offers(state, date(2027, 4, 1), continuous=True)


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize("state", [one for one in GroupState if one not in {GroupState.OPEN, *ON_OFFER}])
def test_no_seat_is_offered_before_a_group_is_open_or_when_it_has_ended(state: GroupState, *, continuous: bool) -> None:
    assert not offers(state, date(2027, 1, 1), continuous=continuous)


def test_a_common_start_offers_seats_from_selection_on() -> None:
    assert not offers(GroupState.OPEN, date(2027, 1, 1))
    assert offers(GroupState.SELECTION, date(2027, 1, 1))


def test_a_group_is_entered_until_its_last_entry_day_also_by_selection() -> None:
    check_entry(ENDS, ENDS)
    with pytest.raises(ConflictError) as refused:
        check_entry(ENDS, date(2027, 4, 1))
    assert refused.value.code == "too-late"


# -- deadlines

CLOSES, LATER = time(16), date(2027, 12, 31)


@pytest.mark.parametrize(
    ("made_at", "hours", "due"),
    [
        # Three business days, to the end of office hours; Saturday and Sunday are none.
        ("2026-11-24T08:00:00+02:00", 72, "2026-11-27T16:00:00+02:00"),
        ("2026-11-26T15:00:00+02:00", 72, "2026-12-01T16:00:00+02:00"),
        ("2026-11-28T12:00:00+02:00", 24, "2026-11-30T16:00:00+02:00"),
        # Christmas: from the 24th to the 27th there is no business day.
        ("2026-12-23T10:00:00+02:00", 48, "2026-12-29T16:00:00+02:00"),
        # A day begun is a business day; the offer of a late evening is made on that local day.
        ("2026-11-24T22:30:00Z", 36, "2026-11-27T16:00:00+02:00"),
        # Summer time begins between.
        ("2027-03-26T10:00:00+02:00", 24, "2027-03-30T16:00:00+03:00"),
        # Less than a day is counted by the clock.
        ("2026-11-28T12:00:00+02:00", 2, "2026-11-28T14:00:00+02:00"),
    ],
)
def test_a_deadline_counts_business_days_to_the_end_of_office_hours(made_at: str, hours: float, due: str) -> None:
    given_at = datetime.fromisoformat(made_at)
    assert answer_by(given_at, timedelta(hours=hours), LATER, CLOSES) == datetime.fromisoformat(due)


def test_no_answer_is_awaited_after_the_last_day_of_entry() -> None:
    made_at = datetime.fromisoformat("2026-11-24T23:00:00+02:00")
    due = answer_by(made_at, timedelta(hours=72), date(2026, 11, 24), CLOSES)
    assert due == datetime.fromisoformat("2026-11-25T00:00:00+02:00") > made_at
