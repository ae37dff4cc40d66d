"""The queries of shared plans at the joint office."""

from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import col, select

from services.change_security.joint.tables import PlanStepRow
from shared.database import insert
from shared.events.v1.change_security import PlanStep
from shared.store import Store


class _Step(NamedTuple):
    notice_id: UUID
    step_id: UUID
    step: PlanStep


_STEP: Final = insert(PlanStepRow, _Step, replace=("step",))
"""The notice is locked while its plan is read and changed."""


class Plans(Store):
    """The shared plans of joint matters."""

    async def of(self, notice_id: UUID) -> dict[UUID, PlanStep]:
        """Return a matter's plan by step."""
        rows = await self._all(
            select(PlanStepRow).where(PlanStepRow.notice_id == notice_id).order_by(col(PlanStepRow.step_id))
        )
        return {row.step_id: row.step for row in rows}

    def put(self, notice_id: UUID, step: PlanStep) -> None:
        """Write a step as it was changed last."""
        self._tx.stage(_STEP, _Step(notice_id, step.step_id, step))
