"""Who called, in the city that keeps the caller: its officers see who asked; who was granted it reads it here."""

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.advisory.authority.callers_commands import CityCallers
from services.advisory.authority.callers_store import OwnCallerQueries
from services.advisory.domain.caller import QueryState
from services.advisory.domain.contact import MAX_TEXT, Person
from shared.errors import ForbiddenError
from shared.events.v1.advisory import ServiceName
from shared.http.auth import Caller, OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_cursor
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer
from shared.messaging.transaction import Database

router = APIRouter(
    prefix="/v1/caller-queries",
    route_class=IdempotentRoute,
    tags=["callers"],
)
TheCallers = Annotated[CityCallers, Depends(part(CityCallers))]
TheDatabase = Annotated[Database, Depends(part(Database))]


async def any_officer(who: Caller) -> Officer:
    """Return an officer of any authority of the region: what was granted decides, not where the officer works."""
    if not isinstance(who, Officer):
        raise ForbiddenError("officer-needed", "Only an officer may do this.")
    return who


AnyOfficer = Annotated[Officer, Depends(any_officer)]


class OwnCallerQueryOut(BaseModel):
    """Who asked who called, what for, and what became of it."""

    model_config = ConfigDict(from_attributes=True)

    request_id: UUID
    contact_id: UUID
    asked_by: str
    authority: str
    service: ServiceName | None
    purpose: str
    asked_at: datetime
    state: QueryState
    reason: str | None = Field(description="Why it is refused.")
    readable_until: datetime | None
    readings: int = Field(description="How often the caller was read.")
    last_read_at: datetime | None


class CallerReadOut(Person):
    """Who called, and what was written to the caller from this city."""

    answers: tuple[str, ...] = ()


class QueryRefusal(BaseModel):
    """Why a query is refused."""

    reason: str = Field(min_length=3, max_length=280, description="Passed on. Write no personal data.")


class LetterIn(BaseModel):
    """What is written to the caller."""

    text: str = Field(min_length=1, max_length=MAX_TEXT, description="Sent in the contact's language, from this city.")


@router.get("")
async def list_queries(
    _: OwnOfficer,
    tx: ReadTx,
    state: QueryState | None = None,
    contact_id: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[OwnCallerQueryOut]:
    """List who asked who called, newest first."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    rows = await OwnCallerQueries(tx).page(state, contact_id, after, limit)
    return Page.of(rows, limit, lambda row: (row.asked_at, row.request_id), OwnCallerQueryOut.model_validate)


@router.post("/{request_id}/refusal")
async def refuse(
    who: OwnOfficer, request_id: UUID, body: QueryRefusal, callers: TheCallers, tx: WriteTx
) -> OwnCallerQueryOut:
    """End what was granted: the caller is not read any more. Repeating it changes nothing."""
    return OwnCallerQueryOut.model_validate(await callers.refuse(tx, request_id, body.reason, who))


@router.post("/{request_id}/reading")
async def read_caller(who: AnyOfficer, request_id: UUID, callers: TheCallers, database: TheDatabase) -> CallerReadOut:
    """Read who called: for the officer who asked, while it is granted. Counted each time."""
    async with database.transaction(uuid4()) as tx:
        caller = await callers.read(tx, request_id, who)
    return CallerReadOut(**caller.person.model_dump(), answers=caller.answers)


@router.post("/{request_id}/letter")
async def write_letter(
    who: AnyOfficer, request_id: UUID, body: LetterIn, callers: TheCallers, tx: WriteTx
) -> OwnCallerQueryOut:
    """Write to the caller by e-mail: for the officer who asked, while it is granted."""
    return OwnCallerQueryOut.model_validate(await callers.write(tx, request_id, body.text, who))
