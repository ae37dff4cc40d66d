"""The queries of acting for another in a city, and of the list of acts, to which rows are only added."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.change_security.authority.tables import CaseActRow, OwnActingRow
from services.change_security.domain.acting import OPEN, CaseOfficer
from services.change_security.domain.case import CaseAct
from shared.events.v1.change_security import Acting, ActingState
from shared.store import Store


class OwnActings(Store):
    """Where another authority acts in this one's cases, or this one in another's."""

    async def read(self, acting_id: UUID) -> OwnActingRow | None:
        """Return one."""
        return await self._get(OwnActingRow, acting_id)

    async def get(self, acting_id: UUID) -> OwnActingRow | None:
        """Return one, locked."""
        return await self._get(OwnActingRow, acting_id, lock=True)

    async def put(self, notice_id: UUID, acting: Acting) -> None:
        """Write one as it now is."""
        await self._tx.session.merge(
            OwnActingRow(
                acting_id=acting.acting_id,
                notice_id=notice_id,
                acting_authority=acting.acting_authority,
                state=acting.state,
                asked_at=acting.asked_at,
                acting=acting,
            )
        )

    async def open_of(self, notice_id: UUID) -> Sequence[OwnActingRow]:
        """Return those of a matter in which something may still happen, newest first."""
        query = select(OwnActingRow).where(OwnActingRow.notice_id == notice_id, col(OwnActingRow.state).in_(OPEN))
        return await self._all(query.order_by(col(OwnActingRow.asked_at).desc(), col(OwnActingRow.acting_id)))

    async def in_force(self, notice_id: UUID, acting_authority: str, *, hold: bool) -> Sequence[OwnActingRow]:
        """Return what lets an authority act in a matter. `hold`: it cannot be ended until the transaction ends."""
        query = select(OwnActingRow).where(
            OwnActingRow.notice_id == notice_id,
            OwnActingRow.acting_authority == acting_authority,
            OwnActingRow.state == ActingState.IN_FORCE,
        )
        return await self._all(query.with_for_update(read=True) if hold else query)

    async def page(
        self, state: ActingState | None, notice_id: UUID | None, limit: int, after: tuple[datetime, UUID] | None
    ) -> Sequence[OwnActingRow]:
        """Return them, oldest first."""
        query = select(OwnActingRow)
        if state is not None:
            query = query.where(OwnActingRow.state == state)
        if notice_id is not None:
            query = query.where(OwnActingRow.notice_id == notice_id)
        if after is not None:
            query = query.where(tuple_(col(OwnActingRow.asked_at), col(OwnActingRow.acting_id)) > after)
        return await self._all(query.order_by(col(OwnActingRow.asked_at), col(OwnActingRow.acting_id)).limit(limit))


class CaseActs(Store):
    """What officers did in cases. Rows are only added."""

    def add(
        self, notice_id: UUID, competent_authority: str, by: CaseOfficer, act: CaseAct, detail: str | None = None
    ) -> None:
        """Add an act. `detail`: what it was about, never words of a person."""
        self._tx.session.add(
            CaseActRow(
                notice_id=notice_id,
                act=act,
                detail=detail,
                competent_authority=competent_authority,
                acting_authority=by.authority,
                officer=by.officer,
                legal_ground=by.legal_ground,
                acting_id=by.acting_id,
                at=self._tx.clock.now(),
            )
        )

    async def page(
        self, notice_id: UUID | None, limit: int, before: int | None, *, of_others: bool = False
    ) -> Sequence[CaseActRow]:
        """Return acts in a case, or in all, newest first; `of_others`: those of other authorities' officers alone."""
        query = select(CaseActRow)
        if notice_id is not None:
            query = query.where(CaseActRow.notice_id == notice_id)
        if of_others:
            query = query.where(col(CaseActRow.acting_id).is_not(None))
        if before is not None:
            query = query.where(col(CaseActRow.id) < before)
        return await self._all(query.order_by(col(CaseActRow.id).desc()).limit(limit))
