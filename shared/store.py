"""What a service's store starts from: typed reads and statements on the transaction of a message or request.

Whatever runs here sees what is staged in the transaction: it is written first. Rows come back as the type they were
asked for, never as bare tuples.
"""

from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import TextClause, Update, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB, Insert
from sqlalchemy.sql.dml import Delete
from sqlmodel import SQLModel, select
from sqlmodel.sql.expression import SelectOfScalar

from shared.messaging.transaction import Transaction

Found = TypeVar("Found")
Row = TypeVar("Row", bound=SQLModel)


class Store:
    """Runs a service's queries in a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def _get(self, table: type[Row], *key: object, lock: bool = False) -> Row | None:
        """Return the row with a primary key; locked until the transaction ends, if asked."""
        await self._tx.flush()
        return await self._tx.session.get(
            table, key if len(key) > 1 else key[0], with_for_update=lock or None, populate_existing=True
        )

    async def _all(self, statement: SelectOfScalar[Found]) -> Sequence[Found]:
        await self._tx.flush()
        rows = await self._tx.session.scalars(statement.execution_options(populate_existing=True))
        return rows.all()

    async def _first(self, statement: SelectOfScalar[Found]) -> Found | None:
        rows = await self._all(statement)
        return rows[0] if rows else None

    async def _rows(self, table: type[Row], sql: str, **values: Any) -> Sequence[Row]:
        """Return rows of a table that a statement written by hand selects whole."""
        statement: Any = select(table).from_statement(_bound(sql, values))
        await self._tx.flush()
        return (await self._tx.session.scalars(statement, execution_options={"populate_existing": True})).all()

    async def _values(self, kind: type[Found], sql: str, **values: Any) -> list[Found]:
        """Return values of a type whose fields are the columns of a statement written by hand.

        A type that is no dataclass, named tuple or model is made of the single column: `int`, `UUID`, `str`.
        """
        await self._tx.flush()
        found = await self._tx.connection.execute(_bound(sql, values))
        if not (is_dataclass(kind) or hasattr(kind, "_fields") or hasattr(kind, "model_fields")):
            return list(found.scalars())
        return [kind(**row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name for it

    async def _run(self, statement: str | Insert | Update | Delete, **values: Any) -> int:
        """Run a statement; return how many rows it wrote."""
        await self._tx.flush()
        made = _bound(statement, values) if isinstance(statement, str) else statement
        result: Any = await self._tx.connection.execute(made)
        return int(result.rowcount)


def _bound(sql: str, values: dict[str, Any]) -> TextClause:
    """Bind values to a statement written by hand: models, mappings and lists of them travel as jsonb."""
    json = (dict, BaseModel)
    return text(sql).bindparams(
        *(
            bindparam(name, _plain(value), type_=JSONB)
            if isinstance(value, json) or (isinstance(value, list | tuple) and value and isinstance(value[0], json))
            else bindparam(name, value)
            for name, value in values.items()
        )
    )


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
