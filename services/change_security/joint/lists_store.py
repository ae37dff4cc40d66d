"""The list of notices. Its filters are served by the indexes of `notice`; what is late, by `ledger_entry_waiting`."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.change_security.domain.notice import NoticeState
from services.change_security.lists import Filters, conditions
from shared.identity import Officer, Role, System
from shared.store import Store

_LATE: Final = (
    "notice.state = 'open'"
    " AND (ledger_entry.version_stored < ledger_entry.version_sent OR ledger_entry.state IN ('sent', 'stored'))"
    " AND ((ledger_entry.office IS NOT NULL AND ledger_entry.version_stored < ledger_entry.version_sent"
    " AND ledger_entry.store_by < :now)"
    " OR (ledger_entry.state IN ('sent', 'stored') AND ledger_entry.acknowledge_by < :now))"
)
"""As `Entry.overdue` of parts that are not released."""

_MINE: Final = "coalesce(filed_by = :actor OR specialist = :officer, false)"
"""What the caller registered, and the joint matters whose specialist it is."""

_PART: Final = "FROM ledger_entry WHERE ledger_entry.notice_id = notice.notice_id AND ledger_entry.state <> 'released'"

_READY_TO_CLOSE: Final = (
    f"(notice.state = 'open' AND EXISTS (SELECT 1 {_PART} AND ledger_entry.case_outcome IS NOT NULL)"  # noqa: S608
    f" AND NOT EXISTS (SELECT 1 {_PART} AND ledger_entry.case_outcome IS NULL"
    " AND (ledger_entry.office IS NOT NULL OR ledger_entry.state <> 'acknowledged'))"
    " AND NOT EXISTS (SELECT 1 FROM unrouted"
    " WHERE unrouted.notice_id = notice.notice_id AND unrouted.resolved_at IS NULL))"
)
"""As `Notice.is_ready_to_close`."""


class ListedNotice(NamedTuple):
    """A notice in the list. Of a part is said whether any authority's is so; `is_handled`: the caller's own."""

    notice_id: UUID
    filer_reference: str | None
    state: str
    revision: int
    version: int
    channel: str
    kind: str
    employer: str | None
    business_id: str
    not_public: bool
    affected: int
    terminations: int
    counts_complete: bool
    rules_of: date
    arrived_at: datetime
    registered_at: datetime
    late: bool
    declined: bool
    acknowledged: bool
    mine: bool
    is_handled: bool


_COLUMNS: Final = ", ".join(f"notice.{name}" for name in ListedNotice._fields[:-5])


class NoticeList(Store):
    """Notices as they are listed."""

    async def page(
        self,
        who: Officer | System,
        filters: Filters,
        state: NoticeState | None,
        limit: int,
        before: tuple[datetime, UUID] | None,
        *,
        ready_to_close: bool | None = None,
    ) -> Sequence[ListedNotice]:
        """Return the notices that the caller may see, newest registration first.

        A coordinator sees all, an officer those that concern the own authority, a system what it filed.
        """
        wanted, values = conditions(filters)
        if isinstance(who, System):
            wanted.append("filed_by = :actor")
        elif Role.COORDINATOR not in who.roles:
            wanted.append(
                "EXISTS (SELECT FROM ledger_entry"
                " WHERE ledger_entry.notice_id = notice.notice_id AND authority = :authority)"
            )
        if state is not None:
            wanted.append("notice.state = :state")
            values["state"] = state
        wanted += [
            condition if holds else f"NOT coalesce({condition}, false)"
            for condition, holds in (
                (f"EXISTS (SELECT {_PART} AND {_LATE})", filters.late),
                (f"EXISTS (SELECT {_PART} AND ledger_entry.state = 'not_ours')", filters.declined),
                ("part.acknowledged", filters.acknowledged),
                (_MINE, filters.mine),
                (_READY_TO_CLOSE, ready_to_close),
            )
            if holds is not None
        ]
        if before is not None:
            wanted.append("(registered_at, notice_id) < (:before_at, :before_id)")
            values |= {"before_at": before[0], "before_id": before[1]}
        return await self._values(
            ListedNotice,
            f"SELECT {_COLUMNS},"  # noqa: S608 - constants
            " coalesce(part.late, false) AS late, coalesce(part.declined, false) AS declined,"
            f" coalesce(part.acknowledged, false) AS acknowledged, {_MINE} AS mine,"
            " coalesce(part.is_handled, false) AS is_handled"
            f" FROM notice LEFT JOIN LATERAL (SELECT bool_or({_LATE}) AS late,"
            " bool_or(ledger_entry.state = 'not_ours') AS declined,"
            " bool_and(ledger_entry.state = 'acknowledged') AS acknowledged,"
            f" bool_or(ledger_entry.authority = :authority) AS is_handled {_PART}) AS part ON true"
            f" WHERE {' AND '.join(wanted) or 'true'}"
            " ORDER BY registered_at DESC, notice_id DESC LIMIT :limit",
            **values,
            now=self._tx.clock.now(),
            actor=who.actor,
            officer=who.subject if isinstance(who, Officer) else "",
            authority=who.authority if isinstance(who, Officer) else "",
            limit=limit,
        )
