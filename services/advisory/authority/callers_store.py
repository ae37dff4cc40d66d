"""The queries on who asked who called."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_
from sqlmodel import col, select

from services.advisory.authority.tables import OwnCallerQueryRow
from services.advisory.domain.caller import QueryState
from shared.store import Store


class OwnCallerQueries(Store):
    """Queries for the callers that the city keeps."""

    def add(self, row: OwnCallerQueryRow) -> None:
        """Write a query down."""
        self._tx.session.add(row)

    async def get(self, request_id: UUID) -> OwnCallerQueryRow | None:
        """Return a query, locked."""
        return await self._get(OwnCallerQueryRow, request_id, lock=True)

    async def page(
        self, state: QueryState | None, contact_id: UUID | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[OwnCallerQueryRow]:
        """Return queries, newest first."""
        asked, request_id = col(OwnCallerQueryRow.asked_at), col(OwnCallerQueryRow.request_id)
        query = select(OwnCallerQueryRow).order_by(asked.desc(), request_id).limit(limit)
        if state is not None:
            query = query.where(OwnCallerQueryRow.state == state)
        if contact_id is not None:
            query = query.where(OwnCallerQueryRow.contact_id == contact_id)
        if after is not None:
            query = query.where(or_(asked < after[0], and_(asked == after[0], request_id > after[1])))
        return await self._all(query)
