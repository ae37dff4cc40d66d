"""The classification of occupations that an office imported: which ISCO-08 group a single occupation lies in."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from sqlalchemy import MetaData, Text
from sqlmodel import Field, SQLModel, col, select

from services.placement.domain import occupation as occupations
from services.placement.domain.occupation import Concept
from shared.database import Bulk, column_types
from shared.events.v1.change_security import Occupation
from shared.messaging.transaction import Transaction
from shared.store import Store

metadata = MetaData()
"""Of what both sides have."""


class ConceptRow(SQLModel, table=True):
    """An occupation of ESCO or FINESCO, by its URI."""

    metadata: ClassVar[MetaData] = metadata
    __tablename__ = "occupation_concept"

    uri: str = Field(sa_type=Text, primary_key=True)
    isco: str = Field(sa_type=Text)
    label: str | None = Field(default=None, sa_type=Text, nullable=True)


_CONCEPT = Bulk[Concept](
    "INSERT INTO occupation_concept (uri, isco, label) SELECT uri, isco, label FROM {rows}"
    " ON CONFLICT (uri) DO UPDATE SET isco = excluded.isco, label = excluded.label",
    column_types(ConceptRow, ConceptRow.model_fields),
    key=("uri",),
)


class Classification(Store):
    """The imported classification."""

    def put(self, concept: Concept) -> None:
        """Write an occupation, new or changed."""
        self._tx.stage(_CONCEPT, concept)

    async def groups(self, uris: Iterable[str]) -> Mapping[str, str]:
        """Return the ISCO-08 groups of the occupations that are known, by URI."""
        rows = await self._all(select(ConceptRow).where(col(ConceptRow.uri).in_(set(uris))))
        return {row.uri: row.isco for row in rows}


async def checked_group(tx: Transaction, occupation: Occupation, pointer: str) -> str:
    """Return the ISCO-08 group of an occupation that somebody can be looked for by.

    Raises:
        RefusedError: as `domain.occupation.checked`.
    """
    return occupations.checked(occupation, await group_of(tx, occupation), pointer)


async def group_of(tx: Transaction, occupation: Occupation) -> str:
    """Return the ISCO-08 group of an occupation; empty when neither its code nor the classification says one."""
    uri = occupations.concept_uri(occupation)
    if uri is None:
        return occupations.isco(occupation)
    return (await Classification(tx).groups([uri])).get(uri, "")
