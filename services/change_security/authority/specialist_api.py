"""A city's API of its officers who handle change security."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import ConfigDict

from services.change_security.authority.specialist_commands import CitySpecialists
from services.change_security.authority.specialist_store import OwnSpecialists
from services.change_security.domain.handling import SpecialistProfile
from shared.http.auth import Coordinator, OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_single_cursor
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx

router = APIRouter(
    prefix="/v1/specialists",
    route_class=IdempotentRoute,
    tags=["joint matters"],
)
TheSpecialists = Annotated[CitySpecialists, Depends(part(CitySpecialists))]


class OwnSpecialistOut(SpecialistProfile):
    """An officer who handles change security, by the token issuer's opaque subject."""

    model_config = ConfigDict(from_attributes=True)

    officer: str


@router.put("/{officer}")
async def put_specialist(
    _: Coordinator,
    officer: Annotated[str, Path(max_length=200)],
    body: SpecialistProfile,
    specialists: TheSpecialists,
    tx: WriteTx,
) -> OwnSpecialistOut:
    """Say in which languages an officer handles change security, for how much of a year, and when absent."""
    return OwnSpecialistOut.model_validate(await specialists.put(tx, officer, body))


@router.get("")
async def list_specialists(
    _: OwnOfficer, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[OwnSpecialistOut]:
    """List the officers who handle change security."""
    rows = await OwnSpecialists(tx).page(read_single_cursor(cursor, str), limit)
    return Page.of(rows, limit, lambda row: (row.officer,), lambda row: OwnSpecialistOut.model_validate(row.listed))
