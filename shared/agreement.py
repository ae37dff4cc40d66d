"""The agreement in a service's own store: its table, and the handler that keeps the newest edition.

A service reads it in the transaction that decides, so that a figure counts from its day on, without a restart.
"""

from datetime import datetime
from typing import ClassVar, Final

from sqlalchemy import Column, DateTime, MetaData, Text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col

from shared.database import Json
from shared.events.v1.agreement import AgreementPublished
from shared.figures import Figures
from shared.messaging.transaction import Transaction
from shared.store import Store

_READ: Final = "agreement"


class AgreementRow(SQLModel, table=True):
    """The newest edition of the agreement that has come: one row."""

    metadata: ClassVar[MetaData] = MetaData()
    __tablename__ = "agreement"

    subject: str = Field(sa_type=Text, primary_key=True)
    edition: int
    published: AgreementPublished = Field(sa_column=Column(Json(AgreementPublished), nullable=False))
    received_at: datetime = Field(sa_type=DateTime(timezone=True))


DDL: Final = """
    CREATE TABLE agreement (
        subject text PRIMARY KEY,
        edition integer NOT NULL,
        published jsonb NOT NULL,
        received_at timestamptz NOT NULL
    )
    """
"""A service's migrations create this."""


class Agreements(Store):
    """The agreement as this service knows it."""

    async def figures(self) -> Figures:
        """Return the figures of the newest edition; read once in a transaction."""
        if _READ not in self._tx.identity_map:
            row = await self._get(AgreementRow, "agreement")
            self._tx.identity_map[_READ] = Figures(row.published if row is not None else None)
        figures: Figures = self._tx.identity_map[_READ]
        return figures

    async def lock(self) -> Figures:
        """Return the figures, locked until the transaction ends: the next edition is made of them."""
        row = await self._get(AgreementRow, "agreement", lock=True)
        return Figures(row.published if row is not None else None)

    async def keep(self, published: AgreementPublished) -> None:
        """Keep an edition; an older one, or the same again, changes nothing."""
        made = insert(AgreementRow).values(
            subject=published.subject,
            edition=published.edition,
            published=published,
            received_at=self._tx.clock.now(),
        )
        taken = {name: made.excluded[name] for name in ("edition", "published", "received_at")}
        is_newer = col(AgreementRow.edition) < made.excluded.edition
        await self._run(made.on_conflict_do_update(index_elements=["subject"], set_=taken, where=is_newer))
        self._tx.identity_map.pop(_READ, None)


async def keep_agreement(event: AgreementPublished, tx: Transaction) -> None:
    """Keep an edition of the agreement: what is decided from now on follows it."""
    await Agreements(tx).keep(event)
