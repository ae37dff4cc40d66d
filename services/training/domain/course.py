"""Courses, groups and their states, and how an application is assessed by a course's written criteria."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.training.domain.seats import HUNDRED, Slot
from shared.errors import ConflictError
from shared.events.v1.training import Course, CoursePublished, Group, GroupPublished, GroupState

_NEXT: Final = {
    GroupState.PLANNED: {GroupState.PROCUREMENT, GroupState.OPEN},
    GroupState.PROCUREMENT: {GroupState.OPEN},
    GroupState.OPEN: {GroupState.SELECTION},
    GroupState.SELECTION: {GroupState.CONFIRMED},
    GroupState.CONFIRMED: {GroupState.RUNNING},
    GroupState.RUNNING: {GroupState.COMPLETED},
}
ENDED: Final = frozenset({GroupState.COMPLETED, GroupState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Entry:
    """A course of the catalogue, and how often it has changed."""

    course_id: UUID
    version: int
    course: Course

    def published(self) -> CoursePublished:
        """Return the course as everyone may see it."""
        return CoursePublished(course_id=self.course_id, version=self.version, course=self.course)


@dataclass(frozen=True, slots=True)
class Held:
    """A group of a course, where it stands, and how often it has changed."""

    group_id: UUID
    course_id: UUID
    version: int
    state: GroupState
    group: Group

    def published(self) -> GroupPublished:
        """Return the group as everyone may see it."""
        return GroupPublished(
            group_id=self.group_id, course_id=self.course_id, version=self.version, state=self.state, group=self.group
        )

    def slot(self, course: Course) -> Slot:
        """Return the group as applicants must fit it."""
        group = self.group
        return Slot(
            str(self.group_id),
            group.language,
            group.municipality,
            group.starts_on,
            course.min_size,
            group.seats,
            is_continuous=course.start_type == "continuous",
        )


class NamedGroup(BaseModel):
    """A group that could be formed, by a name of the planner's own."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1, max_length=60)
    group: Group

    def slot(self, course: Course) -> Slot:
        """Return the group as applicants must fit it."""
        return replace(Held(UUID(int=0), UUID(int=0), 1, GroupState.PLANNED, self.group).slot(course), name=self.name)


def move(held: Held, state: GroupState, course: Course, accepted: int) -> Held:
    """Move a group to its next state, or cancel it.

    Raises:
        ConflictError: the state does not follow, or too few have accepted to confirm the group.
    """
    if state is held.state:
        return held
    allowed = _NEXT.get(held.state, set()) | (set() if held.state in ENDED else {GroupState.CANCELLED})
    if state not in allowed:
        raise ConflictError("wrong-state", f"From {held.state} a group does not become {state}.")
    if state is GroupState.CONFIRMED and accepted < course.min_size:
        raise ConflictError("too-small", f"{accepted} have accepted; {course.min_size} are needed.")
    return replace(held, state=state, version=held.version + 1)


def change(held: Held, group: Group, predecessor: int, taken: int) -> Held:
    """Change a group's details.

    Raises:
        ConflictError: another change came before, the group has ended, or more seats are taken than would be left.
    """
    if held.version != predecessor:
        raise ConflictError("stale-predecessor", f"The group's version is {held.version}.")
    if held.state in ENDED:
        raise ConflictError("wrong-state", f"The group is {held.state}.")
    if group.seats < taken:
        raise ConflictError("seats-taken", f"{taken} seats are taken or offered.")
    return replace(held, group=group, version=held.version + 1)


class AssessmentError(ValueError):
    """The assessment does not follow the course's criteria. The argument names the criterion."""


def points(course: Course, assessment: Mapping[str, int]) -> int:
    """Return an application's points of 100, by the course's written criteria; 0 for a course without criteria.

    Raises:
        AssessmentError: a criterion is missing or unknown, or has more points than it can give.
    """
    criteria = {one.code: one.points for one in course.criteria}
    for code in sorted(criteria.keys() ^ assessment.keys()):
        raise AssessmentError(code)
    for code, given in assessment.items():
        if not 0 <= given <= criteria[code]:
            raise AssessmentError(code)
    return HUNDRED * sum(assessment.values()) // sum(criteria.values()) if criteria else 0
