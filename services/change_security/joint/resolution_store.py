"""The queries of what coordinators look after: declined parts, overdue receipts, notices that may be one, their acts.

Indexes: `ledger_entry_declined` is partial and holds just the declined parts; `overdue_receipt_since` serves the list
of what is overdue (oldest first); `notice_merged`, `notice_relates` find the notices of one matter,
`notice_business_id` those of one employer, for the suggestions.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import col, or_, select

from services.change_security.domain.ledger import Awaited
from services.change_security.domain.merging import Filed, may_be_one, may_follow
from services.change_security.joint.tables import ActKind, NoticeActRow, NoticeRevisionRow, NoticeRow, OverdueRow
from shared.database import insert
from shared.events.v1.change_security import Outcome
from shared.messaging.transaction import Transaction
from shared.store import Store


class Overdue(NamedTuple):
    """A receipt that has become overdue."""

    overdue_id: UUID
    notice_id: UUID
    authority: str
    awaiting: Awaited
    due_at: datetime
    since: datetime


class DeclinedPart(NamedTuple):
    """A part that its authority says is not its own."""

    notice_id: UUID
    authority: str
    decline_reason: str
    declined_at: datetime
    asked_because: str

    @property
    def key(self) -> str:
        """What orders parts that were declined at the same time."""
        return f"{self.notice_id}/{self.authority}"


class Pair(NamedTuple):
    """Two notices that may be one, or of which the first may follow the second."""

    notice_id: UUID
    other_id: UUID
    arrived_at: datetime
    other_arrived_at: datetime

    @property
    def key(self) -> str:
        """What orders pairs that arrived at the same time."""
        return f"{self.notice_id}/{self.other_id}"


class RelatedNotice(NamedTuple):
    """A notice of the same matter."""

    notice_id: UUID
    relation: str
    kind: str
    state: str
    outcome: str | None
    arrived_at: datetime


_OVERDUE: Final = insert(OverdueRow, Overdue, columns=Overdue._fields)
"""Once for each receipt and deadline."""

_STILL_OVERDUE: Final = """
    notice.state = 'open' AND entry.state <> 'released' AND (
        overdue_receipt.awaiting = 'stored' AND entry.version_stored < entry.version_sent
            AND entry.store_by = overdue_receipt.due_at
        OR overdue_receipt.awaiting = 'acknowledged' AND entry.state IN ('sent', 'stored')
            AND entry.acknowledge_by = overdue_receipt.due_at)
"""

_PAIRS_AT_ONCE: Final = 100
"""Whether two notices may be one, their filings say: so many pairs of them are read at a time."""

_PAIRS: Final = """
    SELECT newer.notice_id, older.notice_id AS other_id, newer.arrived_at, older.arrived_at AS other_arrived_at
    FROM notice AS newer JOIN notice AS older USING (business_id)
    WHERE newer.state = 'open' AND newer.notice_id <> older.notice_id
      AND (CAST(:business_id AS text) IS NULL OR business_id = :business_id)
      AND NOT EXISTS (SELECT FROM notice_act WHERE act = 'kept_apart'
                      AND (notice_act.notice_id = newer.notice_id AND other_id = older.notice_id
                           OR notice_act.notice_id = older.notice_id AND other_id = newer.notice_id))
      AND (CAST(:after_at AS timestamptz) IS NULL
           OR (newer.arrived_at, CAST(newer.notice_id AS text) || '/' || older.notice_id)
              > (CAST(:after_at AS timestamptz), CAST(:after_key AS text)))
      {condition}
    ORDER BY newer.arrived_at, CAST(newer.notice_id AS text) || '/' || older.notice_id LIMIT :limit
"""
_SAME: Final = _PAIRS.replace(
    "{condition}",
    """AND older.state = 'open' AND newer.kind = older.kind
       AND newer.affected = older.affected AND newer.terminations = older.terminations
       AND (older.arrived_at, older.notice_id) < (newer.arrived_at, newer.notice_id)""",
)
_FOLLOWS: Final = _PAIRS.replace(
    "{condition}",
    """AND older.state <> 'merged' AND newer.kind = 'termination_notice' AND older.kind = 'negotiation_proposal'
       AND NOT EXISTS (SELECT FROM notice AS linked JOIN notice AS proposal ON proposal.notice_id = linked.relates_to
                       WHERE (linked.notice_id = newer.notice_id OR linked.merged_into = newer.notice_id)
                         AND proposal.business_id = newer.business_id AND proposal.kind = older.kind)""",
)
"""A filer may name a proposal that does not exist, or another employer's: that link holds nothing."""

_RELATED: Final = """
    WITH this AS (
        SELECT notice_id, business_id, kind, relates_to FROM notice WHERE notice_id = :id
        UNION ALL
        SELECT notice_id, business_id, kind, relates_to FROM notice WHERE merged_into = :id
    ), linked AS (
        SELECT coalesce(proposal.merged_into, proposal.notice_id) AS notice_id, 'proposal' AS relation
        FROM this JOIN notice AS proposal ON proposal.notice_id = this.relates_to
        WHERE proposal.business_id = this.business_id AND proposal.kind <> this.kind
        UNION
        SELECT coalesce(other.merged_into, other.notice_id), 'termination_notice'
        FROM this JOIN notice AS other ON other.relates_to = this.notice_id
        WHERE other.business_id = this.business_id AND other.kind <> this.kind
    )
    SELECT notice_id, 'merged' AS relation, kind, state, outcome, arrived_at FROM notice WHERE merged_into = :id
    UNION ALL
    SELECT notice_id, relation, kind, state, outcome, arrived_at FROM linked JOIN notice USING (notice_id)
    ORDER BY arrived_at, notice_id
"""
"""A link follows a notice into the one that it is merged into, from either end. Merges are one deep."""


class Acts(Store):
    """What coordinators have done, and why."""

    def add(self, act: NoticeActRow) -> None:
        """Add an act."""
        self._tx.session.add(act)

    async def of_notice(self, notice_id: UUID, limit: int, after: int | None) -> Sequence[NoticeActRow]:
        """Return the acts on a notice, and on those merged into it, oldest first."""
        merged = select(NoticeRow.notice_id).where(NoticeRow.merged_into == notice_id)
        query = select(NoticeActRow).where(
            or_(NoticeActRow.notice_id == notice_id, col(NoticeActRow.notice_id).in_(merged))
        )
        if after is not None:
            query = query.where(col(NoticeActRow.id) > after)
        return await self._all(query.order_by(col(NoticeActRow.id)).limit(limit))


def record(
    tx: Transaction,
    notice_id: UUID,
    act: ActKind,
    by: str,
    reason: str | None = None,
    *,
    authority: str | None = None,
    municipality: str | None = None,
    other_id: UUID | None = None,
    outcome: Outcome | None = None,
) -> None:
    """Record an act of a coordinator: who, when, why."""
    Acts(tx).add(
        NoticeActRow(
            notice_id=notice_id,
            act=act,
            by=by,
            at=tx.clock.now(),
            reason=reason,
            authority=authority,
            municipality=municipality,
            other_id=other_id,
            outcome=outcome,
        )
    )


class Oversight(Store):
    """The coordinators' lists."""

    async def declined(
        self, *, authority: str | None, reason: str | None, limit: int, after: tuple[datetime, str] | None
    ) -> list[DeclinedPart]:
        """Return the declined parts of open notices, oldest first."""
        return await self._values(
            DeclinedPart,
            "SELECT notice_id, authority, decline_reason, declined_at, asked_because"
            " FROM ledger_entry JOIN notice USING (notice_id)"
            " WHERE ledger_entry.state = 'not_ours' AND notice.state = 'open'"
            " AND (CAST(:authority AS text) IS NULL OR authority = :authority)"
            " AND (CAST(:reason AS text) IS NULL OR decline_reason = :reason)"
            " AND (CAST(:after_at AS timestamptz) IS NULL"
            "      OR (declined_at, CAST(notice_id AS text) || '/' || authority)"
            "         > (CAST(:after_at AS timestamptz), CAST(:after_key AS text)))"
            " ORDER BY declined_at, CAST(notice_id AS text) || '/' || authority LIMIT :limit",
            authority=authority,
            reason=reason,
            after_at=after[0] if after else None,
            after_key=after[1] if after else None,
            limit=limit,
        )

    def add_overdue(self, overdue: Overdue) -> None:
        """Put a receipt on the list of what is overdue."""
        self._tx.stage(_OVERDUE, overdue)

    async def overdue(
        self,
        *,
        authority: str | None,
        awaiting: str | None,
        since: datetime | None,
        acknowledged: bool | None,
        limit: int,
        after: tuple[datetime, UUID] | None,
    ) -> Sequence[OverdueRow]:
        """Return what is overdue and still awaited, oldest first. `since`: overdue since then, or later."""
        return await self._rows(
            OverdueRow,
            "SELECT overdue_receipt.* FROM overdue_receipt JOIN notice USING (notice_id)"  # noqa: S608 - constants
            " JOIN ledger_entry AS entry USING (notice_id, authority)"
            f" WHERE {_STILL_OVERDUE}"
            " AND (CAST(:authority AS text) IS NULL OR authority = :authority)"
            " AND (CAST(:awaiting AS text) IS NULL OR awaiting = :awaiting)"
            " AND (CAST(:since AS timestamptz) IS NULL OR since >= :since)"
            " AND (CAST(:acknowledged AS boolean) IS NULL"
            "      OR (overdue_receipt.acknowledged_at IS NOT NULL) = :acknowledged)"
            " AND (CAST(:after_at AS timestamptz) IS NULL"
            "      OR (since, overdue_id) > (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))"
            " ORDER BY since, overdue_id LIMIT :limit",
            authority=authority,
            awaiting=awaiting,
            since=since,
            acknowledged=acknowledged,
            after_at=after[0] if after else None,
            after_id=after[1] if after else None,
            limit=limit,
        )

    async def lock_overdue(self, overdue_id: UUID) -> OverdueRow | None:
        """Return what is overdue, locked."""
        return await self._get(OverdueRow, overdue_id, lock=True)

    async def may_be_one(self, business_id: str | None, limit: int, after: tuple[datetime, str] | None) -> list[Pair]:
        """Return pairs of open notices that may be one, oldest first; of one employer, if asked."""
        return await self._pairs(_SAME, business_id, limit, after, follows=False)

    async def may_follow(self, business_id: str | None, limit: int, after: tuple[datetime, str] | None) -> list[Pair]:
        """Return open notices of terminations that are linked to no proposal, each with one it may follow."""
        return await self._pairs(_FOLLOWS, business_id, limit, after, follows=True)

    async def _pairs(
        self, sql: str, business_id: str | None, limit: int, after: tuple[datetime, str] | None, *, follows: bool
    ) -> list[Pair]:
        batch = max(limit, _PAIRS_AT_ONCE)
        found: list[Pair] = []
        while len(found) < limit:
            pairs = await self._values(
                Pair,
                sql,
                after_at=after[0] if after else None,
                after_key=after[1] if after else None,
                business_id=business_id,
                limit=batch,
            )
            filings = await self._filings({notice_id for pair in pairs for notice_id in pair[:2]})
            for pair in pairs:
                newer = Filed(filings[pair.notice_id].filing, pair.arrived_at)
                older = Filed(filings[pair.other_id].filing, pair.other_arrived_at)
                if may_follow(newer, older) if follows else may_be_one(newer, older):
                    found.append(pair)
            if len(pairs) < batch:
                break
            after = pairs[-1].arrived_at, pairs[-1].key
        return found[:limit]

    async def _filings(self, notice_ids: Iterable[UUID]) -> dict[UUID, NoticeRevisionRow]:
        rows = await self._rows(
            NoticeRevisionRow,
            "SELECT notice_revision.* FROM notice_revision JOIN notice USING (notice_id, revision)"
            " WHERE NOT waiting AND notice_id = ANY(CAST(:ids AS uuid[]))",
            ids=list(notice_ids),
        )
        return {row.notice_id: row for row in rows}


class SameMatter(Store):
    """The notices that belong to one matter: merged into one, or a proposal and its notice of terminations."""

    async def related(self, notice_id: UUID) -> list[RelatedNotice]:
        """Return the notices merged into a notice, and those linked to it, or to one of them, by a link that holds.

        A linked notice that is merged leads to the one that continues.
        """
        return await self._values(RelatedNotice, _RELATED, id=notice_id)
