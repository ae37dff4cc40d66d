"""Kept reviews: who may keep and approve one, when the next is due, what a quarter is."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.advisory import data
from services.advisory.domain.kept_review import (
    ReviewState,
    check_approval,
    check_keeping,
    due_on,
    is_quarter,
    quarter_of,
)
from services.advisory.domain.resources import Review, WorkQuestion, review
from services.advisory.joint import resourcing_report
from shared.errors import ConflictError, ForbiddenError, RefusedError

CITIES = ["espoo", "helsinki", "vantaa"]
TODAY = date(2026, 10, 2)
DUE = date(2027, 1, 10)


def quarter(since: date, until: date, acts: dict[str, int] | None = None) -> Review:
    question = WorkQuestion(since=since, until=until)
    given_acts = {"advisory": acts or {"helsinki": 60, "espoo": 20, "vantaa": 20}}
    return review(question, data.agreed(), data.first_agreement().agreement.shares, given_acts, CITIES, [])


THIRD = quarter(date(2026, 7, 1), date(2026, 9, 30))


@dataclass
class Kept:
    review: Review = THIRD
    state: ReviewState = ReviewState.KEPT
    kept_by: str = "officer:m-1"
    next_due: date = DUE


def test_a_whole_review_of_days_that_have_passed_is_kept() -> None:
    check_keeping(THIRD, DUE, TODAY)
    for kept, today in ((replace(THIRD, missing_services=("training",)), TODAY), (THIRD, date(2026, 9, 30))):
        with pytest.raises(ConflictError):
            check_keeping(kept, DUE, today)
    with pytest.raises(RefusedError):
        check_keeping(THIRD, date(2026, 9, 30), TODAY)


def test_another_member_than_the_one_who_kept_it_approves_a_review_once() -> None:
    check_approval(Kept(), "officer:m-2", is_member=True)
    for by, is_member in (("officer:m-1", True), ("officer:m-2", False)):
        with pytest.raises(ForbiddenError):
            check_approval(Kept(), by, is_member=is_member)
    for state in set(ReviewState) - {ReviewState.KEPT}:
        with pytest.raises(ConflictError):
            check_approval(Kept(state=state), "officer:m-2", is_member=True)


def test_the_next_review_is_due_as_the_last_approved_one_says() -> None:
    earlier = Kept(quarter(date(2026, 4, 1), date(2026, 6, 30)), next_due=date(2026, 10, 10))
    assert due_on([Kept(), earlier], date(2025, 1, 1)) == DUE
    assert due_on([], date(2025, 1, 1)) == date(2025, 4, 1)
    assert due_on([], None) is None


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_a_day_lies_in_its_quarter_and_the_next_quarter_follows(day: date) -> None:
    first, last = quarter_of(day)
    assert first <= day <= last
    assert (first.day, first.month % 3) == (1, 1)
    assert quarter_of(last + timedelta(days=1))[0] == last + timedelta(days=1)


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_the_report_shows_the_trend_of_the_approved_quarters(lang: resourcing_report.Lang) -> None:
    masked = quarter(date(2026, 4, 1), date(2026, 6, 30), {"helsinki": 3})
    assert is_quarter(THIRD)
    assert not is_quarter(quarter(date(2026, 7, 1), date(2026, 8, 31)))
    page = resourcing_report.html(THIRD, lang, [masked, THIRD])
    assert page.count("<caption>") == 4
    assert page.count("<img") == 2
    assert resourcing_report.html(THIRD, lang).count("<img") == 1
    document = resourcing_report.pdf(THIRD, lang, [masked, THIRD])
    assert document.startswith(b"%PDF")
    assert b"/StructTreeRoot" in document
    assert b"/Outlines" in document
