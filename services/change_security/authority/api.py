"""A city's own API: its cases, its officers' work, and filings that it registers itself, also while the joint office
is unavailable. Notes never leave this office. Officers of another authority act here while its consent is in force.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status

from services.change_security.authority.case_officers import CaseReader, CaseWriter, OwnCaseOfficer, own
from services.change_security.authority.commands import CityCases
from services.change_security.authority.models import (
    CaseOut,
    CaseRevisionOut,
    CheckIn,
    DeclineIn,
    NoteIn,
    NoteOut,
    SpecialistIn,
    StepIn,
    TakeIn,
)
from services.change_security.authority.store import Cases
from services.change_security.authority.tables import CaseRevisionRow
from services.change_security.callers import Filer
from services.change_security.domain.case import CaseState, CheckItem, Step
from services.change_security.domain.filing import masked
from services.change_security.domain.notice import arrival
from services.change_security.models import ClosingIn, NoticeIn, RevisionIn
from shared.events.envelope import derived_id
from shared.http.auth import Operator, part
from shared.http.reading import Cursor, Limit, Page, integer, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer
from shared.messaging.transaction import Transaction

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["cases"])
TheCases = Annotated[CityCases, Depends(part(CityCases))]


@router.post(
    "/notices",
    status_code=status.HTTP_201_CREATED,
    tags=["notices"],
)
async def register_notice(who: Filer, body: NoticeIn, cases: TheCases, tx: WriteTx, response: Response) -> CaseOut:
    """Register a notice in this authority's own store. The joint office reconciles it as soon as it can."""
    arrived_at = arrival(body.arrived_at, tx.clock.now(), by_officer=isinstance(who, Officer))
    notice_id = derived_id("notice", cases.authority, tx.cause)
    by = own(who) if isinstance(who, Officer) else None
    await cases.register(tx, notice_id, body.filing, arrived_at, by, body.filer_reference)
    response.headers["Location"] = f"/v1/cases/{notice_id}"
    return await _shown(cases, tx, notice_id)


@router.post("/cases/{notice_id}/revisions", tags=["notices"])
async def revise(by: OwnCaseOfficer, notice_id: UUID, body: RevisionIn, cases: TheCases, tx: WriteTx) -> CaseOut:
    """Register a new revision that the employer sent to this authority. 409 when it does not follow the newest."""
    arrived_at = arrival(body.arrived_at, tx.clock.now(), by_officer=True)
    await cases.revise(tx, notice_id, body.filing, body.predecessor, arrived_at, by)
    return await _shown(cases, tx, notice_id)


@router.post("/cases/{notice_id}/withdrawal", tags=["notices"])
async def withdraw(by: OwnCaseOfficer, notice_id: UUID, cases: TheCases, tx: WriteTx) -> CaseOut:
    """Register that the employer withdraws the notice."""
    await cases.withdraw(tx, notice_id, by)
    return await _shown(cases, tx, notice_id)


@router.get("/cases/{notice_id}", response_model=CaseOut)
async def read_case(request: Request, _: CaseReader, notice_id: UUID, cases: TheCases, tx: ReadTx) -> Response:
    """Read a case."""
    return tagged(request, await _shown(cases, tx, notice_id))


@router.get("/cases/{notice_id}/revisions")
async def list_revisions(
    _: CaseReader, notice_id: UUID, cases: TheCases, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[CaseRevisionOut]:
    """List the revisions that this authority has received, oldest first."""
    hidden = (await cases.row(tx, notice_id)).state is CaseState.RELEASED
    rows = await Cases(tx).revisions(notice_id, limit, read_single_cursor(cursor, integer))

    def show(row: CaseRevisionRow) -> CaseRevisionOut:
        filing = masked(row.filing) if hidden else row.filing
        return CaseRevisionOut(revision=row.revision, arrived_at=row.arrived_at, stored_at=row.stored_at, filing=filing)

    return Page.of(rows, limit, lambda row: (row.revision,), show)


@router.put("/cases/{notice_id}/specialist")
async def name_specialist(
    by: OwnCaseOfficer, notice_id: UUID, body: SpecialistIn, cases: TheCases, tx: WriteTx
) -> CaseOut:
    """Name this authority's specialist for the case."""
    await cases.name_specialist(tx, notice_id, body.specialist, by)
    return await _shown(cases, tx, notice_id)


@router.post("/cases/{notice_id}/acknowledgement")
async def acknowledge(by: CaseWriter, notice_id: UUID, cases: TheCases, tx: WriteTx) -> CaseOut:
    """Acknowledge a notice: the receipt of a person, after the store's own. Repeating it changes nothing."""
    await cases.acknowledge(tx, notice_id, by)
    return await _shown(cases, tx, notice_id)


@router.post("/cases/{notice_id}/decline")
async def decline(by: OwnCaseOfficer, notice_id: UUID, body: DeclineIn, cases: TheCases, tx: WriteTx) -> CaseOut:
    """Say that the notice is not this authority's own; a coordinator looks into it."""
    await cases.decline(tx, notice_id, body.reason, by)
    return await _shown(cases, tx, notice_id)


@router.post("/cases/{notice_id}/taking")
async def take(by: OwnCaseOfficer, notice_id: UUID, body: TakeIn, cases: TheCases, tx: WriteTx) -> CaseOut:
    """Take the own part out of joint handling. To act in another's, ask: `POST /v1/cases/{id}/acting`."""
    await cases.take(tx, notice_id, body.parts, by)
    return await _shown(cases, tx, notice_id)


@router.post("/cases/{notice_id}/returning")
async def give_back(by: OwnCaseOfficer, notice_id: UUID, cases: TheCases, tx: WriteTx) -> CaseOut:
    """Return the own part to joint handling. It is joint again when the joint office has told so."""
    await cases.give_back(tx, notice_id, by)
    return await _shown(cases, tx, notice_id)


@router.post("/cases/{notice_id}/closing")
async def close(by: CaseWriter, notice_id: UUID, body: ClosingIn, cases: TheCases, tx: WriteTx) -> CaseOut:
    """Close this authority's own case with the outcome."""
    await cases.close(tx, notice_id, body.outcome, by)
    return await _shown(cases, tx, notice_id)


@router.put("/cases/{notice_id}/steps/{step}")
async def set_step(by: CaseWriter, notice_id: UUID, step: Step, body: StepIn, cases: TheCases, tx: WriteTx) -> CaseOut:
    """Set how far a step of the course is."""
    await cases.set_step(tx, notice_id, step, body.state, by)
    return await _shown(cases, tx, notice_id)


@router.put("/cases/{notice_id}/checklist/{group_id}/{item}")
async def set_check(
    by: OwnCaseOfficer,
    notice_id: UUID,
    group_id: UUID,
    item: CheckItem,
    body: CheckIn,
    cases: TheCases,
    tx: WriteTx,
) -> CaseOut:
    """Set to how many employees of a group an item of the 55+ checklist applies; null takes the count back."""
    await cases.set_check(tx, notice_id, group_id, item, body.count, by)
    return await _shown(cases, tx, notice_id)


@router.post(
    "/cases/{notice_id}/notes",
    status_code=status.HTTP_201_CREATED,
)
async def add_note(
    by: CaseWriter, notice_id: UUID, body: NoteIn, cases: TheCases, tx: WriteTx, response: Response
) -> NoteOut:
    """Add a note. It never leaves this office; an officer of another authority adds shared ones, and sees those."""
    response.headers["Location"] = f"/v1/cases/{notice_id}/notes"
    return NoteOut.model_validate(await cases.add_note(tx, notice_id, body.text, by, shared=body.shared))


@router.get("/cases/{notice_id}/notes")
async def list_notes(
    by: CaseReader, notice_id: UUID, cases: TheCases, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[NoteOut]:
    """List the notes, oldest first."""
    await cases.row(tx, notice_id)
    rows = await Cases(tx).notes(notice_id, limit, read_single_cursor(cursor, int), shared_only=by.is_of_another)
    return Page.of(rows, limit, lambda row: (row.id,), NoteOut.model_validate)


@router.get("/state-hash", tags=["operations"])
async def state_hash(_: Operator, tx: ReadTx) -> dict[str, str]:
    """Return one hash of all that follows from messages: a store rebuilt from the first offset gives the same."""
    return {"hash": await Cases(tx).state_hash()}


async def _shown(cases: CityCases, tx: Transaction, notice_id: UUID) -> CaseOut:
    return CaseOut.of(await cases.read(tx, notice_id))
