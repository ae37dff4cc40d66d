"""What a city does with the shared plan of a joint matter: its officers add and change steps, all concerned hear it."""

from dataclasses import dataclass
from uuid import UUID

from services.change_security.authority.acting_store import CaseActs
from services.change_security.authority.plan_store import OwnPlans
from services.change_security.authority.store import Cases
from services.change_security.authority.tables import CaseRow
from services.change_security.domain import plan as shared_plan
from services.change_security.domain.acting import CaseOfficer
from services.change_security.domain.case import CaseAct
from services.change_security.domain.plan import PlannedStep
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.change_security import PlanChanged, PlanStep, PlanStepReported
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class CityPlans:
    """The shared plans in a city. `authority`: the city's authority."""

    authority: str

    async def add(self, tx: Transaction, notice_id: UUID, said: PlannedStep, by: CaseOfficer) -> PlanStep:
        """Add a step of this authority to the plan.

        Raises:
            UnknownError, ConflictError
        """
        case = await self._lock(tx, notice_id)
        steps = len(await OwnPlans(tx).of(notice_id))
        step_id, now = derived_id("plan step", tx.cause), tx.clock.now()
        step = shared_plan.add(step_id, said, case.handling, case.state, steps, by.officer, self.authority, now)
        return await self._put(tx, case, step, by, CaseAct.PLAN_STEP_ADDED)

    async def change(
        self, tx: Transaction, notice_id: UUID, step_id: UUID, said: PlannedStep, by: CaseOfficer
    ) -> PlanStep:
        """Change a step of this authority, or, as the lead, anyone's.

        Raises:
            UnknownError, ForbiddenError
        """
        case = await self._lock(tx, notice_id)
        step = (await OwnPlans(tx).of(notice_id)).get(step_id)
        if step is None:
            raise UnknownError("step of the plan")
        changed = shared_plan.change(step, said, case.handling, by.officer, self.authority, tx.clock.now())
        if changed is step:
            return step
        return await self._put(tx, case, changed, by, CaseAct.PLAN_STEP_CHANGED)

    async def receive(self, tx: Transaction, event: PlanChanged) -> None:
        """Take in the plan as the joint office has it. A step that is further here stays."""
        plans = OwnPlans(tx)
        for step in shared_plan.merge(await plans.of(event.notice_id, lock=True), event.steps):
            await plans.put(event.notice_id, step)

    async def _put(self, tx: Transaction, case: CaseRow, step: PlanStep, by: CaseOfficer, act: CaseAct) -> PlanStep:
        await OwnPlans(tx).put(case.notice_id, step)
        CaseActs(tx).add(case.notice_id, case.competent_authority, by, act, f"{step.step} {step.state}")
        tx.publish(PlanStepReported(notice_id=case.notice_id, authority=self.authority, step=step))
        return step

    async def _lock(self, tx: Transaction, notice_id: UUID) -> CaseRow:
        case = await Cases(tx).lock(notice_id)
        if case is None:
            raise UnknownError("case")
        return case
