"""Forming groups from a joint queue."""

import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.training.domain.formation import Formation, first_come, form
from services.training.domain.seats import Applicant, Slot, obstacles

SHARES = {"helsinki": 50, "espoo": 25, "vantaa": 25}
TODAY = date(2026, 11, 24)
PLACES = ["091", "049", "092"]


def people(count: int, seed: int) -> list[Applicant]:
    chance = random.Random(seed)
    return [
        Applicant(
            UUID(int=chance.getrandbits(128)),
            chance.choice(sorted(SHARES)),
            chance.randint(0, 100),
            datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=chance.randint(0, 100)),
            frozenset(chance.sample(["fi", "sv", "en"], chance.randint(1, 2))),
            frozenset(chance.sample(PLACES, chance.randint(1, 3))),
            TODAY + timedelta(days=chance.choice([0, 0, 30])),
        )
        for _ in range(count)
    ]


def slots(count: int, seed: int) -> list[Slot]:
    chance = random.Random(seed)
    return [
        Slot(
            f"group {number:02}",
            chance.choice(["fi", "fi", "sv", "en"]),
            chance.choice(PLACES),
            TODAY + timedelta(days=chance.choice([14, 40])),
            least := chance.randint(2, 8),
            least + chance.randint(0, 8),
        )
        for number in range(count)
    ]


@settings(max_examples=25, deadline=None)
@given(count=st.integers(0, 80), groups=st.integers(0, 8), seed=st.integers(0, 10_000))
def test_groups_keep_their_bounds_and_everyone_in_them_fits(count: int, groups: int, seed: int) -> None:
    applicants, given_slots = people(count, seed), slots(groups, seed)
    found = form(applicants, given_slots, SHARES)
    by_name = {slot.name: slot for slot in given_slots}
    assert len(found.placements) == count
    assert len({one.applicant.application_id for one in found.placements}) == count
    for name, size in found.groups.items():
        assert by_name[name].min_size <= size <= by_name[name].max_size
        assert size == sum(one.slot == name for one in found.placements)
    for one in found.placements:
        assert one.reason
        if one.slot is not None:
            assert obstacles(one.applicant, by_name[one.slot]) == []
    assert found.placed >= len(first_come(applicants, given_slots))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_same_queue_gives_the_same_groups_in_whatever_order_it_is_read(seed: int) -> None:
    applicants, given_slots = people(60, seed), slots(6, seed)
    assert form(applicants, given_slots, SHARES) == form(applicants[::-1], given_slots[::-1], SHARES)


def one_by_id(found: Formation, number: int) -> tuple[str | None, str, str | None]:
    one = next(one for one in found.placements if one.applicant.application_id == UUID(int=number))
    return one.slot, one.reason, one.would_help


def applicant(number: int, authority: str, points: int = 50, language: str = "fi") -> Applicant:
    return Applicant(
        UUID(int=number),
        authority,
        points,
        datetime(2026, 6, 1, tzinfo=UTC),
        frozenset({language}),
        frozenset({"091"}),
        TODAY,
    )


GROUP = Slot("kokit", "fi", "091", TODAY + timedelta(days=14), 2, 4)


def test_who_is_left_out_is_told_what_would_help() -> None:
    queue = [applicant(number, "helsinki", points=90 - number) for number in range(1, 6)]
    queue.append(applicant(9, "espoo", language="sv"))
    found = form(queue, [GROUP], SHARES)
    assert one_by_id(found, 1)[0] == "kokit"
    assert one_by_id(found, 5) == (
        None,
        "the groups that fit are full, by points, queue time and quotas",
        "one more seat in kokit, or more points by the criteria",
    )
    assert one_by_id(found, 9) == (None, "no group fits", "language fi would let the applicant into kokit")
    lonely = form([applicant(1, "espoo")], [GROUP], SHARES)
    assert one_by_id(lonely, 1) == (
        None,
        "the groups that fit would stay too small",
        "2 applicants who fit kokit",
    )
    assert one_by_id(form([applicant(1, "espoo")], [], SHARES), 1)[1] == "no group can be formed"


def test_an_authoritys_own_seats_come_before_the_order_of_the_joint_queue() -> None:
    queue = [applicant(number, "helsinki", points=90) for number in range(1, 6)]
    queue += [applicant(11, "espoo", points=10), applicant(12, "vantaa", points=5)]
    found = form(queue, [GROUP], SHARES)
    inside = {one.applicant.authority: 0 for one in found.placements}
    for one in found.placements:
        inside[one.applicant.authority] += one.slot is not None
    assert inside == {"helsinki": 2, "espoo": 1, "vantaa": 1}
    # Three of Helsinki are left out: they stand before Espoo's and Vantaa's.
    assert one_by_id(found, 1)[1].endswith("; the points decided")
    assert one_by_id(found, 11)[1].endswith("; the quota decided")
    assert all(
        one.reason.endswith("; the points decided")
        for one in form(queue, [GROUP], {}).placements
        if one.slot is not None
    )


def test_more_are_placed_than_first_come_first_served_would() -> None:
    # Two who fit only the second group, and two who fit both: first come fills the first group and starves the second.
    flexible = [applicant(number, "helsinki", points=90) for number in (1, 2)]
    flexible = [
        Applicant(
            one.application_id, one.authority, 90, one.queued_at, frozenset({"fi"}), frozenset({"091", "092"}), TODAY
        )
        for one in flexible
    ]
    bound = [Applicant(UUID(int=3), "vantaa", 10, flexible[0].queued_at, frozenset({"fi"}), frozenset({"092"}), TODAY)]
    first = Slot("a", "fi", "091", TODAY, 3, 4)
    second = Slot("b", "fi", "092", TODAY, 3, 4)
    assert len(first_come([*flexible, *bound], [first, second])) == 0
    assert form([*flexible, *bound], [first, second], SHARES).placed == 3
