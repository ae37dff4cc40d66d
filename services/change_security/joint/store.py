"""The queries of the joint side. Hot paths write in bulk: a store stages values, the kernel flushes them together.

Indexes: `notice_registered` serves the list (newest first, keyset pages); `ledger_entry_waiting` is partial, so that
the periodic look at what is late reads only that; `unrouted_open` holds just the open queue.

Locks are taken in one order, notices before ledger entries and each sorted, so that two batches never wait in a ring.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, literal, tuple_
from sqlmodel import col, select

from services.change_security.domain.evidence import Arrival
from services.change_security.domain.ledger import Entry
from services.change_security.domain.notice import Notice, Receipt
from services.change_security.domain.routing import Authority, Municipality, Unrouted, Why
from services.change_security.domain.summary import Summary, summary
from services.change_security.joint.acting_store import Actings
from services.change_security.joint.tables import (
    AuthorityRow,
    EntryRow,
    MunicipalityRow,
    NoticeRevisionRow,
    NoticeRow,
    UnroutedRow,
)
from shared.database import Bulk, column_types, insert
from shared.events.v1.change_security import Filing, NoticeStored, ReasonKind
from shared.messaging.transaction import Transaction
from shared.store import Store


class _Revision(NamedTuple):
    notice_id: UUID
    revision: int
    waiting: bool
    filing: Filing
    filed_by: str
    recorded_at: datetime
    trace_id: str | None
    arrival: Arrival


class NewFiling(NamedTuple):
    """How a revision came: who filed it, and when authorities received it."""

    filed_by: str
    arrival: Arrival


class _Summarised(NamedTuple):
    notice: Notice
    summary: Summary


class _UnroutedPlace(NamedTuple):
    notice_id: UUID
    kind: ReasonKind
    municipality: str
    why: Why
    since: datetime


class LedgerKey(NamedTuple):
    """Which entry of the ledger."""

    notice_id: UUID
    authority: str


_RECEIPT: Final = ("channel", "filed_by", "arrived_at", "registered_at", "arrived_at_claimed", "filer_reference")
_SUMMARY: Final = tuple(field.name for field in fields(Summary))

_NOTICE: Final = insert(
    NoticeRow,
    _Summarised,
    attributes={name: f"notice.{name}" for name in NoticeRow.model_fields}
    | {name: f"notice.receipt.{name}" for name in _RECEIPT}
    | {name: f"summary.{name}" for name in _SUMMARY},
    replace=(
        "state",
        "version",
        "revision",
        "routing_version",
        "manual",
        "outcome",
        "revised_at",
        "handling",
        "lead",
        "specialist",
        "completion_asked_at",
        "revision_arrived_at",
        "excluded",
        "merged_into",
        "absorbed",
        "merge_added",
        "relates_to",
        *_SUMMARY,
    ),
    version="version",
)
"""Arrival and registration are written once: an update never touches them."""

_REVISION: Final = insert(NoticeRevisionRow, _Revision)

_ENTRY: Final = insert(
    EntryRow, Entry, replace=[one.name for one in fields(Entry) if one.name not in {"notice_id", "authority"}]
)
"""Entries are read under a lock before they are changed, so the last one staged is the newest."""

_STORED: Final = Bulk[NoticeStored](
    """
    WITH found AS (
        SELECT ledger_entry.notice_id, ledger_entry.authority, rows.version, rows.revision, rows.stored_at
        FROM ledger_entry JOIN {rows} USING (notice_id, authority)
        ORDER BY notice_id, authority FOR UPDATE OF ledger_entry
    ), updated AS (
        UPDATE ledger_entry SET
            version_stored = found.version, stored_at = found.stored_at,
            revision_stored = greatest(found.revision, ledger_entry.revision_stored),
            state = CASE ledger_entry.state WHEN 'sent' THEN 'stored' ELSE ledger_entry.state END,
            escalated = nullif(ledger_entry.escalated, 'stored')
        FROM found
        WHERE ledger_entry.notice_id = found.notice_id AND ledger_entry.authority = found.authority
          AND ledger_entry.version_stored < found.version
    )
    SELECT 1 FROM found
    """,
    column_types(EntryRow, ("notice_id", "authority"))
    | {"version": "integer", "revision": "integer"}
    | column_types(EntryRow, ("stored_at",)),
    key=("notice_id", "authority"),
    version="version",
    unmatched="the authority has no part in the notice",
)
"""`Entry.stored` as one statement: three of four messages at the joint office are such receipts. A test holds the two
against each other."""

_STORE_IS_LATE: Final = (
    "(ledger_entry.office IS NOT NULL AND ledger_entry.version_stored < ledger_entry.version_sent"
    " AND ledger_entry.store_by < :now)"
)
DUE: Final = (
    "notice.state = 'open' AND ledger_entry.state <> 'released'"
    " AND (ledger_entry.version_stored < ledger_entry.version_sent OR ledger_entry.state IN ('sent', 'stored'))"
    f" AND (({_STORE_IS_LATE} AND ledger_entry.escalated IS DISTINCT FROM 'stored')"
    f" OR (NOT {_STORE_IS_LATE} AND ledger_entry.state IN ('sent', 'stored')"
    " AND ledger_entry.acknowledge_by < :now AND ledger_entry.escalated IS DISTINCT FROM 'acknowledged'))"
)
"""What `Entry.escalate` changes, and nothing else: a batch is never filled by what stays as it is. A test holds the two
against each other."""

_UNROUTED: Final = insert(
    UnroutedRow,
    _UnroutedPlace,
    columns=_UnroutedPlace._fields,
    literals={"settled": "false"},
    replace={
        "why": "excluded.why",
        "since": "excluded.since",
        "resolved_at": "NULL",
        "resolved_by": "NULL",
        "resolution": "NULL",
        "settled": "false",
    },
)
"""A place that leads to no authority again, after it was resolved, waits again."""

_AUTHORITY: Final = insert(
    AuthorityRow,
    Authority,
    replace={
        "name_fi": "excluded.name_fi",
        "name_sv": "excluded.name_sv",
        "name_en": "excluded.name_en",
        "email": "coalesce(excluded.email, authority.email)",
        "under_act": "excluded.under_act",
        "languages": "excluded.languages",
    },
)
"""An address that was set here stays, unless the import brings another; a certificate stays."""

_RECEIPT_VALUES: Final = attrgetter(*_RECEIPT)
_ENTRY_VALUES: Final = attrgetter(*(field.name for field in fields(Entry)))


class Notices(Store):
    """Notices and their ledger at the joint office."""

    def __init__(self, tx: Transaction) -> None:
        super().__init__(tx)
        self._notices: dict[UUID, Notice | None] = tx.identity_map.setdefault("notices", {})
        # By notice, then by authority: a batch holds the entries of many notices.
        self._entries: dict[UUID, dict[str, Entry | None]] = tx.identity_map.setdefault("entries", {})
        self._waiting: set[tuple[UUID, int]] = tx.identity_map.setdefault("waiting", set())

    async def load(self, notice_ids: Iterable[UUID]) -> None:
        """Read and lock notices that this transaction will change."""
        wanted = sorted({notice_id for notice_id in notice_ids if notice_id not in self._notices})
        if not wanted:
            return
        self._notices.update(dict.fromkeys(wanted))
        rows = await self._all(
            select(NoticeRow)
            .where(_is_in(col(NoticeRow.notice_id), wanted))
            .order_by(col(NoticeRow.notice_id))
            .with_for_update()
        )
        waiting = await self._all(
            select(NoticeRevisionRow).where(
                _is_in(col(NoticeRevisionRow.notice_id), wanted), col(NoticeRevisionRow.waiting)
            )
        )
        self._waiting.update((row.notice_id, row.revision) for row in waiting)
        if not rows:
            return
        here = [row.notice_id for row in rows]
        # Read under the locks, each with the revision that is in force.
        revisions = await self._rows(
            NoticeRevisionRow,
            "SELECT notice_revision.* FROM notice_revision JOIN notice USING (notice_id, revision)"
            " WHERE NOT waiting AND notice_id = ANY(CAST(:ids AS uuid[]))",
            ids=here,
        )
        filings = {row.notice_id: row.filing for row in revisions}
        await self._load_entries("WHERE notice_id = ANY(CAST(:ids AS uuid[]))", ids=here)
        await Actings(self._tx).load(here)
        places: dict[UUID, list[UnroutedRow]] = {}
        for place in await self._all(select(UnroutedRow).where(_is_in(col(UnroutedRow.notice_id), here))):
            places.setdefault(place.notice_id, []).append(place)
        for row in rows:
            self._notices[row.notice_id] = _notice(row, filings[row.notice_id], places.get(row.notice_id, ()))

    async def load_entries(self, keys: Iterable[tuple[UUID, str]]) -> None:
        """Read and lock ledger entries that this transaction will change."""
        wanted = sorted({key for key in keys if key[1] not in self._entries.get(key[0], ())})
        if not wanted:
            return
        for notice_id, authority in wanted:
            self._entries.setdefault(notice_id, {})[authority] = None
        ids, authorities = zip(*wanted, strict=True)
        await self._load_entries(
            "JOIN unnest(CAST(:ids AS uuid[]), CAST(:authorities AS text[])) AS wanted(notice_id, authority)"
            " USING (notice_id, authority)",
            ids=list(ids),
            authorities=list(authorities),
        )

    async def _load_entries(self, which: str, **values: Any) -> None:
        sql = (
            f"SELECT ledger_entry.* FROM ledger_entry {which}"  # noqa: S608 - one of the two constants above
            " ORDER BY notice_id, authority FOR UPDATE OF ledger_entry"
        )
        for row in await self._rows(EntryRow, sql, **values):
            self._entries.setdefault(row.notice_id, {})[row.authority] = _entry(row)

    async def get(self, notice_id: UUID) -> Notice | None:
        """Return a notice, locked, with its ledger."""
        await self.load([notice_id])
        notice = self._notices[notice_id]
        if notice is None:
            return None
        entries = sorted(self._entries.get(notice_id, {}).items())
        return replace(notice, entries=tuple(entry for _, entry in entries if entry is not None))

    async def entry(self, notice_id: UUID, authority: str) -> Entry | None:
        """Return one authority's entry, locked."""
        await self.load_entries([(notice_id, authority)])
        return self._entries[notice_id][authority]

    def save(self, notice: Notice, *, filing: NewFiling | None = None) -> None:
        """Write a notice as it now is. `filing`: how its newest revision came, when that is new."""
        at = notice.revised_at or notice.receipt.registered_at
        self._tx.stage(_NOTICE, _Summarised(notice, summary(notice.filing, notice.receipt.arrived_at)))
        if filing is not None:
            self._tx.stage(
                _REVISION,
                _Revision(
                    notice.notice_id,
                    notice.revision,
                    False,
                    notice.filing,
                    filing.filed_by,
                    at,
                    notice.trace_id,
                    filing.arrival,
                ),
            )
        before = self._notices.get(notice.notice_id)
        for entry in notice.entries:
            self.save_entry(entry)
        for place in notice.unrouted:
            if before is None or place not in before.unrouted:
                row = _UnroutedPlace(notice.notice_id, place.kind, place.municipality or "", place.why, at)
                self._tx.stage(_UNROUTED, row)
        self._notices[notice.notice_id] = replace(notice, entries=())

    async def save_link(self, notice: Notice) -> None:
        """Write which proposal a notice follows. No office is sent it, so that it makes no version."""
        await self._run(
            "UPDATE notice SET relates_to = :proposal WHERE notice_id = :id",
            proposal=notice.relates_to,
            id=notice.notice_id,
        )
        self._notices[notice.notice_id] = replace(notice, entries=())

    def save_entry(self, entry: Entry) -> None:
        """Write one authority's entry as it now is, if it has changed."""
        entries = self._entries.setdefault(entry.notice_id, {})
        if entries.get(entry.authority) == entry:
            return
        entries[entry.authority] = entry
        self._tx.stage(_ENTRY, entry)

    def enter_stored(self, receipt: NoticeStored) -> None:
        """Enter the receipt of an authority's store. An older receipt arriving late changes nothing.

        A receipt of an authority that has no part in the notice fails at the next flush, as unprocessable.
        """
        entry = self._entries.get(receipt.notice_id, {}).get(receipt.authority)
        if entry is not None:
            # Another event of the batch changes this entry too: the change in memory must not be lost.
            self.save_entry(entry.stored(receipt.version, receipt.revision, receipt.stored_at))
        else:
            self._tx.stage(_STORED, receipt)

    def keep_waiting(
        self, notice_id: UUID, revision: int, filing: Filing, filed_by: str, at: datetime, arrival: Arrival
    ) -> None:
        """Keep a revision whose predecessor has not come yet."""
        self._waiting.add((notice_id, revision))
        self._tx.stage(_REVISION, _Revision(notice_id, revision, True, filing, filed_by, at, None, arrival))

    def waits(self, notice_id: UUID, revision: int) -> bool:
        """Whether a revision waits for its predecessor. The notice was looked for in this transaction."""
        return (notice_id, revision) in self._waiting

    async def take_waiting(self, notice_id: UUID, revision: int, filer: str, or_any: str) -> NoticeRevisionRow | None:
        """Return a waiting revision, which then waits no longer.

        Only of the same filer, or of one whose name begins with `or_any`; a stranger's goes on waiting, to be seen.
        """
        if (notice_id, revision) not in self._waiting:
            return None
        self._waiting.discard((notice_id, revision))
        rows = await self._rows(
            NoticeRevisionRow,
            "DELETE FROM notice_revision WHERE notice_id = :notice_id AND revision = :revision AND waiting"
            " AND (filed_by = :filer OR starts_with(filed_by, :or_any)) RETURNING *",
            notice_id=notice_id,
            revision=revision,
            filer=filer,
            or_any=or_any,
        )
        return rows[0] if rows else None

    async def resolve_unrouted(
        self,
        notice_id: UUID,
        still_open: Iterable[Unrouted],
        *,
        at: datetime,
        by: str,
        resolution: str,
        settled: bool = False,
    ) -> None:
        """Close the places in the unrouted queue that are no longer among `still_open`; `settled`: by a coordinator."""
        await self._run(
            "UPDATE unrouted SET resolved_at = :at, resolved_by = :by, resolution = :resolution, settled = :settled"
            " WHERE notice_id = :id AND resolved_at IS NULL"
            " AND NOT (kind || '/' || municipality = ANY(CAST(:keep AS text[])))",
            id=notice_id,
            at=at,
            by=by,
            resolution=resolution,
            settled=settled,
            keep=[f"{place.kind.value}/{place.municipality or ''}" for place in still_open],
        )

    def version(self, notice_id: UUID) -> tuple[int, int] | None:
        """Return version and revision of a notice as this transaction has read or saved it; None when it is new."""
        notice = self._notices.get(notice_id)
        return (notice.version, notice.revision) if notice is not None else None

    async def completion_asked(self, notice_id: UUID, at: datetime) -> None:
        """Enter that a letter has asked the employer to complete the notice."""
        await self._run(
            "UPDATE notice SET completion_asked_at = :at WHERE notice_id = :notice_id", notice_id=notice_id, at=at
        )

    async def read(self, notice_id: UUID) -> Notice | None:
        """Return a notice without locking it."""
        row = await self._get(NoticeRow, notice_id)
        if row is None:
            return None
        revision = await self._get(NoticeRevisionRow, notice_id, row.revision, False)
        entries = await self._all(
            select(EntryRow).where(EntryRow.notice_id == notice_id).order_by(col(EntryRow.authority))
        )
        places = await self._all(select(UnroutedRow).where(UnroutedRow.notice_id == notice_id))
        if revision is None:
            message = "a notice stands with its newest revision"
            raise RuntimeError(message)
        return _notice(row, revision.filing, places, entries=tuple(map(_entry, entries)))

    async def revisions(
        self, notice_id: UUID, limit: int, after: tuple[int, bool] | None
    ) -> Sequence[NoticeRevisionRow]:
        """Return revisions of a notice, those that wait included, oldest first."""
        place = tuple_(col(NoticeRevisionRow.revision), col(NoticeRevisionRow.waiting))
        query = select(NoticeRevisionRow).where(NoticeRevisionRow.notice_id == notice_id)
        if after is not None:
            query = query.where(place > after)
        return await self._all(
            query.order_by(col(NoticeRevisionRow.revision), col(NoticeRevisionRow.waiting)).limit(limit)
        )

    async def unrouted(self, limit: int, after: tuple[datetime, UUID, ReasonKind, str] | None) -> Sequence[UnroutedRow]:
        """Return the open unrouted queue, oldest first; the places of one notice by kind and municipality."""
        place: list[Any] = [
            col(name) for name in (UnroutedRow.since, UnroutedRow.notice_id, UnroutedRow.kind, UnroutedRow.municipality)
        ]
        query = select(UnroutedRow).where(col(UnroutedRow.resolved_at).is_(None))
        if after is not None:
            query = query.where(tuple_(*place) > after)
        return await self._all(query.order_by(*place).limit(limit))

    async def due_entries(self, now: datetime, limit: int) -> Sequence[LedgerKey]:
        """Lock and return entries that are overdue and were not escalated for it; none that another process has."""
        return await self._values(
            LedgerKey,
            "SELECT notice_id, authority FROM ledger_entry JOIN notice USING (notice_id)"  # noqa: S608 - a constant
            f" WHERE {DUE} ORDER BY notice_id, authority LIMIT :limit FOR UPDATE OF ledger_entry SKIP LOCKED",
            now=now,
            limit=limit,
        )


class Directory(Store):
    """Municipalities and authorities imported beside those that ship with the service."""

    async def read(self) -> tuple[list[Municipality], list[Authority]]:
        """Return everything imported."""
        return (
            [
                Municipality(row.code, row.name_fi, row.name_sv, row.area, row.authority, row.valid_from, row.valid_to)
                for row in await self._all(select(MunicipalityRow))
            ],
            [
                Authority(
                    row.code,
                    row.name_fi,
                    row.name_sv,
                    row.name_en,
                    None,
                    row.email,
                    row.under_act,
                    row.certificate,
                    row.languages,
                )
                for row in await self._all(select(AuthorityRow))
            ],
        )

    async def import_(
        self, municipalities: Iterable[Municipality], authorities: Iterable[Authority], valid_from: date
    ) -> None:
        """Put a classification in force from a day. What was in force before ends the day before; addresses stay."""
        for authority in authorities:
            self._tx.stage(_AUTHORITY, authority)
        await self._run(
            "UPDATE municipality SET valid_to = CAST(:day AS date) - 1 WHERE valid_to IS NULL AND valid_from < :day",
            day=valid_from,
        )
        await self._run("DELETE FROM municipality WHERE valid_from >= :day", day=valid_from)
        self._tx.session.add_all(
            MunicipalityRow(
                code=municipality.code,
                valid_from=valid_from,
                valid_to=municipality.valid_to,
                name_fi=municipality.name_fi,
                name_sv=municipality.name_sv,
                area=municipality.area,
                authority=municipality.authority,
            )
            for municipality in municipalities
        )

    async def set_email(self, authority: str, email: str) -> bool:
        """Set an imported authority's address; False when there is no such authority."""
        row = await self._get(AuthorityRow, authority)
        if row is None:
            return False
        row.email = email
        return True

    async def set_certificate(self, authority: str, certificate: str | None) -> bool:
        """Set or remove an imported authority's certificate; False when there is no such authority."""
        row = await self._get(AuthorityRow, authority)
        if row is None:
            return False
        row.certificate = certificate
        return True


def _notice(
    row: NoticeRow, filing: Filing, places: Sequence[UnroutedRow], *, entries: tuple[Entry, ...] = ()
) -> Notice:
    return Notice(
        notice_id=row.notice_id,
        state=row.state,
        version=row.version,
        revision=row.revision,
        filing=filing,
        receipt=Receipt(*_RECEIPT_VALUES(row)),
        routing_version=row.routing_version,
        trace_id=row.trace_id,
        manual=row.manual,
        outcome=row.outcome,
        entries=entries,
        unrouted=tuple(_unrouted(place) for place in places if place.resolved_at is None),
        revised_at=row.revised_at,
        handling=row.handling,
        completion_asked_at=row.completion_asked_at,
        revision_arrived_at=row.revision_arrived_at,
        excluded=row.excluded,
        settled=tuple(_unrouted(place) for place in places if place.settled),
        merged_into=row.merged_into,
        absorbed=row.absorbed,
        merge_added=row.merge_added,
        relates_to=row.relates_to,
    )


def _entry(row: EntryRow) -> Entry:
    return Entry(*_ENTRY_VALUES(row))


def _unrouted(row: UnroutedRow) -> Unrouted:
    return Unrouted(row.kind, row.municipality or None, row.why)


def _is_in(column: Any, ids: Sequence[UUID]) -> ColumnElement[bool]:
    # One array, not one parameter for each: the statement stays the same, whatever the number.
    return cast("ColumnElement[bool]", column == any_(literal(list(ids), ARRAY(Uuid))))
