"""The routes by which officers accept or reject what advisory hands over to a service."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from shared.handover.commands import HandOverDesk
from shared.handover.store import HandOvers
from shared.handover.tables import HandOverState
from shared.http.auth import OwnOfficer, part
from shared.http.reading import Limit
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.screening import without_identity_codes

router = APIRouter(prefix="/v1/hand-overs", tags=["hand-overs"], route_class=IdempotentRoute)
TheDesk = Annotated[HandOverDesk, Depends(part(HandOverDesk))]


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
    reason: str | None


class Acceptance(BaseModel):
    """That an officer takes the matter, and what it became here, once that is known."""

    matter_id: UUID | None = None


class Rejection(BaseModel):
    """Why an officer does not take the matter."""

    reason: str = Field(min_length=3, max_length=280, description="Passed on to advisory. Write no personal data.")


@router.get("")
async def list_hand_overs(
    _: OwnOfficer, tx: ReadTx, state: HandOverState | None = None, limit: Limit = 50
) -> list[HandOverView]:
    """List matters that advisory hands over, ordered by due date."""
    return [HandOverView.model_validate(row) for row in await HandOvers(tx).page(state, limit)]


@router.post("/{hand_over_id}/acceptance")
async def accept(who: OwnOfficer, hand_over_id: UUID, body: Acceptance, desk: TheDesk, tx: WriteTx) -> HandOverView:
    """Take the matter. Repeating it changes nothing."""
    return HandOverView.model_validate(await desk.accept(tx, hand_over_id, who.actor, body.matter_id))


@router.post("/{hand_over_id}/rejection", dependencies=[Depends(without_identity_codes)])
async def reject(who: OwnOfficer, hand_over_id: UUID, body: Rejection, desk: TheDesk, tx: WriteTx) -> HandOverView:
    """Do not take the matter: it goes back to advisory, with the reason."""
    return HandOverView.model_validate(await desk.reject(tx, hand_over_id, who.actor, body.reason))
