"""The catalogue of courses and groups: the joint office's own, and each city's copy. Both sides keep it here.

Every act on the seats of a course begins with the lock on the course's row (`Catalogue.lock`), so acts on one course
follow each other whatever process or message they come from; acts on two courses never wait for each other.
"""

from datetime import date
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Column, Index, MetaData, Text, func, tuple_
from sqlmodel import Field, SQLModel, col, select

from services.training.domain.course import CatalogueCourse, CourseGroup
from shared.database import EnumText, Json, insert
from shared.errors import UnknownError
from shared.events.v1.training import Course, CourseKind, CoursePublished, Group, GroupPublished, GroupState
from shared.store import Store

metadata = MetaData()
"""This module's own: SQLModel's global one would mix the services' tables."""


class CourseRow(SQLModel, table=True):
    """The newest version of a course. `occupation` is its ISCO-08 code; empty without one."""

    metadata: ClassVar[MetaData] = metadata
    __tablename__ = "course"

    course_id: UUID = Field(primary_key=True)
    version: int
    course: Course = Field(sa_column=Column(Json(Course), nullable=False))
    occupation: str = Field(sa_type=Text)


class CourseGroupRow(SQLModel, table=True):
    """The newest version of a group."""

    metadata: ClassVar[MetaData] = metadata
    __tablename__ = "course_group"
    __table_args__ = (Index("course_group_course", "course_id"),)

    group_id: UUID = Field(primary_key=True)
    course_id: UUID
    version: int
    state: GroupState = Field(sa_column=Column(EnumText(GroupState), nullable=False))
    details: Group = Field(sa_column=Column(Json(Group), nullable=False))
    starts_on: date


_COURSE = insert(CourseRow, CourseRow, replace=("version", "course", "occupation"), version="version")
_GROUP = insert(
    CourseGroupRow,
    GroupPublished,
    attributes={"details": "group", "starts_on": "group.starts_on"},
    replace=("version", "state", "details", "starts_on"),
    version="version",
)


class Catalogue(Store):
    """Courses and groups."""

    async def lock(self, course_id: UUID) -> CatalogueCourse | None:
        """Return a course, locked: whoever has it alone gives and takes seats of its groups."""
        row = await self._get(CourseRow, course_id, lock=True)
        return _course(row) if row else None

    async def locked_course(self, course_id: UUID) -> CatalogueCourse:
        """Return a course, locked.

        Raises:
            UnknownError: no such course.
        """
        course = await self.lock(course_id)
        if course is None:
            raise UnknownError("course")
        return course

    async def locked_group(self, group_id: UUID) -> tuple[CourseGroup, CatalogueCourse]:
        """Return a group as it is once its course is locked.

        Raises:
            UnknownError: no such group.
        """
        course = await self.locked_course((await self.group(group_id)).course_id)
        return await self.group(group_id), course

    async def course(self, course_id: UUID) -> CatalogueCourse:
        """Return a course.

        Raises:
            UnknownError: no such course.
        """
        row = await self._get(CourseRow, course_id)
        if row is None:
            raise UnknownError("course")
        return _course(row)

    async def courses(self, kind: CourseKind | None, after: UUID | None, limit: int) -> list[CatalogueCourse]:
        """Return courses by id."""
        query = select(CourseRow).order_by(col(CourseRow.course_id)).limit(limit)
        if kind is not None:
            query = query.where(func.jsonb_extract_path_text(CourseRow.course, "kind") == kind)
        if after is not None:
            query = query.where(col(CourseRow.course_id) > after)
        return [_course(row) for row in await self._all(query)]

    def save_course(self, event: CoursePublished) -> None:
        """Write a course; an equal or newer version that is there already stays."""
        occupation = event.course.occupation.code if event.course.occupation else ""
        row = CourseRow(course_id=event.course_id, version=event.version, course=event.course, occupation=occupation)
        self._tx.stage(_COURSE, row)

    async def group(self, group_id: UUID) -> CourseGroup:
        """Return a group.

        Raises:
            UnknownError: no such group.
        """
        row = await self._get(CourseGroupRow, group_id)
        if row is None:
            raise UnknownError("group")
        return _group(row)

    async def groups_of(self, course_id: UUID) -> list[CourseGroup]:
        """Return the groups of a course, by the day they start."""
        query = select(CourseGroupRow).where(CourseGroupRow.course_id == course_id)
        order = (col(CourseGroupRow.starts_on), col(CourseGroupRow.group_id))
        return [_group(row) for row in await self._all(query.order_by(*order))]

    async def groups(
        self, course_id: UUID | None, state: GroupState | None, after: tuple[date, UUID] | None, limit: int
    ) -> list[CourseGroup]:
        """Return groups, of a course or in a state, by the day they start."""
        order = (col(CourseGroupRow.starts_on), col(CourseGroupRow.group_id))
        query = select(CourseGroupRow).order_by(*order).limit(limit)
        if course_id is not None:
            query = query.where(CourseGroupRow.course_id == course_id)
        if state is not None:
            query = query.where(CourseGroupRow.state == state)
        if after is not None:
            query = query.where(tuple_(*order) > after)
        return [_group(row) for row in await self._all(query)]

    def save_group(self, event: GroupPublished) -> None:
        """Write a group; an equal or newer version that is there already stays."""
        self._tx.stage(_GROUP, event)


def _course(row: CourseRow) -> CatalogueCourse:
    return CatalogueCourse(row.course_id, row.version, row.course)


def _group(row: CourseGroupRow) -> CourseGroup:
    return CourseGroup(row.group_id, row.course_id, row.version, row.state, row.details)
