"""Rows in memory, for tests of commands: what is looked up by primary key, added, merged and deleted."""

from typing import Any
from uuid import uuid4

from opentelemetry.sdk.trace import TracerProvider
from sqlalchemy import inspect
from sqlmodel import SQLModel

from shared.clock import Clock
from shared.figures import Figures
from shared.messaging.transaction import Database, Transaction


class Rows:
    """Stands for a session. A query that no primary key answers fails: it is a matter for the real stack."""

    def __init__(self, *rows: SQLModel) -> None:
        self._rows = list(rows)

    async def get(self, table: type[SQLModel], key: Any, **_: Any) -> SQLModel | None:
        wanted = key if isinstance(key, tuple) else (key,)
        return next((row for row in self._rows if isinstance(row, table) and _key(row) == wanted), None)

    def add(self, row: SQLModel) -> None:
        self._rows.append(row)

    async def merge(self, row: SQLModel) -> None:
        self._rows = [other for other in self._rows if type(other) is not type(row) or _key(other) != _key(row)]
        self._rows.append(row)

    async def delete(self, row: SQLModel) -> None:
        self._rows.remove(row)

    async def flush(self) -> None:
        """Nothing waits here."""

    def of(self, table: type[SQLModel]) -> list[Any]:
        """Return the rows of a table, in the order in which they came."""
        return [row for row in self._rows if isinstance(row, table)]


def transaction_on(rows: Rows, office: str, clock: Clock) -> Transaction:
    """Return a transaction of an office that reads and writes these rows, and reaches no database."""
    nothing: Any = None
    tx = Transaction(nothing, Database(nothing, office, clock, TracerProvider().get_tracer("test")))
    session: Any = rows
    tx._session = session
    tx.begin(uuid4())
    tx.identity_map["agreement"] = Figures(None)  # none has come: what a service ships counts
    return tx


def _key(row: SQLModel) -> tuple[Any, ...]:
    return tuple(getattr(row, column.name) for column in inspect(type(row)).primary_key)
