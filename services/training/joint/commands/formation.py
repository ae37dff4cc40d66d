"""Forming groups from the joint queue: proposed first, nothing is decided until an officer adopts them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.training.catalogue import Catalogue
from services.training.domain.course import CourseGroup, NamedGroup, check_names, last_entry_day
from services.training.domain.formation import ProposedPlacement, form, proposed
from services.training.domain.seats import Actor, check_entry
from services.training.joint.commands.catalogue import JointCatalogue
from services.training.joint.commands.seats import JointSeats
from services.training.joint.store import Formations, Queue
from services.training.joint.tables import FormationRow
from shared.calendar import local_day
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.training import GroupState
from shared.messaging.transaction import Database, Transaction


@dataclass(frozen=True)
class JointFormations:
    """Proposes groups from the queue, and opens those that are adopted."""

    catalogue: JointCatalogue
    seats: JointSeats

    async def compute(
        self, database: Database, course_id: UUID, groups: Sequence[NamedGroup]
    ) -> tuple[ProposedPlacement, ...]:
        """Compute who would be in which group. Same queue, same groups.

        Takes seconds: what it reads is read before, and it runs neither in the event loop nor in a transaction.

        Raises:
            UnknownError: no such course.
            RefusedError: two groups have the same name.
        """
        async with database.read() as tx:
            course = await Catalogue(tx).course(course_id)
            waiting = await Queue(tx).waiting(course_id)
            quota = await self.seats.quota(tx, local_day(database.clock.now()))
        check_names(groups)
        slots = [group.slot(course.course) for group in groups]
        return proposed(await asyncio.to_thread(form, waiting, slots, quota.percents))

    def keep(
        self,
        tx: Transaction,
        course_id: UUID,
        groups: Sequence[NamedGroup],
        placements: tuple[ProposedPlacement, ...],
        by: str,
    ) -> FormationRow:
        """Keep what was computed, for an officer to adopt."""
        formation = FormationRow(
            formation_id=derived_id("formation", tx.cause),
            course_id=course_id,
            slots=tuple(groups),
            placements=placements,
            made_by=by,
            made_at=tx.clock.now(),
        )
        Formations(tx).add(formation)
        return formation

    async def adopt(self, tx: Transaction, formation_id: UUID, actor: Actor) -> list[CourseGroup]:
        """Open the groups that a formation proposes and offer their seats to the proposed members.

        Who does not wait any more is passed over; the seat goes on by the written rule.

        Raises:
            UnknownError: no such formation.
            ConflictError: it is adopted already, or one of its groups can be entered no more.
        """
        formation = await Formations(tx).lock(formation_id)
        if formation is None:
            raise UnknownError("formation")
        if formation.adopted_at is not None:
            raise ConflictError("adopted", "The formation is adopted already.")
        course = await Catalogue(tx).locked_course(formation.course_id)
        waiting = {applicant.application_id for applicant in await Queue(tx).waiting(formation.course_id)}
        opened = []
        for slot in formation.slots:
            members = [placement for placement in formation.placements if placement.slot == slot.name]
            if not members:
                continue
            check_entry(last_entry_day(slot.group, course.course), local_day(tx.clock.now()))
            group = CourseGroup(
                derived_id(formation_id, slot.name), formation.course_id, 1, GroupState.SELECTION, slot.group
            )
            self.catalogue.publish_group(tx, group)
            opened.append(group)
            for member in members:
                if member.application_id in waiting:
                    reason = f"formed group: {member.reason}"
                    await self.seats.offer(tx, group, course, member.application_id, reason, actor)
        formation.adopted_at = tx.clock.now()
        await self.seats.fill(tx, formation.course_id)
        return opened
