"""All of this service's queries. Hot paths write in bulk: a store stages rows, the kernel flushes them together.

Indexes: `notice_registered` and `authority_case_stored` serve the lists (newest first, keyset pages);
`ledger_entry_waiting` and `external_delivery_due` are partial, so that the periodic look at what is late or due reads
only that; `unrouted_open` holds just the open queue.

Locks are taken in one order, notices before ledger entries and each sorted, so that two batches never wait in a ring.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, and_, any_, func, literal, text, tuple_
from sqlmodel import col, select

from services.change_security.domain.ledger import Entry, EntryState
from services.change_security.domain.matter import Channel, Matter, Receipt, Status
from services.change_security.domain.routing import Authority, Municipality, Unrouted
from services.change_security.tables import (
    AuthorityRow,
    CaseCheckRow,
    CaseNoteRow,
    CaseRevisionRow,
    CaseRow,
    CaseStepRow,
    DeliveryRow,
    EntryRow,
    IdempotencyRow,
    MunicipalityRow,
    NoticeRevisionRow,
    NoticeRow,
    UnroutedRow,
)
from shared.database import Bulk
from shared.events.v1.advisory import Fact, Withheld, WorkDone
from shared.events.v1.change_security import DeclineReason, Filing, HandlingMode, Outcome, Reason, ReasonKind
from shared.messaging.transaction import Transaction
from shared.store import Store

_NOTICE = Bulk(
    """
    INSERT INTO notice (notice_id, status, version, revision, channel, filed_by, arrived_at, registered_at,
                        routing_version, manual, outcome, trace_id, revised_at)
    SELECT notice_id, status, version, revision, channel, filed_by, arrived_at, registered_at,
           routing_version, manual, outcome, trace_id, revised_at FROM {rows}
    ON CONFLICT (notice_id) DO UPDATE SET
        status = excluded.status, version = excluded.version, revision = excluded.revision,
        routing_version = excluded.routing_version, manual = excluded.manual, outcome = excluded.outcome,
        revised_at = excluded.revised_at
    WHERE notice.version < excluded.version
    """,
    {
        "notice_id": "uuid",
        "status": "text",
        "version": "integer",
        "revision": "integer",
        "channel": "text",
        "filed_by": "text",
        "arrived_at": "timestamptz",
        "registered_at": "timestamptz",
        "routing_version": "text",
        "manual": "jsonb",
        "outcome": "text",
        "trace_id": "text",
        "revised_at": "timestamptz",
    },
    key=("notice_id",),
    version="version",
)
"""Arrival and registration are written once: an update never touches them."""

_REVISION = Bulk(
    """
    INSERT INTO notice_revision (notice_id, revision, waiting, filing, filed_by, recorded_at, trace_id)
    SELECT notice_id, revision, waiting, filing, filed_by, recorded_at, trace_id FROM {rows}
    ON CONFLICT DO NOTHING
    """,
    {
        "notice_id": "uuid",
        "revision": "integer",
        "waiting": "boolean",
        "filing": "jsonb",
        "filed_by": "text",
        "recorded_at": "timestamptz",
        "trace_id": "text",
    },
    key=("notice_id", "revision", "waiting"),
)

_ENTRY_COLUMNS = {
    "notice_id": "uuid",
    "authority": "text",
    "office": "text",
    "mode": "text",
    "acting_authority": "text",
    "state": "text",
    "reasons": "jsonb",
    "version_sent": "integer",
    "revision_sent": "integer",
    "sent_at": "timestamptz",
    "store_by": "timestamptz",
    "acknowledge_by": "timestamptz",
    "version_stored": "integer",
    "revision_stored": "integer",
    "stored_at": "timestamptz",
    "acknowledged_at": "timestamptz",
    "decline_reason": "text",
    "case_outcome": "text",
    "case_closed_at": "timestamptz",
    "escalated": "text",
}

_ENTRY = Bulk(
    f"""
    INSERT INTO ledger_entry ({", ".join(_ENTRY_COLUMNS)})
    SELECT {", ".join(_ENTRY_COLUMNS)} FROM {{rows}}
    ON CONFLICT (notice_id, authority) DO UPDATE SET
        {", ".join(f"{name} = excluded.{name}" for name in list(_ENTRY_COLUMNS)[2:])}
    """,  # noqa: S608 - constants
    _ENTRY_COLUMNS,
    key=("notice_id", "authority"),
)
"""Entries are read under a lock before they are changed, so the last one staged is the newest."""

_STORED = Bulk(
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
    {
        "notice_id": "uuid",
        "authority": "text",
        "version": "integer",
        "revision": "integer",
        "stored_at": "timestamptz",
    },
    key=("notice_id", "authority"),
    version="version",
    unmatched="the authority has no part in the notice",
)
"""`Entry.stored` as one statement: three of four messages at the joint office are such receipts. A test holds the two
against each other."""

_UNROUTED = Bulk(
    """
    INSERT INTO unrouted (notice_id, kind, municipality, why, since)
    SELECT notice_id, kind, municipality, why, since FROM {rows}
    ON CONFLICT (notice_id, kind, municipality) DO NOTHING
    """,
    {"notice_id": "uuid", "kind": "text", "municipality": "text", "why": "text", "since": "timestamptz"},
    key=("notice_id", "kind", "municipality"),
)

_DELIVERY = Bulk(
    """
    INSERT INTO external_delivery (delivery_id, notice_id, authority, version, state, attempts, next_attempt_at)
    SELECT delivery_id, notice_id, authority, version, state, 0, due FROM {rows}
    ON CONFLICT (delivery_id) DO NOTHING
    """,
    {
        "delivery_id": "uuid",
        "notice_id": "uuid",
        "authority": "text",
        "version": "integer",
        "state": "text",
        "due": "timestamptz",
    },
    key=("delivery_id",),
)


class Notices:
    """Matters and their ledger at the joint office."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._matters: dict[UUID, Matter | None] = tx.identity_map.setdefault("matters", {})
        # By notice, then by authority: a batch holds the entries of many notices.
        self._entries: dict[UUID, dict[str, Entry | None]] = tx.identity_map.setdefault("entries", {})
        self._waiting: set[tuple[UUID, int]] = tx.identity_map.setdefault("waiting", set())

    async def load(self, notice_ids: Iterable[UUID]) -> None:
        """Read and lock matters that this transaction will change."""
        wanted = sorted({one for one in notice_ids if one not in self._matters})
        if not wanted:
            return
        await self._tx.flush()
        self._matters.update(dict.fromkeys(wanted))
        session = self._tx.session
        query = (
            select(NoticeRow, NoticeRevisionRow.filing)
            .join(
                NoticeRevisionRow,
                and_(
                    col(NoticeRevisionRow.notice_id) == NoticeRow.notice_id,
                    col(NoticeRevisionRow.revision) == NoticeRow.revision,
                    col(NoticeRevisionRow.waiting).is_(False),
                ),
            )
            .where(_is_one_of(col(NoticeRow.notice_id), wanted))
            .order_by(col(NoticeRow.notice_id))
            .with_for_update(of=NoticeRow)
            .execution_options(populate_existing=True)
        )
        found = (await session.execute(query)).all()
        waiting = await session.execute(
            select(NoticeRevisionRow.notice_id, NoticeRevisionRow.revision).where(
                _is_one_of(col(NoticeRevisionRow.notice_id), wanted), col(NoticeRevisionRow.waiting)
            )
        )
        self._waiting.update((row.notice_id, row.revision) for row in waiting)
        if not found:
            return
        here = [row.notice_id for row, _ in found]
        await self._load_entries("WHERE notice_id = ANY(CAST(:ids AS uuid[]))", {"ids": here})
        unrouted: dict[UUID, list[Unrouted]] = {}
        for row in await session.scalars(select(UnroutedRow).where(_is_one_of(col(UnroutedRow.notice_id), here))):
            if row.resolved_at is None:
                unrouted.setdefault(row.notice_id, []).append(_unrouted(row))
        for row, filing in found:
            self._matters[row.notice_id] = _matter(row, filing, tuple(unrouted.get(row.notice_id, ())))

    async def load_entries(self, keys: Iterable[tuple[UUID, str]]) -> None:
        """Read and lock ledger entries that this transaction will change."""
        wanted = sorted({key for key in keys if key[1] not in self._entries.get(key[0], ())})
        if not wanted:
            return
        await self._tx.flush()
        for notice_id, authority in wanted:
            self._entries.setdefault(notice_id, {})[authority] = None
        ids, authorities = zip(*wanted, strict=True)
        await self._load_entries(
            "JOIN unnest(CAST(:ids AS uuid[]), CAST(:authorities AS text[])) AS wanted(notice_id, authority)"
            " USING (notice_id, authority)",
            {"ids": list(ids), "authorities": list(authorities)},
        )

    async def _load_entries(self, which: str, values: dict[str, Any]) -> None:
        rows = await self._tx.connection.execute(
            text(
                f"SELECT ledger_entry.* FROM ledger_entry {which}"  # noqa: S608 - one of the two constants above
                " ORDER BY notice_id, authority FOR UPDATE OF ledger_entry"
            ),
            values,
        )
        for row in rows:
            self._entries.setdefault(row.notice_id, {})[row.authority] = entry_of(row)

    async def get(self, notice_id: UUID) -> Matter | None:
        """Return a matter, locked, with its ledger."""
        await self.load([notice_id])
        matter = self._matters[notice_id]
        if matter is None:
            return None
        entries = sorted(self._entries.get(notice_id, {}).items())
        return replace(matter, entries=tuple(entry for _, entry in entries if entry is not None))

    async def entry(self, notice_id: UUID, authority: str) -> Entry | None:
        """Return one authority's entry, locked."""
        await self.load_entries([(notice_id, authority)])
        return self._entries[notice_id][authority]

    def save(self, matter: Matter, *, filed_by: str | None = None) -> None:
        """Write a matter as it now is. `filed_by`: who filed its newest revision, when that is new."""
        receipt = matter.receipt
        self._tx.stage(
            _NOTICE,
            (
                matter.notice_id,
                matter.status,
                matter.version,
                matter.revision,
                receipt.channel,
                receipt.filed_by,
                receipt.arrived_at,
                receipt.registered_at,
                matter.routing_version,
                json.dumps(matter.manual),
                matter.outcome,
                matter.trace_id,
                matter.revised_at,
            ),
        )
        if filed_by is not None:
            self._tx.stage(
                _REVISION,
                (
                    matter.notice_id,
                    matter.revision,
                    False,
                    _filing_json(matter.filing),
                    filed_by,
                    matter.revised_at or receipt.registered_at,
                    matter.trace_id,
                ),
            )
        before = self._matters.get(matter.notice_id)
        for entry in matter.entries:
            self.save_entry(matter.notice_id, entry)
        for found in matter.unrouted:
            if before is None or found not in before.unrouted:
                since = matter.revised_at or receipt.registered_at
                row = (matter.notice_id, found.kind, found.municipality or "", found.why, since)
                self._tx.stage(_UNROUTED, row)
        self._matters[matter.notice_id] = replace(matter, entries=())

    def save_entry(self, notice_id: UUID, entry: Entry) -> None:
        """Write one authority's entry as it now is, if it has changed."""
        known = self._entries.setdefault(notice_id, {})
        if known.get(entry.authority) == entry:
            return
        known[entry.authority] = entry
        self._tx.stage(
            _ENTRY,
            (
                notice_id,
                entry.authority,
                entry.office,
                entry.mode,
                entry.acting_authority,
                entry.state,
                _reasons_json(entry.reasons),
                entry.version_sent,
                entry.revision_sent,
                entry.sent_at,
                entry.store_by,
                entry.acknowledge_by,
                entry.version_stored,
                entry.revision_stored,
                entry.stored_at,
                entry.acknowledged_at,
                entry.decline_reason,
                entry.case_outcome,
                entry.case_closed_at,
                entry.escalated,
            ),
        )

    def enter_stored(self, notice_id: UUID, authority: str, version: int, revision: int, at: datetime) -> None:
        """Enter the receipt of an authority's store. An older receipt arriving late changes nothing.

        A receipt of an authority that has no part in the notice fails at the next flush, as unprocessable.
        """
        known = self._entries.get(notice_id, {}).get(authority)
        if known is not None:
            # Another event of the batch changes this entry too: the change in memory must not be lost.
            self.save_entry(notice_id, known.stored(version, revision, at))
        else:
            self._tx.stage(_STORED, (notice_id, authority, version, revision, at))

    def keep_waiting(self, notice_id: UUID, revision: int, filing: Filing, filed_by: str, at: datetime) -> None:
        """Keep a revision whose predecessor has not come yet."""
        self._waiting.add((notice_id, revision))
        self._tx.stage(_REVISION, (notice_id, revision, True, _filing_json(filing), filed_by, at, None))

    def waits(self, notice_id: UUID, revision: int) -> bool:
        """Whether a revision waits for its predecessor. The notice was looked for in this transaction."""
        return (notice_id, revision) in self._waiting

    async def take_waiting(self, notice_id: UUID, revision: int, filer: str, or_any: str) -> tuple[Filing, str] | None:
        """Return a waiting revision, which then waits no longer, with who filed it.

        Only of the same filer, or of one whose name begins with `or_any`; a stranger's goes on waiting, to be seen.
        """
        if (notice_id, revision) not in self._waiting:
            return None
        self._waiting.discard((notice_id, revision))
        await self._tx.flush()
        row = (
            await self._tx.connection.execute(
                text(
                    "DELETE FROM notice_revision WHERE notice_id = :notice_id AND revision = :revision AND waiting"
                    " AND (filed_by = :filer OR starts_with(filed_by, :or_any)) RETURNING filing, filed_by"
                ),
                {"notice_id": notice_id, "revision": revision, "filer": filer, "or_any": or_any},
            )
        ).one_or_none()
        return (Filing.model_validate(row.filing), row.filed_by) if row else None

    async def resolve_unrouted(
        self, notice_id: UUID, open_ones: Iterable[Unrouted], *, at: datetime, by: str, resolution: str
    ) -> None:
        """Close the places in the queue of the unrouted that are no longer among `open_ones`."""
        keep = [f"{found.kind.value}/{found.municipality or ''}" for found in open_ones]
        await self._tx.flush()
        await self._tx.connection.execute(
            text(
                "UPDATE unrouted SET resolved_at = :at, resolved_by = :by, resolution = :resolution"
                " WHERE notice_id = :id AND resolved_at IS NULL"
                " AND NOT (kind || '/' || municipality = ANY(CAST(:keep AS text[])))"
            ),
            {"id": notice_id, "at": at, "by": by, "resolution": resolution, "keep": keep},
        )

    # -- reading ------------------------------------------------------------------------------------------------------

    async def read(self, notice_id: UUID) -> Matter | None:
        """Return a matter without locking it."""
        session = self._tx.session
        row = await session.get(NoticeRow, notice_id)
        if row is None:
            return None
        revision = await session.get(NoticeRevisionRow, (notice_id, row.revision, False))
        entries = await session.scalars(
            select(EntryRow).where(EntryRow.notice_id == notice_id).order_by(col(EntryRow.authority))
        )
        unrouted = await session.scalars(
            select(UnroutedRow).where(UnroutedRow.notice_id == notice_id, col(UnroutedRow.resolved_at).is_(None))
        )
        filing = revision.filing if revision is not None else {}
        matter = _matter(row, filing, tuple(map(_unrouted, unrouted)))
        return replace(matter, entries=tuple(map(entry_of, entries)))

    async def page(
        self, *, authority: str | None, status: str | None, limit: int, before: tuple[datetime, UUID] | None
    ) -> list[NoticeRow]:
        """Return matters, newest registration first; with `authority`, those that concern it."""
        query: Select[Any] = select(NoticeRow)
        if authority is not None:
            query = query.where(
                select(EntryRow.notice_id)
                .where(EntryRow.notice_id == NoticeRow.notice_id, EntryRow.authority == authority)
                .exists()
            )
        if status is not None:
            query = query.where(col(NoticeRow.status) == status)
        if before is not None:
            query = query.where(tuple_(col(NoticeRow.registered_at), col(NoticeRow.notice_id)) < before)
        query = query.order_by(col(NoticeRow.registered_at).desc(), col(NoticeRow.notice_id).desc()).limit(limit)
        return list((await self._tx.session.scalars(query)).all())

    async def revisions(self, notice_id: UUID) -> Sequence[NoticeRevisionRow]:
        """Return all revisions of a notice, those that wait included, oldest first."""
        query = (
            select(NoticeRevisionRow)
            .where(NoticeRevisionRow.notice_id == notice_id)
            .order_by(col(NoticeRevisionRow.revision), col(NoticeRevisionRow.waiting))
        )
        return (await self._tx.session.scalars(query)).all()

    async def unrouted(self, limit: int, after: tuple[datetime, UUID] | None) -> Sequence[UnroutedRow]:
        """Return the open queue of the unrouted, oldest first."""
        query = select(UnroutedRow).where(col(UnroutedRow.resolved_at).is_(None))
        if after is not None:
            query = query.where(tuple_(col(UnroutedRow.since), col(UnroutedRow.notice_id)) > after)
        query = query.order_by(col(UnroutedRow.since), col(UnroutedRow.notice_id)).limit(limit)
        return (await self._tx.session.scalars(query)).all()

    async def due_entries(self, now: datetime, limit: int) -> Sequence[tuple[UUID, str]]:
        """Lock and return entries that may be overdue and were not escalated for it; none that another process has."""
        rows = await self._tx.connection.execute(
            text(
                "SELECT notice_id, authority FROM ledger_entry JOIN notice USING (notice_id)"
                " WHERE state <> 'released' AND (version_stored < version_sent OR state IN ('sent', 'stored'))"
                " AND ((version_stored < version_sent AND store_by < :now AND escalated IS NULL)"
                "   OR (state IN ('sent', 'stored') AND acknowledge_by < :now AND notice.status = 'open'"
                "       AND escalated IS DISTINCT FROM 'acknowledged'))"
                " ORDER BY notice_id, authority LIMIT :limit FOR UPDATE OF ledger_entry SKIP LOCKED"
            ),
            {"now": now, "limit": limit},
        )
        return [(row.notice_id, row.authority) for row in rows]

    # -- answered requests --------------------------------------------------------------------------------------------

    async def remember_request(
        self, subject: str, key: str, request_hash: str, notice_id: UUID
    ) -> IdempotencyRow | None:
        """Remember a request under its key; return the one that was there before, if any.

        A concurrent request with the same key waits here until the first has committed.
        """
        inserted = await self._tx.connection.execute(
            text(
                "INSERT INTO idempotency (subject, key, request_hash, notice_id, created_at)"
                " VALUES (:subject, :key, :hash, :notice_id, :now) ON CONFLICT DO NOTHING RETURNING 1"
            ),
            {
                "subject": subject,
                "key": key,
                "hash": request_hash,
                "notice_id": notice_id,
                "now": self._tx.clock.now(),
            },
        )
        if inserted.one_or_none() is not None:
            return None
        return await self._tx.session.get(IdempotencyRow, (subject, key))


class Deliveries:
    """E-mails to authorities outside the region."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def queue(self, delivery_id: UUID, notice_id: UUID, authority: str, version: int, *, has_address: bool) -> None:
        """Queue an e-mail; without an address it is shown as such, to be delivered by other means."""
        state = "queued" if has_address else "no_address"
        self._tx.stage(_DELIVERY, (delivery_id, notice_id, authority, version, state, self._tx.clock.now()))

    async def take_due(self) -> DeliveryRow | None:
        """Lock and return one e-mail that is due; none that another process has."""
        query = (
            select(DeliveryRow)
            .where(DeliveryRow.state == "queued", DeliveryRow.next_attempt_at <= self._tx.clock.now())
            .order_by(col(DeliveryRow.next_attempt_at))
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        return (await self._tx.session.scalars(query)).one_or_none()

    async def lock(self, delivery_id: UUID) -> DeliveryRow:
        """Return an e-mail, locked."""
        query = select(DeliveryRow).where(DeliveryRow.delivery_id == delivery_id).with_for_update()
        return (await self._tx.session.scalars(query)).one()

    async def of_notice(self, notice_id: UUID) -> Sequence[DeliveryRow]:
        """Return a notice's e-mails, oldest version first."""
        query = select(DeliveryRow).where(DeliveryRow.notice_id == notice_id)
        query = query.order_by(col(DeliveryRow.version), col(DeliveryRow.authority))
        return (await self._tx.session.scalars(query)).all()

    async def without_address(self, authority: str) -> int:
        """Queue again what could not be sent for want of an address; return how many."""
        changed = await self._tx.connection.execute(
            text(
                "UPDATE external_delivery SET state = 'queued', next_attempt_at = :now"
                " WHERE authority = :authority AND state = 'no_address'"
            ),
            {"authority": authority, "now": self._tx.clock.now()},
        )
        return changed.rowcount


class Directory:
    """Municipalities and authorities imported beside those that ship with the service."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def read(self) -> tuple[list[Municipality], list[Authority]]:
        """Return everything imported."""
        municipalities = await self._tx.session.scalars(select(MunicipalityRow))
        authorities = await self._tx.session.scalars(select(AuthorityRow))
        return (
            [
                Municipality(row.code, row.name_fi, row.name_sv, row.area, row.authority, row.valid_from, row.valid_to)
                for row in municipalities
            ],
            [
                Authority(row.code, row.name_fi, row.name_sv, row.name_en, None, row.email, row.under_act)
                for row in authorities
            ],
        )

    async def import_(
        self, municipalities: Iterable[Municipality], authorities: Iterable[Authority], valid_from: date
    ) -> None:
        """Put a classification in force from a day. What was in force before ends the day before; addresses stay."""
        session = self._tx.session
        for authority in authorities:
            known = await session.get(AuthorityRow, authority.code)
            row = known or AuthorityRow(code=authority.code, under_act=authority.under_act)
            row.name_fi, row.name_sv, row.name_en = authority.name_fi, authority.name_sv, authority.name_en
            row.under_act = authority.under_act
            row.email = authority.email or row.email
            session.add(row)
        await session.execute(
            text(
                "UPDATE municipality SET valid_to = CAST(:day AS date) - 1 WHERE valid_to IS NULL AND valid_from < :day"
            ),
            {"day": valid_from},
        )
        await session.execute(text("DELETE FROM municipality WHERE valid_from >= :day"), {"day": valid_from})
        session.add_all(
            MunicipalityRow(
                code=one.code,
                valid_from=valid_from,
                valid_to=one.valid_to,
                name_fi=one.name_fi,
                name_sv=one.name_sv,
                area=one.area,
                authority=one.authority,
            )
            for one in municipalities
        )

    async def set_email(self, authority: str, email: str) -> bool:
        """Set an imported authority's address; False when there is no such authority."""
        row = await self._tx.session.get(AuthorityRow, authority)
        if row is None:
            return False
        row.email = email
        return True


# -- a city's office --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewCase:
    """What a city's store keeps of a notice that concerns it."""

    notice_id: UUID
    version: int
    revision: int
    authority: str
    handling_mode: HandlingMode
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    arrived_at: datetime
    registered_at: datetime
    acknowledge_by: datetime | None
    filing: Filing
    trace_id: str | None = None


_CASE = Bulk(
    """
    INSERT INTO authority_case (notice_id, status, version, revision, competent_authority, acting_authority,
                                handling_mode, reasons, missing, arrived_at, registered_at, acknowledge_by, stored_at,
                                trace_id)
    SELECT notice_id, 'open', version, revision, authority, authority, handling_mode, reasons, missing, arrived_at,
           registered_at, acknowledge_by, stored_at, trace_id FROM {rows}
    ON CONFLICT (notice_id) DO UPDATE SET
        status = CASE WHEN excluded.version > authority_case.version AND authority_case.status = 'released'
                      THEN 'open' ELSE authority_case.status END,
        version = greatest(excluded.version, authority_case.version),
        revision = greatest(excluded.revision, authority_case.revision),
        handling_mode = CASE WHEN authority_case.acting_authority = authority_case.competent_authority
                              AND authority_case.acknowledged_at IS NULL
                             THEN excluded.handling_mode ELSE authority_case.handling_mode END,
        reasons = excluded.reasons,
        missing = CASE WHEN excluded.revision >= authority_case.revision
                       THEN excluded.missing ELSE authority_case.missing END,
        arrived_at = coalesce(authority_case.arrived_at, excluded.arrived_at),
        registered_at = coalesce(authority_case.registered_at, excluded.registered_at),
        acknowledge_by = coalesce(authority_case.acknowledge_by, excluded.acknowledge_by)
    WHERE authority_case.version < excluded.version OR authority_case.arrived_at IS NULL
    """,
    {
        "notice_id": "uuid",
        "version": "integer",
        "revision": "integer",
        "authority": "text",
        "handling_mode": "text",
        "reasons": "jsonb",
        "missing": "jsonb",
        "arrived_at": "timestamptz",
        "registered_at": "timestamptz",
        "acknowledge_by": "timestamptz",
        "stored_at": "timestamptz",
        "trace_id": "text",
    },
    key=("notice_id",),
    version="version",
)
"""An older version arriving late changes nothing, but fills in a case whose end overtook its beginning. A newer one
opens a released case again; it does not undo a withdrawal, or this authority's own closing."""

_CASE_REVISION = Bulk(
    """
    INSERT INTO case_revision (notice_id, revision, filing, stored_at)
    SELECT notice_id, revision, filing, stored_at FROM {rows}
    ON CONFLICT (notice_id, revision) DO NOTHING
    """,
    {"notice_id": "uuid", "revision": "integer", "filing": "jsonb", "stored_at": "timestamptz"},
    key=("notice_id", "revision"),
)

_CASE_STATUS = Bulk(
    """
    INSERT INTO authority_case (notice_id, status, version, revision, competent_authority, acting_authority,
                                handling_mode, reasons, missing, outcome, stored_at)
    SELECT notice_id, status, version, revision, authority, authority, 'joint', '[]', '[]', outcome, stored_at
    FROM {rows}
    ON CONFLICT (notice_id) DO UPDATE SET
        status = excluded.status, version = excluded.version, outcome = excluded.outcome, overdue = NULL
    WHERE authority_case.version < excluded.version
    """,
    {
        "notice_id": "uuid",
        "status": "text",
        "version": "integer",
        "revision": "integer",
        "authority": "text",
        "outcome": "text",
        "stored_at": "timestamptz",
    },
    key=("notice_id",),
    version="version",
)
"""An end that overtakes its beginning is kept, so that the late beginning does not open the case."""

_CASE_HANDLING = Bulk(
    """
    UPDATE authority_case SET version = rows.version, handling_mode = rows.mode, acting_authority = rows.acting
    FROM {rows} WHERE authority_case.notice_id = rows.notice_id AND authority_case.version < rows.version
    """,
    {"notice_id": "uuid", "version": "integer", "mode": "text", "acting": "text"},
    key=("notice_id",),
    version="version",
)

_CASE_OVERDUE = Bulk(
    """
    UPDATE authority_case SET overdue = rows.awaiting FROM {rows}
    WHERE authority_case.notice_id = rows.notice_id AND authority_case.acknowledged_at IS NULL
      AND authority_case.status = 'open'
    """,
    {"notice_id": "uuid", "awaiting": "text"},
    key=("notice_id",),
)


class Cases:
    """An authority's own cases."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, case: NewCase) -> None:
        """Open a case, or bring it to a newer version. Safe to repeat, and in any order."""
        now = self._tx.clock.now()
        self._tx.stage(
            _CASE,
            (
                case.notice_id,
                case.version,
                case.revision,
                case.authority,
                case.handling_mode,
                _reasons_json(case.reasons),
                json.dumps(case.missing),
                case.arrived_at,
                case.registered_at,
                case.acknowledge_by,
                now,
                case.trace_id,
            ),
        )
        self._tx.stage(_CASE_REVISION, (case.notice_id, case.revision, _filing_json(case.filing), now))

    def add_revision(self, notice_id: UUID, revision: int, filing: Filing) -> None:
        """Keep a revision that this authority registered itself."""
        self._tx.stage(_CASE_REVISION, (notice_id, revision, _filing_json(filing), self._tx.clock.now()))

    def end(
        self, notice_id: UUID, status: str, version: int, revision: int, authority: str, outcome: Outcome | None = None
    ) -> None:
        """Set a case's status at a newer version."""
        self._tx.stage(_CASE_STATUS, (notice_id, status, version, revision, authority, outcome, self._tx.clock.now()))

    def set_handling(self, notice_id: UUID, version: int, mode: HandlingMode, acting_authority: str) -> None:
        """Set who acts in the case at a newer version."""
        self._tx.stage(_CASE_HANDLING, (notice_id, version, mode, acting_authority))

    def mark_overdue(self, notice_id: UUID, awaiting: str) -> None:
        """Mark a case whose receipt is late."""
        self._tx.stage(_CASE_OVERDUE, (notice_id, awaiting))

    async def lock(self, notice_id: UUID) -> CaseRow | None:
        """Return a case to be changed by an officer, locked."""
        await self._tx.flush()
        query = select(CaseRow).where(CaseRow.notice_id == notice_id).with_for_update()
        return (await self._tx.session.scalars(query)).one_or_none()

    async def read(self, notice_id: UUID) -> CaseRow | None:
        """Return a case."""
        return await self._tx.session.get(CaseRow, notice_id)

    async def filing(self, notice_id: UUID, revision: int) -> Filing | None:
        """Return one revision of a case's filing."""
        row = await self._tx.session.get(CaseRevisionRow, (notice_id, revision))
        return Filing.model_validate(row.filing) if row else None

    async def revisions(self, notice_id: UUID) -> Sequence[CaseRevisionRow]:
        """Return the revisions this authority has received, oldest first."""
        query = select(CaseRevisionRow).where(CaseRevisionRow.notice_id == notice_id)
        return (await self._tx.session.scalars(query.order_by(col(CaseRevisionRow.revision)))).all()

    async def page(
        self, *, status: str | None, specialist: str | None, limit: int, before: tuple[datetime, UUID] | None
    ) -> Sequence[CaseRow]:
        """Return cases, newest first."""
        query: Select[Any] = select(CaseRow)
        if status is not None:
            query = query.where(col(CaseRow.status) == status)
        if specialist is not None:
            query = query.where(col(CaseRow.specialist) == specialist)
        if before is not None:
            query = query.where(tuple_(col(CaseRow.stored_at), col(CaseRow.notice_id)) < before)
        query = query.order_by(col(CaseRow.stored_at).desc(), col(CaseRow.notice_id).desc()).limit(limit)
        return cast("Sequence[CaseRow]", (await self._tx.session.scalars(query)).all())

    async def steps(self, notice_id: UUID) -> Sequence[CaseStepRow]:
        """Return the steps that are done or not needed."""
        query = select(CaseStepRow).where(CaseStepRow.notice_id == notice_id)
        return (await self._tx.session.scalars(query)).all()

    async def set_step(self, notice_id: UUID, step: str, state: str, by: str) -> None:
        """Set a step's state."""
        await self._tx.session.merge(
            CaseStepRow(notice_id=notice_id, step=step, state=state, at=self._tx.clock.now(), by=by)
        )

    async def checks(self, notice_id: UUID) -> Sequence[CaseCheckRow]:
        """Return the checklist items that are checked."""
        query = select(CaseCheckRow).where(CaseCheckRow.notice_id == notice_id)
        return (await self._tx.session.scalars(query)).all()

    async def set_check(self, notice_id: UUID, item: str, by: str, *, checked: bool) -> None:
        """Check a checklist item, or uncheck it."""
        row = await self._tx.session.get(CaseCheckRow, (notice_id, item))
        if row is not None and not checked:
            await self._tx.session.delete(row)
        elif row is None and checked:
            self._tx.session.add(CaseCheckRow(notice_id=notice_id, item=item, at=self._tx.clock.now(), by=by))

    async def notes(self, notice_id: UUID) -> Sequence[CaseNoteRow]:
        """Return the officers' notes, oldest first."""
        query = select(CaseNoteRow).where(CaseNoteRow.notice_id == notice_id).order_by(col(CaseNoteRow.id))
        return (await self._tx.session.scalars(query)).all()

    def add_note(self, notice_id: UUID, note: str, by: str) -> None:
        """Add a note. It never leaves this office."""
        self._tx.session.add(CaseNoteRow(notice_id=notice_id, text=note, by=by, at=self._tx.clock.now()))

    async def state_hash(self, only: Sequence[UUID] | None = None) -> str:
        """Return one hash of everything that follows from messages: a store rebuilt from them must give the same.

        An officer's own act on a case does not follow from messages; `only` leaves such cases out.
        """
        found = await self._tx.connection.execute(
            text(
                """
                SELECT md5(coalesce(string_agg(line, E'\\n' ORDER BY line), '')) FROM (
                    SELECT concat_ws('|', 'case', notice_id, status, version, revision, competent_authority,
                                     acting_authority, handling_mode, reasons, missing, arrived_at, registered_at,
                                     acknowledge_by, outcome) AS line FROM authority_case
                    WHERE CAST(:only AS uuid[]) IS NULL OR notice_id = ANY(CAST(:only AS uuid[]))
                    UNION ALL
                    SELECT concat_ws('|', 'revision', notice_id, revision, filing) FROM case_revision
                    WHERE CAST(:only AS uuid[]) IS NULL OR notice_id = ANY(CAST(:only AS uuid[]))
                ) AS lines
                """
            ),
            {"only": list(only) if only is not None else None},
        )
        return str(found.scalar_one())

    async def count(self) -> int:
        """Return how many cases there are."""
        return int((await self._tx.session.scalars(select(func.count()).select_from(CaseRow))).one())


# -- rows and values --------------------------------------------------------------------------------------------------


def _filing_json(filing: Filing) -> str:
    return filing.model_dump_json(exclude_none=True)


# Notices of the same places have the same reasons: written once, not for each.
@lru_cache(maxsize=4096)
def _reasons_json(reasons: tuple[Reason, ...]) -> str:
    return json.dumps([{"kind": reason.kind, "municipality": reason.municipality} for reason in reasons])


def _matter(row: NoticeRow, filing: Any, unrouted: tuple[Unrouted, ...]) -> Matter:
    return Matter(
        notice_id=row.notice_id,
        status=Status(row.status),
        version=row.version,
        revision=row.revision,
        filing=Filing.model_validate(filing),
        receipt=Receipt(Channel(row.channel), row.filed_by, row.arrived_at, row.registered_at),
        routing_version=row.routing_version,
        trace_id=row.trace_id,
        manual=tuple(row.manual),
        outcome=Outcome(row.outcome) if row.outcome else None,
        unrouted=unrouted,
        revised_at=row.revised_at,
    )


def _unrouted(row: UnroutedRow) -> Unrouted:
    return Unrouted(ReasonKind(row.kind), row.municipality or None, cast("Any", row.why))


def _is_one_of(column: Any, ids: Sequence[UUID]) -> ColumnElement[bool]:
    # One array, not one parameter for each: the statement stays the same, whatever the number.
    return cast("ColumnElement[bool]", column == any_(literal(list(ids), ARRAY(Uuid))))


def entry_of(row: Any) -> Entry:
    """Return the ledger entry that a row holds."""
    return Entry(
        authority=row.authority,
        office=row.office,
        mode=HandlingMode(row.mode),
        acting_authority=row.acting_authority,
        state=EntryState(row.state),
        reasons=tuple(Reason(kind=ReasonKind(one["kind"]), municipality=one["municipality"]) for one in row.reasons),
        version_sent=row.version_sent,
        revision_sent=row.revision_sent,
        sent_at=row.sent_at,
        store_by=row.store_by,
        acknowledge_by=row.acknowledge_by,
        version_stored=row.version_stored,
        revision_stored=row.revision_stored,
        stored_at=row.stored_at,
        acknowledged_at=row.acknowledged_at,
        decline_reason=DeclineReason(row.decline_reason) if row.decline_reason else None,
        case_outcome=Outcome(row.case_outcome) if row.case_outcome else None,
        case_closed_at=row.case_closed_at,
        escalated=row.escalated,
    )


# -- what advisory asks -----------------------------------------------------------------------------------------------


class ForAdvisory(Store):
    """What advisory may know of matters and of the work on them. No index serves it: a few thousand notices a year."""

    async def facts(self, business_id: str, authority: str) -> tuple[list[Fact], list[Withheld]]:
        """Return an employer's matters that concern an authority; of the others, that they are withheld.

        A plan that is not public can be inside information: to an authority that it does not concern not even its
        existence is told.
        """
        rows = await self._rows(
            "SELECT notice.notice_id, notice.status, notice.arrived_at, filing ->> 'kind' AS kind,"
            " coalesce(CAST(filing ->> 'not_public' AS boolean), false) AS not_public,"
            " EXISTS (SELECT FROM ledger_entry WHERE ledger_entry.notice_id = notice.notice_id"
            " AND authority = :authority AND state <> 'released') AS concerned"
            " FROM notice JOIN notice_revision USING (notice_id, revision)"
            " WHERE NOT waiting AND filing #>> '{employer,business_id}' = :business_id ORDER BY arrived_at, notice_id",
            authority=authority,
            business_id=business_id,
        )
        facts = [
            Fact(matter_id=row.notice_id, what=row.kind, state=row.status, at=row.arrived_at)
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
        """Return how many parts each authority took notice of or closed, by whoever acted."""
        rows = await self._rows(
            "SELECT acting_authority, count(*) AS n FROM (SELECT acting_authority, acknowledged_at AS at FROM ledger_entry"
            " UNION ALL SELECT acting_authority, case_closed_at FROM ledger_entry) AS act"
            " WHERE at >= :since AND at < :until GROUP BY 1 ORDER BY 1",
            since=since,
            until=until,
        )
        return [WorkDone(task="change_security", authority=row.acting_authority, acts=row.n) for row in rows]
