"""Places in a joint queue, and when each may start."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

from services.training.domain.places import Place, Room, changed, places
from services.training.domain.seats import Applicant, Slot

TODAY = date(2026, 11, 25)
FIRST = Slot("first", "fi", "092", date(2027, 2, 1), 1, 2, ends_on=date(2027, 6, 1))
SECOND = replace(FIRST, name="second", starts_on=date(2027, 3, 1))


def applicant(number: int, points: int, authority: str = "vantaa", language: str = "fi") -> Applicant:
    queued_at = datetime(2026, 11, 1, tzinfo=UTC)
    return Applicant(UUID(int=number), authority, points, queued_at, frozenset({language}), frozenset({"092"}))


def starts(found: list[Place]) -> dict[int, tuple[int, date | None]]:
    return {place.application_id.int: (place.position, place.estimated_start) for place in found}


def test_who_waits_may_start_in_the_first_group_whose_seats_come_to_them() -> None:
    waiting = [applicant(number, points=100 - number) for number in (1, 2, 3, 4, 5)]
    found = places(waiting[::-1], [Room(SECOND, 2, ["espoo"]), Room(FIRST, 2, [])], {}, TODAY)
    assert starts(found) == {
        1: (1, FIRST.starts_on),
        2: (2, FIRST.starts_on),
        3: (3, SECOND.starts_on),
        4: (4, None),
        5: (5, None),
    }


def test_the_estimate_follows_quotas_and_what_an_applicant_fits() -> None:
    waiting = [applicant(1, 90), applicant(2, 80), applicant(3, 10, "espoo"), applicant(4, 99, language="sv")]
    found = places(waiting, [Room(FIRST, 2, [])], {"espoo": 50}, TODAY)
    assert starts(found) == {4: (1, None), 1: (2, FIRST.starts_on), 2: (3, None), 3: (4, FIRST.starts_on)}


def test_who_turned_a_group_down_may_start_in_the_next_one() -> None:
    turned_down = Room(FIRST, 2, [], frozenset({UUID(int=1)}))
    assert starts(places([applicant(1, 90)], [turned_down, Room(SECOND, 2, [])], {}, TODAY)) == {
        1: (1, SECOND.starts_on)
    }


def test_nobody_starts_a_continuous_group_before_today_or_before_they_can() -> None:
    anytime = replace(FIRST, starts_on=date(2026, 10, 1), is_continuous=True)
    later = replace(applicant(2, 10), can_start_from=date(2027, 1, 4))
    assert starts(places([applicant(1, 90), later], [Room(anytime, 2, [])], {}, TODAY)) == {
        1: (1, TODAY),
        2: (2, date(2027, 1, 4)),
    }


def test_only_what_has_changed_is_told_also_to_the_city_moved_to() -> None:
    known = places([applicant(number, 100 - number) for number in (1, 2, 3)], [], {}, TODAY)
    assert changed(known, known) == []
    now = [known[0], replace(known[1], authority="espoo"), replace(known[2], position=2)]
    assert changed(now, known) == now[1:]
