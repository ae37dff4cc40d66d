"""Parking: what cannot be handled waits in the office's own database, and nothing is lost.

A parked record holds back later records of the same key on the same topic, never other keys, never other offices.
Those wait as `held` behind it, in order. Topic and key together are the ordering key.
Replay and discard are an operator's acts: each has a reason and is audited.
"""

import base64
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import Bulk
from shared.events.envelope import derived_id
from shared.messaging.codec import Headers

HELD_BACK: Final = "held-back"
"""The code of a record that waits behind a parked one and has not been judged itself."""

ParkedState = Literal["parked", "held", "replayed", "discarded"]
"""Where a parked record stands; the column is named `status`."""

OrderingKey = tuple[str, bytes]
"""Topic and key: the records that must keep their order."""


class Record(NamedTuple):
    """One Kafka record, as received."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Headers
    value: bytes | None
    timestamp: datetime
    """When Kafka had it; on topics that other systems write, the broker's own clock."""

    @property
    def ordering_key(self) -> OrderingKey | None:
        """Which records this one keeps its order with. None without a key."""
        return None if self.key is None else (self.topic, self.key)

    @property
    def id(self) -> UUID:
        """The parked record's id: the same record always parks as the same row."""
        return derived_id("parked", self.topic, self.partition, self.offset)


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record that waits for an operator. The payload is not shown here."""

    id: UUID
    topic: str
    partition: int
    offset: int
    type: str | None
    code: str
    detail: str
    attempts: int
    state: ParkedState
    parked_at: datetime
    resolved_at: datetime | None


class _ParkedRow(NamedTuple):
    id: UUID
    topic: str
    partition: int
    at_offset: int
    key: bytes | None
    headers: list[list[str]]
    payload: bytes | None
    recorded_at: datetime
    type: str | None
    code: str
    detail: str
    attempts: int
    status: str


_PARK = Bulk[_ParkedRow](
    """
    INSERT INTO parked (id, topic, partition, "offset", key, headers, payload, recorded_at, type, code, detail,
                        attempts, status)
    SELECT id, topic, partition, at_offset, key, headers, payload, recorded_at, type, code, detail, attempts, status
    FROM {rows}
    ON CONFLICT (topic, partition, "offset") DO NOTHING
    RETURNING id, code
    """,
    {
        "id": "uuid",
        "topic": "text",
        "partition": "integer",
        "at_offset": "bigint",
        "key": "bytea",
        "headers": "jsonb",
        "payload": "bytea",
        "recorded_at": "timestamptz",
        "type": "text",
        "code": "text",
        "detail": "text",
        "attempts": "integer",
        "status": "text",
    },
    key=("topic", "partition", "at_offset"),
)

_COLUMNS = 'id, topic, partition, "offset", type, code, detail, attempts, status, parked_at, resolved_at'


class Parking:
    """The parked records of one service in one office's database, on one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def held_keys(self, keys: Collection[OrderingKey]) -> set[OrderingKey]:
        """Return which of these keys have an open parked record, so that later records must wait behind it.

        When there is one, its key is locked until the transaction ends: a replay that is just emptying it cannot
        finish between this answer and the new record's arrival behind it.
        """
        held = await self._open_keys(keys)
        if not held:
            return held
        for key in sorted(held):
            await self.lock(key)
        return await self._open_keys(keys)

    async def _open_keys(self, wanted: Collection[OrderingKey]) -> set[OrderingKey]:
        if not wanted:
            return set()
        topics, keys = zip(*wanted, strict=True)
        rows = await self._connection.execute(
            text(
                "SELECT DISTINCT topic, key FROM parked JOIN"
                " unnest(CAST(:topics AS text[]), CAST(:keys AS bytea[])) AS wanted(topic, key) USING (topic, key)"
                " WHERE status IN ('parked', 'held')"
            ),
            {"topics": list(topics), "keys": list(keys)},
        )
        return {(row.topic, bytes(row.key)) for row in rows}

    async def lock(self, ordering_key: OrderingKey) -> None:
        """Lock an ordering key against a concurrent replay until the transaction ends."""
        topic, key = ordering_key
        await self._connection.execute(
            text(
                "SELECT pg_advisory_xact_lock(hashtext(current_schema() || CAST(:topic AS text)),"
                " hashtext(encode(CAST(:key AS bytea), 'hex')))"
            ),
            {"topic": topic, "key": key},
        )

    async def open_count(self) -> int:
        """Return how many records wait."""
        count = await self._connection.execute(text("SELECT count(*) FROM parked WHERE status IN ('parked', 'held')"))
        return int(count.scalar_one())

    async def park(
        self, rows: Iterable[tuple[Record, str | None, str, str, int]], state: ParkedState = "parked"
    ) -> dict[UUID, str]:
        """Park records with (record, type, code, detail, attempts). Parking the same record twice changes nothing.

        Returns:
            the codes of those that were not parked before, by the parked record's id.
        """
        written = await _PARK.execute(
            self._connection,
            [
                _ParkedRow(
                    record.id,
                    record.topic,
                    record.partition,
                    record.offset,
                    record.key,
                    _headers_to_json(record.headers),
                    record.value,
                    record.timestamp,
                    kind.replace("\0", "") if kind else None,  # PostgreSQL's text holds no NUL
                    code,
                    detail,
                    attempts,
                    state,
                )
                for record, kind, code, detail, attempts in rows
            ],
        )
        return {row.id: row.code for row in written}

    async def page(
        self, *, state: ParkedState | None, limit: int, after: tuple[datetime, UUID] | None = None
    ) -> list[ParkedRecord]:
        """Return parked records, oldest first."""
        rows = await self._connection.execute(
            text(
                f"SELECT {_COLUMNS} FROM parked"  # noqa: S608 - a constant
                " WHERE (CAST(:state AS text) IS NULL OR status = :state)"
                " AND (CAST(:at AS timestamptz) IS NULL OR (parked_at, id) > (:at, CAST(:id AS uuid)))"
                " ORDER BY parked_at, id LIMIT :limit"
            ),
            {"state": state, "limit": limit, "at": after[0] if after else None, "id": after[1] if after else None},
        )
        return [ParkedRecord(*row) for row in rows]

    async def get(self, parked_id: UUID) -> ParkedRecord | None:
        """Return one parked record."""
        row = (
            await self._connection.execute(
                text(f"SELECT {_COLUMNS} FROM parked WHERE id = :id"),  # noqa: S608 - a constant
                {"id": parked_id},
            )
        ).one_or_none()
        return ParkedRecord(*row) if row else None

    async def payload(self, parked_id: UUID) -> bytes | None:
        """Return a parked record's payload; None when it was erased, or never had one."""
        found = await self._connection.execute(text("SELECT payload FROM parked WHERE id = :id"), {"id": parked_id})
        payload = found.scalar_one_or_none()
        return None if payload is None else bytes(payload)

    async def parked_for(self, code: str, topic: str | None, limit: int) -> list[UUID]:
        """Return the records that wait for an operator for one reason, oldest first."""
        rows = await self._connection.execute(
            text(
                "SELECT id FROM parked WHERE status = 'parked' AND code = :code"
                " AND (CAST(:topic AS text) IS NULL OR topic = :topic) ORDER BY parked_at, id LIMIT :limit"
            ),
            {"code": code, "topic": topic, "limit": limit},
        )
        return list(rows.scalars())

    async def groups(self) -> list[dict[str, Any]]:
        """Return how many records wait, by topic and reason."""
        rows = await self._connection.execute(
            text(
                "SELECT topic, code, count(*) AS count, min(parked_at) AS oldest FROM parked"
                " WHERE status IN ('parked', 'held') GROUP BY topic, code ORDER BY topic, code"
            )
        )
        return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it

    async def take(self, parked_id: UUID) -> Record | None:
        """Lock an open parked record for a replay or discard; return it, or None if it is not open."""
        row = (
            await self._connection.execute(
                text(
                    'SELECT topic, partition, "offset", key, headers, payload, recorded_at FROM parked'
                    " WHERE id = :id AND status IN ('parked', 'held') FOR UPDATE"
                ),
                {"id": parked_id},
            )
        ).one_or_none()
        if row is None:
            return None
        return Record(row[0], row[1], row[2], row[3], _headers_from_json(row[4]), row[5], row[6])

    async def first_open(self, record: Record) -> UUID | None:
        """Return the open record that this record's key must continue with: the earliest of its partition."""
        if record.key is None:
            return None
        row = await self._connection.execute(
            text(
                "SELECT id FROM parked WHERE key = :key AND topic = :topic AND status IN ('parked', 'held')"
                ' ORDER BY partition, "offset" LIMIT 1'
            ),
            {"key": record.key, "topic": record.topic},
        )
        return row.scalar_one_or_none()

    async def resolve(
        self, parked_id: UUID, state: Literal["replayed", "discarded"], *, erase_codes: Collection[str] = ()
    ) -> None:
        """Close a parked record. If it was parked with one of `erase_codes`, its payload is erased."""
        await self._connection.execute(
            text(
                "UPDATE parked SET status = :state, resolved_at = now(),"
                " payload = CASE WHEN code = ANY(CAST(:erase AS text[])) THEN NULL ELSE payload END"
                " WHERE id = :id"
            ),
            {"id": parked_id, "state": state, "erase": list(erase_codes)},
        )

    async def failed_again(self, parked_id: UUID, code: str, detail: str) -> bool:
        """Keep a record parked after a replay that failed, with the new reason.

        Returns:
            whether it was judged for the first time: until now it was only held behind another.
        """
        rows = await self._connection.execute(
            text(
                "WITH before AS (SELECT id, code FROM parked WHERE id = :id FOR UPDATE)"
                " UPDATE parked SET attempts = attempts + 1, code = :code, detail = :detail, status = 'parked'"
                " FROM before WHERE parked.id = before.id RETURNING before.code"
            ),
            {"id": parked_id, "code": code, "detail": detail},
        )
        return rows.scalar_one_or_none() == HELD_BACK

    async def audit(self, parked_id: UUID, act: str, outcome: str, actor: str, reason: str) -> None:
        """Write down who did what to a parked record, and why."""
        await self._connection.execute(
            text(
                "INSERT INTO parking_act (parked_id, act, outcome, actor, reason)"
                " VALUES (:id, :act, :outcome, :actor, :reason)"
            ),
            {"id": parked_id, "act": act, "outcome": outcome, "actor": actor, "reason": reason},
        )

    async def audit_trail(self, parked_id: UUID, after: int | None, limit: int) -> list[dict[str, Any]]:
        """Return what operators did to a parked record, oldest first."""
        rows = await self._connection.execute(
            text(
                "SELECT id, act, outcome, actor, reason, at FROM parking_act"
                " WHERE parked_id = :parked_id AND id > :after ORDER BY id LIMIT :limit"
            ),
            {"parked_id": parked_id, "after": after or 0, "limit": limit},
        )
        return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def _headers_to_json(headers: Headers) -> list[list[str]]:
    return [[name, base64.b64encode(value or b"").decode()] for name, value in headers]


def _headers_from_json(value: Any) -> Headers:
    return [(name, base64.b64decode(encoded)) for name, encoded in value]
