"""PostgreSQL: the engine of an office's database, statements that write many rows, and what counts as unavailable."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from operator import attrgetter, itemgetter
from typing import Any, Final, Generic, TypeVar

import asyncpg
from pydantic import TypeAdapter
from pydantic_core import to_json, to_jsonable_python
from sqlalchemy import Dialect, Text, TextClause, TypeDecorator, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel import SQLModel

from shared.errors import UnprocessableError
from shared.settings import ProcessSettings

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]
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


Row = TypeVar("Row")
Source = TypeVar("Source")


@dataclass(frozen=True)
class Bulk(Generic[Row]):
    """One statement that writes many rows at once, its columns bound as arrays and unnested.

    Attributes:
        sql: the statement; `{rows}` stands where the rows are read from, as `… FROM {rows}`.
        columns: column name → PostgreSQL type. `of` takes them from a table.
        attributes: column name → what is read from a row (`receipt.arrived_at`), where that is not the column's name.
        key: columns that identify a row. Of several staged rows with the same key one is kept, since one
            statement cannot touch a row twice.
        version: the column that says which of them is newest; without it the last one staged.
        unmatched: for a statement that returns a row for each one it found: why a record whose row was not found can
            never succeed.
    """

    sql: str
    columns: Mapping[str, str]
    attributes: Mapping[str, str] = field(default_factory=dict)
    key: Sequence[str] = ()
    version: str | None = None
    unmatched: str | None = None

    @cached_property
    def statement(self) -> TextClause:
        """The statement with its parameters bound."""
        arrays = ", ".join(f"CAST(:{name} AS {_array(kind)})" for name, kind in self.columns.items())
        reads = ", ".join(
            f"{name}::jsonb AS {name}" if kind == "jsonb" else name for name, kind in self.columns.items()
        )
        names = ", ".join(self.columns)
        source = f"(SELECT {reads} FROM unnest({arrays}) AS given({names})) AS rows"  # noqa: S608 - constants
        return text(self.sql.replace("{rows}", source))

    @cached_property
    def _values(self) -> Callable[[Row], tuple[Any, ...]]:
        read = attrgetter(*(self.attributes.get(name, name) for name in self.columns))
        return read if len(self.columns) > 1 else lambda row: (read(row),)

    def newest(self, rows: Iterable[Row]) -> list[tuple[Any, ...]]:
        """Return the values to write, in the order of the columns: those of one row for each key."""
        values = map(self._values, rows)
        if not self.key:
            return list(values)
        names = list(self.columns)
        place = itemgetter(*(names.index(name) for name in self.key))
        version = names.index(self.version) if self.version else None
        kept: dict[Any, tuple[Any, ...]] = {}
        for row in values:
            key = place(row)
            before = kept.get(key)
            if before is None or version is None or row[version] >= before[version]:
                kept[key] = row
        return list(kept.values())

    async def execute(self, connection: AsyncConnection, rows: Iterable[Row]) -> list[Any]:
        """Write the newest row of each key; return what the statement returns.

        Raises:
            UnprocessableError: a row was not found, and the statement says that this can never succeed.
        """
        chosen = self.newest(rows)
        if not chosen:
            return []
        arrays = {
            name: [_json(value) for value in values] if kind == "jsonb" else list(values)
            for (name, kind), values in zip(self.columns.items(), zip(*chosen, strict=True), strict=True)
        }
        result = await connection.execute(self.statement, arrays)
        written = list(result.all()) if result.returns_rows else []
        if self.unmatched is not None and len(written) < len(chosen):
            raise UnprocessableError(self.unmatched, "not-a-recipient")
        return written


def insert(
    table: type[SQLModel],
    _source: type[Source],
    *,
    columns: Sequence[str] = (),
    attributes: Mapping[str, str] | None = None,
    literals: Mapping[str, str] | None = None,
    replace: Sequence[str] | Mapping[str, str] | None = None,
    version: str | None = None,
    unless: str | None = None,
) -> Bulk[Source]:
    """Make the statement that inserts rows of a table, derived from its columns.

    Args:
        table: the table; its primary key identifies a row.
        _source: the type of what is staged, for the type checker.
        columns: those that are written; all, if none is named.
        attributes: as in `Bulk`.
        literals: columns that have the same SQL expression in every row, as `{"state": "'open'"}`.
        replace: what an existing row takes over: columns, or SQL expressions by column. None leaves an existing row as
            it is. An existing row is replaced by a newer version alone, if `version` is given.
        version: the column that says which row is newer.
        unless: an SQL condition that also allows a replacement, whatever the version.
    """
    made = table.__table__  # type: ignore[attr-defined]
    literals = literals or {}
    names = [name for name in (columns or made.columns.keys()) if name not in literals]
    key = tuple(made.primary_key.columns.keys())
    into = ", ".join([*names, *literals])
    values = ", ".join([*names, *literals.values()])
    sql = f"INSERT INTO {made.name} ({into}) SELECT {values} FROM {{rows}} ON CONFLICT "  # noqa: S608 - constants
    if replace is None:
        sql += "DO NOTHING"
    else:
        setting = replace if isinstance(replace, Mapping) else {name: f"excluded.{name}" for name in replace}
        sql += f"({', '.join(key)}) DO UPDATE SET " + ", ".join(f"{name} = {to}" for name, to in setting.items())
        if version is not None:
            sql += f" WHERE {made.name}.{version} < excluded.{version}" + (f" OR {unless}" if unless else "")
    return Bulk(sql, column_types(table, names), attributes or {}, key, version)


def column_types(table: type[SQLModel], names: Iterable[str]) -> dict[str, str]:
    """Return the PostgreSQL types of a table's columns, for a statement that is written by hand."""
    made = table.__table__  # type: ignore[attr-defined]
    return {name: str(made.columns[name].type.compile(dialect=_DIALECT)).lower() for name in names}


def _array(kind: str) -> str:
    # jsonb travels as text: an array of text needs no codec on the way.
    return "text[]" if kind == "jsonb" else f"{kind}[]"


def _json(value: Any) -> str | None:
    return None if value is None else to_json(value, exclude_none=True).decode()


class Json(TypeDecorator[Any]):
    """A jsonb column that holds a value of a type that pydantic can validate, and gives it back as that type."""

    impl = JSONB
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__(none_as_null=True)
        self.kind = kind

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.kind)

    def process_bind_param(self, value: Any, _: Dialect) -> Any:
        """Write the value as JSON."""
        return None if value is None else to_jsonable_python(value, exclude_none=True)

    def process_result_value(self, value: Any, _: Dialect) -> Any:
        """Read the value back."""
        return None if value is None else self._adapter.validate_python(value, strict=False)


class EnumText(TypeDecorator[Any]):
    """A text column that holds the values of an enum of strings, and gives them back as members."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, _: Dialect) -> str | None:
        """Write the member's value."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any, _: Dialect) -> StrEnum | None:
        """Read the member back."""
        return None if value is None else self.kind(value)
