"""The queries of the groups' members and meetings."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import or_, tuple_
from sqlmodel import col, select

from services.advisory.domain.governance import MeetingState
from services.advisory.joint.tables import MeetingRow, MemberRow
from shared.events.v1.agreement import Group
from shared.store import Store


class Members(Store):
    """Members of the groups, with their terms."""

    def add(self, row: MemberRow) -> None:
        """List a member."""
        self._tx.session.add(row)

    async def get(self, member_id: UUID) -> MemberRow | None:
        """Return a member's term, locked."""
        return await self._get(MemberRow, member_id, lock=True)

    async def is_member(self, group: Group, subject: str, day: date) -> bool:
        """Whether an officer's term in a group includes a day."""
        query = select(MemberRow).where(
            MemberRow.group_name == group,
            MemberRow.subject == subject,
            col(MemberRow.since) <= day,
            or_(col(MemberRow.until).is_(None), col(MemberRow.until) >= day),
        )
        return await self._first(query) is not None

    async def page(self, group: Group, after: tuple[date, UUID] | None, limit: int) -> Sequence[MemberRow]:
        """Return the terms in a group, the first to begin first."""
        order = (col(MemberRow.since), col(MemberRow.member_id))
        query = select(MemberRow).where(MemberRow.group_name == group).order_by(*order).limit(limit)
        return await self._all(query if after is None else query.where(tuple_(*order) > after))


class Meetings(Store):
    """Meetings of the groups."""

    def add(self, row: MeetingRow) -> None:
        """Record a meeting."""
        self._tx.session.add(row)

    async def get(self, meeting_id: UUID, *, lock: bool = False) -> MeetingRow | None:
        """Return a meeting."""
        return await self._get(MeetingRow, meeting_id, lock=lock)

    async def unfinished(self, today: date) -> Sequence[MeetingRow]:
        """Return meetings that were held and whose minutes are not approved, the oldest first."""
        open_states = (MeetingState.CALLED, MeetingState.MINUTES_WRITTEN)
        query = select(MeetingRow).where(col(MeetingRow.state).in_(open_states), col(MeetingRow.held_on) < today)
        return await self._all(query.order_by(col(MeetingRow.held_on), col(MeetingRow.meeting_id)))

    async def page(self, group: Group | None, before: tuple[date, UUID] | None, limit: int) -> Sequence[MeetingRow]:
        """Return meetings, the last first."""
        order = (col(MeetingRow.held_on), col(MeetingRow.meeting_id))
        query = select(MeetingRow).order_by(*(column.desc() for column in order)).limit(limit)
        if group is not None:
            query = query.where(MeetingRow.group_name == group)
        return await self._all(query if before is None else query.where(tuple_(*order) < before))
