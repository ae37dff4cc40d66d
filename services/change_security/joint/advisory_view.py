"""What advisory may know of notices and of the work on them. No index serves it: a few thousand notices a year."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.events.v1.advisory import Fact, Withheld, WorkDone
from shared.store import Store


class _Filed(NamedTuple):
    notice_id: UUID
    state: str
    arrived_at: datetime
    kind: str
    not_public: bool
    concerned: bool


class _Acts(NamedTuple):
    acting_authority: str
    acts: int


class ForAdvisory(Store):
    """Answers from the joint office's own store."""

    async def facts(self, business_id: str, authority: str) -> tuple[list[Fact], list[Withheld]]:
        """Return an employer's notices that concern an authority; of the others, that they are withheld.

        A plan that is not public can be inside information: to an authority that it does not concern not even its
        existence is disclosed.
        """
        rows = await self._values(
            _Filed,
            "SELECT notice.notice_id, notice.state, notice.arrived_at, filing ->> 'kind' AS kind,"
            " coalesce(CAST(filing ->> 'not_public' AS boolean), false) AS not_public,"
            " EXISTS (SELECT FROM ledger_entry WHERE ledger_entry.notice_id = notice.notice_id"
            " AND authority = :authority AND ledger_entry.state <> 'released') AS concerned"
            " FROM notice JOIN notice_revision USING (notice_id, revision)"
            " WHERE NOT waiting AND notice.state <> 'merged' AND filing #>> '{employer,business_id}' = :business_id"
            " ORDER BY arrived_at, notice_id",
            authority=authority,
            business_id=business_id,
        )
        facts = [
            Fact(matter_id=row.notice_id, what=row.kind, state=row.state, at=row.arrived_at)
            for row in rows
            if row.concerned
        ]
        withheld = [
            Withheld(what="change situation", reason="it concerns other authorities")
            for row in rows
            if not row.concerned and not row.not_public
        ]
        return facts, withheld

    async def work(self, since: datetime, until: datetime) -> list[WorkDone]:
        """Return how many parts each authority acknowledged or closed, by whoever acted."""
        rows = await self._values(
            _Acts,
            "SELECT acting_authority, count(*) AS acts"
            " FROM (SELECT acknowledged_by AS acting_authority, acknowledged_at AS at FROM ledger_entry"
            " UNION ALL SELECT case_closed_by, case_closed_at FROM ledger_entry) AS act"
            " WHERE at >= :since AND at < :until GROUP BY 1 ORDER BY 1",
            since=since,
            until=until,
        )
        return [WorkDone(task="change_security", authority=row.acting_authority, acts=row.acts) for row in rows]
