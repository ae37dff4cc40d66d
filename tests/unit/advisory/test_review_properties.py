"""The review's arithmetic: what is masked cannot be computed back, and no day is counted twice or left out."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.advisory import data
from services.advisory.domain.resources import (
    LEAST_SHOWN,
    TASKS,
    Agreed,
    Review,
    WorkQuestion,
    counted,
    prorated,
    review,
    spans,
)
from shared.calendar import start_of

CITIES = ["espoo", "helsinki", "vantaa"]
YEAR = WorkQuestion(since=date(2026, 1, 1), until=date(2026, 12, 31))
COUNTS = st.fixed_dictionaries(
    {task: st.fixed_dictionaries({city: st.integers(0, 12) for city in CITIES}) for task in TASKS}
)
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


def reviewed(acts: Mapping[str, Mapping[str, int]]) -> Review:
    return review(YEAR, data.agreed(), data.first_agreement().agreement.shares, acts, CITIES, [])


@given(COUNTS, st.sampled_from(TASKS), st.sampled_from(CITIES), st.integers(1, LEAST_SHOWN - 1))
def test_what_is_shown_is_the_same_whatever_a_small_count_is(
    acts: dict[str, dict[str, int]], task: str, city: str, other: int
) -> None:
    assume(0 < acts[task][city] < LEAST_SHOWN)
    changed = acts | {task: acts[task] | {city: other}}
    assert reviewed(acts) == reviewed(changed)


def test_a_hundred_and_one_and_one_cannot_be_computed_back() -> None:
    whole = reviewed({"advisory": {"helsinki": 100, "espoo": 1, "vantaa": 1}})
    rows = [row for row in whole.rows if row.task == "advisory"]
    assert [(row.acts, row.actual_share, row.actual_years) for row in rows] == [(None, None, None)] * 3
    assert [total.acts for total in whole.totals] == [0, 0, 0]


@given(st.lists(st.tuples(DAYS, st.integers(0, 20)), max_size=6), DAYS, DAYS, DAYS)
def test_a_period_is_the_sum_of_its_parts(
    decided: list[tuple[date, int]], first: date, second: date, third: date
) -> None:
    since, middle, until = sorted([first, second, third])
    assume(middle < until)
    rules = [Agreed("advisory", "espoo", years, day, None, "verified", "decided") for day, years in decided]

    def years(begin: date, end: date) -> float:
        return prorated(spans(rules, "advisory", begin, end)).get("espoo", 0.0)

    assert years(since, until) == pytest.approx(years(since, middle) + years(middle + timedelta(days=1), until))


def test_person_years_are_prorated_over_what_was_in_force() -> None:
    rules = [
        Agreed("advisory", "espoo", 2.0, date(2025, 1, 1), None, "unverified", "shipped"),
        Agreed("advisory", "espoo", 4.0, date(2026, 7, 1), None, "verified", "decided"),
    ]
    found = spans(rules, "advisory", YEAR.since, YEAR.until)
    assert [(span.since, span.until, span.person_years) for span in found] == [
        (date(2026, 1, 1), date(2026, 6, 30), 2.0),
        (date(2026, 7, 1), date(2026, 12, 31), 4.0),
    ]
    assert prorated(found)["espoo"] == pytest.approx((2 * 181 + 4 * 184) / 365)
    leap = spans(rules, "advisory", date(2028, 1, 1), date(2028, 12, 31))
    assert prorated(leap)["espoo"] == pytest.approx(4.0)


def test_the_totals_are_measured_by_the_agreement() -> None:
    totals = {total.authority: total for total in reviewed({"advisory": {"helsinki": 60, "espoo": 20}}).totals}
    assert (totals["helsinki"].share_in_principle, totals["helsinki"].agreed_share) == (0.5, 0.5)
    assert (totals["espoo"].least_years, totals["espoo"].agreed_years, totals["espoo"].is_below_least) == (
        10,
        10,
        False,
    )
    assert totals["helsinki"].actual_share == 0.75
    less = [Agreed("advisory", "vantaa", 9.9, date(2025, 1, 1), None, "verified", "decided")]
    whole = review(YEAR, less, data.first_agreement().agreement.shares, {}, CITIES, [])
    assert [total.is_below_least for total in whole.totals] == [True, True, True]


def test_acts_are_counted_from_the_year_or_from_the_last_change_of_shares() -> None:
    rules = [
        Agreed("advisory", "espoo", 2.0, date(2025, 1, 1), None, "unverified", "shipped"),
        Agreed("advisory", "espoo", 4.0, date(2026, 7, 1), None, "verified", "decided"),
    ]
    firsts = [counted(rules, "advisory", day)[0] for day in (date(2026, 6, 30), date(2026, 7, 1), date(2027, 2, 1))]
    assert firsts == [start_of(day) for day in (date(2026, 1, 1), date(2026, 7, 1), date(2027, 1, 1))]
