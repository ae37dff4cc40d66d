"""A city's API of the shared plan of a joint matter: every concerned authority sees it and adds to it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status

from services.change_security.authority.case_officers import CaseReader, OwnCaseOfficer
from services.change_security.authority.plan_commands import CityPlans
from services.change_security.authority.plan_store import OwnPlans
from services.change_security.domain.plan import PlannedStep
from services.change_security.models import PlanStepOut
from shared.errors import UnknownError
from shared.http.auth import part
from shared.http.reading import Cursor, Limit, Page, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx

router = APIRouter(
    prefix="/v1/cases/{notice_id}/plan",
    route_class=IdempotentRoute,
    tags=["joint matters"],
)
ThePlans = Annotated[CityPlans, Depends(part(CityPlans))]


@router.get("")
async def read_plan(
    _: CaseReader, notice_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[PlanStepOut]:
    """Read the plan: the steps of the lead and of every concerned authority, in the order of their days."""
    return PlanStepOut.page((await OwnPlans(tx).of(notice_id)).values(), limit, cursor)


@router.post("", status_code=status.HTTP_201_CREATED)
async def add_step(
    by: OwnCaseOfficer, notice_id: UUID, body: PlannedStep, plans: ThePlans, tx: WriteTx, response: Response
) -> PlanStepOut:
    """Add a step, per site and language if it is not for all."""
    step = await plans.add(tx, notice_id, body, by)
    response.headers["Location"] = f"/v1/cases/{notice_id}/plan/{step.step_id}"
    return PlanStepOut.of(step)


@router.get("/{step_id}", response_model=PlanStepOut)
async def read_step(request: Request, _: CaseReader, notice_id: UUID, step_id: UUID, tx: ReadTx) -> Response:
    """Read one step."""
    step = (await OwnPlans(tx).of(notice_id)).get(step_id)
    if step is None:
        raise UnknownError("plan step")
    return tagged(request, PlanStepOut.of(step))


@router.put("/{step_id}")
async def change_step(
    by: OwnCaseOfficer, notice_id: UUID, step_id: UUID, body: PlannedStep, plans: ThePlans, tx: WriteTx
) -> PlanStepOut:
    """Change a step, or how far it is: the authority whose it is, or the lead."""
    return PlanStepOut.of(await plans.change(tx, notice_id, step_id, body, by))
