"""The joint office's API of the agreement: what is in force, its versions, the operating model, decisions."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.advisory.domain.agreement import DecisionState, Proposal
from services.advisory.domain.operating_model import ModelTexts
from services.advisory.joint.agreement_commands import JointAgreement
from services.advisory.joint.agreement_models import (
    AgreementOut,
    AgreementTextOut,
    DecisionOut,
    OperatingModelOut,
    ReasonIn,
)
from services.advisory.joint.agreement_store import AgreementTexts, Decisions, OperatingModels
from services.advisory.joint.api import ManagementGroup, Staff, member
from shared.agreement import Agreements
from shared.calendar import local_day
from shared.errors import UnknownError
from shared.events.v1.agreement import Agreement, Figure, FigureName, Group
from shared.http.auth import part
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["agreement"])
TheAgreement = Annotated[JointAgreement, Depends(part(JointAgreement))]
Member = Annotated[Officer, Depends(member)]


@router.get("/agreement", response_model=AgreementOut)
async def read_agreement(request: Request, _: Staff, tx: ReadTx, day: date | None = None) -> Response:
    """Read the agreement as it is in force on a day; today without one."""
    figures = await Agreements(tx).figures()
    return tagged(request, AgreementOut.of(figures.at(day or local_day(tx.clock.now()))))


@router.get("/agreement/figures/{name}")
async def read_figure(
    _: Staff, name: FigureName, tx: ReadTx, scope: str | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[Figure]:
    """Read what a figure was, is and will be, with the decision behind each, in the order of its days."""
    first = read_single_cursor(cursor, int) or 0
    history = list(enumerate((await Agreements(tx).figures()).history(name, scope), 1))
    return Page.of(history[first:][:limit], limit, lambda entry: (entry[0],), lambda entry: entry[1])


@router.get("/agreement/versions")
async def list_versions(_: Staff, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None) -> Page[AgreementTextOut]:
    """List the versions of the agreement's text, newest first."""
    rows = await AgreementTexts(tx).page(read_single_cursor(cursor, int), limit)
    return Page.of(rows, limit, lambda row: (row.version,), AgreementTextOut.model_validate)


@router.post("/agreement/versions", status_code=201)
async def write_version(
    response: Response, who: ManagementGroup, body: Agreement, agreement: TheAgreement, tx: WriteTx
) -> AgreementTextOut:
    """Write the next version of the agreement. A decision puts it in force."""
    row = await agreement.write_version(tx, body, who.actor)
    response.headers["Location"] = f"/v1/agreement/versions/{row.version}"
    return AgreementTextOut.model_validate(row)


@router.get("/agreement/versions/{version}", response_model=AgreementTextOut)
async def read_version(request: Request, _: Staff, version: int, tx: ReadTx) -> Response:
    """Read a version of the agreement's text."""
    if (row := await AgreementTexts(tx).get(version)) is None:
        raise UnknownError("agreement version")
    return tagged(request, AgreementTextOut.model_validate(row))


@router.post("/operating-models", status_code=201)
async def write_model(
    response: Response, who: Member, body: ModelTexts, agreement: TheAgreement, tx: WriteTx
) -> OperatingModelOut:
    """Write the next version of the operating model. A decision of the management group confirms it."""
    row = await agreement.write_model(tx, body, who.actor)
    response.headers["Location"] = f"/v1/operating-models/{row.version}"
    return OperatingModelOut.model_validate(row)


@router.get("/operating-models")
async def list_models(_: Staff, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None) -> Page[OperatingModelOut]:
    """List versions of the operating model, newest first. Which one is confirmed, the agreement's figures say."""
    rows = await OperatingModels(tx).page(read_single_cursor(cursor, int), limit)
    return Page.of(rows, limit, lambda row: (row.version,), OperatingModelOut.model_validate)


@router.get("/operating-models/{version}", response_model=OperatingModelOut)
async def read_model(request: Request, _: Staff, version: int, tx: ReadTx) -> Response:
    """Read a version of the operating model."""
    if (row := await OperatingModels(tx).get(version)) is None:
        raise UnknownError("operating model")
    return tagged(request, OperatingModelOut.model_validate(row))


@router.post("/decisions", status_code=201)
async def propose(response: Response, who: Member, body: Proposal, agreement: TheAgreement, tx: WriteTx) -> DecisionOut:
    """Propose a decision to a group: figures, texts, or an earlier decision to be taken back."""
    row = await agreement.propose(tx, body, who)
    response.headers["Location"] = f"/v1/decisions/{row.decision_id}"
    return DecisionOut.model_validate(row)


@router.get("/decisions")
async def list_decisions(
    _: Staff,
    tx: ReadTx,
    group: Group | None = None,
    state: DecisionState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DecisionOut]:
    """List decisions, the last proposed first."""
    rows = await Decisions(tx).page(group, state, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.proposed_at, row.decision_id), DecisionOut.model_validate)


@router.get("/decisions/{decision_id}", response_model=DecisionOut)
async def read_decision(request: Request, _: Staff, decision_id: UUID, agreement: TheAgreement, tx: ReadTx) -> Response:
    """Read a decision, with what it put in force."""
    return tagged(request, DecisionOut.model_validate(await agreement.get(tx, decision_id)))


@router.post("/decisions/{decision_id}/confirmation")
async def confirm(who: Member, decision_id: UUID, agreement: TheAgreement, tx: WriteTx) -> DecisionOut:
    """Take a proposed decision, as another member than the one who wrote it. Every service obeys it from its day on."""
    return DecisionOut.model_validate(await agreement.confirm(tx, decision_id, who))


@router.post("/decisions/{decision_id}/rejection")
async def reject(who: Member, decision_id: UUID, body: ReasonIn, agreement: TheAgreement, tx: WriteTx) -> DecisionOut:
    """Turn a proposed decision down."""
    return DecisionOut.model_validate(await agreement.reject(tx, decision_id, body.reason, who))


@router.post("/decisions/{decision_id}/withdrawal")
async def withdraw(who: Member, decision_id: UUID, body: ReasonIn, agreement: TheAgreement, tx: WriteTx) -> DecisionOut:
    """Withdraw an own proposal before it is decided on."""
    return DecisionOut.model_validate(await agreement.withdraw(tx, decision_id, body.reason, who))
