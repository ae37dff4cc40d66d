"""The list of notices, as JSON or CSV. Who sees what: as in `api`."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.change_security.domain.notice import NoticeState
from services.change_security.joint.lists_store import ListedNotice, NoticeList
from services.change_security.joint.models import NoticeLine
from services.change_security.lists import CSV_ROWS, IsCsv, TheFilters, listed
from shared.http.auth import Authorities, Caller, permit_officer, permit_system
from shared.http.reading import Cursor, Limit, Page, read_cursor
from shared.http.transactions import IdempotentRoute, ReadTx
from shared.identity import Officer, Role, System

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["notices"])


def reader(who: Caller, served: Authorities) -> Officer | System:
    """Return who may read notices: a system, or an officer of the region."""
    if isinstance(who, System):
        return permit_system(who, "notices:read", "notices:write")
    return permit_officer(who, served, Role.OFFICER, Role.COORDINATOR)


Reader = Annotated[Officer | System, Depends(reader)]


@router.get(
    "/notices",
    response_model=Page[NoticeLine],
    responses={200: {"content": {"text/csv": {}}, "description": "A page as JSON, or at most 10 000 rows as CSV."}},
)
async def list_notices(
    request: Request,
    who: Reader,
    tx: ReadTx,
    filters: TheFilters,
    is_csv: IsCsv,
    state: NoticeState | None = None,
    ready_to_close: Annotated[
        bool | None, Query(description="Whether every part is closed, and a coordinator is to close the notice.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List notices, newest first: a coordinator's all, an officer's those of the own authority, a system's own."""
    at_most = CSV_ROWS if is_csv else limit
    before = read_cursor(cursor, datetime.fromisoformat, UUID)
    rows = await NoticeList(tx).page(who, filters, state, at_most, before, ready_to_close=ready_to_close)
    sees_all = isinstance(who, System) or Role.COORDINATOR in who.roles

    def show(row: ListedNotice) -> NoticeLine:
        return NoticeLine.of(row, counted=sees_all or row.is_handled)

    page = Page.of(rows, at_most, lambda row: (row.registered_at, row.notice_id), show)
    return listed(request, page, NoticeLine, is_csv=is_csv)
