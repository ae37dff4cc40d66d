"""The joint office's API: intake, routing, ledger, and the queue of the unrouted.

Who sees what: a system sees what it filed; an officer what concerns the own authority; a coordinator everything.
What the caller may not see does not exist for the caller (404).
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request, Response, status

from services.change_security.api import models
from services.change_security.api.intake import (
    answered_before,
    arrival,
    checked,
    conflict,
)
from services.change_security.commands import JointOffice, UnknownNoticeError
from services.change_security.domain.filing import masked
from services.change_security.domain.ledger import EntryState
from services.change_security.domain.matter import Channel, ConflictError, Matter, Receipt
from services.change_security.store import Deliveries, Directory, Notices
from shared.events.envelope import derived_id
from shared.events.v1.change_security import Filing
from shared.http import (
    Caller,
    Cursor,
    IdempotencyKey,
    Limit,
    Page,
    ProblemError,
    answering,
    not_found,
    permit_officer,
    permit_system,
    read_cursor,
    tagged,
    write_cursor,
)
from shared.identity import Officer, System
from shared.messaging.transaction import Transaction, Database
from shared.screening import without_identity_codes

_STAFF = ("officer", "coordinator")


def router(office: JointOffice, database: Database, authorities: frozenset[str]) -> APIRouter:
    """Make the joint office's routes. `authorities`: those whose officers work here."""
    routes = APIRouter(prefix="/v1", tags=["notices"])

    def coordinator(who: Caller) -> Officer:
        return permit_officer(who, authorities, "coordinator")

    Coordinator = Annotated[Officer, Depends(coordinator)]  # noqa: N806 - a type

    def may_see(who: Officer | System, matter: Matter | None) -> Matter:
        if isinstance(who, System):
            permit_system(who, "notices:read", "notices:write")
            visible = matter is not None and matter.receipt.filed_by == who.actor
        else:
            permit_officer(who, authorities, *_STAFF)
            visible = matter is not None and ("coordinator" in who.roles or matter.entry(who.authority) is not None)
        if matter is None or not visible:
            raise not_found("notice")
        return matter

    def may_change(who: Officer | System, matter: Matter | None) -> Matter:
        if isinstance(who, System):
            permit_system(who, "notices:write")
        return may_see(who, matter)

    def filing_for(who: Officer | System, matter: Matter) -> Filing:
        if isinstance(who, System) or "coordinator" in who.roles:
            return matter.filing
        entry = matter.entry(who.authority)
        handles = entry is not None and entry.state is not EntryState.RELEASED
        return matter.filing if handles else masked(matter.filing)

    def shown(who: Officer | System, matter: Matter) -> models.NoticeOut:
        return models.NoticeOut.of(matter, filing_for(who, matter), office.book.rules)

    async def read(who: Officer | System, notice_id: UUID, tx: Transaction) -> Matter:
        return may_see(who, await Notices(tx).read(notice_id))

    @routes.post("/notices", status_code=status.HTTP_201_CREATED, dependencies=[Depends(without_identity_codes)])
    async def file_notice(
        request: Request, response: Response, who: Caller, notice: models.NoticeIn, key: IdempotencyKey = None
    ) -> models.NoticeOut:
        """File a notice. Answered only after it is committed; what is missing is listed, not refused."""
        if isinstance(who, System):
            permit_system(who, "notices:write")
        else:
            permit_officer(who, authorities, *_STAFF)
        filing = checked(notice.filing)
        now = database.clock.now()
        receipt = Receipt(
            channel=Channel.HTTP if isinstance(who, System) else Channel.OFFICER,
            filed_by=who.actor,
            arrived_at=arrival(notice, who, now),
            registered_at=now,
        )
        notice_id = derived_id("notice", who.actor, key) if key else uuid4()
        async with answering(database, derived_id("file", notice_id), _problem_of) as tx:
            before = await answered_before(request, response, tx, who, key, notice_id)
            if before is not None:
                return shown(who, await office.known(tx, before))
            matter = await office.file(tx, notice_id, filing, receipt)
        response.headers["Location"] = f"/v1/notices/{notice_id}"
        return shown(who, matter)

    @routes.get("/notices")
    async def list_notices(
        who: Caller,
        state: Annotated[Literal["open", "withdrawn", "closed"] | None, Query(alias="status")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[models.NoticeLine]:
        """List notices, newest first: a coordinator's all, an officer's those of the own authority."""
        officer = permit_officer(who, authorities, *_STAFF)
        async with database.read() as tx:
            rows = await Notices(tx).page(
                authority=None if "coordinator" in officer.roles else officer.authority,
                status=state,
                limit=limit,
                before=_place(cursor),
            )
        following = write_cursor(rows[-1].registered_at, rows[-1].notice_id) if len(rows) == limit else None
        return Page(items=[models.NoticeLine.model_validate(row, from_attributes=True) for row in rows], next=following)

    @routes.get("/notices/{notice_id}", response_model=models.NoticeOut)
    async def read_notice(request: Request, who: Caller, notice_id: UUID) -> Response:
        """Read a notice with what the rules say of it."""
        async with database.read() as tx:
            matter = await read(who, notice_id, tx)
        return tagged(request, shown(who, matter))

    @routes.get("/notices/{notice_id}/ledger", response_model=models.LedgerOut)
    async def read_ledger(request: Request, who: Caller, notice_id: UUID) -> Response:
        """Read who has been sent a notice, whose store has it, who has taken notice, and what is late."""
        async with database.read() as tx:
            matter = await read(who, notice_id, tx)
        return tagged(request, models.LedgerOut.of(matter, database.clock.now()))

    @routes.get("/notices/{notice_id}/routing", response_model=models.RoutingOut)
    async def explain_routing(request: Request, who: Caller, notice_id: UUID) -> Response:
        """Explain where a notice went, and why."""
        async with database.read() as tx:
            matter = await read(who, notice_id, tx)
        return tagged(request, _routing(matter, office))

    @routes.get("/notices/{notice_id}/revisions", response_model=list[models.RevisionOut])
    async def list_revisions(request: Request, who: Caller, notice_id: UUID) -> Response:
        """List the revisions of a notice, oldest first."""
        async with database.read() as tx:
            matter = await read(who, notice_id, tx)
            rows = await Notices(tx).revisions(notice_id)
        hidden = filing_for(who, matter) is not matter.filing
        revisions = []
        for row in rows:
            filing = Filing.model_validate(row.filing)
            revisions.append(
                models.RevisionOut(
                    revision=row.revision,
                    predecessor=row.revision - 1 or None,
                    waiting=row.waiting,
                    recorded_at=row.recorded_at,
                    filing=masked(filing) if hidden else filing,
                )
            )
        return tagged(request, revisions)

    @routes.post("/notices/{notice_id}/revisions", dependencies=[Depends(without_identity_codes)])
    async def revise_notice(who: Caller, notice_id: UUID, revision: models.RevisionIn) -> models.NoticeOut:
        """Put a new revision in force. 409 when it does not follow the newest one."""
        filing = checked(revision.filing)
        cause = derived_id("revise", notice_id, revision.predecessor)
        async with answering(database, cause, _problem_of) as tx:
            may_change(who, await Notices(tx).get(notice_id))
            matter = await office.revise(tx, notice_id, filing, revision.predecessor, who.actor)
        return shown(who, matter)

    @routes.post("/notices/{notice_id}/withdrawal")
    async def withdraw_notice(who: Caller, notice_id: UUID) -> models.NoticeOut:
        """Withdraw a notice, as the employer asks. Repeating it changes nothing."""
        async with answering(database, derived_id("withdraw", notice_id), _problem_of) as tx:
            may_change(who, await Notices(tx).get(notice_id))
            matter = await office.withdraw(tx, notice_id, who.actor)
        return shown(who, matter)

    @routes.post("/notices/{notice_id}/closing")
    async def close_notice(who: Coordinator, notice_id: UUID, closing: models.ClosingIn) -> models.NoticeOut:
        """Close a notice with or without terminations. Repeating it changes nothing."""
        async with answering(database, derived_id("close", notice_id), _problem_of) as tx:
            matter = await office.close(tx, notice_id, closing.outcome, who.actor)
        return shown(who, matter)

    @routes.get("/unrouted", tags=["unrouted"])
    async def list_unrouted(_: Coordinator, limit: Limit = 50, cursor: Cursor = None) -> Page[models.UnroutedLine]:
        """List places that lead to no authority, oldest first. Nobody is a default."""
        async with database.read() as tx:
            rows = await Notices(tx).unrouted(limit, _place(cursor))
        following = write_cursor(rows[-1].since, rows[-1].notice_id) if len(rows) == limit else None
        items = [
            models.UnroutedLine(
                notice_id=row.notice_id,
                kind=row.kind,
                municipality=row.municipality or None,
                why=row.why,
                since=row.since,
            )
            for row in rows
        ]
        return Page(items=items, next=following)

    @routes.post("/notices/{notice_id}/authorities", tags=["unrouted"])
    async def add_authority(who: Coordinator, notice_id: UUID, added: models.AuthorityIn) -> models.RoutingOut:
        """Send a notice to an authority by a coordinator's judgement, with a reason."""
        # Adding twice is two changes, each with its own version: their messages must not pass for one.
        async with answering(database, uuid4(), _problem_of) as tx:
            matter = await office.add_authority(
                tx,
                notice_id,
                added.authority,
                by=who.actor,
                municipality=added.municipality,
                reason=added.reason,
            )
        return _routing(matter, office)

    @routes.get("/notices/{notice_id}/deliveries", tags=["external"])
    async def list_deliveries(who: Caller, notice_id: UUID) -> list[models.DeliveryOut]:
        """List the e-mails to authorities outside the region."""
        async with database.read() as tx:
            await read(who, notice_id, tx)
            rows = await Deliveries(tx).of_notice(notice_id)
        return [models.DeliveryOut.model_validate(row, from_attributes=True) for row in rows]

    @routes.post("/notices/{notice_id}/authorities/{authority}/acknowledgement", tags=["external"])
    async def acknowledge_for(who: Coordinator, notice_id: UUID, authority: str) -> models.LedgerOut:
        """Enter that an authority outside the region has confirmed a notice."""
        now = database.clock.now()
        async with answering(database, derived_id("acknowledge", notice_id, authority, who.subject), _problem_of) as tx:
            matter = await office.known(tx, notice_id)
            entry = matter.entry(authority)
            if entry is None or entry.office is not None:
                raise not_found("external authority in the notice")
            Notices(tx).save_entry(
                notice_id,
                entry.stored(entry.version_sent, entry.revision_sent, now).acknowledged(authority, now),
            )
            matter = await office.known(tx, notice_id)
        return models.LedgerOut.of(matter, now)

    @routes.put("/authorities/{authority}/email", status_code=204, tags=["external"])
    async def set_email(_: Coordinator, authority: str, address: models.EmailIn) -> None:
        """Set the address of an authority outside the region; what waited for one is sent."""
        async with database.transaction(derived_id("email", authority)) as tx:
            if not await Directory(tx).set_email(authority, address.email):
                raise not_found("imported authority")
            await Deliveries(tx).without_address(authority)
            await tx.flush()
            await office.read_directory(tx)

    return routes


def _problem_of(error: Exception) -> ProblemError | None:
    if isinstance(error, UnknownNoticeError):
        return not_found("notice")
    return conflict(error) if isinstance(error, ConflictError) else None


def _place(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    at, notice_id = read_cursor(cursor, 2)
    return datetime.fromisoformat(at), UUID(notice_id)


def _routing(matter: Matter, office: JointOffice) -> models.RoutingOut:
    table = office.book.authorities
    codes = {reason.municipality for entry in matter.entries for reason in entry.reasons if reason.municipality}
    names = {code: row.name_fi for code in codes if (row := table.municipality(code))}
    return models.RoutingOut(
        notice_id=matter.notice_id,
        revision=matter.revision,
        routing_version=matter.routing_version,
        recipients=[
            models.RecipientOut(
                authority=entry.authority,
                name_fi=table.authorities[entry.authority].name_fi,
                name_sv=table.authorities[entry.authority].name_sv,
                name_en=table.authorities[entry.authority].name_en,
                handling_mode=entry.mode,
                state=entry.state,
                reasons=models.reasons_with_names(entry.reasons, names),
            )
            for entry in matter.entries
        ],
        unrouted=[
            models.PlaceOut(kind=found.kind, municipality=found.municipality, why=found.why)
            for found in matter.unrouted
        ],
    )
