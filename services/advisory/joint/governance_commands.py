"""The management group and the coordination group: their members' terms and their meetings."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.advisory.domain.governance import (
    AgendaItem,
    MeetingState,
    NewMeeting,
    NewMember,
    check_member,
    check_minutes,
    check_minutes_approval,
    check_open,
)
from services.advisory.joint.governance_store import Meetings, Members
from services.advisory.joint.tables import MeetingRow, MemberRow
from shared.calendar import local_day
from shared.errors import ConflictError, RefusedError, UnknownError
from shared.events.envelope import derived_id
from shared.identity import Officer
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointGroups:
    """The groups that decide. `authorities`: those of the region."""

    authorities: frozenset[str]

    async def list_member(self, tx: Transaction, member: NewMember, by: Officer) -> MemberRow:
        """List a member of a group for a term.

        Raises:
            ForbiddenError: an officer lists themselves.
            RefusedError: the authority is unknown, or the term ends before it begins.
            ConflictError: the officer's term in the group includes that day already.
        """
        check_member(member, self.authorities, by.actor)
        if await Members(tx).is_member(member.group, member.subject, member.since):
            raise ConflictError("is-member", "The officer's term in the group includes that day already.")
        row = MemberRow(
            member_id=derived_id("group member", tx.cause),
            group_name=member.group,
            subject=member.subject,
            authority=member.authority,
            since=member.since,
            until=member.until,
            listed_by=by.actor,
            listed_at=tx.clock.now(),
        )
        Members(tx).add(row)
        return row

    async def end_term(self, tx: Transaction, member_id: UUID, until: date, by: Officer) -> MemberRow:
        """End a member's term; what was decided within it stays decided.

        Raises:
            UnknownError
            RefusedError: it would end before it begins.
        """
        row = await self.member(tx, member_id)
        if until < row.since:
            raise RefusedError("/until", "before-since", "The last day is before the first.")
        row.until, row.ended_by = until, by.actor
        return row

    async def member(self, tx: Transaction, member_id: UUID) -> MemberRow:
        """Return a member's term, locked.

        Raises:
            UnknownError
        """
        row = await Members(tx).get(member_id)
        if row is None:
            raise UnknownError("member")
        return row

    async def call_meeting(self, tx: Transaction, meeting: NewMeeting, by: Officer) -> MeetingRow:
        """Call a meeting."""
        row = MeetingRow(
            meeting_id=derived_id("meeting", tx.cause),
            group_name=meeting.group,
            held_on=meeting.held_on,
            state=MeetingState.CALLED,
            agenda=meeting.agenda,
            called_by=by.actor,
            called_at=tx.clock.now(),
        )
        Meetings(tx).add(row)
        return row

    async def add_item(self, tx: Transaction, meeting_id: UUID, item: AgendaItem) -> MeetingRow:
        """Put something on the agenda of a meeting.

        Raises:
            UnknownError
            ConflictError: its minutes are written, or it was cancelled.
        """
        row = await self.get(tx, meeting_id, lock=True)
        check_open(row)
        row.agenda = (*row.agenda, item)
        return row

    async def cancel(self, tx: Transaction, meeting_id: UUID, reason: str) -> MeetingRow:
        """Cancel a meeting. What was to be decided there stays proposed: it can be withdrawn and proposed anew.

        Raises:
            UnknownError
            ConflictError: its minutes are written, or it was cancelled.
        """
        row = await self.get(tx, meeting_id, lock=True)
        check_open(row)
        row.state, row.reason = MeetingState.CANCELLED, reason
        return row

    async def write_minutes(self, tx: Transaction, meeting_id: UUID, reference: str, by: Officer) -> MeetingRow:
        """Enter where the minutes are kept. Until they are approved they can be written anew.

        Raises:
            UnknownError
            ConflictError: the meeting lies ahead, was cancelled, or its minutes are approved.
        """
        row = await self.get(tx, meeting_id, lock=True)
        check_minutes(row, local_day(tx.clock.now()))
        row.state, row.minutes, row.minutes_by = MeetingState.MINUTES_WRITTEN, reference, by.actor
        return row

    async def approve_minutes(self, tx: Transaction, meeting_id: UUID, by: Officer) -> MeetingRow:
        """Approve the minutes of a meeting.

        Raises:
            UnknownError
            ForbiddenError: the officer is no member of the group, or wrote them.
            ConflictError: there are no minutes to approve.
        """
        row = await self.get(tx, meeting_id, lock=True)
        is_member = await Members(tx).is_member(row.group_name, by.subject, local_day(tx.clock.now()))
        check_minutes_approval(row, by.actor, is_member=is_member)
        row.state, row.approved_by, row.approved_at = MeetingState.MINUTES_APPROVED, by.actor, tx.clock.now()
        return row

    async def get(self, tx: Transaction, meeting_id: UUID, *, lock: bool = False) -> MeetingRow:
        """Return a meeting.

        Raises:
            UnknownError
        """
        row = await Meetings(tx).get(meeting_id, lock=lock)
        if row is None:
            raise UnknownError("meeting")
        return row
