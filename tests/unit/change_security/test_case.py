"""The course of a case and the checklist of extended change security, by employee group."""

from datetime import date
from typing import Any

import pytest

from services.change_security import data
from services.change_security.domain.case import (
    CheckItem,
    Step,
    check_count,
    check_message,
    checklists,
    course,
    employee_groups,
)
from services.change_security.domain.rules import read_rules
from shared.errors import RefusedError, UnknownError
from tests.support.filings import proposal, termination_notice

RULES = data.rules()
DAY = date(2026, 11, 24)


def dismissing(*groups: tuple[str | None, int | None]) -> list[dict[str, Any]]:
    return [{"measure": "termination", "personnel_group": name, "count": count} for name, count in groups]


@pytest.mark.parametrize(
    ("plan", "shown"),
    [
        ("action_plan", {Step.ACTION_PLAN}),
        ("operating_principles", {Step.OPERATING_PRINCIPLES}),
        ("none", set()),
        ("unknown", {Step.ACTION_PLAN, Step.OPERATING_PRINCIPLES}),
        (None, {Step.ACTION_PLAN, Step.OPERATING_PRINCIPLES}),
    ],
)
def test_the_course_has_the_step_of_the_plan_and_both_while_it_is_unknown(plan: str | None, shown: set[Step]) -> None:
    assert set(course(plan)) & {Step.ACTION_PLAN, Step.OPERATING_PRINCIPLES} == shown
    assert Step.FOLLOW_UP in course(plan)


def test_only_groups_with_terminations_have_a_checklist() -> None:
    measures = [*dismissing(("työntekijät", 48)), {"measure": "layoff", "personnel_group": "toimihenkilöt", "count": 9}]
    assert [(group.name, group.terminations) for group in employee_groups(proposal(measures=measures))] == [
        ("työntekijät", 48)
    ]


def test_a_group_named_twice_is_one_and_keeps_its_id_in_the_next_revision() -> None:
    first = employee_groups(proposal(measures=dismissing(("Työntekijät", 40), ("työntekijät ", 8))))
    assert [(group.terminations, group.is_complete) for group in first] == [(48, True)]
    revised = employee_groups(proposal(measures=dismissing((None, 2), ("työntekijät", None))))
    assert [(group.name, group.is_complete) for group in revised] == [(None, True), ("työntekijät", False)]
    assert revised[1].id == first[0].id


def test_the_groups_of_a_notice_are_its_occupations_or_duties() -> None:
    notice = termination_notice(
        terminations=[
            {"count": 5, "occupation": {"scheme": "ISCO-08", "code": "8211"}},
            {"count": 6, "duties": "Varastotyö"},
            {"count": 1},
        ]
    )
    assert [group.name for group in employee_groups(notice)] == ["ISCO-08 8211", "Varastotyö", None]


def test_each_group_has_each_item_with_its_own_count() -> None:
    filing = proposal(measures=dismissing(("työntekijät", 48), ("toimihenkilöt", 16)))
    workers, staff = employee_groups(filing)
    counts = {(workers.id, CheckItem.AGED_55): 11, (staff.id, CheckItem.SERVICE_5_YEARS): 0}
    shown = checklists(filing, counts, RULES, DAY)
    assert [[check.count for check in checklist.checks] for checklist in shown] == [[11, None, None], [None, 0, None]]
    assert [checklist.group for checklist in shown] == [workers, staff]


def test_the_numbers_of_the_items_are_those_of_the_dated_rules() -> None:
    assert check_message(CheckItem.AGED_55, RULES, DAY).text.en == "The employee is 55 or older on the day of notice"
    assert "5 vuotta" in check_message(CheckItem.SERVICE_5_YEARS, RULES, DAY).text.fi
    assert "60 dagar" in check_message(CheckItem.REGISTERED_WITHIN_60_DAYS, RULES, DAY).text.sv
    table = read_rules(
        [
            "rule,legal_basis,value,unit,valid_from,valid_to,certainty,source",
            "extended_from_age,,55,years,2023-01-01,2029-12-31,read,a source",
            "extended_from_age,,57,years,2030-01-01,,read,a source",
        ]
    )
    assert check_message(CheckItem.AGED_55, table, date(2030, 1, 1)).parameters == (("years", 57),)


def test_a_count_above_the_groups_terminations_is_refused_unless_a_number_is_missing() -> None:
    filing = proposal(measures=dismissing(("a", 5), ("b", None)))
    a, b = employee_groups(filing)
    check_count(filing, a.id, 5)
    check_count(filing, b.id, 6)
    with pytest.raises(RefusedError, match="fewer terminations") as caught:
        check_count(filing, a.id, 6)
    assert (caught.value.pointer, caught.value.code) == ("/count", "more-than-in-group")
    with pytest.raises(UnknownError):
        check_count(proposal(measures=dismissing(("a", 5))), b.id, 1)
