"""The joint office's API of the authorities' shares of seats: what is in force. Advisory takes the decisions."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from services.training.joint.commands.seats import JointSeats
from shared.calendar import local_day
from shared.http.auth import OwnOfficer, part
from shared.http.transactions import IdempotentRoute, ReadTx

router = APIRouter(prefix="/v1/seat-quotas", route_class=IdempotentRoute, tags=["quotas"])
TheSeats = Annotated[JointSeats, Depends(part(JointSeats))]


class QuotaInForceOut(BaseModel):
    """The shares in force on a day."""

    day: date
    percents: dict[str, int]
    reference: str | None = Field(description="Of the decision; null while none is taken.")
    to_be_checked: bool


@router.get("/in-force")
async def read_quota_in_force(_: OwnOfficer, seats: TheSeats, tx: ReadTx, day: date | None = None) -> QuotaInForceOut:
    """Read the shares in force on a day; today without one."""
    on = day or local_day(tx.clock.now())
    quota = await seats.quota(tx, on)
    return QuotaInForceOut(
        day=on, percents=dict(quota.percents), reference=quota.reference, to_be_checked=not quota.is_verified
    )
