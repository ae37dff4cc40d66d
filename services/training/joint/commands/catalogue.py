"""The catalogue at the joint office: courses, and the groups of each from plan to completion."""

from dataclasses import dataclass
from uuid import UUID

from services.training.catalogue import Catalogue
from services.training.domain import course as lifecycle
from services.training.domain.course import CatalogueCourse, CourseGroup
from services.training.domain.seats import ENDED, Actor, SeatOfferState
from services.training.joint.commands.seats import JointSeats
from services.training.joint.procurement_store import Participants
from services.training.joint.store import Decisions, Queue
from shared.errors import ConflictError
from shared.events.v1.training import Course, Group, GroupState
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointCatalogue:
    """Changes the catalogue; everyone is told, and seats that become free or are added are offered."""

    seats: JointSeats

    async def publish_course(
        self, tx: Transaction, course_id: UUID, course: Course, predecessor: int
    ) -> CatalogueCourse:
        """Put a course, or its next version, into the catalogue. `predecessor`: the version before, 0 for a new course.

        Raises:
            RefusedError: the occupation cannot be compared.
            ConflictError: another change came before, or the sizes contradict each other.
        """
        standing = await Catalogue(tx).lock(course_id)
        if (standing.version if standing else 0) != predecessor:
            raise ConflictError("stale-predecessor", "Another change came before.")
        lifecycle.check_course(course)
        published = CatalogueCourse(course_id, predecessor + 1, course)
        Catalogue(tx).save_course(published.published())
        tx.publish(published.published())
        return published

    async def change_course(
        self, tx: Transaction, course_id: UUID, course: Course, predecessor: int
    ) -> CatalogueCourse:
        """Change a course that is in the catalogue.

        Raises:
            UnknownError: no such course.
            RefusedError: the occupation cannot be compared.
            ConflictError: another change came before, or the sizes contradict each other.
        """
        await Catalogue(tx).locked_course(course_id)
        return await self.publish_course(tx, course_id, course, predecessor)

    async def add_group(self, tx: Transaction, group_id: UUID, course_id: UUID, details: Group) -> CourseGroup:
        """Plan a group.

        Raises:
            UnknownError: no such course.
            ConflictError: it ends before it starts, or has more seats than the course allows.
        """
        course = await Catalogue(tx).locked_course(course_id)
        lifecycle.check_group(details, course.course)
        group = CourseGroup(group_id, course_id, 1, GroupState.PLANNED, details)
        self.publish_group(tx, group)
        return group

    async def change_group(self, tx: Transaction, group_id: UUID, details: Group, predecessor: int) -> CourseGroup:
        """Change a group's details; seats that are added are offered at once.

        Raises:
            UnknownError: no such group.
            ConflictError: another change came before, the group has ended, or the details do not fit course and seats.
        """
        group, course = await Catalogue(tx).locked_group(group_id)
        lifecycle.check_group(details, course.course)
        group = lifecycle.change(group, details, predecessor, await self.seats.taken(tx, group_id))
        self.publish_group(tx, group)
        await self.seats.fill(tx, group.course_id)
        return group

    async def move_group(
        self, tx: Transaction, group_id: UUID, state: GroupState, actor: Actor, reason: str
    ) -> CourseGroup:
        """Move a group to its next state, or cancel it; who had a seat in a cancelled group waits again as before.

        Raises:
            UnknownError: no such group.
            ConflictError: the state does not follow, or too few have accepted.
        """
        standing, course = await Catalogue(tx).locked_group(group_id)
        seats = await Queue(tx).seats(group_id)
        accepted = sum(seat.state is SeatOfferState.ACCEPTED for seat in seats)
        accepted += sum(row.seats for row in await Participants(tx).in_group(group_id))
        group = lifecycle.move(standing, state, course.course, accepted)
        if group is standing:
            return group
        self.publish_group(tx, group)
        Decisions(tx).enter(group_id, state, reason, actor)
        if state in ENDED:
            await self.seats.close(tx, group)
        await self.seats.fill(tx, group.course_id)
        return group

    def publish_group(self, tx: Transaction, group: CourseGroup) -> None:
        """Put a group, or its next version, into the catalogue. The caller holds the course's lock."""
        Catalogue(tx).save_group(group.published())
        tx.publish(group.published())
