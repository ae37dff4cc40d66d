"""The routes by which officers accept or reject what advisory hands over to a service, and look after its drafts.

How a draft is completed is each service's own: its filing, its vacancy, its proposal.
"""

import json
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from shared.errors import UnknownError
from shared.handover.commands import JointHandOvers
from shared.handover.store import Drafts, HandOvers
from shared.handover.tables import DraftRow, DraftState, HandOverState
from shared.http.auth import OwnOfficer, part
from shared.http.reading import Cursor, IfMatch, Limit, Page, check_match, read_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx

router = APIRouter(prefix="/v1/hand-overs", tags=["hand-overs"], route_class=IdempotentRoute)
drafts = APIRouter(prefix="/v1/drafts", tags=["hand-overs"], route_class=IdempotentRoute)
TheHandOvers = Annotated[JointHandOvers, Depends(part(JointHandOvers))]
Completion = TypeVar("Completion", bound=BaseModel)


class HandOverView(BaseModel):
    """A matter that advisory hands over."""

    model_config = ConfigDict(from_attributes=True)

    hand_over_id: UUID
    contact_id: UUID
    topic: str
    language: str
    municipality: str | None
    business_id: str | None
    from_authority: str
    due_at: datetime
    state: HandOverState
    matter_id: UUID | None
    draft_id: UUID | None
    why: str | None = Field(description="Why advisory hands it over.")
    reason: str | None = Field(description="Why it was rejected here.")


class DraftView(BaseModel):
    """The draft of a matter. `content`: what is known, as the completion takes it; the caller is asked of advisory."""

    model_config = ConfigDict(from_attributes=True)

    draft_id: UUID
    hand_over_id: UUID
    contact_id: UUID
    content: dict[str, Any]
    reason: str | None = Field(description="Why advisory handed it over.")
    due_at: datetime
    made_at: datetime
    saved_at: datetime | None = Field(description="When an officer last saved it.")
    saved_by: str | None
    state: DraftState
    matter_id: UUID | None = Field(description="What it became here.")
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None


def _storable(content: dict[str, JsonValue]) -> dict[str, JsonValue]:
    # Python reads what no JSON store takes: NaN, and half of a surrogate pair. Either raises a ValueError here.
    json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    return content


class DraftContent(BaseModel):
    """What an officer has filled in so far, as the completion takes it. It may lack anything."""

    content: Annotated[dict[str, JsonValue], AfterValidator(_storable)]


class Acceptance(BaseModel):
    """That an officer takes the matter, and what it became here, once that is known."""

    matter_id: UUID | None = None


class Rejection(BaseModel):
    """Why an officer does not take the matter."""

    reason: str = Field(min_length=3, max_length=280, description="Passed on to advisory. Write no personal data.")


@router.get("")
async def list_hand_overs(
    _: OwnOfficer,
    tx: ReadTx,
    state: HandOverState | None = None,
    topic: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[HandOverView]:
    """List matters that advisory hands over, ordered by due date."""
    rows = await HandOvers(tx).page(state, topic, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.due_at, row.hand_over_id), HandOverView.model_validate)


@router.post("/{hand_over_id}/acceptance")
async def accept(
    who: OwnOfficer, hand_over_id: UUID, body: Acceptance, hand_overs: TheHandOvers, tx: WriteTx
) -> HandOverView:
    """Take the matter. Repeating it changes nothing."""
    return HandOverView.model_validate(await hand_overs.accept(tx, hand_over_id, who.actor, body.matter_id))


@router.post("/{hand_over_id}/rejection")
async def reject(
    who: OwnOfficer, hand_over_id: UUID, body: Rejection, hand_overs: TheHandOvers, tx: WriteTx
) -> HandOverView:
    """Do not take the matter: it goes back to advisory, with the reason."""
    return HandOverView.model_validate(await hand_overs.reject(tx, hand_over_id, who.actor, body.reason))


@drafts.get("")
async def list_drafts(
    _: OwnOfficer, tx: ReadTx, state: DraftState | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[DraftView]:
    """List drafts, ordered by the time when advisory expects an answer."""
    rows = await Drafts(tx).page(state, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.due_at, row.draft_id), DraftView.model_validate)


@drafts.get("/{draft_id}", response_model=DraftView)
async def read_draft(request: Request, _: OwnOfficer, draft_id: UUID, tx: ReadTx) -> Response:
    """Read a draft."""
    row = await Drafts(tx).lock(draft_id)
    if row is None:
        raise UnknownError("draft")
    return tagged(request, DraftView.model_validate(row))


@drafts.put("/{draft_id}")
async def save_draft(
    who: OwnOfficer, draft_id: UUID, body: DraftContent, hand_overs: TheHandOvers, tx: WriteTx, if_match: IfMatch = None
) -> DraftView:
    """Save a half-filled draft, for whoever goes on. With `If-Match`, only if nobody has saved it since it was read."""
    check_match(if_match, DraftView.model_validate(await hand_overs.open_draft(tx, draft_id)))
    return DraftView.model_validate(await hand_overs.save(tx, draft_id, who.actor, body.content))


@drafts.post("/{draft_id}/discard")
async def discard_draft(
    who: OwnOfficer, draft_id: UUID, body: Rejection, hand_overs: TheHandOvers, tx: WriteTx
) -> DraftView:
    """Make nothing of a draft: the contact goes back to advisory, with the reason. Repeating it changes nothing."""
    return DraftView.model_validate(await hand_overs.discard(tx, draft_id, who.actor, body.reason))


def completed(kind: type[Completion], given: Completion | None, draft: DraftRow) -> Completion:
    """Return what a draft is completed with: what is given, or else what was saved.

    Raises:
        RequestValidationError: what was saved is not whole; the same answer as to a request that lacks it.
    """
    if given is not None:
        return given
    try:
        return kind.model_validate_json(json.dumps(draft.content))
    except ValidationError as error:
        wrong = [{"type": found["type"], "loc": ("body", *found["loc"])} for found in error.errors()]
        raise RequestValidationError(wrong) from error
