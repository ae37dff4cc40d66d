"""Letters by e-mail, at the joint office and in a city alike: what has not gone out and why; sent again, discarded."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from services.advisory.domain.letters import LetterKind, LetterState
from services.advisory.outgoing import LetterOut, Letters
from shared.http.auth import Authorities, Caller, permit_officer
from shared.http.reading import Cursor, Limit, Page, read_cursor
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer, Role

router = APIRouter(
    prefix="/v1/letters",
    route_class=IdempotentRoute,
    tags=["letters"],
)
ADDRESS: Final = r"^[^\s@<>,;:()\[\]\"\\]{1,64}@[A-Za-z0-9.-]{1,125}\.[A-Za-z]{2,24}$"


class _Group(StrEnum):
    COORDINATION = "coordination_group"


async def officer_or_operator(who: Caller, served: Authorities) -> Officer:
    """Return who looks after letters: an officer, for their words, or an operator, for the server."""
    return permit_officer(who, served, Role.OFFICER, Role.COORDINATOR, Role.OPERATOR)


async def letter_reader(who: Caller, served: Authorities) -> Officer:
    """Return who sees what has gone out: also the group that makes the announcements."""
    return permit_officer(who, served, Role.OFFICER, Role.COORDINATOR, Role.OPERATOR, _Group.COORDINATION)


OfficerOrOperator = Annotated[Officer, Depends(officer_or_operator)]
LetterReader = Annotated[Officer, Depends(letter_reader)]


class RetryIn(BaseModel):
    """That a letter is sent once more."""

    address: str | None = Field(
        default=None, max_length=200, pattern=ADDRESS, description="Of an answer: where it goes instead."
    )


class DiscardIn(BaseModel):
    """Why a letter is sent no more."""

    reason: str = Field(min_length=3, max_length=280, description="Kept. Write no personal data.")


@router.get("")
async def list_letters(
    _: LetterReader,
    tx: ReadTx,
    state: LetterState | None = None,
    kind: LetterKind | None = None,
    about: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[LetterOut]:
    """List letters by e-mail, oldest first: which have gone out, which have not and why."""
    rows = await Letters(tx).page(state, kind, read_cursor(cursor, datetime.fromisoformat, UUID), limit, about)
    return Page.of(rows, limit, lambda row: (row.written_at, row.letter_id), LetterOut.model_validate)


@router.post("/{letter_id}/retry")
async def retry(who: OfficerOrOperator, letter_id: UUID, body: RetryIn, tx: WriteTx) -> LetterOut:
    """Send a letter once more that failed, waits, or had no address."""
    return LetterOut.model_validate(await Letters(tx).retry(letter_id, body.address, who.actor))


@router.post("/{letter_id}/discard")
async def discard(who: OfficerOrOperator, letter_id: UUID, body: DiscardIn, tx: WriteTx) -> LetterOut:
    """Send a letter no more, with the reason: the caller was answered otherwise. Repeating it changes nothing."""
    return LetterOut.model_validate(await Letters(tx).discard(letter_id, body.reason, who.actor))
