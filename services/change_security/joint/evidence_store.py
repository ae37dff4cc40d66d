"""What authorities received themselves, and what an employer filed before."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import col, or_, select

from services.change_security.domain.evidence import Arrival
from services.change_security.domain.reductions import StoredFiling
from services.change_security.joint.tables import NoticeRevisionRow, NoticeRow
from shared.store import Store

_MOST_FILINGS: Final = 1000
"""Of one employer within the days that count: far more than there are."""


class _Other(NamedTuple):
    notice_id: UUID
    revision: int
    arrived_at: datetime
    concerns: list[str]


class RevisionArrival(NamedTuple):
    """How one revision of a notice arrived."""

    notice_id: UUID
    revision: int
    arrival: Arrival


class Evidence(Store):
    """When each authority received a filing itself. It is kept with the revision."""

    async def add(self, notice_id: UUID, revision: int, arrival: Arrival) -> None:
        """Add the receipts of authorities that received a revision in force later than others."""
        row = await self._get(NoticeRevisionRow, notice_id, revision, False, lock=True)
        if row is not None:
            row.arrival = row.arrival.joined(arrival)

    async def of_matter(self, notice_id: UUID) -> Sequence[RevisionArrival]:
        """Return the arrival of each revision in force, from the first on; then of the notices merged into it."""
        merged = select(NoticeRow.notice_id).where(NoticeRow.merged_into == notice_id)
        notice = col(NoticeRevisionRow.notice_id)
        rows = await self._all(
            select(NoticeRevisionRow)
            .where(or_(notice == notice_id, notice.in_(merged)), ~col(NoticeRevisionRow.waiting))
            .order_by((notice != notice_id), notice, col(NoticeRevisionRow.revision))
        )
        return [RevisionArrival(row.notice_id, row.revision, row.arrival) for row in rows]


class EmployersFilings(Store):
    """What an employer filed before: `notice_business_id` finds it."""

    async def within(self, business_id: str, days: tuple[date, date], notice_id: UUID) -> tuple[StoredFiling, ...]:
        """Return the newest revisions of an employer's other notices, but withdrawn ones, whose rules are of the days.

        Args:
            business_id: the employer's.
            days: the first and the last.
            notice_id: the notice that is assessed.
        """
        others = await self._values(
            _Other,
            "SELECT notice_id, revision, arrived_at, ARRAY(SELECT authority FROM ledger_entry"
            " WHERE ledger_entry.notice_id = notice.notice_id AND ledger_entry.state <> 'released') AS concerns"
            " FROM notice WHERE business_id = :business_id AND rules_of BETWEEN :first AND :last"
            " AND state NOT IN ('withdrawn', 'merged') AND notice_id <> :notice_id"
            " ORDER BY rules_of DESC, notice_id LIMIT :most",
            business_id=business_id,
            first=days[0],
            last=days[1],
            notice_id=notice_id,
            most=_MOST_FILINGS,
        )
        if not others:
            return ()
        rows = await self._rows(
            NoticeRevisionRow,
            "SELECT notice_revision.* FROM notice_revision JOIN notice USING (notice_id, revision)"
            " WHERE NOT waiting AND notice_id = ANY(CAST(:ids AS uuid[]))",
            ids=[other.notice_id for other in others],
        )
        filings = {row.notice_id: row.filing for row in rows}
        return tuple(
            StoredFiling(
                other.notice_id, other.revision, other.arrived_at, filings[other.notice_id], frozenset(other.concerns)
            )
            for other in others
        )
