"""The queries of shared plans in a city."""

from uuid import UUID

from sqlmodel import col, select

from services.change_security.authority.tables import OwnPlanStepRow
from shared.events.v1.change_security import PlanStep
from shared.store import Store


class OwnPlans(Store):
    """The shared plans of this city's joint matters, as far as they have come here."""

    async def of(self, notice_id: UUID, *, lock: bool = False) -> dict[UUID, PlanStep]:
        """Return a matter's plan by step."""
        query = (
            select(OwnPlanStepRow).where(OwnPlanStepRow.notice_id == notice_id).order_by(col(OwnPlanStepRow.step_id))
        )
        return {row.step_id: row.step for row in await self._all(query.with_for_update() if lock else query)}

    async def put(self, notice_id: UUID, step: PlanStep) -> None:
        """Write a step as it was changed last."""
        await self._tx.session.merge(OwnPlanStepRow(notice_id=notice_id, step_id=step.step_id, step=step))
