"""Drafts of change situations: what advisory hands over, for an officer to complete and file."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends

from services.change_security.domain.evidence import arrived_by_http
from services.change_security.domain.notice import Channel, Receipt, arrival
from services.change_security.joint.commands import JointOffice
from services.change_security.models import NoticeIn
from shared.events.envelope import derived_id
from shared.handover.api import DraftView, TheHandOvers, completed
from shared.handover.tables import HandOverRow
from shared.http.auth import OwnOfficer, part
from shared.http.transactions import IdempotentRoute, WriteTx

router = APIRouter(route_class=IdempotentRoute)
TheOffice = Annotated[JointOffice, Depends(part(JointOffice))]


def prefill(row: HandOverRow) -> dict[str, Any]:
    """Return what is known for a filing. Which of the two filings it is, and every number, only the employer knows."""
    employer = {"business_id": row.business_id, "domicile": row.municipality}
    return {
        "filing": {"language": row.language, "employer": {name: value for name, value in employer.items() if value}}
    }


@router.post("/v1/drafts/{draft_id}/completion", tags=["hand-overs"])
async def complete(
    who: OwnOfficer,
    draft_id: UUID,
    hand_overs: TheHandOvers,
    office: TheOffice,
    tx: WriteTx,
    body: NoticeIn | None = None,
) -> DraftView:
    """File the draft as a notice, completed by what the employer said: as given, or as it was saved.

    Advisory is told which notice it became.
    """
    whole = completed(NoticeIn, body, await hand_overs.open_draft(tx, draft_id))
    now = tx.clock.now()
    receipt = Receipt(
        channel=Channel.OFFICER,
        filed_by=who.actor,
        arrived_at=arrival(whole.arrived_at, now, by_officer=True),
        registered_at=now,
        filer_reference=whole.filer_reference,
    )
    received = arrived_by_http(who.authority, receipt.arrived_at, receipt.channel)
    notice = await office.file(tx, derived_id("notice of draft", draft_id), whole.filing, receipt, arrival=received)
    return DraftView.model_validate(await hand_overs.complete(tx, draft_id, who.actor, notice.notice_id))
