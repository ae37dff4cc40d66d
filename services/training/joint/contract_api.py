"""The joint office's API of contracts with providers and of their call-offs."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from services.training.domain.contracts import ContractTerms, price_of
from services.training.domain.seats import Actor
from services.training.joint.commands.contracts import JointContracts
from services.training.joint.contract_store import Contracts
from services.training.joint.models import DecisionOut, Reason, ReasonIn
from services.training.joint.store import Decisions
from services.training.joint.tables import CallOffRow, ContractRow
from shared.http.auth import Coordinator, OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer
from shared.messaging.transaction import Transaction

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["contracts"])
TheContracts = Annotated[JointContracts, Depends(part(JointContracts))]


class OptionIn(BaseModel):
    """Which option is taken, and why."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=60)
    reason: str = Reason


class CallOffIn(BaseModel):
    """Seats that are ordered, for a group if it is known."""

    model_config = ConfigDict(extra="forbid")

    volume: dict[str, int] = Field(min_length=1, max_length=10, description="Seats, by city.")
    group_id: UUID | None = None


class CallOffOut(BaseModel):
    """Seats that were ordered from a contract, and what they cost without VAT."""

    call_off_id: UUID
    contract_id: UUID
    group_id: UUID | None
    volume: dict[str, int]
    eur: Decimal
    ordered_by: str
    ordered_at: datetime
    cancelled_at: datetime | None

    @classmethod
    def of(cls, row: CallOffRow, terms: ContractTerms) -> "CallOffOut":
        """Show a call-off."""
        return cls(eur=price_of(terms, row.volume), **row.model_dump())


class ContractLineOut(BaseModel):
    """A contract in a list."""

    model_config = ConfigDict(from_attributes=True)

    contract_id: UUID
    terms: ContractTerms
    options_taken: list[str]
    recorded_by: str
    recorded_at: datetime
    ended_at: datetime | None


class ContractOut(ContractLineOut):
    """A contract with the seats that are left, and what was decided of it."""

    left: dict[str, int] = Field(description="Seats, by city.")
    decisions: list[DecisionOut]


@router.post("/contracts", status_code=status.HTTP_201_CREATED)
async def record_contract(
    response: Response, who: Coordinator, body: ContractTerms, contracts: TheContracts, tx: WriteTx
) -> ContractOut:
    """Record a contract with a provider."""
    row = contracts.record(tx, body, _actor(who))
    response.headers["Location"] = f"/v1/contracts/{row.contract_id}"
    return await _shown(tx, row, contracts)


@router.get("/contracts")
async def list_contracts(_: OwnOfficer, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None) -> Page[ContractLineOut]:
    """List contracts, newest first."""
    rows = await Contracts(tx).page(read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.recorded_at, row.contract_id), ContractLineOut.model_validate)


@router.get("/contracts/{contract_id}", response_model=ContractOut)
async def read_contract(
    request: Request, _: OwnOfficer, contract_id: UUID, contracts: TheContracts, tx: ReadTx
) -> Response:
    """Read a contract, with the seats that are left."""
    return tagged(request, await _shown(tx, await Contracts(tx).get(contract_id), contracts))


@router.post("/contracts/{contract_id}/option")
async def take_option(
    who: Coordinator, contract_id: UUID, body: OptionIn, contracts: TheContracts, tx: WriteTx
) -> ContractOut:
    """Take an option, with a reason: its seats are added."""
    row = await contracts.take_option(tx, contract_id, body.name, _actor(who), body.reason)
    return await _shown(tx, row, contracts)


@router.post("/contracts/{contract_id}/end")
async def end_contract(
    who: Coordinator, contract_id: UUID, body: ReasonIn, contracts: TheContracts, tx: WriteTx
) -> ContractOut:
    """End a contract, with a reason: nothing more is ordered from it. Its call-offs stand."""
    return await _shown(tx, await contracts.end(tx, contract_id, _actor(who), body.reason), contracts)


@router.post("/contracts/{contract_id}/call-offs", status_code=status.HTTP_201_CREATED)
async def call_off(
    response: Response, who: OwnOfficer, contract_id: UUID, body: CallOffIn, contracts: TheContracts, tx: WriteTx
) -> CallOffOut:
    """Order seats from a contract."""
    row = await contracts.call_off(tx, contract_id, body.volume, body.group_id, _actor(who))
    response.headers["Location"] = f"/v1/call-offs/{row.call_off_id}"
    return await _call_off(tx, row)


@router.get("/contracts/{contract_id}/call-offs")
async def list_call_offs(
    _: OwnOfficer, contract_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[CallOffOut]:
    """List the call-offs of a contract, newest first, also cancelled ones."""
    terms = (await Contracts(tx).get(contract_id)).terms
    rows = await Contracts(tx).call_offs(contract_id, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.ordered_at, row.call_off_id), lambda row: CallOffOut.of(row, terms))


@router.get("/call-offs/{call_off_id}", response_model=CallOffOut)
async def read_call_off(request: Request, _: OwnOfficer, call_off_id: UUID, tx: ReadTx) -> Response:
    """Read a call-off."""
    return tagged(request, await _call_off(tx, await Contracts(tx).call_off(call_off_id)))


@router.post("/call-offs/{call_off_id}/cancellation")
async def cancel_call_off(
    who: OwnOfficer, call_off_id: UUID, body: ReasonIn, contracts: TheContracts, tx: WriteTx
) -> CallOffOut:
    """Cancel a call-off, with a reason: its seats are the contract's again."""
    return await _call_off(tx, await contracts.cancel(tx, call_off_id, _actor(who), body.reason))


def _actor(who: Officer) -> Actor:
    return Actor(who.actor, who.authority)


async def _call_off(tx: Transaction, row: CallOffRow) -> CallOffOut:
    return CallOffOut.of(row, (await Contracts(tx).get(row.contract_id)).terms)


async def _shown(tx: Transaction, row: ContractRow, contracts: JointContracts) -> ContractOut:
    decisions = await Decisions(tx).about(row.contract_id)
    return ContractOut(
        **ContractLineOut.model_validate(row).model_dump(),
        left=await contracts.left(tx, row),
        decisions=[DecisionOut.model_validate(decision) for decision in decisions],
    )
