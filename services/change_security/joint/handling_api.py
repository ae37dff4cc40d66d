"""The joint office's API of joint matters: who leads, who is the specialist, the shared plan, who acts for whom.

An officer sees what concerns the own authority, a coordinator everything; a coordinator changes a choice.
"""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter

from services.change_security.domain.handling import is_absent
from services.change_security.joint.acting_store import Actings
from services.change_security.joint.api import TheOffice, visible_notice
from services.change_security.joint.handling_models import (
    HandlingChangeOut,
    JointMatterLine,
    LeadIn,
    SpecialistIn,
    SpecialistOut,
)
from services.change_security.joint.handling_store import Handlings, Specialists
from services.change_security.joint.plan_store import Plans
from services.change_security.models import ActingOut, HandlingOut, PlanStepOut
from shared.calendar import local_day
from shared.events.v1.change_security import ActingState
from shared.http.auth import Coordinator, OwnOfficer
from shared.http.reading import Cursor, Limit, Page, integer, read_cursor, read_single_cursor
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["joint matters"])


@router.get("/notices/{notice_id}/handling")
async def list_handling(
    who: OwnOfficer, notice_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[HandlingChangeOut]:
    """List how a matter is handled and was, with the reasons, newest first."""
    notice = await visible_notice(who, notice_id, tx)
    rows = await Handlings(tx).page(notice.notice_id, limit, read_single_cursor(cursor, integer))
    return Page.of(rows, limit, lambda row: (row.version,), HandlingChangeOut.of)


@router.put("/notices/{notice_id}/lead")
async def name_lead(
    who: Coordinator, notice_id: UUID, body: LeadIn, office: TheOffice, tx: WriteTx
) -> HandlingOut | None:
    """Name the lead of a joint matter, with a reason. The specialist is chosen anew, of the lead's officers if any."""
    return HandlingOut.of((await office.name_lead(tx, notice_id, body.authority, body.reason, who.actor)).handling)


@router.put("/notices/{notice_id}/specialist")
async def name_specialist(
    who: Coordinator, notice_id: UUID, body: SpecialistIn, office: TheOffice, tx: WriteTx
) -> HandlingOut | None:
    """Name the specialist of a joint matter, with a reason: an officer whom a city in the matter lists."""
    return HandlingOut.of((await office.name_specialist(tx, notice_id, body.officer, body.reason, who.actor)).handling)


@router.get("/joint-matters")
async def list_joint_matters(
    _: Coordinator,
    office: TheOffice,
    tx: ReadTx,
    *,
    without_specialist: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[JointMatterLine]:
    """List open joint matters; or those alone that have no specialist, or whose specialist is absent today."""
    today = local_day(tx.clock.now())
    specialists = (await office.staffing(tx)).specialists
    present = [listed.officer for listed in specialists if listed.is_present(today)] if without_specialist else None
    rows = await Handlings(tx).joint_matters(limit, read_single_cursor(cursor, UUID), present)
    return Page.of(
        rows,
        limit,
        lambda row: (row.notice_id,),
        lambda row: JointMatterLine.of(
            row,
            specialist_absent=row.handling is not None
            and row.handling.specialist is not None
            and is_absent(row.handling.specialist, specialists, today),
        ),
    )


@router.get("/specialists")
async def list_specialists(_: OwnOfficer, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None) -> Page[SpecialistOut]:
    """List the officers whom the cities list for change security."""
    rows = await Specialists(tx).page(read_single_cursor(cursor, str), limit)
    return Page.of(rows, limit, lambda row: (row.officer,), SpecialistOut.model_validate)


@router.get("/notices/{notice_id}/plan")
async def read_plan(
    who: OwnOfficer, notice_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[PlanStepOut]:
    """Read the shared plan of a joint matter."""
    notice = await visible_notice(who, notice_id, tx)
    return PlanStepOut.page((await Plans(tx).of(notice.notice_id)).values(), limit, cursor)


@router.get("/acting")
async def list_acting(
    _: Coordinator,
    tx: ReadTx,
    state: ActingState | None = None,
    notice_id: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ActingOut]:
    """List which authority acts for another, is asked to, or did, oldest first; what is not answered is overdue."""
    rows = await Actings(tx).page(state, notice_id, limit, read_cursor(cursor, datetime.fromisoformat, UUID))
    now = tx.clock.now()
    return Page.of(
        rows,
        limit,
        lambda row: (row.asked_at, row.acting_id),
        lambda row: ActingOut.of(row.notice_id, row.acting, now),
    )
