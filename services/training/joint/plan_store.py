"""The queries of kept supply plans."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.training.domain.plans import PlanState
from services.training.joint.tables import SupplyPlanRow
from shared.errors import UnknownError
from shared.store import Store


class Plans(Store):
    """Kept supply plans."""

    def add(self, plan: SupplyPlanRow) -> None:
        """Keep a plan."""
        self._tx.session.add(plan)

    async def get(self, plan_id: UUID, *, lock: bool = False) -> SupplyPlanRow:
        """Return a plan; locked, to be changed.

        Raises:
            UnknownError: no such plan.
        """
        row = await self._get(SupplyPlanRow, plan_id, lock=lock)
        if row is None:
            raise UnknownError("plan")
        return row

    async def page(
        self, state: PlanState | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[SupplyPlanRow]:
        """Return plans, newest first."""
        order = (col(SupplyPlanRow.made_at), col(SupplyPlanRow.plan_id))
        query = select(SupplyPlanRow).order_by(*(column.desc() for column in order)).limit(limit)
        if state is not None:
            query = query.where(SupplyPlanRow.state == state)
        return await self._all(query if after is None else query.where(tuple_(*order) < after))
