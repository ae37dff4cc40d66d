"""The joint office's API: intake, routing, ledger, and the unrouted queue.

Who sees what: a system sees what it filed; an officer what concerns the own authority; a coordinator everything.
What the caller may not see does not exist for the caller (404).
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status

from services.change_security.callers import Filer
from services.change_security.domain.evidence import Arrival, arrived_by_http
from services.change_security.domain.filing import masked
from services.change_security.domain.ledger import EntryState
from services.change_security.domain.notice import Channel, Notice, Receipt
from services.change_security.domain.notice import arrival as checked_arrival
from services.change_security.domain.reductions import earlier_reductions
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.delivery_models import DeliveryOut
from services.change_security.joint.delivery_store import Deliveries
from services.change_security.joint.evidence_store import Evidence
from services.change_security.joint.lists_api import Reader
from services.change_security.joint.models import (
    AuthorityIn,
    LedgerOut,
    NoticeOut,
    RevisionOut,
    RoutingOut,
    UnroutedLine,
)
from services.change_security.joint.resolution_store import record
from services.change_security.joint.store import Notices
from services.change_security.joint.tables import ActKind
from services.change_security.models import ClosingIn, NoticeIn, RevisionIn
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.change_security import Filing, ReasonKind
from shared.http.auth import Coordinator, part
from shared.http.reading import Cursor, Limit, Page, integer, read_cursor, read_long_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer, Role, System
from shared.messaging.transaction import Transaction

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["notices"])
TheOffice = Annotated[JointOffice, Depends(part(JointOffice))]


@router.post("/notices", status_code=status.HTTP_201_CREATED)
async def file_notice(who: Filer, body: NoticeIn, office: TheOffice, tx: WriteTx, response: Response) -> NoticeOut:
    """File a notice. Answered only after it is committed; what is missing is listed, not refused."""
    now = tx.clock.now()
    by_officer = isinstance(who, Officer)
    receipt = Receipt(
        channel=Channel.OFFICER if by_officer else Channel.HTTP,
        filed_by=who.actor,
        arrived_at=checked_arrival(body.arrived_at, now, by_officer=by_officer),
        registered_at=now,
        filer_reference=body.filer_reference,
    )
    notice_id = derived_id("notice", tx.cause)
    arrival = _arrival(who, tx, receipt.arrived_at)
    notice = await office.file(tx, notice_id, body.filing, receipt, arrival=arrival)
    response.headers["Location"] = f"/v1/notices/{notice.notice_id}"
    return await shown(who, notice, office, tx)


@router.get("/notices/{notice_id}", response_model=NoticeOut)
async def read_notice(request: Request, who: Reader, notice_id: UUID, office: TheOffice, tx: ReadTx) -> Response:
    """Read a notice with what the rules say of it."""
    return tagged(request, await shown(who, await visible_notice(who, notice_id, tx), office, tx))


@router.get("/notices/{notice_id}/ledger", response_model=LedgerOut)
async def read_ledger(request: Request, who: Reader, notice_id: UUID, tx: ReadTx) -> Response:
    """Read who received a notice itself, who was sent it, whose store has it, who acknowledged it, and what is late."""
    return tagged(request, await ledger(await visible_notice(who, notice_id, tx), tx))


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
    rows = await Notices(tx).revisions(notice.notice_id, limit, read_cursor(cursor, integer, _truth))
    hidden = _filing_for(who, notice) is not notice.filing
    page = Page.of(rows, limit, lambda row: (row.revision, row.waiting), lambda row: RevisionOut.of(row, hidden=hidden))
    return tagged(request, page)


@router.post("/notices/{notice_id}/revisions")
async def revise_notice(who: Filer, notice_id: UUID, body: RevisionIn, office: TheOffice, tx: WriteTx) -> NoticeOut:
    """Put a new revision in force. 409 when it does not follow the newest one."""
    _visible(who, await Notices(tx).get(notice_id))
    at = checked_arrival(body.arrived_at, tx.clock.now(), by_officer=isinstance(who, Officer))
    arrival = _arrival(who, tx, at)
    notice = await office.revise(tx, notice_id, body.filing, body.predecessor, who.actor, arrival)
    return await shown(who, notice, office, tx)


@router.post("/notices/{notice_id}/withdrawal")
async def withdraw_notice(who: Filer, notice_id: UUID, office: TheOffice, tx: WriteTx) -> NoticeOut:
    """Withdraw a notice, as the employer asks. Repeating it changes nothing."""
    _visible(who, await Notices(tx).get(notice_id))
    notice = await office.withdraw(tx, notice_id, who.actor)
    if isinstance(who, Officer):
        record(tx, notice.notice_id, ActKind.WITHDRAWN, who.actor)
    return await shown(who, notice, office, tx)


@router.post("/notices/{notice_id}/closing")
async def close_notice(who: Coordinator, notice_id: UUID, body: ClosingIn, office: TheOffice, tx: WriteTx) -> NoticeOut:
    """Close a notice with or without terminations. Repeating it changes nothing."""
    return await shown(who, await office.close(tx, notice_id, body.outcome, who.actor), office, tx)


@router.get("/unrouted", tags=["unrouted"])
async def list_unrouted(_: Coordinator, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None) -> Page[UnroutedLine]:
    """List places that lead to no authority, oldest first. Nobody is a default."""
    after = read_long_cursor(cursor, datetime.fromisoformat, UUID, ReasonKind, str)
    rows = await Notices(tx).unrouted(limit, after)
    return Page.of(rows, limit, lambda row: (row.since, row.notice_id, row.kind, row.municipality), UnroutedLine.of)


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
    """List a notice's letters, oldest version first."""
    notice = await visible_notice(who, notice_id, tx)
    rows = await Deliveries(tx).of_notice(notice.notice_id, limit, read_cursor(cursor, integer, UUID))
    return Page.of(rows, limit, lambda row: (row.version, row.delivery_id), DeliveryOut.model_validate)


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


async def shown(who: Officer | System, notice: Notice, office: JointOffice, tx: Transaction) -> NoticeOut:
    """Show a notice as the caller may see it."""
    filings = await office.earlier(tx, notice)
    earlier = None if filings is None else earlier_reductions(filings, notice.notice_id)
    return NoticeOut.of(notice, _filing_for(who, notice), office.book.rules, earlier)


async def ledger(notice: Notice, tx: Transaction) -> LedgerOut:
    """Show a notice's ledger, with the receipts of the notices that are merged into it."""
    arrivals = await Evidence(tx).of_matter(notice.notice_id)
    return LedgerOut.of(notice, arrivals, tx.clock.now())


def _arrival(who: Officer | System, tx: Transaction, at: datetime) -> Arrival:
    """An officer receives for the own authority; a system files with the joint office."""
    if isinstance(who, Officer):
        return arrived_by_http(who.authority, at, Channel.OFFICER)
    return arrived_by_http(tx.office, at, Channel.HTTP)


def _truth(text: str) -> bool:
    if text not in {"True", "False"}:
        raise ValueError
    return text == "True"
