"""Drafts of recruitment assignments: what advisory hands over, for an officer to complete into a vacancy."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.placement.joint.commands import JointVacancies
from shared.events.v1.placement import Vacancy, VacancyState
from shared.handover.api import DraftView, TheHandOvers, completed
from shared.handover.tables import HandOverRow
from shared.http.auth import OwnOfficer, part
from shared.http.transactions import IdempotentRoute, WriteTx

router = APIRouter(route_class=IdempotentRoute)
TheVacancies = Annotated[JointVacancies, Depends(part(JointVacancies))]


class VacancyOfDraft(BaseModel):
    """The vacancy that a draft becomes. It is a draft vacancy still, until it is opened as any other."""

    vacancy: Vacancy


def prefill(row: HandOverRow) -> dict[str, Any]:
    """Return what is known for a vacancy. What is looked for, only the employer knows."""
    employer = {"business_id": row.business_id} if row.business_id else {}
    known = {"language": row.language, "municipality": row.municipality, "employer": employer}
    return {"vacancy": {name: value for name, value in known.items() if value}}


@router.post("/v1/drafts/{draft_id}/completion", tags=["hand-overs"])
async def complete(
    who: OwnOfficer,
    draft_id: UUID,
    hand_overs: TheHandOvers,
    vacancies: TheVacancies,
    tx: WriteTx,
    body: VacancyOfDraft | None = None,
) -> DraftView:
    """Record the draft as a draft vacancy, completed by what the employer said: as given, or as saved.

    Advisory is told which vacancy it became.
    """
    whole = completed(VacancyOfDraft, body, await hand_overs.open_draft(tx, draft_id))
    posting = await vacancies.report(tx, whole.vacancy, VacancyState.DRAFT, who.actor)
    return DraftView.model_validate(await hand_overs.complete(tx, draft_id, who.actor, posting.vacancy_id))
