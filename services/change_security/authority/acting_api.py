"""A city's API of acting for another: asking, consenting, ending, and the acts in its cases."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status

from services.change_security.authority.acting_models import ActingIn, AnswerIn, CaseActOut, EndIn
from services.change_security.authority.acting_store import CaseActs, OwnActings
from services.change_security.authority.case_officers import CaseReader, OwnCaseOfficer, TheActing
from services.change_security.authority.tables import CaseActRow, OwnActingRow
from services.change_security.domain.acting import CaseOfficer
from services.change_security.models import ActingOut
from shared.errors import UnknownError
from shared.events.v1.change_security import ActingState
from shared.http.auth import Caller, OwnOfficer, permit_officer
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Role
from shared.messaging.transaction import Transaction

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["acting"])


@router.post("/cases/{notice_id}/acting", status_code=status.HTTP_201_CREATED)
async def ask(
    by: OwnCaseOfficer, notice_id: UUID, body: ActingIn, acting: TheActing, tx: WriteTx, response: Response
) -> ActingOut:
    """Ask to act in another authority's part, or offer the own part to another. The other one answers."""
    row = await acting.ask(tx, notice_id, body.competent_authority, body.acting_authority, body.reason, by)
    response.headers["Location"] = f"/v1/acting/{row.acting_id}"
    return _shown(row, tx)


@router.get("/acting")
async def list_acting(
    _: OwnOfficer,
    tx: ReadTx,
    state: ActingState | None = None,
    notice_id: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ActingOut]:
    """List what was asked of this authority and by it, what is in force, and what has ended, oldest first."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    rows = await OwnActings(tx).page(state, notice_id, limit, after)
    return Page.of(rows, limit, lambda row: (row.asked_at, row.acting_id), lambda row: _shown(row, tx))


@router.get("/acting/{acting_id}", response_model=ActingOut)
async def read_acting(request: Request, _: OwnOfficer, acting_id: UUID, tx: ReadTx) -> Response:
    """Read one: what was asked, by whom, and how far it is."""
    row = await OwnActings(tx).read(acting_id)
    if row is None:
        raise UnknownError("acting for another")
    return tagged(request, _shown(row, tx))


@router.post("/acting/{acting_id}/answer")
async def answer(by: OwnCaseOfficer, acting_id: UUID, body: AnswerIn, acting: TheActing, tx: WriteTx) -> ActingOut:
    """Consent, or refuse: the authority that was asked. Repeating the answer changes nothing."""
    return _shown(await acting.answer(tx, acting_id, by, body.reason, accepted=body.accepted), tx)


@router.post("/acting/{acting_id}/end")
async def end(who: Caller, acting_id: UUID, body: EndIn, acting: TheActing, tx: WriteTx) -> ActingOut:
    """End it, or take a request back, at once: either side, at its own city or at the competent one."""
    officer = permit_officer(who, acting.network, Role.OFFICER, Role.COORDINATOR)
    by = CaseOfficer(officer.subject, officer.authority)
    return _shown(await acting.end(tx, acting_id, by, body.reason), tx)


@router.get("/cases/{notice_id}/acts")
async def list_acts(
    _: CaseReader, notice_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[CaseActOut]:
    """List what officers did in a case, newest first: for which authority, and on what ground."""
    rows = await CaseActs(tx).page(notice_id, limit, read_single_cursor(cursor, int))
    return Page.of(rows, limit, _place, CaseActOut.of)


@router.get("/acts")
async def list_all_acts(
    _: OwnOfficer,
    tx: ReadTx,
    *,
    of_others: Annotated[bool, Query(description="Those of other authorities' officers alone.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CaseActOut]:
    """List what officers did in all cases of this authority, newest first."""
    rows = await CaseActs(tx).page(None, limit, read_single_cursor(cursor, int), of_others=of_others)
    return Page.of(rows, limit, _place, CaseActOut.of)


def _place(row: CaseActRow) -> tuple[int | None]:
    return (row.id,)


def _shown(row: OwnActingRow, tx: Transaction) -> ActingOut:
    return ActingOut.of(row.notice_id, row.acting, tx.clock.now())
