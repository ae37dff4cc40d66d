"""The queries of a city's officers who handle change security."""

from collections.abc import Sequence
from typing import Final

from sqlmodel import col, select

from services.change_security.authority.tables import OwnSpecialistRow
from shared.database import insert
from shared.store import Store

_SPECIALIST: Final = insert(OwnSpecialistRow, OwnSpecialistRow, replace=("listed",))


class OwnSpecialists(Store):
    """The city's officers who handle change security."""

    async def get(self, officer: str) -> OwnSpecialistRow | None:
        """Return an officer's listing, locked."""
        return await self._get(OwnSpecialistRow, officer, lock=True)

    def put(self, row: OwnSpecialistRow) -> None:
        """Write an officer's listing."""
        self._tx.stage(_SPECIALIST, row)

    async def page(self, after: str | None, limit: int) -> Sequence[OwnSpecialistRow]:
        """Return listings, by officer."""
        officer = col(OwnSpecialistRow.officer)
        query = select(OwnSpecialistRow).order_by(officer).limit(limit)
        return await self._all(query if after is None else query.where(officer > after))
