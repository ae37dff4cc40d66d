"""The shared plan: who adds, who changes, and that every office ends with the same one."""

from datetime import date, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from services.change_security.domain import plan as shared_plan
from services.change_security.domain.case import CaseState, Step
from services.change_security.domain.plan import PlannedStep
from services.change_security.models import PlanStepOut
from shared.errors import ConflictError, ForbiddenError, RefusedError
from shared.events.v1.change_security import Choice, Handling, HandlingMode, HandlingReason, PlanStep, PlanStepState
from shared.http.problems import ProblemError
from tests.support.filings import ARRIVED

LATER = ARRIVED + timedelta(hours=1)
SESSION = PlannedStep(step=Step.INFORMATION_SESSIONS, municipality="092", language="sv")
DONE = SESSION.model_copy(update={"state": PlanStepState.DONE})
JOINT = Handling(
    mode=HandlingMode.JOINT,
    reason=HandlingReason.SMALLER_AND_SHARED,
    authorities=("espoo", "helsinki", "vantaa"),
    affected_at_least=12,
    limit=50,
    limit_to_be_checked=True,
    lead=Choice(authority="helsinki", by="rule", because="lead_by_share", at=ARRIVED),
)
OWN = JOINT.model_copy(update={"mode": HandlingMode.OWN, "reason": HandlingReason.NOT_SMALLER, "lead": None})


def added(handling: Handling | None = JOINT, state: CaseState = CaseState.OPEN, steps: int = 0) -> PlanStep:
    return shared_plan.add(UUID(int=1), SESSION, handling, state, steps, "officer-v", "vantaa", ARRIVED)


def test_a_step_is_of_a_site_and_a_language_with_who_and_when() -> None:
    step = added()
    assert (step.municipality, step.language, step.state) == ("092", "sv", PlanStepState.PLANNED)
    assert (step.authority, step.change, step.changed_by, step.changed_at) == ("vantaa", 1, "officer-v", ARRIVED)


@pytest.mark.parametrize(
    ("handling", "state", "steps", "code"),
    [
        (None, CaseState.OPEN, 0, "not-joint"),
        (OWN, CaseState.OPEN, 0, "not-joint"),
        (JOINT, CaseState.RELEASED, 0, "not-open"),
        (JOINT, CaseState.OPEN, shared_plan.MAX_STEPS, "plan-full"),
    ],
)
def test_only_an_open_joint_matter_has_room_for_a_step(
    handling: Handling | None, state: CaseState, steps: int, code: str
) -> None:
    with pytest.raises(ConflictError) as conflict:
        added(handling, state, steps)
    assert conflict.value.code == code


def test_its_authority_and_the_lead_change_a_step_and_nobody_else() -> None:
    step = added()
    for authority in ("vantaa", "helsinki"):
        changed = shared_plan.change(step, DONE, JOINT, "officer-x", authority, LATER)
        assert (changed.state, changed.change, changed.authority) == (PlanStepState.DONE, 2, "vantaa")
        assert (changed.changed_authority, changed.changed_by) == (authority, "officer-x")
    assert shared_plan.change(step, SESSION, JOINT, "officer-x", "vantaa", LATER) is step
    with pytest.raises(ForbiddenError) as forbidden:
        shared_plan.change(step, DONE, JOINT, "officer-e", "espoo", LATER)
    assert forbidden.value.code == "not-your-step"
    undone = shared_plan.change(
        shared_plan.change(step, DONE, JOINT, "officer-v", "vantaa", LATER), SESSION, OWN, "officer-v", "vantaa", LATER
    )
    assert (undone.state, undone.change) == (PlanStepState.PLANNED, 3)


def test_every_office_ends_with_the_same_plan_whatever_order_it_is_heard_in() -> None:
    first = added()
    of_vantaa = shared_plan.change(first, DONE, JOINT, "officer-v", "vantaa", LATER)
    not_needed = SESSION.model_copy(update={"state": PlanStepState.NOT_NEEDED})
    at_the_same_moment = shared_plan.change(first, not_needed, JOINT, "officer-h", "helsinki", LATER)
    ends = set()
    for order in permutations((first, of_vantaa, at_the_same_moment, first)):
        known: dict[UUID, PlanStep] = {}
        for step in order:
            known |= {merged.step_id: merged for merged in shared_plan.merge(known, [step])}
        ends.add(tuple(known.values()))
    assert ends == {(of_vantaa,)}


def test_a_step_that_is_none_of_the_course_is_refused() -> None:
    shared_plan.check(added())
    with pytest.raises(RefusedError) as refused:
        shared_plan.check(added().model_copy(update={"step": "party"}))
    assert refused.value.code == "unknown-step"


def test_a_plan_is_read_page_by_page_in_the_order_of_its_days() -> None:
    days = [date(2026, 12, 10), None, date(2026, 12, 1), date(2026, 12, 10)]
    plan = [
        added().model_copy(update={"step_id": UUID(int=number), "planned_on": day}) for number, day in enumerate(days)
    ]
    whole = [step.step_id.int for step in PlanStepOut.page(plan, 10, None).items]
    assert whole == [2, 0, 3, 1]
    read, cursor = [], None
    while True:
        page = PlanStepOut.page(plan, 1, cursor)
        read += [step.step_id.int for step in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert read == whole
    with pytest.raises(ProblemError):
        PlanStepOut.page(plan, 10, "x")
