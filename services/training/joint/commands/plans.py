"""Supply plans that are kept, decided by a coordinator, and turned into planned groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from services.training.catalogue import Catalogue
from services.training.domain.course import CourseGroup
from services.training.domain.plans import GroupOfPlan, PlanState, check_adoption, check_decision
from services.training.domain.seats import Actor
from services.training.joint.commands.catalogue import JointCatalogue
from services.training.joint.commands.supply import planned_groups, queue_lines
from services.training.joint.plan_store import Plans
from services.training.joint.store import Decisions
from services.training.joint.tables import SupplyPlanRow
from shared.events.envelope import derived_id
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointPlans:
    """Keeps supply plans and makes groups of them."""

    catalogue: JointCatalogue

    async def keep(self, tx: Transaction, uptake: float, digits: int, actor: Actor) -> SupplyPlanRow:
        """Keep the plan that the written rule makes of the queue as it is now."""
        planned = await planned_groups(tx, await queue_lines(tx, digits), uptake, digits)
        plan = SupplyPlanRow(
            plan_id=derived_id("supply plan", tx.cause),
            planned=tuple(planned),
            uptake=uptake,
            digits=digits,
            state=PlanState.KEPT,
            group_ids=(),
            made_by=actor.name,
            made_at=tx.clock.now(),
        )
        Plans(tx).add(plan)
        return plan

    async def decide(
        self,
        tx: Transaction,
        plan_id: UUID,
        state: Literal[PlanState.APPROVED, PlanState.REJECTED],
        actor: Actor,
        reason: str,
    ) -> SupplyPlanRow:
        """Approve or reject a plan; until it is adopted it can be decided anew.

        Raises:
            UnknownError: no such plan.
            ConflictError: it is adopted.
        """
        plan = await Plans(tx).get(plan_id, lock=True)
        check_decision(plan.state)
        self._move(tx, plan, state, actor, reason)
        return plan

    async def adopt(
        self, tx: Transaction, plan_id: UUID, groups: Sequence[GroupOfPlan], actor: Actor
    ) -> list[CourseGroup]:
        """Turn an approved plan into planned groups, which then go their way.

        Raises:
            UnknownError: no such plan or course.
            ConflictError: it is not approved, or adopted already, or a group does not fit its course.
            RefusedError: there are more groups than planned, or of another occupation.
        """
        # In one order, so that no two adoptions wait for each other.
        courses = {
            course_id: (await Catalogue(tx).locked_course(course_id)).course
            for course_id in sorted({one.course_id for one in groups})
        }
        plan = await Plans(tx).get(plan_id, lock=True)
        check_adoption(plan.state, plan.planned, groups, courses, plan.digits)
        made = [
            await self.catalogue.add_group(tx, derived_id(plan_id, "group", number), one.course_id, one.group)
            for number, one in enumerate(groups)
        ]
        plan.group_ids = tuple(group.group_id for group in made)
        self._move(tx, plan, PlanState.ADOPTED, actor, "")
        return made

    def _move(self, tx: Transaction, plan: SupplyPlanRow, state: PlanState, actor: Actor, reason: str) -> None:
        plan.state = state
        Decisions(tx).enter(plan.plan_id, state, reason, actor)
