"""Supply planning: occupation groups, the number of groups to procure, and plans that are kept."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training.domain.plans import GroupOfPlan, PlanState, check_adoption, check_decision
from services.training.domain.supply import (
    Line,
    Planned,
    Waiting,
    check_occupation,
    demand_of,
    groups_for,
    lines,
    occupation_group,
    plan,
)
from shared.errors import ConflictError, RefusedError
from shared.events.v1.change_security import Occupation
from shared.events.v1.placement import Vacancy, VacancyEmployer, VacancyPublished, VacancyState
from shared.events.v1.training import Course, CourseKind, Group, Labels

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def line(occupation: str = "512", waiting: int = 25, municipality: str = "092") -> Line:
    return Line(occupation, municipality, waiting, 0, 0, 0, 0, 0)


def test_25_who_wait_in_groups_of_10_to_20_give_two_groups() -> None:
    (planned,) = plan([line(waiting=25)], {}, {"5120": (10, 20)}, 0)
    assert (planned.groups, planned.seats_each) == (2, 13)


@pytest.mark.parametrize(
    ("people", "groups"), [(0, 0), (9, 0), (10, 1), (19, 1), (20, 1), (21, 2), (39, 2), (40, 2), (41, 3)]
)
def test_people_are_divided_into_groups_of_10_to_20(people: int, groups: int) -> None:
    assert groups_for(people, 10, 20)[0] == groups


@given(people=st.integers(0, 500), least=st.integers(1, 30), more=st.integers(0, 30))
def test_no_group_is_too_small_and_nobody_is_left_out_who_makes_a_group(people: int, least: int, more: int) -> None:
    most = least + more
    groups, seats_each = groups_for(people, least, most)
    assert groups * least <= people
    assert least <= seats_each <= most
    # Who gets no seat is too few for another group, or all groups are full and one more would make all too small.
    left = max(0, people - groups * seats_each)
    assert left < least or (groups + 1) * least > people


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("5120", "512"),
        ("512", "512"),
        ("51", "51"),
        ("5120.1.2", "512"),
        ("http://data.europa.eu/esco/isco/C5120", "512"),
        ("http://data.europa.eu/esco/occupation/8d3e", "http://data.europa.eu/esco/occupation/8d3e"),
        ("", ""),
    ],
)
def test_an_occupation_group_is_the_first_digits_of_its_isco_code(code: str, group: str) -> None:
    assert occupation_group(code) == group


def test_queue_release_and_demand_meet_by_occupation_group() -> None:
    waiting = [Waiting("5120", "092", NOW - timedelta(days=100), is_open=True)]
    found = lines(waiting, {("512", "092"): 40, ("5120.1", "092"): 2}, {("5129", "092"): 7}, NOW)
    assert [(one.occupation, one.waiting, one.released, one.vacancies) for one in found] == [("512", 1, 42, 7)]
    assert {one.occupation for one in lines(waiting, {("5131", "092"): 1}, {}, NOW, 2)} == {"51"}


@pytest.mark.parametrize(
    ("status", "open_positions", "demand"),
    [
        (VacancyState.OPEN, 1, 1),
        (VacancyState.OPEN, 0, 0),
        (VacancyState.OPEN, None, 10),
        (VacancyState.PAUSED, 1, 0),
    ],
)
def test_a_vacancy_demands_as_many_as_it_has_open_positions(
    status: VacancyState, open_positions: int | None, demand: int
) -> None:
    vacancy = Vacancy(
        title="Kokki",
        employer=VacancyEmployer(business_id="2077474-0"),
        occupation=Occupation(scheme="ISCO-08", code="5120"),
        municipality="092",
        positions=10,
    )
    event = VacancyPublished(
        vacancy_id=uuid4(), version=2, status=status, vacancy=vacancy, open_positions=open_positions
    )
    assert demand_of(event) == demand


def test_free_seats_and_sizes_of_all_courses_of_a_group_count() -> None:
    (planned,) = plan([line(waiting=30)], {"5120": 4, "5129": 6}, {"5120": (10, 12), "5129": (8, 20)}, 0)
    assert (planned.free_seats, planned.groups, planned.seats_each) == (10, 1, 20)
    assert "a group takes 8–20" in planned.because


# -- kept plans

COURSE_ID = UUID(int=1)
PLANNED = [Planned("512", 2, 13, 25, 0, 0, "25 wait")]


def course(code: str | None = "5120") -> Course:
    occupation = Occupation(scheme="ISCO-08", code=code) if code else None
    return Course(kind=CourseKind.LABOUR_MARKET_TRAINING, title=Labels(fi="Kokki"), occupation=occupation)


def group(occupation: str = "512") -> GroupOfPlan:
    details = Group(seats=13, language="fi", municipality="092", starts_on=date(2027, 3, 1), ends_on=date(2027, 6, 1))
    return GroupOfPlan(occupation=occupation, course_id=COURSE_ID, group=details)


def test_an_approved_plan_becomes_no_more_groups_than_planned() -> None:
    courses = {COURSE_ID: course()}
    check_adoption(PlanState.APPROVED, PLANNED, [group(), group()], courses, 3)
    for groups in ([group()] * 3, [group("513")]):
        with pytest.raises(RefusedError) as refused:
            check_adoption(PlanState.APPROVED, PLANNED, groups, courses, 3)
        assert refused.value.code == "more-than-planned"


@pytest.mark.parametrize("code", ["5131", None])
def test_a_planned_group_is_of_a_course_of_its_occupation(code: str | None) -> None:
    with pytest.raises(RefusedError) as refused:
        check_adoption(PlanState.APPROVED, PLANNED, [group()], {COURSE_ID: course(code)}, 3)
    assert (refused.value.code, refused.value.pointer) == ("other-occupation", "/groups/0/course_id")


@pytest.mark.parametrize(
    ("state", "code"),
    [(PlanState.KEPT, "not-approved"), (PlanState.REJECTED, "not-approved"), (PlanState.ADOPTED, "adopted")],
)
def test_only_an_approved_plan_is_adopted_and_only_once(state: PlanState, code: str) -> None:
    with pytest.raises(ConflictError) as refused:
        check_adoption(state, PLANNED, [group()], {COURSE_ID: course()}, 3)
    assert refused.value.code == code


def test_a_plan_is_decided_anew_until_it_is_adopted() -> None:
    for state in (PlanState.KEPT, PlanState.APPROVED, PlanState.REJECTED):
        check_decision(state)
    with pytest.raises(ConflictError):
        check_decision(PlanState.ADOPTED)


@pytest.mark.parametrize(
    ("scheme", "code", "refused"),
    [
        ("ISCO-08", "5120", None),
        ("ESCO", "http://data.europa.eu/esco/isco/C51", None),
        ("ESCO", "http://data.europa.eu/esco/occupation/1", None),
        ("TK10", "5120", "unknown-occupation-scheme"),
        ("ISCO-08", "kokki", "unknown-occupation"),
        ("ISCO-08", "5", "occupation-too-broad"),
    ],
)
def test_jobseekers_are_looked_for_by_what_the_pools_understand(scheme: str, code: str, refused: str | None) -> None:
    wanted = Occupation(scheme=scheme, code=code)
    if refused is None:
        check_occupation(wanted, "/wanted/occupation")
        return
    with pytest.raises(RefusedError) as refusal:
        check_occupation(wanted, "/wanted/occupation")
    assert refusal.value.code == refused
