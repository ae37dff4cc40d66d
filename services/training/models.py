"""What the APIs of both sides say: the catalogue."""

from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator

from services.training.domain.course import CatalogueCourse, CourseGroup
from services.training.domain.procurement import LABELS
from shared.events.v1.training import Course, Group, GroupState, Labels

Body = TypeVar("Body", bound=BaseModel)


def strict(kind: type[Body]) -> BeforeValidator:
    """Refuse unknown fields at every depth of a value in a request.

    An event's reader passes over fields it does not know; who writes one is told.
    """

    def validate(given: object) -> Body:
        return kind.model_validate(given, extra="forbid")

    return BeforeValidator(validate)


class CourseOut(BaseModel):
    """A course of the catalogue, with its kind in the service languages."""

    course_id: UUID
    version: int
    kind: Labels
    course: Course

    @classmethod
    def of(cls, course: CatalogueCourse) -> "CourseOut":
        """Show a course."""
        return cls(
            course_id=course.course_id, version=course.version, kind=LABELS[course.course.kind], course=course.course
        )


class GroupOut(BaseModel):
    """A group."""

    group_id: UUID
    course_id: UUID
    version: int
    state: GroupState
    group: Group

    @classmethod
    def of(cls, group: CourseGroup) -> "GroupOut":
        """Show a group."""
        return cls(
            group_id=group.group_id,
            course_id=group.course_id,
            version=group.version,
            state=group.state,
            group=group.group,
        )
