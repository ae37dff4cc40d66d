"""The joint office's API of own staff, attendance, drop-out, and statements that are kept and approved."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from services.training.domain.attendance import Attended, Participant
from services.training.domain.procurement import GroupStatement, StatementState
from services.training.domain.seats import Actor
from services.training.joint import statement_document
from services.training.joint.api import Proposer
from services.training.joint.commands.participants import JointParticipants
from services.training.joint.commands.seats import JointSeats
from services.training.joint.commands.statements import JointStatements
from services.training.joint.models import DecisionOut, Reason, ReasonIn, SeatOut
from services.training.joint.procurement_store import Accounts, Participants
from services.training.joint.store import Decisions, Procurement, Queue
from services.training.joint.tables import DecisionRow, ParticipantRow, StatementRow
from shared.errors import UnknownError
from shared.events.v1.training import Language
from shared.events.values import Day
from shared.http.auth import Coordinator, OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer, System
from shared.messaging.transaction import Database, Transaction

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["procurement"])
TheParticipants = Annotated[JointParticipants, Depends(part(JointParticipants))]
TheSeats = Annotated[JointSeats, Depends(part(JointSeats))]
TheStatements = Annotated[JointStatements, Depends(part(JointStatements))]
TheDatabase = Annotated[Database, Depends(part(Database))]


class ParticipantOut(BaseModel):
    """Own staff who take part."""

    participant_id: UUID
    participant: Participant
    added_by: str
    added_at: datetime
    removed_at: datetime | None
    dropped_out_at: datetime | None

    @classmethod
    def of(cls, row: ParticipantRow) -> "ParticipantOut":
        """Show own staff."""
        return cls(
            participant_id=row.participant_id,
            participant=row.participant,
            added_by=row.added_by,
            added_at=row.added_at,
            removed_at=row.removed_at,
            dropped_out_at=row.dropped_out_at,
        )


class AttendanceIn(BaseModel):
    """Who has attended how many training days so far."""

    model_config = ConfigDict(extra="forbid")

    attended: list[Attended] = Field(min_length=1, max_length=400)


class AttendanceOut(BaseModel):
    """The newest entry on the holder of a seat."""

    model_config = ConfigDict(from_attributes=True)

    holder_id: UUID
    days: int


class StatementIn(BaseModel):
    """The groups, by the days on which they start, and the approved statement that is corrected."""

    model_config = ConfigDict(extra="forbid")

    since: Day
    until: Day
    replaces: UUID | None = None


class ApprovalIn(BaseModel):
    """A coordinator's approval, and on what ground."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Reason


class StatementLineOut(BaseModel):
    """A kept statement in a list."""

    model_config = ConfigDict(from_attributes=True)

    statement_id: UUID
    since: date
    until: date
    state: StatementState
    replaces: UUID | None
    made_by: str
    made_at: datetime


class KeptStatementOut(StatementLineOut):
    """A kept statement: what used seats come to, and who approved it."""

    lines: list[GroupStatement]
    decisions: list[DecisionOut]

    @classmethod
    def whole(cls, statement: StatementRow, decisions: Sequence[DecisionRow]) -> "KeptStatementOut":
        """Show a statement."""
        return cls(
            **StatementLineOut.model_validate(statement).model_dump(),
            lines=list(statement.lines),
            decisions=[DecisionOut.model_validate(decision) for decision in decisions],
        )


# -- own staff


@router.post("/proposals/{proposal_id}/participants", status_code=status.HTTP_201_CREATED)
async def add_participant(
    response: Response, who: Proposer, proposal_id: UUID, body: Participant, participants: TheParticipants, tx: WriteTx
) -> ParticipantOut:
    """Let own staff take part in a TäsmäKoulutus: a number of people, or one by an opaque reference."""
    await _check_own(tx, proposal_id, who)
    row = await participants.add(tx, proposal_id, body, _actor(who))
    response.headers["Location"] = f"/v1/participants/{row.participant_id}"
    return ParticipantOut.of(row)


@router.get("/proposals/{proposal_id}/participants")
async def list_participants(who: Proposer, proposal_id: UUID, tx: ReadTx) -> list[ParticipantOut]:
    """List who takes part, and who has dropped out."""
    await _check_own(tx, proposal_id, who)
    return [ParticipantOut.of(row) for row in await Participants(tx).of(proposal_id)]


@router.get("/participants/{participant_id}", response_model=ParticipantOut)
async def read_participant(request: Request, who: Proposer, participant_id: UUID, tx: ReadTx) -> Response:
    """Read who takes part, or took part."""
    row = await Participants(tx).get(participant_id)
    await _check_own(tx, row.proposal_id, who)
    return tagged(request, ParticipantOut.of(row))


@router.post("/participants/{participant_id}/removal")
async def remove_participant(
    who: Proposer, participant_id: UUID, body: ReasonIn, participants: TheParticipants, tx: WriteTx
) -> ParticipantOut:
    """Take own staff out again, with a reason; seats that become free are offered. 409 once they have attended."""
    await _check_own(tx, (await Participants(tx).get(participant_id)).proposal_id, who)
    return ParticipantOut.of(await participants.remove(tx, participant_id, _actor(who), body.reason))


@router.post("/participants/{participant_id}/drop-out")
async def drop_out_participant(
    who: Proposer, participant_id: UUID, body: ReasonIn, participants: TheParticipants, tx: WriteTx
) -> ParticipantOut:
    """Enter that own staff have left a running group; within the late entry days their seats are offered on."""
    await _check_own(tx, (await Participants(tx).get(participant_id)).proposal_id, who)
    return ParticipantOut.of(await participants.drop_out(tx, participant_id, _actor(who), body.reason))


@router.post("/participants/{participant_id}/return")
async def bring_participant_back(
    who: Proposer, participant_id: UUID, body: ReasonIn, participants: TheParticipants, tx: WriteTx
) -> ParticipantOut:
    """Take a drop-out of own staff back, with a reason, while the group has a seat for them."""
    await _check_own(tx, (await Participants(tx).get(participant_id)).proposal_id, who)
    return ParticipantOut.of(await participants.come_back(tx, participant_id, _actor(who), body.reason))


# -- attendance


@router.post("/groups/{group_id}/attendance")
async def enter_attendance(
    who: OwnOfficer, group_id: UUID, body: AttendanceIn, participants: TheParticipants, tx: WriteTx
) -> list[AttendanceOut]:
    """Enter how many training days holders of seats have attended so far. Shows the newest entry on each."""
    await participants.attend(tx, group_id, body.attended, _actor(who))
    return await _attendance(tx, group_id)


@router.get("/groups/{group_id}/attendance")
async def read_attendance(_: OwnOfficer, group_id: UUID, tx: ReadTx) -> list[AttendanceOut]:
    """Read the newest entry on each holder of a seat."""
    return await _attendance(tx, group_id)


@router.post("/seats/{offer_id}/drop-out")
async def drop_out(who: OwnOfficer, offer_id: UUID, body: ReasonIn, seats: TheSeats, tx: WriteTx) -> SeatOut:
    """Enter that someone has left a running group; within the late entry days the seat is offered to the next.

    Who comes back applies again and is selected.
    """
    await seats.drop_out(tx, offer_id, _actor(who), body.reason)
    seat = await Queue(tx).seat(offer_id)
    if seat is None:
        raise UnknownError("offer")
    return SeatOut.model_validate(seat)


# -- statements


@router.post("/statements", status_code=status.HTTP_201_CREATED)
async def keep_statement(
    response: Response, who: OwnOfficer, body: StatementIn, statements: TheStatements, tx: WriteTx
) -> KeptStatementOut:
    """Keep what used seats come to now. A statement, no invoice."""
    statement = await statements.keep(tx, body.since, body.until, body.replaces, _actor(who))
    response.headers["Location"] = f"/v1/statements/{statement.statement_id}"
    return KeptStatementOut.whole(statement, ())


@router.get("/statements")
async def list_statements(
    _: OwnOfficer, tx: ReadTx, state: StatementState | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[StatementLineOut]:
    """List kept statements, newest first."""
    kept = await Accounts(tx).statements(state, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(
        kept, limit, lambda statement: (statement.made_at, statement.statement_id), StatementLineOut.model_validate
    )


@router.get("/statements/{statement_id}", response_model=KeptStatementOut)
async def read_statement(request: Request, _: OwnOfficer, statement_id: UUID, tx: ReadTx) -> Response:
    """Read a kept statement."""
    return tagged(request, await _statement(tx, await Accounts(tx).statement(statement_id)))


@router.post("/statements/{statement_id}/approval")
async def approve_statement(
    who: Coordinator, statement_id: UUID, body: ApprovalIn, statements: TheStatements, tx: WriteTx
) -> KeptStatementOut:
    """Approve a statement; the one that it corrects is replaced."""
    return await _statement(tx, await statements.approve(tx, statement_id, _actor(who), body.reason))


@router.get("/statements/{statement_id}/document.{kind}", response_class=Response)
async def read_statement_document(
    _: OwnOfficer, statement_id: UUID, kind: Literal["csv", "pdf"], database: TheDatabase, lang: Language = "fi"
) -> Response:
    """Get a kept statement as CSV or as PDF."""
    async with database.read() as tx:
        statement = await Accounts(tx).statement(statement_id)
    if kind == "csv":
        return Response(statement_document.csv_of(statement), media_type="text/csv")
    document = await asyncio.to_thread(statement_document.pdf, statement, lang)
    return Response(document, media_type="application/pdf")


def _actor(who: Officer | System) -> Actor:
    return Actor(who.actor, who.authority if isinstance(who, Officer) else None)


async def _check_own(tx: Transaction, proposal_id: UUID, who: Officer | System) -> None:
    proposal = await Procurement(tx).get(proposal_id)
    if proposal is None or (isinstance(who, System) and proposal.proposed_by != who.actor):
        raise UnknownError("proposal")


async def _attendance(tx: Transaction, group_id: UUID) -> list[AttendanceOut]:
    return [AttendanceOut.model_validate(entry) for entry in await Accounts(tx).attendance(group_id)]


async def _statement(tx: Transaction, statement: StatementRow) -> KeptStatementOut:
    return KeptStatementOut.whole(statement, await Decisions(tx).about(statement.statement_id))
