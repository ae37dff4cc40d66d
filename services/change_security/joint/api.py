"""The joint office's API: intake, routing, ledger, and the unrouted queue.

Who sees what: a system sees what it filed; an officer what concerns the own authority; a coordinator everything.
What the caller may not see does not exist for the caller (404).
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status

from services.change_security.callers import Filer
from services.change_security.domain.filing import masked
from services.change_security.domain.ledger import EntryState
from services.change_security.domain.notice import Channel, Notice, NoticeState, Receipt, arrival
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.models import (
    AuthorityIn,
    DeliveryOut,
    EmailIn,
    EmailOut,
    LedgerOut,
    NoticeLine,
    NoticeOut,
    RevisionOut,
    RoutingOut,
    UnroutedLine,
)
from services.change_security.joint.resolution_store import SameMatter
from services.change_security.joint.store import Deliveries, Notices
from services.change_security.joint.tables import ActKind
from services.change_security.models import ClosingIn, NoticeIn, RevisionIn
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.change_security import Filing
from shared.http.auth import Authorities, Caller, Coordinator, OwnOfficer, part, permit_officer, permit_system
from shared.http.reading import Cursor, Limit, Page, read_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer, Role, System
from shared.messaging.transaction import Transaction
from shared.screening import without_identity_codes

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["notices"])
TheOffice = Annotated[JointOffice, Depends(part(JointOffice))]


def _reader(who: Caller, served: Authorities) -> Officer | System:
    if isinstance(who, System):
        return permit_system(who, "notices:read", "notices:write")
    return permit_officer(who, served, Role.OFFICER, Role.COORDINATOR)


Reader = Annotated[Officer | System, Depends(_reader)]


@router.post("/notices", status_code=status.HTTP_201_CREATED, dependencies=[Depends(without_identity_codes)])
async def file_notice(who: Filer, body: NoticeIn, office: TheOffice, tx: WriteTx, response: Response) -> NoticeOut:
    """File a notice. Answered only after it is committed; what is missing is listed, not refused."""
    now = tx.clock.now()
    by_officer = isinstance(who, Officer)
    receipt = Receipt(
        channel=Channel.OFFICER if by_officer else Channel.HTTP,
        filed_by=who.actor,
        arrived_at=arrival(body.arrived_at, now, by_officer=by_officer),
        registered_at=now,
    )
    notice = await office.file(tx, derived_id("notice", tx.cause), body.filing, receipt)
    response.headers["Location"] = f"/v1/notices/{notice.notice_id}"
    return shown(who, notice, office)


@router.get("/notices")
async def list_notices(
    who: OwnOfficer, tx: ReadTx, state: NoticeState | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[NoticeLine]:
    """List notices, newest first: a coordinator's all, an officer's those of the own authority."""
    rows = await Notices(tx).page(
        authority=None if Role.COORDINATOR in who.roles else who.authority,
        state=state,
        limit=limit,
        before=read_cursor(cursor, datetime.fromisoformat, UUID),
    )
    return Page.of(rows, limit, lambda row: (row.registered_at, row.notice_id), NoticeLine.model_validate)


@router.get("/notices/{notice_id}", response_model=NoticeOut)
async def read_notice(request: Request, who: Reader, notice_id: UUID, office: TheOffice, tx: ReadTx) -> Response:
    """Read a notice with what the rules say of it."""
    return tagged(request, shown(who, await visible_notice(who, notice_id, tx), office))


@router.get("/notices/{notice_id}/ledger", response_model=LedgerOut)
async def read_ledger(request: Request, who: Reader, notice_id: UUID, tx: ReadTx) -> Response:
    """Read who has been sent a notice, whose store has it, who has acknowledged it, and what is late."""
    notice = await visible_notice(who, notice_id, tx)
    merged = [one.arrived_at for one in await SameMatter(tx).related(notice.notice_id) if one.relation == "merged"]
    return tagged(request, LedgerOut.of(notice, tx.clock.now(), merged))


@router.get("/notices/{notice_id}/routing", response_model=RoutingOut)
async def explain_routing(request: Request, who: Reader, notice_id: UUID, office: TheOffice, tx: ReadTx) -> Response:
    """Explain where a notice went, and why."""
    return tagged(request, RoutingOut.of(await visible_notice(who, notice_id, tx), office.book.authorities))


@router.get("/notices/{notice_id}/revisions", response_model=Page[RevisionOut])
async def list_revisions(
    request: Request, who: Reader, notice_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """List the revisions of a notice, oldest first."""
    notice = await visible_notice(who, notice_id, tx)
    rows = await Notices(tx).revisions(notice.notice_id, limit, read_cursor(cursor, int, _truth))
    hidden = _filing_for(who, notice) is not notice.filing
    page = Page.of(rows, limit, lambda row: (row.revision, row.waiting), lambda row: RevisionOut.of(row, hidden=hidden))
    return tagged(request, page)


@router.post("/notices/{notice_id}/revisions", dependencies=[Depends(without_identity_codes)])
async def revise_notice(who: Filer, notice_id: UUID, body: RevisionIn, office: TheOffice, tx: WriteTx) -> NoticeOut:
    """Put a new revision in force. 409 when it does not follow the newest one."""
    _visible(who, await Notices(tx).get(notice_id))
    notice = await office.revise(tx, notice_id, body.filing, body.predecessor, who.actor)
    return shown(who, notice, office)


@router.post("/notices/{notice_id}/withdrawal")
async def withdraw_notice(who: Filer, notice_id: UUID, office: TheOffice, tx: WriteTx) -> NoticeOut:
    """Withdraw a notice, as the employer asks. Repeating it changes nothing."""
    _visible(who, await Notices(tx).get(notice_id))
    notice = await office.withdraw(tx, notice_id, who.actor)
    if isinstance(who, Officer):
        office.record(tx, notice.notice_id, ActKind.WITHDRAWN, who.actor)
    return shown(who, notice, office)


@router.post("/notices/{notice_id}/closing")
async def close_notice(who: Coordinator, notice_id: UUID, body: ClosingIn, office: TheOffice, tx: WriteTx) -> NoticeOut:
    """Close a notice with or without terminations. Repeating it changes nothing."""
    return shown(who, await office.close(tx, notice_id, body.outcome, who.actor), office)


@router.get("/unrouted", tags=["unrouted"])
async def list_unrouted(_: Coordinator, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None) -> Page[UnroutedLine]:
    """List places that lead to no authority, oldest first. Nobody is a default."""
    rows = await Notices(tx).unrouted(limit, read_cursor(cursor, datetime.fromisoformat, UUID))
    return Page.of(rows, limit, lambda row: (row.since, row.notice_id), UnroutedLine.of)


@router.post("/notices/{notice_id}/authorities", tags=["unrouted"])
async def add_authority(
    who: Coordinator, notice_id: UUID, body: AuthorityIn, office: TheOffice, tx: WriteTx
) -> RoutingOut:
    """Send a notice to an authority by a coordinator's judgement, with a reason."""
    notice = await office.add_authority(
        tx, notice_id, body.authority, by=who.actor, municipality=body.municipality, reason=body.reason
    )
    return RoutingOut.of(notice, office.book.authorities)


@router.get("/notices/{notice_id}/deliveries", tags=["external"])
async def list_deliveries(
    who: Reader, notice_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[DeliveryOut]:
    """List the e-mails to authorities outside the region, oldest version first."""
    notice = await visible_notice(who, notice_id, tx)
    rows = await Deliveries(tx).of_notice(notice.notice_id, limit, read_cursor(cursor, int, str))
    return Page.of(rows, limit, lambda row: (row.version, row.authority), DeliveryOut.model_validate)


@router.post("/notices/{notice_id}/authorities/{authority}/acknowledgement", tags=["external"])
async def acknowledge_outside(
    who: Coordinator, notice_id: UUID, authority: str, office: TheOffice, tx: WriteTx
) -> LedgerOut:
    """Enter that an authority outside the region has confirmed a notice."""
    return LedgerOut.of(await office.acknowledge_outside(tx, notice_id, authority, who.actor), tx.clock.now())


@router.put("/authorities/{authority}/email", tags=["external"])
async def set_email(_: Coordinator, authority: str, body: EmailIn, office: TheOffice, tx: WriteTx) -> EmailOut:
    """Set the address of an authority outside the region; what waited for one is sent."""
    await office.set_email(tx, authority, body.email)
    return EmailOut(authority=authority, email=body.email)


async def visible_notice(who: Officer | System, notice_id: UUID, tx: Transaction) -> Notice:
    """Return a notice that the caller may see. One that is merged leads to the one that continues.

    Raises:
        UnknownError: there is none, for this caller.
    """
    notice = _visible(who, await Notices(tx).read(notice_id))
    kept = await Notices(tx).read(notice.merged_into) if notice.merged_into is not None else None
    return kept or notice


def _visible(who: Officer | System, notice: Notice | None) -> Notice:
    if notice is None or not _sees(who, notice):
        raise UnknownError("notice")
    return notice


def _sees(who: Officer | System, notice: Notice) -> bool:
    if isinstance(who, System):
        return notice.receipt.filed_by == who.actor
    return Role.COORDINATOR in who.roles or notice.entry(who.authority) is not None


def _filing_for(who: Officer | System, notice: Notice) -> Filing:
    if isinstance(who, System) or Role.COORDINATOR in who.roles:
        return notice.filing
    entry = notice.entry(who.authority)
    handles = entry is not None and entry.state is not EntryState.RELEASED
    return notice.filing if handles else masked(notice.filing)


def shown(who: Officer | System, notice: Notice, office: JointOffice) -> NoticeOut:
    """Show a notice as the caller may see it."""
    return NoticeOut.of(notice, _filing_for(who, notice), office.book.rules)


def _truth(text: str) -> bool:
    if text not in {"True", "False"}:
        raise ValueError
    return text == "True"
