"""The joint office's API of the authorities' shares of seats: recorded decisions, and what is in force."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response, status
from pydantic import BaseModel, Field

from services.training.domain.quotas import QuotaDecision
from services.training.domain.seats import Actor
from services.training.joint.commands.quotas import JointQuotas
from services.training.joint.commands.seats import JointSeats
from services.training.joint.quota_store import Quotas
from services.training.joint.tables import SeatQuotaRow
from shared.calendar import local_day
from shared.http.auth import Coordinator, OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_cursor
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.screening import without_identity_codes

router = APIRouter(prefix="/v1/seat-quotas", route_class=IdempotentRoute, tags=["quotas"])
TheQuotas = Annotated[JointQuotas, Depends(part(JointQuotas))]
TheSeats = Annotated[JointSeats, Depends(part(JointSeats))]


class QuotaOut(BaseModel):
    """A recorded decision on the shares of seats."""

    quota_id: UUID
    decision: QuotaDecision
    recorded_by: str
    recorded_at: datetime

    @classmethod
    def of(cls, quota: SeatQuotaRow) -> "QuotaOut":
        """Show a decision."""
        return cls(
            quota_id=quota.quota_id,
            decision=quota.decision,
            recorded_by=quota.recorded_by,
            recorded_at=quota.recorded_at,
        )


class QuotaInForceOut(BaseModel):
    """The shares in force on a day."""

    day: date
    percents: dict[str, int]
    reference: str | None = Field(description="Of the decision; null while none is recorded.")
    to_be_checked: bool


@router.post("", status_code=status.HTTP_201_CREATED, dependencies=[Depends(without_identity_codes)])
async def record_quota(
    response: Response, who: Coordinator, body: QuotaDecision, quotas: TheQuotas, tx: WriteTx
) -> QuotaOut:
    """Record a decision on the shares of seats. Nothing is overwritten; another decision takes its place."""
    quota = quotas.record(tx, body, Actor(who.actor, who.authority))
    response.headers["Location"] = f"/v1/seat-quotas/{quota.quota_id}"
    return QuotaOut.of(quota)


@router.get("")
async def list_quotas(_: OwnOfficer, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None) -> Page[QuotaOut]:
    """List the decisions, the last recorded first."""
    quotas = await Quotas(tx).page(read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(quotas, limit, lambda quota: (quota.recorded_at, quota.quota_id), QuotaOut.of)


@router.get("/in-force")
async def read_quota_in_force(_: OwnOfficer, seats: TheSeats, tx: ReadTx, day: date | None = None) -> QuotaInForceOut:
    """Read the shares in force on a day; today without one."""
    on = day or local_day(tx.clock.now())
    quota = await seats.quota(tx, on)
    return QuotaInForceOut(
        day=on, percents=dict(quota.percents), reference=quota.reference, to_be_checked=not quota.is_verified
    )


@router.get("/{quota_id}")
async def read_quota(_: OwnOfficer, quota_id: UUID, tx: ReadTx) -> QuotaOut:
    """Read a decision."""
    return QuotaOut.of(await Quotas(tx).get(quota_id))
