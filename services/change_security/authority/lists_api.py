"""The list of a city's cases, as JSON or CSV."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.change_security.authority.lists_store import CaseList
from services.change_security.authority.models import CaseLine
from services.change_security.domain.case import CaseState
from services.change_security.lists import CSV_ROWS, IsCsv, TheFilters, listed
from shared.http.auth import OwnOfficer
from shared.http.reading import Cursor, Limit, Page, read_cursor
from shared.http.transactions import IdempotentRoute, ReadTx

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["cases"])


@router.get(
    "/cases",
    response_model=Page[CaseLine],
    responses={200: {"content": {"text/csv": {}}, "description": "A page as JSON, or at most 10 000 rows as CSV."}},
)
async def list_cases(
    request: Request,
    who: OwnOfficer,
    tx: ReadTx,
    filters: TheFilters,
    is_csv: IsCsv,
    state: CaseState | None = None,
    specialist: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List this authority's cases, newest first."""
    at_most = CSV_ROWS if is_csv else limit
    before = read_cursor(cursor, datetime.fromisoformat, UUID)
    rows = await CaseList(tx).page(who.subject, filters, state, specialist, at_most, before)
    page = Page.of(rows, at_most, lambda row: (row.stored_at, row.notice_id), CaseLine.of)
    return listed(request, page, CaseLine, is_csv=is_csv)
