"""Who is offered a seat: the written rule, quotas, and what is pooled."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training import data
from services.training.domain.seats import (
    Applicant,
    Slot,
    next_offers,
    obstacles,
    offers_seats,
    queue,
    quotas,
    shares_on,
)
from shared.events.v1.training import GroupState

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
    assert [reason.split(",")[0] for _, reason in chosen] == ["within the 2 seats of vantaa"] * 2 + [
        "a pooled seat"
    ] * 6


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


@pytest.mark.parametrize(
    ("state", "day", "continuous", "offers"),
    [
        ("planned", 1, True, False),
        ("open", 1, False, False),
        ("open", 1, True, True),
        ("selection", 1, False, True),
        ("confirmed", 1, False, True),
        ("running", 15, False, True),
        ("running", 16, False, False),
        ("running", 16, True, True),
        ("completed", 1, True, False),
    ],
)
def test_free_seats_are_offered_from_selection_until_late_entry_ends(
    state: str, day: int, *, continuous: bool, offers: bool
) -> None:
    today = date(2027, 1, day)
    assert offers_seats(GroupState(state), date(2027, 1, 10), today, 5, is_continuous=continuous) is offers
