"""The queries on response times: what is decided, what was reached, which contacts are late."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, or_
from sqlalchemy.dialects.postgresql import insert as insert_one
from sqlmodel import col, select

from services.advisory.domain.contact import ContactState
from services.advisory.domain.response import Channel, ResponseDecision, ResponseTime
from services.advisory.joint.tables import ContactRow, ResponseTimeRow
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

    async def decide(self, channel: Channel, decision: ResponseDecision, by: str) -> None:
        """Record a decision; one for the same day replaces it."""
        values = {
            "hours": decision.hours,
            "decided_on": decision.decided_on,
            "decided_by": by,
            "reason": decision.reason,
        }
        made = insert_one(ResponseTimeRow).values(channel=channel, valid_from=decision.valid_from, **values)
        await self._run(made.on_conflict_do_update(index_elements=["channel", "valid_from"], set_=values))

    async def decided(self) -> list[ResponseTime]:
        """Return all decisions, oldest first."""
        rows = await self._all(select(ResponseTimeRow).order_by(col(ResponseTimeRow.valid_from)))
        return [
            ResponseTime(
                channel=row.channel,
                hours=row.hours,
                valid_from=row.valid_from,
                certainty="decided",
                source=f"Decided {row.decided_on}: {row.reason}",
            )
            for row in rows
        ]

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
        """Return contacts that are not answered and past their time, the longest due first."""
        due, contact_id = col(ContactRow.due_at), col(ContactRow.contact_id)
        query = (
            select(ContactRow)
            .where(col(ContactRow.state).in_((ContactState.NEW, ContactState.ASSIGNED)), due < self._tx.clock.now())
            .order_by(due, contact_id)
            .limit(limit)
        )
        if authority is not None:
            query = query.where(ContactRow.acting_authority == authority)
        if after is not None:
            query = query.where(or_(due > after[0], and_(due == after[0], contact_id > after[1])))
        return await self._all(query)
