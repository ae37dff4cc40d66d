"""Drafts of training proposals: what advisory hands over, for an officer to complete with the employer."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.training.domain.procurement import Proposal
from services.training.joint.commands.procurement import JointProcurement
from shared.handover.api import DraftView, TheHandOvers, completed
from shared.handover.tables import HandOverRow
from shared.http.auth import OwnOfficer, part
from shared.http.transactions import IdempotentRoute, WriteTx

router = APIRouter(route_class=IdempotentRoute)
TheProcurement = Annotated[JointProcurement, Depends(part(JointProcurement))]


class ProposalOfDraft(BaseModel):
    """The proposal that a draft becomes."""

    proposal: Proposal


def prefill(row: HandOverRow) -> dict[str, Any]:
    """Return what is known for a proposal. Which training, for how many and at what price, only the employer knows."""
    known = {"language": row.language, "municipality": row.municipality, "business_id": row.business_id}
    return {"proposal": {name: value for name, value in known.items() if value}}


@router.post("/v1/drafts/{draft_id}/completion", tags=["hand-overs"])
async def complete(
    who: OwnOfficer,
    draft_id: UUID,
    hand_overs: TheHandOvers,
    procurement: TheProcurement,
    tx: WriteTx,
    body: ProposalOfDraft | None = None,
) -> DraftView:
    """Propose the training, completed by what the employer said: as given, or as it was saved.

    Advisory is told which proposal it became.
    """
    whole = completed(ProposalOfDraft, body, await hand_overs.open_draft(tx, draft_id))
    proposal_id = await procurement.propose(tx, whole.proposal, who.actor)
    return DraftView.model_validate(await hand_overs.complete(tx, draft_id, who.actor, proposal_id))
