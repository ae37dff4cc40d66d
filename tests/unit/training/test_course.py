"""Courses, groups, assessment, joint procurement, supply planning."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training import data
from services.training.domain.course import CourseGroup, change, check_course, move, points
from services.training.domain.procurement import (
    LABELS,
    Proposal,
    ProposalState,
    Size,
    Stage,
    StatementState,
    UsedSeats,
    account,
    check,
    check_approval,
    check_open,
    check_replacement,
    employer_share,
    stage_of,
)
from services.training.domain.supply import Waiting, lines, plan
from services.training.joint.plots import queue_csv, queue_plot
from shared.errors import ConflictError, RefusedError
from shared.events.v1.change_security import Occupation
from shared.events.v1.training import Course, CourseKind, Criterion, Group, GroupState, Labels

TITLE = Labels(fi="Kokki")
COURSE = Course(kind=CourseKind.LABOUR_MARKET_TRAINING, title=TITLE, min_size=2, max_size=10)
GROUP = Group(seats=4, language="fi", municipality="092", starts_on=date(2027, 1, 1), ends_on=date(2027, 3, 1))
DAY = date(2026, 11, 24)


def standing(state: str) -> CourseGroup:
    return CourseGroup(UUID(int=1), UUID(int=2), 1, GroupState(state), GROUP)


def test_a_group_goes_from_plan_to_completion_one_state_at_a_time() -> None:
    group = standing("planned")
    for state in ("procurement", "open", "selection", "confirmed", "running", "completed"):
        group = move(group, GroupState(state), COURSE, accepted=2)
    assert (group.state, group.version) == (GroupState.COMPLETED, 7)
    with pytest.raises(ConflictError, match="From completed"):
        move(group, GroupState.CANCELLED, COURSE, accepted=2)


@pytest.mark.parametrize("state", ["planned", "procurement", "open", "selection", "confirmed", "running"])
def test_a_group_can_be_cancelled_until_it_has_ended(state: str) -> None:
    assert move(standing(state), GroupState.CANCELLED, COURSE, accepted=0).state is GroupState.CANCELLED


def test_a_group_that_is_too_small_is_not_confirmed() -> None:
    with pytest.raises(ConflictError, match="1 have accepted; 2 are needed"):
        move(standing("selection"), GroupState.CONFIRMED, COURSE, accepted=1)


def test_seats_that_are_taken_cannot_be_taken_away() -> None:
    smaller = GROUP.model_copy(update={"seats": 2})
    assert change(standing("open"), smaller, 1, taken=2).group.seats == 2
    with pytest.raises(ConflictError, match="3 seats are taken"):
        change(standing("open"), smaller, 1, taken=3)
    with pytest.raises(ConflictError, match="version is 1"):
        change(standing("open"), smaller, 7, taken=0)


CRITERIA = COURSE.model_copy(
    update={
        "criteria": (
            Criterion(code="need", label=TITLE, points=60),
            Criterion(code="experience", label=TITLE, points=20),
        )
    }
)


def test_points_follow_the_written_criteria() -> None:
    assert points(CRITERIA, {"need": 60, "experience": 20}) == 100
    assert points(CRITERIA, {"need": 30, "experience": 0}) == 37
    assert points(COURSE, {}) == 0


@pytest.mark.parametrize("wrong", [{}, {"need": 1}, {"need": 61, "experience": 0}, {"need": 1, "looks": 1}])
def test_an_assessment_beside_the_criteria_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(RefusedError) as refused:
        points(CRITERIA, wrong)
    assert (refused.value.pointer, refused.value.code) == ("/assessment", "does-not-follow-the-criteria")


# -- joint procurement


def proposal(**changes: object) -> Proposal:
    tasma = {
        "kind": CourseKind.TASMA,
        "title": TITLE,
        "business_id": "2077474-0",
        "employer_size": Size.SMALL,
        "municipality": "092",
        "seats": 4,
        "training_days": 10,
        "price_eur": Decimal("10000.01"),
        "starts_on": DAY,
    }
    return Proposal.model_validate(tasma | changes)


@pytest.mark.parametrize(
    ("kind", "size", "percent", "to_be_checked"),
    [
        ("rekry", None, 30, False),
        ("muutos", None, 20, False),
        ("tasma", "small", 30, True),
        ("tasma", "medium", 40, True),
        ("tasma", "large", 50, True),
    ],
)
def test_the_employers_share_comes_from_the_dated_table(
    kind: str, size: str | None, percent: int, *, to_be_checked: bool
) -> None:
    share = employer_share(data.procurement_rules(), proposal(kind=kind, employer_size=size))
    assert share is not None
    assert (share.percent, share.to_be_checked) == (percent, to_be_checked)
    assert share.employer_eur + share.authority_eur == Decimal("10000.01")
    assert share.source


def test_there_is_no_share_before_the_rules_and_none_for_other_kinds() -> None:
    rules = data.procurement_rules()
    assert employer_share(rules, proposal(kind=CourseKind.REKRY, starts_on=date(2020, 1, 1))) is None
    assert employer_share(rules, proposal(kind=CourseKind.CAREER_COACHING)) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": CourseKind.CAREER_COACHING}, "not-joint-procurement"),
        ({"training_days": 9}, "too-few-training-days"),
        ({"employer_size": None}, "size-needed"),
        ({"is_induction": True}, "induction-is-the-employers-own-duty"),
        ({"business_id": "2077474-1"}, "wrong-business-id"),
    ],
)
def test_a_proposal_that_does_not_meet_a_condition_is_told_which(changes: dict[str, object], code: str) -> None:
    check(proposal())
    with pytest.raises(RefusedError) as refused:
        check(proposal(**changes))
    assert refused.value.code == "conditions-not-met"
    assert [found for _, found in refused.value.fields] == [code]


def test_every_condition_that_is_not_met_is_named_at_once() -> None:
    with pytest.raises(RefusedError) as refused:
        check(proposal(training_days=9, is_induction=True, employer_size=None, business_id="1"))
    assert {pointer for pointer, _ in refused.value.fields} == {
        "/training_days",
        "/is_induction",
        "/business_id",
        "/employer_size",
    }


@pytest.mark.parametrize(
    ("scheme", "code", "refused"),
    [
        ("TK10", "5120", ("scheme", "unknown-occupation-scheme")),
        ("ISCO-08", "kokki", ("code", "unknown-occupation")),
        ("ISCO-08", "5", ("code", "occupation-too-broad")),
    ],
)
def test_courses_and_proposals_have_an_occupation_that_can_be_compared(
    scheme: str, code: str, refused: tuple[str, str]
) -> None:
    known, unknown = Occupation(scheme="ISCO-08", code="5120"), Occupation(scheme=scheme, code=code)
    check_course(COURSE.model_copy(update={"occupation": known}))
    check(proposal(occupation=known))
    name, problem = refused
    with pytest.raises(RefusedError) as of_course:
        check_course(COURSE.model_copy(update={"occupation": unknown}))
    assert (of_course.value.pointer, of_course.value.code) == (f"/course/occupation/{name}", problem)
    with pytest.raises(RefusedError) as of_proposal:
        check(proposal(occupation=unknown))
    assert (of_proposal.value.pointer, of_proposal.value.code) == (f"/occupation/{name}", problem)


def test_nine_training_days_are_enough_for_recruitment_training() -> None:
    check(proposal(kind=CourseKind.REKRY, training_days=9, employer_size=None))


def test_every_kind_has_a_name_in_the_three_service_languages() -> None:
    assert set(LABELS) == set(CourseKind)
    assert all(label.fi and label.sv and label.en for label in LABELS.values())


@given(
    price=st.decimals(1, 1_000_000, places=2),
    seats=st.dictionaries(st.sampled_from(["helsinki", "espoo", "vantaa"]), st.integers(1, 40)),
)
def test_the_statements_of_a_group_add_up_to_the_authorities_part(price: Decimal, seats: dict[str, int]) -> None:
    procured = proposal(kind=CourseKind.REKRY, price_eur=price, employer_size=None)
    statements = account([used(1, city, count, procured) for city, count in seats.items()], data.procurement_rules())
    share = employer_share(data.procurement_rules(), procured)
    assert share is not None
    assert not seats or sum(one.eur or 0 for one in statements) == share.authority_eur


def test_the_cent_that_is_left_goes_round_from_group_to_group() -> None:
    procured = proposal(kind=CourseKind.REKRY, price_eur=Decimal("1000.00"), employer_size=None)
    rows = [used(group, city, 1, procured) for group in (3, 1, 2) for city in ("espoo", "helsinki", "vantaa")]
    statements = account(rows, data.procurement_rules())
    more = {one.group_id.int: one.authority for one in statements if one.eur == Decimal("233.34")}
    assert more == {1: "espoo", 2: "helsinki", 3: "vantaa"}


def used(group: int, authority: str, seats: int, procured: Proposal | None, **changes: Any) -> UsedSeats:
    given = {"offered": seats, "dropped_out": 0, "no_shows": 0, "days": None} | changes
    return UsedSeats(
        group_id=UUID(int=group), starts_on=DAY, authority=authority, seats=seats, proposed=procured, **given
    )


def test_seats_are_accounted_for_by_home_authority_and_what_was_not_procured_has_no_price() -> None:
    procured = proposal(kind=CourseKind.REKRY, price_eur=Decimal("30000.00"), employer_size=None)
    rows = [used(1, "espoo", 1, procured), used(1, "vantaa", 2, procured), used(2, "espoo", 5, None)]
    statements = account(rows, data.procurement_rules())
    assert [(row.group_id.int, row.authority, row.seats, row.eur) for row in statements] == [
        (1, "espoo", 1, Decimal("7000.00")),
        (1, "vantaa", 2, Decimal("14000.00")),
        (2, "espoo", 5, None),
    ]


def test_the_price_is_divided_by_used_seats_not_by_those_offered() -> None:
    procured = proposal(kind=CourseKind.REKRY, price_eur=Decimal("30000.00"), employer_size=None)
    rows = [
        used(1, "espoo", 0, procured, offered=3, no_shows=2),
        used(1, "helsinki", 1, procured, offered=2, dropped_out=1, days=12),
        used(1, "vantaa", 2, procured, offered=2, days=80),
    ]
    statements = account(rows, data.procurement_rules())
    assert [(row.authority, row.offered, row.seats, row.days, row.eur) for row in statements] == [
        ("espoo", 3, 0, None, Decimal("0.00")),
        ("helsinki", 2, 1, 12, Decimal("7000.00")),
        ("vantaa", 2, 2, 80, Decimal("14000.00")),
    ]
    nobody = account([used(1, "espoo", 0, procured, offered=3)], data.procurement_rules())
    assert [row.eur for row in nobody] == [None]


@pytest.mark.parametrize("state", list(StatementState))
def test_a_kept_statement_is_approved_once_and_an_approved_one_is_corrected_by_another(state: StatementState) -> None:
    if state is StatementState.KEPT:
        check_approval(state)
    else:
        with pytest.raises(ConflictError):
            check_approval(state)
    if state is StatementState.APPROVED:
        check_replacement(state)
    else:
        with pytest.raises(ConflictError):
            check_replacement(state)


_SELECTING = (GroupState.OPEN, GroupState.SELECTION, GroupState.CONFIRMED)


def test_a_proposal_stands_where_its_group_stands_unless_it_was_rejected() -> None:
    assert stage_of(ProposalState.PROPOSED, None) is Stage.PROPOSED
    assert stage_of(ProposalState.REJECTED, None) is Stage.REJECTED
    assert stage_of(ProposalState.PLANNED, GroupState.PLANNED) is Stage.PRELIMINARY_PLAN
    assert [stage_of(ProposalState.PLANNED, state) for state in _SELECTING] == [Stage.SELECTION] * 3
    for state in (ProposalState.PLANNED, ProposalState.REJECTED):
        with pytest.raises(ConflictError) as refused:
            check_open(state)
        assert refused.value.code == "invalid-state"


# -- supply planning

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


def waiting(days: int, occupation: str = "5120", *, is_open: bool = True) -> Waiting:
    return Waiting(occupation, "092", NOW - timedelta(days=days), is_open)


def test_the_plan_says_how_many_groups_and_why() -> None:
    queue = lines(
        [waiting(days) for days in range(0, 48, 2)] + [waiting(10, is_open=False)],
        {("5120", "092"): 20},
        {("5120", "092"): 7, ("9999", "091"): 3},
        NOW,
    )
    line = next(line for line in queue if line.occupation == "512")
    assert (line.waiting, line.median_age, line.oldest_age, line.released, line.vacancies) == (24, 23.0, 46.0, 20, 7)
    assert line.arrivals == round(25 * 13 / 12, 1)
    (planned,) = plan(queue, {"5120": 6}, {"5120": (8, 16)}, 0.2)
    # 24 wait, 27.1 are expected, 4 of the released: 55.1; six seats are free: 49 → four groups of 13.
    assert (planned.expected, planned.groups, planned.seats_each) == (55.1, 4, 13)
    assert "24 wait" in planned.because
    (more,) = plan(queue, {}, {"5120": (7, 16)}, 0.2)
    assert more.groups == 4


def test_the_queue_is_drawn_and_written_and_the_same_queue_gives_the_same_file() -> None:
    queue = lines([waiting(3), waiting(5, "2512")], {}, {}, NOW)
    assert queue_plot(queue, "svg").startswith(b"<?xml")
    assert b"512" in queue_plot(queue, "svg")
    assert queue_plot(queue, "png")[:4] == b"\x89PNG"
    assert queue_plot([], "svg").startswith(b"<?xml")
    written = queue_csv(queue).decode("utf-8-sig").splitlines()
    assert written[0].startswith("occupation,municipality,waiting,median_age")
    assert len(written) == 3
