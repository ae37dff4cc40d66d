"""The shared plan of a joint matter: steps per site and language, of the lead and of each concerned authority.

Each step counts its changes. Of two states of a step the later one stands: more changes, then the later time, then the
authority's name. So every office ends with the same plan, whatever it heard first.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.change_security.domain.case import CaseState, Step
from shared.errors import ConflictError, ForbiddenError, RefusedError
from shared.events.v1.change_security import Handling, HandlingMode, PlanStep, PlanStepState
from shared.events.values import Day

MAX_STEPS = 200


class PlannedStep(BaseModel):
    """What an officer says of a step."""

    step: Step
    municipality: str | None = Field(default=None, max_length=10, description="Of the site; none: every site.")
    language: Literal["fi", "sv", "en"] | None = Field(default=None, description="None: every language.")
    planned_on: Day | None = None
    detail: str | None = Field(default=None, max_length=280, description="Seen by every concerned authority.")
    state: PlanStepState = PlanStepState.PLANNED


def add(
    step_id: UUID,
    said: PlannedStep,
    handling: Handling | None,
    state: CaseState,
    plan: int,
    by: str,
    of: str,
    at: datetime,
) -> PlanStep:
    """Add a step to the plan.

    Args:
        step_id: the new step's id.
        said: what the step is.
        handling: of the matter.
        state: of the own case.
        plan: how many steps the plan has.
        by: the officer.
        of: the officer's authority.
        at: now.

    Raises:
        ConflictError: the case is not open, the matter is not handled jointly, or the plan is full.
    """
    if state is not CaseState.OPEN:
        raise ConflictError("not-open", f"The case is {state}.")
    if handling is None or handling.mode is not HandlingMode.JOINT:
        raise ConflictError("not-joint", "Only a matter that is handled jointly has a shared plan.")
    if plan >= MAX_STEPS:
        raise ConflictError("plan-full", f"A plan has at most {MAX_STEPS} steps.")
    return PlanStep(
        step_id=step_id, authority=of, change=1, changed_at=at, changed_by=by, changed_authority=of, **said.model_dump()
    )


def change(step: PlanStep, said: PlannedStep, handling: Handling | None, by: str, of: str, at: datetime) -> PlanStep:
    """Change a step, or how far it is. Saying the same again changes nothing.

    Raises:
        ForbiddenError: it is another authority's step, and the own one does not lead the matter.
    """
    lead = handling.lead.authority if handling is not None and handling.lead is not None else None
    if of not in {step.authority, lead}:
        raise ForbiddenError("not-your-step", "A step is changed by the authority whose it is, or by the lead.")
    changed = step.model_copy(update=said.model_dump())
    if changed == step:
        return step
    return changed.model_copy(
        update={"change": step.change + 1, "changed_at": at, "changed_by": by, "changed_authority": of}
    )


def check(step: PlanStep) -> None:
    """Refuse a step that is none of the course.

    Raises:
        RefusedError: `unknown-step`.
    """
    if step.step not in set(Step):
        raise RefusedError("/step/step", "unknown-step", "There is no such step of the course.")


def is_later(heard: PlanStep, known: PlanStep | None) -> bool:
    """Whether a step as it was heard of replaces the one that is known."""
    return known is None or _place(heard) > _place(known)


def merge(known: Mapping[UUID, PlanStep], heard: Iterable[PlanStep]) -> tuple[PlanStep, ...]:
    """Return the heard steps that replace what is known."""
    return tuple(step for step in heard if is_later(step, known.get(step.step_id)))


def _place(step: PlanStep) -> tuple[int, datetime, str]:
    return step.change, step.changed_at, step.changed_authority
