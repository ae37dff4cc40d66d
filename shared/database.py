"""PostgreSQL: the engine of an office's database, statements that write many rows, and what counts as unavailable."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import asyncpg
from sqlalchemy import TextClause, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.settings import ProcessSettings

_UNAVAILABLE_SQLSTATES = ("08", "57P", "53300")
"""Connection failure, operator intervention (shutdown, starting up), too many connections."""

_KEEPALIVE = {"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""How soon the server gives up a client that has vanished, and with it its locks: another relay can then lead."""


def engine_for(settings: ProcessSettings, schema: str) -> AsyncEngine:
    """Make the engine of the office's database. Every name in a statement is looked up in `schema` alone."""
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql+asyncpg")
    return create_async_engine(
        url,
        pool_size=8,
        max_overflow=8,
        pool_pre_ping=False,
        connect_args={
            "timeout": 10,
            "command_timeout": settings.database_timeout_seconds,
            "server_settings": {
                **_KEEPALIVE,
                "search_path": schema,
                "application_name": f"{schema}.{settings.office}",
                "jit": "off",
                "TimeZone": "UTC",
            },
        },
    )


def is_unavailable(error: BaseException) -> bool:
    """Whether the database could not be reached, so that the work itself was not judged and must be tried again."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        sqlstate = str(getattr(error.orig, "sqlstate", None) or "")
        if sqlstate.startswith(_UNAVAILABLE_SQLSTATES):
            return True
        cause = error.orig.__cause__ if error.orig is not None else None
        return cause is not None and is_unavailable(cause)
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate or "").startswith(_UNAVAILABLE_SQLSTATES)
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError)


@dataclass(frozen=True)
class Bulk:
    """One statement that writes many rows at once, its columns bound as arrays and unnested.

    Attributes:
        sql: the statement; `{rows}` stands where the rows are read from, as `… FROM {rows}`.
        columns: column name → PostgreSQL type, in the order of a row.
        key: columns that identify a row. Of several staged rows with the same key one is kept, since one
            statement cannot touch a row twice.
        version: the column that says which of them is newest; without it the last one staged.
        unmatched: for a statement that returns a row for each one it found: why a record whose row was not found can
            never succeed.
    """

    sql: str
    columns: Mapping[str, str]
    key: Sequence[str] = ()
    version: str | None = None
    unmatched: str | None = None

    @cached_property
    def statement(self) -> TextClause:
        """The statement with its parameters bound."""
        arrays = ", ".join(f"CAST(:{name} AS {_array(kind)})" for name, kind in self.columns.items())
        reads = ", ".join(self._read(name) for name in self.columns)
        names = ", ".join(self.columns)
        source = f"(SELECT {reads} FROM unnest({arrays}) AS given({names})) AS rows"  # noqa: S608 - constants
        return text(self.sql.replace("{rows}", source))

    def _read(self, name: str) -> str:
        return f"{name}::jsonb AS {name}" if self.columns[name] == "jsonb" else name

    def newest(self, rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Return the rows to write: one for each key."""
        if not self.key:
            return list(rows)
        names = list(self.columns)
        places = [names.index(name) for name in self.key]
        version = names.index(self.version) if self.version else None
        kept: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for row in rows:
            key = tuple(row[place] for place in places)
            before = kept.get(key)
            if before is None or version is None or row[version] >= before[version]:
                kept[key] = row
        return list(kept.values())

    async def execute(self, connection: AsyncConnection, rows: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Write the newest row of each key; return what the statement returns."""
        return await self.write(connection, self.newest(rows))

    async def write(self, connection: AsyncConnection, chosen: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Write rows of which no two have the same key; return what the statement returns."""
        if not chosen:
            return []
        arrays = dict(zip(self.columns, map(list, zip(*chosen, strict=True)), strict=True))
        result = await connection.execute(self.statement, arrays)
        return list(result.all()) if result.returns_rows else []


def _array(kind: str) -> str:
    # jsonb travels as text: an array of text needs no codec on the way.
    return "text[]" if kind == "jsonb" else f"{kind}[]"
