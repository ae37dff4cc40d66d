"""A kept supply plan: decided by a coordinator, then turned into planned groups."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.training.domain.supply import Planned, occupation_group
from shared.errors import ConflictError, RefusedError
from shared.events.v1.training import Course, Group


class PlanState(StrEnum):
    """How far a plan has come."""

    KEPT = "kept"
    APPROVED = "approved"
    REJECTED = "rejected"
    ADOPTED = "adopted"


class GroupOfPlan(BaseModel):
    """A group that a plan becomes: of a course of the planned occupation group, with its place and dates."""

    model_config = ConfigDict(frozen=True)

    occupation: str = Field(max_length=200, description="The occupation group, as in the plan.")
    course_id: UUID
    group: Group


def check_decision(state: PlanState) -> None:
    """Check that a plan may be decided, also anew.

    Raises:
        ConflictError: it is adopted: its groups are changed or cancelled one by one.
    """
    if state is PlanState.ADOPTED:
        raise ConflictError("adopted", "The plan is adopted already.")


def check_adoption(
    state: PlanState,
    planned: Sequence[Planned],
    groups: Sequence[GroupOfPlan],
    courses: Mapping[UUID, Course],
    digits: int,
) -> None:
    """Check that a plan may become these groups.

    Raises:
        ConflictError: it is not approved, or adopted already.
        RefusedError: there are more groups of an occupation than planned, or a course is of another occupation.
    """
    check_decision(state)
    if state is not PlanState.APPROVED:
        raise ConflictError("not-approved", f"The plan is {state}.")
    most = {line.occupation: line.groups for line in planned}
    if any(count > most.get(occupation, 0) for occupation, count in Counter(one.occupation for one in groups).items()):
        raise RefusedError("/groups", "more-than-planned", "There are more groups of an occupation than planned.")
    for number, one in enumerate(groups):
        occupation = courses[one.course_id].occupation
        if occupation is None or occupation_group(occupation.code, digits) != one.occupation:
            raise RefusedError(f"/groups/{number}/course_id", "other-occupation", "The course is of another one.")
