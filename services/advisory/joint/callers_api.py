"""Who called, at the joint office: answered by a logged query with a purpose, or asked of the city that keeps it."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response

from services.advisory.joint.callers_commands import JointCallers
from services.advisory.joint.models import CallerAskedOut, CallerOut, PurposeIn, QueryOut
from services.advisory.joint.store import Contacts
from shared.errors import ForbiddenError
from shared.http.auth import OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx
from shared.messaging.transaction import Database

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["contacts"])
TheCallers = Annotated[JointCallers, Depends(part(JointCallers))]
TheDatabase = Annotated[Database, Depends(part(Database))]


@router.post("/contacts/{contact_id}/caller-queries", status_code=201, responses={202: {"model": CallerAskedOut}})
async def ask_caller(
    response: Response, who: OwnOfficer, contact_id: UUID, body: PurposeIn, callers: TheCallers, database: TheDatabase
) -> CallerOut | CallerAskedOut:
    """Ask who called and what was written back, with a purpose. Logged each time, whether answered or refused.

    202: the city that took the contact in is asked; the officer reads the caller there once it is granted.
    """
    async with database.transaction(uuid4()) as tx:
        answer = await callers.ask(tx, contact_id, who, body.purpose, body.service)
    # Committed: a refusal is in the log too.
    if answer.query.request_id is not None and answer.query.asked_of is not None:
        response.status_code = 202
        response.headers["Location"] = f"/v1/caller-queries/{answer.query.request_id}"
        return CallerAskedOut(request_id=answer.query.request_id, asked_of=answer.query.asked_of)
    if answer.person is None:
        raise ForbiddenError("not-concerned", "The contact is another authority's.")
    response.headers["Location"] = f"/v1/contacts/{contact_id}/caller-queries"
    return CallerOut(**answer.person.model_dump(), answers=answer.answers, source_reference=answer.source_reference)


@router.get("/contacts/{contact_id}/caller-queries")
async def list_queries(
    _: OwnOfficer, contact_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[QueryOut]:
    """List who asked who called, why, and what the city answered that was asked."""
    rows = await Contacts(tx).queries(contact_id, read_single_cursor(cursor, int), limit)
    return Page.of(rows, limit, lambda row: (row.query_id,), QueryOut.model_validate)


@router.get("/caller-queries/{request_id}", response_model=QueryOut)
async def read_query(request: Request, _: OwnOfficer, request_id: UUID, callers: TheCallers, tx: ReadTx) -> Response:
    """Read what a city has answered to a query: until when the caller can be read there, or why not."""
    return tagged(request, QueryOut.model_validate(await callers.read(tx, request_id)))
