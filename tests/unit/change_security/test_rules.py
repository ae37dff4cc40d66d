"""Rules that change by date."""

from datetime import UTC, date, datetime

import pytest

from deploy.local.sample_data import proposal_json
from services.change_security import data
from services.change_security.domain.calendar import business_days_after
from services.change_security.domain.rules import Assessment, assess
from shared.calendar import is_business_day, local_day
from shared.events.v1.change_security import LegalBasis
from tests.support.filings import proposal, termination_notice

RULES = data.rules()
BEFORE = datetime(2025, 6, 30, 20, 59, tzinfo=UTC)  # 23.59 in Helsinki
AFTER = datetime(2025, 6, 30, 21, 0, tzinfo=UTC)  # 0.00 on 1.7. in Helsinki


def clock(assessment: Assessment, name: str) -> date | None:
    return next((clock.day for clock in assessment.clocks if clock.name == name), None)


@pytest.mark.parametrize(("arrived", "days"), [(BEFORE, 42), (AFTER, 21)])
def test_the_long_negotiation_time_is_six_weeks_until_june_2025_and_three_from_july(
    arrived: datetime, days: int
) -> None:
    found = clock(assess(proposal(), arrived, RULES), "earliest_end_of_negotiations")
    assert found is not None
    assert (found - date(2026, 11, 30)).days == days


@pytest.mark.parametrize(("arrived", "days"), [(BEFORE, 14), (AFTER, 7)])
def test_the_short_negotiation_time_applies_when_fewer_than_ten_are_affected(arrived: datetime, days: int) -> None:
    few = proposal(measures=[{"measure": "termination", "personnel_group": "kaikki", "count": 9}])
    found = clock(assess(few, arrived, RULES), "earliest_end_of_negotiations")
    assert found is not None
    assert (found - date(2026, 11, 30)).days == days


def test_an_employer_under_fifty_negotiates_seven_days_from_july_2025() -> None:
    employer = proposal_json()["employer"] | {"regular_staff": 49}
    found = clock(assess(proposal(employer=employer), AFTER, RULES), "earliest_end_of_negotiations")
    assert found == date(2026, 12, 7)


def test_employment_ends_at_earliest_thirty_days_after_the_proposal_from_july_2025() -> None:
    assessment = assess(proposal(), datetime(2026, 11, 24, 22, 30, tzinfo=UTC), RULES)
    assert clock(assessment, "earliest_end_of_employment") == date(2026, 12, 25)  # the 25th of November in Helsinki
    assert all(clock.to_be_checked for clock in assessment.clocks if clock.name == "earliest_end_of_employment")
    assert clock(assess(proposal(), BEFORE, RULES), "earliest_end_of_employment") is None


def test_fewer_than_ten_terminations_set_no_earliest_end_of_employment() -> None:
    few = proposal(measures=[{"measure": "termination", "count": 9}, {"measure": "layoff", "count": 90}])
    assert clock(assess(few, AFTER, RULES), "earliest_end_of_employment") is None


@pytest.mark.parametrize("basis", [LegalBasis.KUNTA_449_2007, LegalBasis.VALTIO_1233_2013])
def test_the_thresholds_of_2025_are_not_applied_to_municipalities_or_the_state(basis: LegalBasis) -> None:
    assessment = assess(proposal(legal_basis=basis), AFTER, RULES)
    assert assessment.clocks == ()
    assert assessment.scope == "unknown"


@pytest.mark.parametrize(
    ("staff", "arrived", "scope"),
    [
        (20, BEFORE, "in_scope"),
        (19, BEFORE, "not_in_scope"),
        (50, AFTER, "in_scope"),
        (49, AFTER, "in_scope"),  # considers 64 terminations: a large reduction
        (19, AFTER, "not_in_scope"),
        (None, AFTER, "unknown"),
    ],
)
def test_the_scope_of_the_act_follows_the_number_of_staff(staff: int | None, arrived: datetime, scope: str) -> None:
    employer = proposal_json()["employer"] | {"regular_staff": staff}
    assert assess(proposal(employer=employer), arrived, RULES).scope == scope


def test_an_employer_of_twenty_to_forty_nine_is_out_of_scope_without_a_large_reduction() -> None:
    employer = proposal_json()["employer"] | {"regular_staff": 30}
    short_layoffs = [{"measure": "layoff", "count": 25, "layoff_days": 90}]
    assert assess(proposal(employer=employer, measures=short_layoffs), AFTER, RULES).scope == "not_in_scope"
    long_layoffs = [{"measure": "layoff", "count": 25, "layoff_days": 91}]
    assert assess(proposal(employer=employer, measures=long_layoffs), AFTER, RULES).scope == "in_scope"


def test_a_filing_after_the_negotiations_began_is_warned_of_and_not_refused() -> None:
    late = assess(proposal(), datetime(2026, 12, 1, tzinfo=UTC), RULES)
    assert [warning.code for warning in late.warnings] == ["filed_after_negotiations_began"]


@pytest.mark.parametrize(("informed", "warned"), [("2026-11-25", False), ("2026-11-26", True)])
def test_personnel_informed_less_than_five_calendar_days_before_is_warned_of(informed: str, *, warned: bool) -> None:
    negotiations = proposal_json()["negotiations"] | {"personnel_informed_on": informed}
    found = assess(proposal(negotiations=negotiations), AFTER, RULES)
    assert ("personnel_informed_late" in [warning.code for warning in found.warnings]) is warned


@pytest.mark.parametrize(("counts", "scope"), [((9,), "not_in_scope"), ((6, 4), "in_scope")])
def test_a_notice_of_terminations_has_no_threshold_but_ten_terminations(counts: tuple[int, ...], scope: str) -> None:
    assert assess(termination_notice(*counts), AFTER, RULES).scope == scope


@pytest.mark.parametrize(("count", "plan"), [(9, "operating_principles"), (10, "action_plan")])
def test_ten_or_more_concerned_ask_for_an_action_plan(count: int, plan: str) -> None:
    assert assess(termination_notice(count), AFTER, RULES).plan == plan


def test_rules_of_the_same_name_and_basis_never_overlap_and_each_has_a_source() -> None:
    seen: dict[tuple[str, str | None], list[tuple[date, date]]] = {}
    for rule in RULES._rules:
        assert rule.source
        assert rule.certainty in {"read", "secondary", "unverified"}
        span = (rule.valid_from, rule.valid_to or date.max)
        for other in seen.setdefault((rule.name, rule.legal_basis), []):
            assert span[0] > other[1] or span[1] < other[0]
        seen[rule.name, rule.legal_basis].append(span)


def test_statutory_days_are_calendar_days_in_finland() -> None:
    assert local_day(datetime(2026, 3, 28, 22, 30, tzinfo=UTC)) == date(2026, 3, 29)


def test_business_days_pass_over_weekends_and_finnish_holidays() -> None:
    assert not is_business_day(date(2026, 12, 6))  # Independence Day
    assert not is_business_day(date(2026, 12, 24)) or is_business_day(date(2026, 12, 23))
    friday = datetime(2026, 12, 4, 10, 0, tzinfo=UTC)
    assert business_days_after(friday, 1).date() == date(2026, 12, 7)
    before_may_day = datetime(2026, 4, 30, 10, 0, tzinfo=UTC)
    assert business_days_after(before_may_day, 1).date() == date(2026, 5, 4)
