"""The queries of own staff in joint-procurement training, of attendance and of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.training.domain.procurement import StatementState, UsedSeats
from services.training.joint.tables import AttendanceRow, ParticipantRow, ProposalRow, StatementRow
from shared.database import insert
from shared.errors import UnknownError
from shared.store import Store

_ATTENDANCE = insert(AttendanceRow, AttendanceRow)
_USED = (
    "WITH newest AS (SELECT DISTINCT ON (holder_id) holder_id, days FROM attendance"
    " ORDER BY holder_id, recorded_at DESC, entry_id DESC), held AS ("
    " SELECT seat_offer.group_id, application.office AS authority, 1 AS people, seat_offer.state, days"
    " FROM seat_offer JOIN application USING (application_id) LEFT JOIN newest ON holder_id = offer_id"
    " WHERE seat_offer.state NOT IN ('moved', 'corrected')"
    " UNION ALL SELECT proposal.group_id, participant ->> 'authority', people,"
    " CASE WHEN dropped_out_at IS NULL THEN 'accepted' ELSE 'dropped_out' END, days"
    " FROM participant JOIN proposal USING (proposal_id) LEFT JOIN newest ON holder_id = participant_id"
    " WHERE removed_at IS NULL)"
    " SELECT held.group_id, starts_on, authority, sum(people) AS offered,"
    " coalesce(sum(people) FILTER (WHERE held.state IN ('accepted', 'dropped_out')"
    " AND coalesce(days, 1) > 0), 0) AS seats,"
    " coalesce(sum(people) FILTER (WHERE held.state = 'dropped_out'), 0) AS dropped_out,"
    " coalesce(sum(people) FILTER (WHERE held.state = 'no_show'), 0) AS no_shows,"
    " sum(days * people) AS days, proposal.proposed FROM held"
    " JOIN course_group ON course_group.group_id = held.group_id"
    " LEFT JOIN proposal ON proposal.group_id = held.group_id"
    " WHERE course_group.state IN ('confirmed', 'running', 'completed')"
    " AND starts_on BETWEEN :since AND :until"
    " GROUP BY 1, 2, 3, proposal.proposed ORDER BY starts_on, group_id, authority"
)


@dataclass(frozen=True, slots=True)
class Attendance:
    """The newest entry on the holder of a seat."""

    holder_id: UUID
    days: int


class Participants(Store):
    """Own staff who take part in TäsmäKoulutus."""

    def add(self, participant: ParticipantRow) -> None:
        """Record own staff."""
        self._tx.session.add(participant)

    async def get(self, participant_id: UUID, *, lock: bool = False) -> ParticipantRow:
        """Return own staff; locked, to be changed.

        Raises:
            UnknownError: no such participant.
        """
        row = await self._get(ParticipantRow, participant_id, lock=lock)
        if row is None:
            raise UnknownError("participant")
        return row

    async def of(self, proposal_id: UUID) -> Sequence[ParticipantRow]:
        """Return who takes part, and who has dropped out, first added first."""
        return await self._all(
            select(ParticipantRow)
            .where(ParticipantRow.proposal_id == proposal_id, col(ParticipantRow.removed_at).is_(None))
            .order_by(col(ParticipantRow.added_at), col(ParticipantRow.participant_id))
        )

    async def in_group(self, group_id: UUID) -> Sequence[ParticipantRow]:
        """Return who takes part in a group that was procured for own staff, and who has dropped out of it."""
        return await self._all(
            select(ParticipantRow)
            .join(ProposalRow, col(ProposalRow.proposal_id) == ParticipantRow.proposal_id)
            .where(ProposalRow.group_id == group_id, col(ParticipantRow.removed_at).is_(None))
        )


class Accounts(Store):
    """Attendance, and statements of used seats."""

    def attend(self, entry: AttendanceRow) -> None:
        """Enter how many days somebody has attended."""
        self._tx.stage(_ATTENDANCE, entry)

    async def attendance(self, group_id: UUID) -> list[Attendance]:
        """Return the newest entry on each holder of a seat of a group."""
        return await self._values(
            Attendance,
            "SELECT DISTINCT ON (holder_id) holder_id, days FROM attendance WHERE group_id = :id"
            " ORDER BY holder_id, recorded_at DESC, entry_id DESC",
            id=group_id,
        )

    async def attended(self, holder_id: UUID) -> int:
        """Return how many days the holder of a seat has attended, by the newest entry; 0 without one."""
        entered = await self._values(
            int,
            "SELECT days FROM attendance WHERE holder_id = :id ORDER BY recorded_at DESC, entry_id DESC LIMIT 1",
            id=holder_id,
        )
        return entered[0] if entered else 0

    async def used(self, since: date, until: date) -> list[UsedSeats]:
        """Return offered and used seats by group and home authority, for groups that start within the days."""
        return await self._values(
            UsedSeats,
            _USED,
            since=since,
            until=until,
        )

    def keep(self, statement: StatementRow) -> None:
        """Keep a statement."""
        self._tx.session.add(statement)

    async def statement(self, statement_id: UUID, *, lock: bool = False) -> StatementRow:
        """Return a kept statement; locked, to be approved or replaced.

        Raises:
            UnknownError: no such statement.
        """
        row = await self._get(StatementRow, statement_id, lock=lock)
        if row is None:
            raise UnknownError("statement")
        return row

    async def statements(
        self, state: StatementState | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[StatementRow]:
        """Return kept statements, newest first."""
        order = (col(StatementRow.made_at), col(StatementRow.statement_id))
        query = select(StatementRow).order_by(*(column.desc() for column in order)).limit(limit)
        if state is not None:
            query = query.where(StatementRow.state == state)
        return await self._all(query if after is None else query.where(tuple_(*order) < after))
