"""Rules that change by date."""

from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

import pytest

from deploy.local.sample_data import proposal_json
from services.change_security import data
from services.change_security.domain.calendar import business_days_after
from services.change_security.domain.reductions import Reduction
from services.change_security.domain.rules import Assessment, StatutoryClock, assess, read_rules
from shared.calendar import is_business_day, local_day
from shared.events.v1.change_security import Filing, FilingKind, LayoffGround, LegalBasis, Measure
from tests.support.filings import proposal, termination_notice

RULES = data.rules()
JUNE_2025 = date(2025, 6, 30)
JULY_2025 = date(2025, 7, 1)
ARRIVED = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
STARTS_ON = date(2026, 11, 30)
NEGOTIATIONS, EMPLOYMENT = "earliest_end_of_negotiations", "earliest_end_of_employment"


def given(day: date | None, staff: int | None = 420, /, **changes: Any) -> Filing:
    """A proposal given on a day, with no word of when the personnel was informed."""
    employer = proposal_json()["employer"] | {"regular_staff": staff} | changes.pop("employer", {})
    negotiations = {
        "given_on": day.isoformat() if day else None,
        "starts_at": f"{STARTS_ON}T09:00:00+02:00",
    } | changes.pop("negotiations", {})
    return proposal(employer=employer, negotiations=negotiations, **changes)


def layoffs(count: int | None, days: int | None = 90, ground: str | None = "temporary_reduction") -> dict[str, Any]:
    return {"measure": "layoff", "count": count, "layoff_days": days, "layoff_ground": ground}


def terminations(count: int | None) -> dict[str, Any]:
    return {"measure": "termination", "count": count}


def assessed(filing: Filing, earlier: tuple[Reduction, ...] | None = None) -> Assessment:
    return assess(filing, ARRIVED, RULES, earlier)


def clock(assessment: Assessment, name: str) -> StatutoryClock | None:
    return next((clock for clock in assessment.clocks if clock.name == name), None)


def negotiation_days(filing: Filing) -> int:
    shown = clock(assessed(filing), NEGOTIATIONS)
    assert shown is not None
    return (shown.day - STARTS_ON).days


def missing(assessment: Assessment) -> list[str | None]:
    return [number.pointer for number in assessment.missing]


# -- which day chooses the rules


@pytest.mark.parametrize(("day", "days"), [(JUNE_2025, 42), (JULY_2025, 21)])
def test_the_long_negotiation_time_is_six_weeks_until_june_2025_and_three_from_july(day: date, days: int) -> None:
    assert negotiation_days(given(day)) == days


def test_a_proposal_given_on_20_june_2025_that_arrives_on_3_july_follows_the_old_times() -> None:
    old = given(date(2025, 6, 20), negotiations={"starts_at": "2025-07-07T09:00:00+03:00"})
    assessment = assess(old, datetime(2025, 7, 3, 9, 0, tzinfo=UTC), RULES)
    shown = clock(assessment, NEGOTIATIONS)
    assert shown is not None
    assert shown.day == date(2025, 8, 18)
    assert clock(assessment, EMPLOYMENT) is None
    assert (assessment.rules_of, assessment.rules_chosen_by) == (date(2025, 6, 20), "given_on")
    assert not assessment.rules_to_be_checked


def test_without_the_day_given_the_day_the_personnel_was_informed_chooses() -> None:
    filing = given(None, negotiations={"personnel_informed_on": "2025-06-30"})
    assessment = assessed(filing)
    assert (assessment.rules_of, assessment.rules_chosen_by) == (JUNE_2025, "personnel_informed_on")
    assert negotiation_days(filing) == 42


@pytest.mark.parametrize(
    ("arrived", "rules_of"),
    [
        (datetime(2025, 6, 30, 20, 59, tzinfo=UTC), JUNE_2025),  # 23.59 in Helsinki
        (datetime(2025, 6, 30, 21, 0, tzinfo=UTC), JULY_2025),  # 0.00 on 1.7. in Helsinki
    ],
)
def test_without_both_the_local_day_of_arrival_chooses_and_is_to_be_checked(arrived: datetime, rules_of: date) -> None:
    for filing in (given(None), proposal(negotiations=None)):
        assessment = assess(filing, arrived, RULES)
        assert (assessment.rules_of, assessment.rules_chosen_by) == (rules_of, "arrived_at")
        assert assessment.rules_to_be_checked
        assert "rules_chosen_by_arrival" in [note.code for note in assessment.notes]


def test_a_notice_of_terminations_follows_its_arrival_which_is_nothing_to_check() -> None:
    assessment = assessed(termination_notice(12))
    assert (assessment.rules_chosen_by, assessment.rules_to_be_checked) == ("arrived_at", False)
    assert assessment.notes == ()


# -- the negotiation time


@pytest.mark.parametrize(("day", "days"), [(JUNE_2025, 14), (JULY_2025, 7)])
@pytest.mark.parametrize(
    "changes",
    [
        {"measures": [terminations(9)]},
        {"measures": [layoffs(200, 90)]},
        {"measures": [layoffs(200, 90, None), terminations(0)]},
        {"employer": {"in_restructuring": True}},
        {"employer": {"regular_staff": 29}},
    ],
    ids=["nine affected", "lay-offs of 90 days only", "a measure of nobody", "restructuring", "29 employees"],
)
def test_the_short_time_applies(changes: dict[str, Any], day: date, days: int) -> None:
    assert negotiation_days(given(day, **changes)) == days


@pytest.mark.parametrize(
    "changes",
    [
        {"measures": [terminations(10)]},
        {"measures": [layoffs(10, 91)]},
        {"measures": [layoffs(200, 90), terminations(1)]},
        {"employer": {"in_restructuring": False}},
        {"employer": {"in_restructuring": None}},
        {"employer": {"regular_staff": 50}},
    ],
    ids=["ten affected", "lay-offs of 91 days", "one termination", "no restructuring", "not known", "50 employees"],
)
def test_the_long_time_applies(changes: dict[str, Any]) -> None:
    assert negotiation_days(given(JUNE_2025, **changes)) == 42
    assert negotiation_days(given(JULY_2025, **changes)) == 21


@pytest.mark.parametrize(
    ("day", "staff", "days"), [(JUNE_2025, 29, 14), (JUNE_2025, 30, 42), (JULY_2025, 49, 7), (JULY_2025, 50, 21)]
)
def test_smaller_employers_negotiate_the_short_time(day: date, staff: int, days: int) -> None:
    assert negotiation_days(given(day, staff)) == days


def test_twelve_layoffs_of_at_most_90_days_are_seven_days_and_no_plan() -> None:
    filing = given(date(2026, 11, 24), measures=[layoffs(12, 90)])
    assert negotiation_days(filing) == 7
    assert assessed(filing).plan == "none"
    assert clock(assessed(filing), EMPLOYMENT) is None


def test_what_is_only_read_at_second_hand_is_to_be_checked() -> None:
    for day, to_be_checked in ((JUNE_2025, False), (JULY_2025, True)):
        shown = clock(assessed(given(day, measures=[layoffs(200, 90)])), NEGOTIATIONS)
        assert shown is not None
        assert shown.to_be_checked is to_be_checked


# -- an unknown number is the stricter case, and is named


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"measures": [terminations(5), terminations(None)]}, ["/measures/1/count"]),
        ({"measures": []}, ["/measures"]),
        ({"measures": [layoffs(12, None)]}, ["/measures/0/layoff_days"]),
        ({"measures": [layoffs(None, None)]}, ["/measures/0/count", "/measures/0/layoff_days"]),
        ({"employer": {"regular_staff": None}}, ["/employer/regular_staff"]),
    ],
    ids=["a count", "all measures", "length of a lay-off", "count and length", "staff"],
)
def test_an_unknown_number_gives_the_long_time_and_is_named(changes: dict[str, Any], pointers: list[str]) -> None:
    shown = clock(assessed(given(JULY_2025, **changes)), NEGOTIATIONS)
    assert shown is not None
    assert (shown.day - STARTS_ON).days == 21
    assert [number.pointer for number in shown.missing] == pointers


def test_a_number_that_would_change_nothing_is_not_asked_for() -> None:
    twelve_or_more = assessed(given(JULY_2025, measures=[terminations(12), terminations(None)]))
    assert twelve_or_more.missing == ()
    assert twelve_or_more.plan == "action_plan"
    nine = assessed(given(JULY_2025, measures=[layoffs(9, None, None)]))
    assert nine.missing == ()


def test_a_missing_number_is_named_in_three_languages() -> None:
    number = assessed(given(JULY_2025, measures=[terminations(3), terminations(None)])).missing[0]
    assert (number.code, dict(number.parameters)) == ("measure_count_missing", {"row": 2, "measure": "termination"})
    assert number.text.fi == "Toimenpiteen 2 (irtisanominen) työntekijämäärä puuttuu."
    assert number.text.sv == "Antalet arbetstagare i åtgärd 2 (uppsägning) saknas."
    assert number.text.en == "The number of employees of measure 2 (termination) is missing."


# -- the earliest end of employment


def test_employment_ends_at_earliest_thirty_days_after_arrival_from_july_2025() -> None:
    assessment = assess(proposal(), datetime(2026, 11, 24, 22, 30, tzinfo=UTC), RULES)
    shown = clock(assessment, EMPLOYMENT)
    assert shown is not None
    assert shown.day == date(2026, 12, 25)  # the 25th of November in Helsinki
    assert shown.to_be_checked
    assert clock(assessed(given(JUNE_2025)), EMPLOYMENT) is None


def test_fewer_than_ten_terminations_set_no_earliest_end_of_employment() -> None:
    few = given(JULY_2025, measures=[terminations(9), layoffs(90)])
    assert clock(assessed(few), EMPLOYMENT) is None


def test_an_unknown_number_of_terminations_may_be_ten() -> None:
    shown = clock(assessed(given(JULY_2025, measures=[terminations(None)])), EMPLOYMENT)
    assert shown is not None
    assert [number.pointer for number in shown.missing] == ["/measures/0/count"]


# -- the plan


@pytest.mark.parametrize(
    ("measures", "plan"),
    [
        ([terminations(10)], "action_plan"),
        ([terminations(4), terminations(6)], "action_plan"),
        ([terminations(10), terminations(None)], "action_plan"),
        ([terminations(9), layoffs(200)], "operating_principles"),
        ([terminations(1)], "operating_principles"),
        ([terminations(0)], "none"),
        ([layoffs(200)], "none"),
        ([{"measure": "part_time", "count": 40}, {"measure": "essential_term_change", "count": 40}], "none"),
        ([terminations(None)], "unknown"),
        ([terminations(9), terminations(None)], "unknown"),
        ([], "unknown"),
    ],
)
def test_the_plan_follows_from_planned_terminations_alone(measures: list[dict[str, Any]], plan: str) -> None:
    assert assessed(given(JULY_2025, measures=measures)).plan == plan


@pytest.mark.parametrize(
    ("notice", "plan"),
    [
        (termination_notice(9), "operating_principles"),
        (termination_notice(10), "action_plan"),
        (termination_notice(0), "none"),
        (termination_notice(terminations=[{}]), "unknown"),
        (termination_notice(), "unknown"),
    ],
)
def test_the_plan_of_a_notice_follows_from_its_terminations(notice: Filing, plan: str) -> None:
    assert assessed(notice).plan == plan


# -- the scope


@pytest.mark.parametrize("basis", [LegalBasis.KUNTA_449_2007, LegalBasis.VALTIO_1233_2013])
def test_the_thresholds_of_2025_are_not_applied_to_municipalities_or_the_state(basis: LegalBasis) -> None:
    assessment = assessed(given(JULY_2025, legal_basis=basis))
    assert assessment.clocks == ()
    assert assessment.scope == "unknown"


@pytest.mark.parametrize(
    ("staff", "day", "scope"),
    [
        (20, JUNE_2025, "in_scope"),
        (19, JUNE_2025, "not_in_scope"),
        (50, JULY_2025, "in_scope"),
        (49, JULY_2025, "in_scope"),  # considers 64 terminations: a large reduction
        (19, JULY_2025, "not_in_scope"),
        (None, JULY_2025, "unknown"),
    ],
)
def test_the_scope_of_the_act_follows_the_number_of_staff(staff: int | None, day: date, scope: str) -> None:
    assert assessed(given(day, staff)).scope == scope


def test_what_is_not_in_scope_shows_no_clocks_and_no_sentence_about_them() -> None:
    for filing in (given(JULY_2025, 19), given(JULY_2025, legal_basis="VOLUNTARY")):
        assessment = assessed(filing)
        assert assessment.scope == "not_in_scope"
        assert assessment.clocks == ()
        assert assessment.notes == ()


def test_without_a_legal_basis_the_clocks_stand_under_a_condition() -> None:
    assessment = assessed(given(JULY_2025, legal_basis=None))
    assert assessment.scope == "unknown"
    assert {shown.name for shown in assessment.clocks} == {NEGOTIATIONS, EMPLOYMENT}
    for shown in assessment.clocks:
        assert shown.condition is not None
        assert shown.condition.code == "if_cooperation_act_applies"


def test_clocks_of_what_is_in_scope_stand_under_no_condition() -> None:
    assert [shown.condition for shown in assessed(given(JULY_2025)).clocks] == [None, None]


def test_without_a_legal_basis_a_small_employer_is_not_said_to_be_out_of_scope_of_every_act() -> None:
    assessment = assessed(given(JULY_2025, 10, legal_basis=None))
    assert (assessment.scope, assessment.clocks) == ("unknown", ())


def test_every_answer_with_clocks_says_once_that_agreements_may_set_other_times() -> None:
    assert [note.code for note in assessed(given(JULY_2025)).notes] == ["agreements_may_set_other_times"]


@pytest.mark.parametrize(
    ("measures", "scope", "pointers"),
    [
        ([terminations(19)], "not_in_scope", []),
        ([terminations(20)], "in_scope", []),
        ([terminations(10), {"measure": "part_time", "count": 10}], "in_scope", []),
        ([layoffs(25, 90)], "not_in_scope", []),
        ([layoffs(25, 91)], "in_scope", []),
        ([layoffs(25, 90, "other")], "in_scope", []),
        ([layoffs(25, 90, None)], "unknown", ["/measures/0/layoff_ground"]),
        ([layoffs(25, None)], "unknown", ["/measures/0/layoff_days"]),
        ([layoffs(25, None, None)], "unknown", ["/measures/0/layoff_days", "/measures/0/layoff_ground"]),
        ([layoffs(None, None, "other")], "unknown", ["/measures/0/count"]),
        ([layoffs(None, 90)], "not_in_scope", []),
        ([terminations(20), layoffs(None, None, None)], "in_scope", []),
        ([], "unknown", ["/measures"]),
    ],
)
def test_an_employer_of_twenty_to_forty_nine_is_in_scope_by_a_large_reduction(
    measures: list[dict[str, Any]], scope: str, pointers: list[str]
) -> None:
    assessment = assessed(given(JULY_2025, 30, measures=measures), earlier=())
    assert assessment.scope == scope
    if scope == "unknown":
        assert set(pointers) <= set(missing(assessment))


def earlier(count: int | None, day: date, measure: Measure = Measure.TERMINATION, **about: Any) -> Reduction:
    return Reduction(day, about.pop("kind", FilingKind.NEGOTIATION_PROPOSAL), measure, count, **about)


@pytest.mark.parametrize(
    ("before", "scope"),
    [
        (None, "unknown"),
        ((), "not_in_scope"),
        ((earlier(10, date(2026, 8, 26)),), "in_scope"),  # 90 days before the 24th of November
        ((earlier(10, date(2026, 8, 25)),), "not_in_scope"),  # 91 days
        ((earlier(10, date(2026, 11, 25)),), "not_in_scope"),  # after it
        ((earlier(9, date(2026, 11, 1)),), "not_in_scope"),
        ((earlier(None, date(2026, 11, 1)),), "unknown"),
        ((earlier(5, date(2026, 10, 1)), earlier(5, date(2026, 11, 1), Measure.PART_TIME)), "in_scope"),
        (
            (
                earlier(
                    40,
                    date(2026, 11, 1),
                    Measure.LAYOFF,
                    layoff_days=90,
                    layoff_ground=LayoffGround.TEMPORARY_REDUCTION,
                ),
            ),
            "not_in_scope",
        ),
        ((earlier(40, date(2026, 11, 1), Measure.LAYOFF, layoff_days=90),), "unknown"),
        ((earlier(40, date(2026, 11, 1), Measure.LAYOFF, layoff_days=91),), "in_scope"),
        # the notice names terminations that the proposal planned: they are not counted twice
        (
            (
                earlier(9, date(2026, 10, 1)),
                earlier(8, date(2026, 11, 1), kind=FilingKind.TERMINATION_NOTICE),
            ),
            "not_in_scope",
        ),
    ],
)
def test_the_reductions_of_the_ninety_days_before_count_for_an_employer_of_twenty_to_forty_nine(
    before: tuple[Reduction, ...] | None, scope: str
) -> None:
    filing = given(date(2026, 11, 24), 30, measures=[terminations(10)])
    assert assessed(filing, before).scope == scope


def test_reductions_that_are_not_known_are_named_and_the_clocks_stand_under_a_condition() -> None:
    assessment = assessed(given(date(2026, 11, 24), 30, measures=[terminations(10)]))
    assert [number.code for number in assessment.missing] == ["earlier_reductions_missing"]
    assert assessment.missing[0].text.en == "The employer's reductions of the 90 days before are not known."
    assert all(shown.condition for shown in assessment.clocks)
    assert assessment.clocks


@pytest.mark.parametrize(
    ("notice", "scope"),
    [
        (termination_notice(9), "not_in_scope"),
        (termination_notice(6, 4), "in_scope"),
        (termination_notice(terminations=[{"count": 9}, {}]), "unknown"),
        (termination_notice(terminations=[{"count": 10}, {}]), "in_scope"),
        (termination_notice(), "unknown"),
    ],
)
def test_a_notice_of_terminations_has_no_threshold_but_ten_terminations(notice: Filing, scope: str) -> None:
    assert assessed(notice).scope == scope


# -- warnings


def test_a_filing_after_the_negotiations_began_is_warned_of_and_not_refused() -> None:
    late = assess(proposal(), datetime(2026, 12, 1, tzinfo=UTC), RULES)
    assert [warning.code for warning in late.warnings] == ["filed_after_negotiations_began"]


@pytest.mark.parametrize(("informed", "warned"), [("2026-11-25", False), ("2026-11-26", True)])
def test_personnel_informed_less_than_five_calendar_days_before_is_warned_of(informed: str, *, warned: bool) -> None:
    warnings = assessed(given(JULY_2025, negotiations={"personnel_informed_on": informed})).warnings
    assert [warning.code for warning in warnings] == (["personnel_informed_late"] if warned else [])
    assert all("5 kalenteripäivää" in warning.text.fi for warning in warnings)


@pytest.mark.parametrize(("day", "warned"), [(date(2026, 11, 25), False), (date(2026, 11, 26), True)])
def test_a_proposal_given_less_than_five_days_before_informs_late(day: date, *, warned: bool) -> None:
    assert bool(assessed(given(day)).warnings) is warned


# -- the table


def test_rules_of_the_same_name_and_basis_never_overlap_and_each_has_a_source() -> None:
    seen: dict[tuple[str, str | None], list[tuple[date, date]]] = {}
    for rule in RULES._rules:
        assert all(getattr(rule, field.name) != "" for field in fields(rule))
        assert rule.certainty in {"read", "secondary", "unverified"}
        span = (rule.valid_from, rule.valid_to or date.max)
        assert span[0] <= span[1]
        for other in seen.setdefault((rule.name, rule.legal_basis), []):
            assert span[0] > other[1] or span[1] < other[0]
        seen[rule.name, rule.legal_basis].append(span)


HEAD = "rule,legal_basis,value,unit,valid_from,valid_to,certainty,source"


@pytest.mark.parametrize(
    "row",
    [
        "a,,1,days,2025-01-01,,sure,a source",
        "a,,1,days,2025-01-01,,read,",
        "a,,1,days,2025-01-01,2024-12-31,read,a source",
        "a,,many,days,2025-01-01,,read,a source",
    ],
    ids=["certainty", "source", "validity", "value"],
)
def test_a_row_without_its_certainty_source_or_validity_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match=r"row 2|invalid literal"):
        read_rules([HEAD, row])


def test_statutory_days_are_calendar_days_in_finland() -> None:
    assert local_day(datetime(2026, 3, 28, 22, 30, tzinfo=UTC)) == date(2026, 3, 29)


def test_business_days_pass_over_weekends_and_finnish_holidays() -> None:
    assert not is_business_day(date(2026, 12, 6))  # Independence Day
    assert not is_business_day(date(2026, 12, 24)) or is_business_day(date(2026, 12, 23))
    friday = datetime(2026, 12, 4, 10, 0, tzinfo=UTC)
    assert business_days_after(friday, 1).date() == date(2026, 12, 7)
    before_may_day = datetime(2026, 4, 30, 10, 0, tzinfo=UTC)
    assert business_days_after(before_may_day, 1).date() == date(2026, 5, 4)
