"""Courses, groups and their states, and how an application is assessed by a course's written criteria."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.training.domain.seats import ENDED, Slot
from services.training.domain.supply import check_occupation
from shared.errors import ConflictError, RefusedError
from shared.events.v1.training import Course, CoursePublished, Group, GroupPublished, GroupState

_NEXT: Final = {
    GroupState.PLANNED: {GroupState.PROCUREMENT, GroupState.OPEN},
    GroupState.PROCUREMENT: {GroupState.OPEN},
    GroupState.OPEN: {GroupState.SELECTION},
    GroupState.SELECTION: {GroupState.CONFIRMED},
    GroupState.CONFIRMED: {GroupState.RUNNING},
    GroupState.RUNNING: {GroupState.COMPLETED},
}


@dataclass(frozen=True, slots=True)
class CatalogueCourse:
    """A course of the catalogue, and how often it has changed."""

    course_id: UUID
    version: int
    course: Course

    def published(self) -> CoursePublished:
        """Return the course as everyone may see it."""
        return CoursePublished(course_id=self.course_id, version=self.version, course=self.course)


@dataclass(frozen=True, slots=True)
class CourseGroup:
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
            ends_on=group.ends_on,
        )

    def last_entry_day(self, course: Course) -> date:
        """Return the last day on which somebody may enter: never past the end."""
        return last_entry_day(self.group, course)


class NamedGroup(BaseModel):
    """A group that could be formed, by a name of the planner's own."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1, max_length=60)
    group: Group

    def slot(self, course: Course) -> Slot:
        """Return the group as applicants must fit it."""
        return replace(
            CourseGroup(UUID(int=0), UUID(int=0), 1, GroupState.PLANNED, self.group).slot(course), name=self.name
        )


def last_entry_day(group: Group, course: Course) -> date:
    """Return the last day on which somebody may enter a group: by the late entry days; at any time if continuous."""
    if course.start_type == "continuous":
        return group.ends_on
    return min(group.ends_on, group.starts_on + timedelta(days=course.late_entry_days))


def check_course(course: Course) -> None:
    """Check what a course says of its occupation and of its sizes.

    Raises:
        RefusedError: supply planning and the pools cannot compare the occupation.
        ConflictError: the sizes contradict each other.
    """
    if course.occupation is not None:
        check_occupation(course.occupation, "/course/occupation")
    if course.min_size > course.max_size:
        raise ConflictError("wrong-sizes", "The least size is larger than the largest.")


def check_group(group: Group, course: Course) -> None:
    """Check that a group fits its course.

    Raises:
        ConflictError: it ends before it starts, or its seats are not within the course's sizes.
    """
    if group.ends_on < group.starts_on:
        raise ConflictError("wrong-dates", "The group ends before it starts.")
    if not course.min_size <= group.seats <= course.max_size:
        raise ConflictError("wrong-sizes", f"The course takes groups of {course.min_size}–{course.max_size}.")


def check_names(groups: Sequence[NamedGroup]) -> None:
    """Check that each group that could be formed has a name of its own.

    Raises:
        RefusedError: two have the same.
    """
    if len({group.name for group in groups}) < len(groups):
        raise RefusedError("/groups", "same-name-twice", "Each group needs a name of its own.")


def move(group: CourseGroup, state: GroupState, course: Course, accepted: int) -> CourseGroup:
    """Move a group to its next state, or cancel it; the same group when it has that state already.

    Raises:
        ConflictError: the state does not follow, or too few have accepted to confirm the group.
    """
    if state is group.state:
        return group
    allowed = _NEXT.get(group.state, set()) | (set() if group.state in ENDED else {GroupState.CANCELLED})
    if state not in allowed:
        raise ConflictError("invalid-state", f"From {group.state} a group does not become {state}.")
    if state is GroupState.CONFIRMED and accepted < course.min_size:
        raise ConflictError("too-small", f"{accepted} have accepted; {course.min_size} are needed.")
    return replace(group, state=state, version=group.version + 1)


def change(group: CourseGroup, details: Group, predecessor: int, taken: int) -> CourseGroup:
    """Change a group's details.

    Raises:
        ConflictError: another change came before, the group has ended, or more seats are taken than would be left.
    """
    if group.version != predecessor:
        raise ConflictError("stale-predecessor", f"The group's version is {group.version}.")
    check_not_ended(group)
    if details.seats < taken:
        raise ConflictError("seats-taken", f"{taken} seats are taken or offered.")
    return replace(group, group=details, version=group.version + 1)


def check_not_ended(group: CourseGroup) -> None:
    """Check that a group is neither completed nor cancelled.

    Raises:
        ConflictError: it is.
    """
    if group.state in ENDED:
        raise ConflictError("invalid-state", f"The group is {group.state}.")


def points(course: Course, assessment: Mapping[str, int]) -> int:
    """Return an application's points of 100, by the course's written criteria; 0 for a course without criteria.

    Raises:
        RefusedError: a criterion is missing or unknown, or has more points than it can give.
    """
    most = {criterion.code: criterion.points for criterion in course.criteria}
    if most.keys() != assessment.keys() or not all(0 <= given <= most[code] for code, given in assessment.items()):
        text = "The assessment does not follow the course's criteria."
        raise RefusedError("/assessment", "does-not-follow-the-criteria", text)
    return 100 * sum(assessment.values()) // sum(most.values()) if most else 0
