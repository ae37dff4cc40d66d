"""The queries of the agreement's texts, the operating model, and decisions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, tuple_
from sqlalchemy.dialects.postgresql import insert as insert_one
from sqlmodel import col, select

from services.advisory.domain.agreement import DecisionState
from services.advisory.joint.tables import AgreementTextRow, DecisionRow, OperatingModelRow
from shared.events.v1.agreement import Agreement, Group
from shared.store import Store


class AgreementTexts(Store):
    """Versions of the agreement's text."""

    def write(self, row: AgreementTextRow) -> None:
        """Write a version."""
        self._tx.session.add(row)

    async def add_first(self, agreement: Agreement, by: str) -> None:
        """Write the first version, unless it is there."""
        values = {"version": 1, "agreement": agreement, "written_by": by, "written_at": self._tx.clock.now()}
        await self._run(insert_one(AgreementTextRow).values(**values).on_conflict_do_nothing())

    async def get(self, version: int) -> AgreementTextRow | None:
        """Return a version."""
        return await self._get(AgreementTextRow, version)

    async def newest(self) -> int:
        """Return the number of the last version written; 0 before the first."""
        found = await self._first(select(func.max(col(AgreementTextRow.version))))
        return found or 0

    async def page(self, before: int | None, limit: int) -> Sequence[AgreementTextRow]:
        """Return versions, newest first."""
        query = select(AgreementTextRow).order_by(col(AgreementTextRow.version).desc()).limit(limit)
        return await self._all(query if before is None else query.where(col(AgreementTextRow.version) < before))


class OperatingModels(Store):
    """Versions of the operating model."""

    def write(self, row: OperatingModelRow) -> None:
        """Write a version."""
        self._tx.session.add(row)

    async def get(self, version: int) -> OperatingModelRow | None:
        """Return a version."""
        return await self._get(OperatingModelRow, version)

    async def newest(self) -> int:
        """Return the number of the last version written; 0 before the first."""
        found = await self._first(select(func.max(col(OperatingModelRow.version))))
        return found or 0

    async def page(self, before: int | None, limit: int) -> Sequence[OperatingModelRow]:
        """Return versions, newest first."""
        query = select(OperatingModelRow).order_by(col(OperatingModelRow.version).desc()).limit(limit)
        return await self._all(query if before is None else query.where(col(OperatingModelRow.version) < before))


class Decisions(Store):
    """Decisions of the groups."""

    def add(self, row: DecisionRow) -> None:
        """Record a proposal."""
        self._tx.session.add(row)

    async def get(self, decision_id: UUID, *, lock: bool = False) -> DecisionRow | None:
        """Return a decision."""
        return await self._get(DecisionRow, decision_id, lock=lock)

    async def taken(self) -> Sequence[DecisionRow]:
        """Return every decision that was taken, in the order in which they were."""
        query = select(DecisionRow).where(DecisionRow.state == DecisionState.TAKEN)
        return await self._all(query.order_by(col(DecisionRow.edition)))

    async def proposed(self) -> Sequence[DecisionRow]:
        """Return what waits for a decision, the longest waiting first: a handful."""
        query = select(DecisionRow).where(DecisionRow.state == DecisionState.PROPOSED)
        return await self._all(query.order_by(col(DecisionRow.proposed_at), col(DecisionRow.decision_id)))

    async def page(
        self, group: Group | None, state: DecisionState | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[DecisionRow]:
        """Return decisions, the last proposed first."""
        order = (col(DecisionRow.proposed_at), col(DecisionRow.decision_id))
        query = select(DecisionRow).order_by(*(column.desc() for column in order)).limit(limit)
        if group is not None:
            query = query.where(DecisionRow.group_name == group)
        if state is not None:
            query = query.where(DecisionRow.state == state)
        return await self._all(query if before is None else query.where(tuple_(*order) < before))
