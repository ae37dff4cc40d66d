"""The joint office's API of supply planning: the queue, the groups to procure, and plans that are kept and decided."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from services.training.domain.plans import GroupOfPlan, PlanState
from services.training.domain.seats import Actor
from services.training.domain.supply import GROUP_DIGITS, Line, Planned
from services.training.joint.commands.plans import JointPlans
from services.training.joint.commands.supply import planned_groups, queue_lines
from services.training.joint.models import DecisionOut, Reason
from services.training.joint.plan_store import Plans
from services.training.joint.plots import queue_csv, queue_plot
from services.training.joint.store import Decisions
from services.training.joint.tables import DecisionRow, SupplyPlanRow
from services.training.models import GroupOut, strict
from shared.http.auth import Coordinator, OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.messaging.transaction import Database, Transaction

router = APIRouter(prefix="/v1/supply", route_class=IdempotentRoute, tags=["supply"])
ThePlans = Annotated[JointPlans, Depends(part(JointPlans))]
TheDatabase = Annotated[Database, Depends(part(Database))]
Uptake = Annotated[float, Query(ge=0, le=1, description="Of the released, who will apply.")]
Digits = Annotated[int, Query(ge=2, le=4, description="Of the ISCO-08 code, that make an occupation group.")]


class SupplyOut(BaseModel):
    """The queue, and the groups that the written rule would procure."""

    queue: list[Line]
    plan: list[Planned]


class PlanIn(BaseModel):
    """What a plan assumes."""

    model_config = ConfigDict(extra="forbid")

    uptake: float = Field(default=0.2, ge=0, le=1, description="Of the released, who will apply.")
    digits: int = Field(default=GROUP_DIGITS, ge=2, le=4)


class PlanDecisionIn(BaseModel):
    """A coordinator's decision on a plan, and why."""

    model_config = ConfigDict(extra="forbid")

    state: Literal[PlanState.APPROVED, PlanState.REJECTED]
    reason: str = Reason


class AdoptionIn(BaseModel):
    """The groups that a plan becomes."""

    model_config = ConfigDict(extra="forbid")

    groups: list[Annotated[GroupOfPlan, strict(GroupOfPlan)]] = Field(min_length=1, max_length=200)


class PlanOut(BaseModel):
    """A kept plan: its groups with the reasons, who decided it, and the groups that it has become."""

    plan_id: UUID
    planned: list[Planned]
    uptake: float
    digits: int
    state: PlanState
    made_by: str
    made_at: datetime
    group_ids: list[UUID]
    decisions: list[DecisionOut]

    @classmethod
    def of(cls, plan: SupplyPlanRow, decisions: Sequence[DecisionRow]) -> "PlanOut":
        """Show a plan."""
        return cls(
            plan_id=plan.plan_id,
            planned=list(plan.planned),
            uptake=plan.uptake,
            digits=plan.digits,
            state=plan.state,
            made_by=plan.made_by,
            made_at=plan.made_at,
            group_ids=list(plan.group_ids),
            decisions=[DecisionOut.model_validate(decision) for decision in decisions],
        )


class PlanLineOut(BaseModel):
    """A kept plan in a list."""

    model_config = ConfigDict(from_attributes=True)

    plan_id: UUID
    state: PlanState
    made_by: str
    made_at: datetime


@router.get("")
async def read_supply(_: OwnOfficer, tx: ReadTx, uptake: Uptake = 0.2, digits: Digits = GROUP_DIGITS) -> SupplyOut:
    """Show the queue by occupation group and municipality, and the groups that the written rule would procure."""
    queue = await queue_lines(tx, digits)
    return SupplyOut(queue=queue, plan=await planned_groups(tx, queue, uptake, digits))


@router.get("/queue.{kind}", response_class=Response)
async def read_supply_file(
    _: OwnOfficer, kind: Literal["svg", "png", "csv"], database: TheDatabase, digits: Digits = GROUP_DIGITS
) -> Response:
    """Get the queue as a plot or as CSV."""
    async with database.read() as tx:
        queue = await queue_lines(tx, digits)
    if kind == "csv":
        return Response(queue_csv(queue), media_type="text/csv")
    media_type = "image/svg+xml" if kind == "svg" else "image/png"
    # Half a second of drawing: not in the event loop, and in no transaction.
    return Response(await asyncio.to_thread(queue_plot, queue, kind), media_type=media_type)


@router.post("/plans", status_code=status.HTTP_201_CREATED)
async def keep_plan(response: Response, who: OwnOfficer, body: PlanIn, plans: ThePlans, tx: WriteTx) -> PlanOut:
    """Keep the plan that the written rule makes now, for a coordinator to decide."""
    plan = await plans.keep(tx, body.uptake, body.digits, Actor(who.actor, who.authority))
    response.headers["Location"] = f"/v1/supply/plans/{plan.plan_id}"
    return PlanOut.of(plan, ())


@router.get("/plans")
async def list_plans(
    _: OwnOfficer, tx: ReadTx, state: PlanState | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[PlanLineOut]:
    """List kept plans, newest first."""
    plans = await Plans(tx).page(state, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(plans, limit, lambda plan: (plan.made_at, plan.plan_id), PlanLineOut.model_validate)


@router.get("/plans/{plan_id}", response_model=PlanOut)
async def read_plan(request: Request, _: OwnOfficer, plan_id: UUID, tx: ReadTx) -> Response:
    """Read a kept plan, with every decision about it."""
    return tagged(request, await _shown(tx, await Plans(tx).get(plan_id)))


@router.post("/plans/{plan_id}/decision")
async def decide_plan(who: Coordinator, plan_id: UUID, body: PlanDecisionIn, plans: ThePlans, tx: WriteTx) -> PlanOut:
    """Approve or reject a plan, with a reason. Until it is adopted it can be decided anew."""
    return await _shown(tx, await plans.decide(tx, plan_id, body.state, Actor(who.actor, who.authority), body.reason))


@router.post("/plans/{plan_id}/adoption")
async def adopt_plan(who: Coordinator, plan_id: UUID, body: AdoptionIn, plans: ThePlans, tx: WriteTx) -> list[GroupOut]:
    """Turn an approved plan into planned groups. Shows the groups."""
    groups = await plans.adopt(tx, plan_id, body.groups, Actor(who.actor, who.authority))
    return [GroupOut.of(group) for group in groups]


async def _shown(tx: Transaction, plan: SupplyPlanRow) -> PlanOut:
    return PlanOut.of(plan, await Decisions(tx).about(plan.plan_id))
