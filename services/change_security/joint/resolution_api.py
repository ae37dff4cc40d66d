"""The coordinators' lists, and their acts where a notice would otherwise end nowhere.

Every act takes a reason, and is readable at the notice.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.change_security.domain.ledger import Awaited
from services.change_security.joint.api import TheOffice, ledger, shown, visible_notice
from services.change_security.joint.lists_api import Reader
from services.change_security.joint.models import LedgerOut, NoticeOut, RoutingOut
from services.change_security.joint.resolution_commands import Coordination
from services.change_security.joint.resolution_models import (
    ActOut,
    DeclinedOut,
    MatterOut,
    NoteIn,
    OtherNoticeIn,
    OverdueOut,
    PlaceIn,
    ReasonIn,
    RelatedOut,
    SuggestionOut,
)
from services.change_security.joint.resolution_store import Acts, Oversight, Pair, SameMatter
from shared.events.v1.change_security import DeclineReason
from shared.events.values import BusinessId, Instant
from shared.http.auth import Coordinator, OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["coordination"])
TheCoordination = Annotated[Coordination, Depends(part(Coordination))]
OfEmployer = Annotated[BusinessId | None, Query(max_length=20, pattern=r"^[^\x00]*$")]


# -- the lists


@router.get("/declined")
async def list_declined(
    _: Coordinator,
    tx: ReadTx,
    authority: Annotated[str | None, Query(max_length=60)] = None,
    reason: DeclineReason | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DeclinedOut]:
    """List the parts that their authorities have declined, oldest first: release the authority, or insist."""
    after = read_cursor(cursor, datetime.fromisoformat, str)
    rows = await Oversight(tx).declined(authority=authority, reason=reason, limit=limit, after=after)
    return Page.of(rows, limit, lambda row: (row.declined_at, row.key), DeclinedOut.model_validate)


@router.get("/overdue")
async def list_overdue(
    _: Coordinator,
    tx: ReadTx,
    authority: Annotated[str | None, Query(max_length=60)] = None,
    awaiting: Awaited | None = None,
    since: Annotated[Instant | None, Query(description="Overdue since then, or later.")] = None,
    acknowledged: Annotated[bool | None, Query(description="By a coordinator.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[OverdueOut]:
    """List the receipts that are overdue and still awaited, oldest first."""
    rows = await Oversight(tx).overdue(
        authority=authority,
        awaiting=awaiting,
        since=since,
        acknowledged=acknowledged,
        limit=limit,
        after=read_cursor(cursor, datetime.fromisoformat, UUID),
    )
    return Page.of(rows, limit, lambda row: (row.since, row.overdue_id), OverdueOut.model_validate)


@router.post("/overdue/{overdue_id}/acknowledgement")
async def acknowledge_overdue(
    who: Coordinator, overdue_id: UUID, body: NoteIn, coordination: TheCoordination, tx: WriteTx
) -> OverdueOut:
    """Note what was found out about an overdue receipt. It stays listed while it is awaited."""
    return OverdueOut.model_validate(await coordination.note_overdue(tx, overdue_id, who.actor, body.note))


@router.get("/suggestions/merging")
async def suggest_merging(
    _: Coordinator, tx: ReadTx, business_id: OfEmployer = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[SuggestionOut]:
    """List pairs of open notices of one employer with the same measures and dates: they may be one."""
    rows = await Oversight(tx).may_be_one(business_id, limit, read_cursor(cursor, datetime.fromisoformat, str))
    return _suggestions(rows, limit)


@router.get("/suggestions/linking")
async def suggest_linking(
    _: Coordinator, tx: ReadTx, business_id: OfEmployer = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[SuggestionOut]:
    """List open notices of terminations that are linked to no proposal, each with one that it may follow."""
    rows = await Oversight(tx).may_follow(business_id, limit, read_cursor(cursor, datetime.fromisoformat, str))
    return _suggestions(rows, limit)


# -- a notice


@router.get("/notices/{notice_id}/acts")
async def list_acts(
    who: OwnOfficer, notice_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[ActOut]:
    """List what coordinators have done to a notice, and why, oldest first."""
    notice = await visible_notice(who, notice_id, tx)
    rows = await Acts(tx).of_notice(notice.notice_id, limit, read_single_cursor(cursor, int))
    return Page.of(rows, limit, lambda row: (row.id,), ActOut.model_validate)


@router.get("/notices/{notice_id}/matter")
async def read_matter(who: Reader, notice_id: UUID, tx: ReadTx) -> MatterOut:
    """Read which notices belong to one matter with a notice: merged into it, or linked to it."""
    notice = await visible_notice(who, notice_id, tx)
    related = await SameMatter(tx).related(notice.notice_id)
    return MatterOut(notice_id=notice.notice_id, related=[RelatedOut.model_validate(row) for row in related])


@router.post("/notices/{notice_id}/reopening")
async def reopen(
    who: Coordinator, notice_id: UUID, body: ReasonIn, coordination: TheCoordination, office: TheOffice, tx: WriteTx
) -> NoticeOut:
    """Open a notice again that was withdrawn or closed by mistake. Its authorities must acknowledge it again."""
    return await shown(who, await coordination.reopen(tx, notice_id, who.actor, body.reason), office, tx)


@router.post("/notices/{notice_id}/authorities/{authority}/release")
async def release(
    who: Coordinator, notice_id: UUID, authority: str, body: ReasonIn, coordination: TheCoordination, tx: WriteTx
) -> LedgerOut:
    """Release an authority. It stays so, unless a revision changes what is its own, or it is added again."""
    notice = await coordination.release(tx, notice_id, authority, who.actor, body.reason)
    return await ledger(notice, tx)


@router.post("/notices/{notice_id}/authorities/{authority}/insistence")
async def insist(
    who: Coordinator, notice_id: UUID, authority: str, body: ReasonIn, coordination: TheCoordination, tx: WriteTx
) -> LedgerOut:
    """Ask an authority again that has declined. Its case shows the reason; it acknowledges, or declines anew."""
    notice = await coordination.insist(tx, notice_id, authority, who.actor, body.reason)
    return await ledger(notice, tx)


@router.post("/notices/{notice_id}/unrouted/dismissal", tags=["unrouted"])
async def dismiss(
    who: Coordinator, notice_id: UUID, body: PlaceIn, coordination: TheCoordination, office: TheOffice, tx: WriteTx
) -> RoutingOut:
    """Take a place out of the unrouted queue: no authority needs to hear of it."""
    notice = await coordination.dismiss(tx, notice_id, body.place, who.actor, body.reason)
    return RoutingOut.of(notice, office.book.authorities)


@router.post("/notices/{notice_id}/unrouted/reopening", tags=["unrouted"])
async def restore(
    who: Coordinator, notice_id: UUID, body: PlaceIn, coordination: TheCoordination, office: TheOffice, tx: WriteTx
) -> RoutingOut:
    """Put a place that was dealt with into the unrouted queue again."""
    notice = await coordination.restore(tx, notice_id, body.place, who.actor, body.reason)
    return RoutingOut.of(notice, office.book.authorities)


@router.post("/notices/{notice_id}/merging")
async def merge(
    who: Coordinator,
    notice_id: UUID,
    body: OtherNoticeIn,
    coordination: TheCoordination,
    office: TheOffice,
    tx: WriteTx,
) -> NoticeOut:
    """Merge another notice into this one: both ids lead here, and the cities' cases continue here."""
    return await shown(who, await coordination.merge(tx, notice_id, body.notice_id, who.actor, body.reason), office, tx)


@router.post("/notices/{notice_id}/unmerging")
async def unmerge(
    who: Coordinator,
    notice_id: UUID,
    body: OtherNoticeIn,
    coordination: TheCoordination,
    office: TheOffice,
    tx: WriteTx,
) -> NoticeOut:
    """Make a merged notice one of its own again. Its authorities must acknowledge it again."""
    return await shown(
        who, await coordination.unmerge(tx, notice_id, body.notice_id, who.actor, body.reason), office, tx
    )


@router.post("/notices/{notice_id}/link")
async def link(
    who: Coordinator,
    notice_id: UUID,
    body: OtherNoticeIn,
    coordination: TheCoordination,
    office: TheOffice,
    tx: WriteTx,
) -> NoticeOut:
    """Link a notice of terminations to the proposal that it follows: closing one closes both."""
    return await shown(who, await coordination.link(tx, notice_id, body.notice_id, who.actor, body.reason), office, tx)


@router.post("/notices/{notice_id}/unlinking")
async def unlink(
    who: Coordinator, notice_id: UUID, body: ReasonIn, coordination: TheCoordination, office: TheOffice, tx: WriteTx
) -> NoticeOut:
    """Undo the link of a notice of terminations to a proposal."""
    return await shown(who, await coordination.unlink(tx, notice_id, who.actor, body.reason), office, tx)


@router.post("/notices/{notice_id}/separateness")
async def keep_apart(
    who: Coordinator, notice_id: UUID, body: OtherNoticeIn, coordination: TheCoordination, tx: WriteTx
) -> MatterOut:
    """Say that another notice is neither one with this nor of its matter: they are suggested no more."""
    await coordination.keep_apart(tx, notice_id, body.notice_id, who.actor, body.reason)
    related = await SameMatter(tx).related(notice_id)
    return MatterOut(notice_id=notice_id, related=[RelatedOut.model_validate(row) for row in related])


def _suggestions(rows: list[Pair], limit: int) -> Page[SuggestionOut]:
    return Page.of(rows, limit, lambda row: (row.arrived_at, row.key), SuggestionOut.model_validate)
