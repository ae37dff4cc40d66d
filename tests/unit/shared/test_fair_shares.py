"""Whose turn it is by agreed shares."""

from collections import Counter
from dataclasses import dataclass, replace

import pytest

from shared.fair_shares import Choice, agreed_share, choose, turn

AGREED = {"a": 50.0, "b": 25.0, "c": 25.0}


@dataclass(frozen=True)
class Someone:
    officer: str
    authority: str
    person_years: float = 1.0
    open: int = 0


def test_over_time_each_is_chosen_by_its_share() -> None:
    handled: Counter[str] = Counter()
    for _ in range(200):
        handled[turn(AGREED, handled, AGREED)] += 1
    assert handled == {"a": 100, "b": 50, "c": 50}


def test_the_choice_says_the_numbers_that_decided() -> None:
    someone = Someone("1", "b")
    assert choose([someone], {"a": 3, "b": 1}, AGREED) == Choice(someone, actual=0.25, agreed=0.25)
    assert agreed_share("a", AGREED) == 0.5


def test_within_an_authority_the_least_open_work_for_the_officers_time_decides() -> None:
    whole, half = Someone("whole", "a", 1.0, 2), Someone("half", "a", 0.5, 1)
    assert choose([whole, half], {}, AGREED).candidate is whole
    assert choose([replace(whole, open=4), half], {}, AGREED).candidate is half


@pytest.mark.parametrize(
    ("handled", "chosen"), [({"a": 1000, "b": 500, "c": 500}, "b"), ({"a": 0, "b": 5, "c": 5}, "a")]
)
def test_nobody_waits_for_the_sake_of_fairness_unless_somebody_is_behind(handled: dict[str, int], chosen: str) -> None:
    busy, idle = Someone("busy", "a", open=3), Someone("idle", "b")
    assert choose([busy, idle], handled, AGREED).candidate.authority == chosen
