"""The queries on response times: what was reached, which contacts are late."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, or_
from sqlmodel import col, select

from services.advisory.domain.contact import ContactState
from services.advisory.joint.tables import ContactRow
from shared.store import Store


class ChannelCount(NamedTuple):
    """How many contacts came by a channel, and how they were answered."""

    channel: str
    received: int
    in_time: int
    late: int
    open: int


class ResponseTimes(Store):
    """Response times."""

    async def counts(self, since: datetime, until: datetime) -> list[ChannelCount]:
        """Return what was reached for contacts that came between two instants; joined ones count as the earlier."""
        return await self._values(
            ChannelCount,
            "SELECT CASE WHEN (contact ->> 'is_live_call')::boolean THEN 'phone' ELSE contact ->> 'channel' END"
            " AS channel, count(*) AS received,"
            " count(*) FILTER (WHERE coalesce(answered_at, closed_at) <= due_at) AS in_time,"
            " count(*) FILTER (WHERE coalesce(answered_at, closed_at, :now) > due_at"
            " AND (state <> 'handed_over' OR answered_at IS NOT NULL)) AS late,"
            " count(*) FILTER (WHERE state IN ('new', 'assigned') AND due_at >= :now) AS open"
            " FROM contact WHERE received_at >= :since AND received_at < :until AND joined_into IS NULL GROUP BY 1",
            since=since,
            until=until,
            now=self._tx.clock.now(),
        )

    async def late(
        self, authority: str | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[ContactRow]:
        """Return contacts that are not answered and past their time, the longest due first.

        Of an authority, those it is competent for or acts in.
        """
        due, contact_id = col(ContactRow.due_at), col(ContactRow.contact_id)
        query = (
            select(ContactRow)
            .where(col(ContactRow.state).in_((ContactState.NEW, ContactState.ASSIGNED)), due < self._tx.clock.now())
            .order_by(due, contact_id)
            .limit(limit)
        )
        if authority is not None:
            competent, acting = col(ContactRow.competent_authority), col(ContactRow.acting_authority)
            query = query.where(or_(competent == authority, acting == authority))
        if after is not None:
            query = query.where(or_(due > after[0], and_(due == after[0], contact_id > after[1])))
        return await self._all(query)
