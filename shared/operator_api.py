"""What operators do to a process over HTTP: look at parked records, replay or discard them, pause the consumer.

A replay and a discard run in transactions of the kernel; the request's own transaction keeps the first answer alone.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from shared.http.auth import Operator, part
from shared.http.problems import not_found
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.messaging.loop import Consumer
from shared.messaging.parking import ParkedState, Parking
from shared.messaging.relay import Relay
from shared.messaging.replay import NotOpenError
from shared.messaging.transaction import Database
from shared.redaction import redacted


class ParkedView(BaseModel):
    """A parked record without its payload."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    topic: str
    partition: int
    offset: int
    type: str | None
    code: str
    detail: str
    attempts: int
    state: ParkedState
    parked_at: datetime
    resolved_at: datetime | None


class AuditEntry(BaseModel):
    """What an operator did to a parked record."""

    act: str
    outcome: str
    actor: str
    reason: str
    at: datetime


class Reason(BaseModel):
    """Why an operator acts. Kept for audit; write no personal data."""

    reason: str = Field(min_length=3, max_length=500)


class Handled(BaseModel):
    """How many records an act caused to be handled."""

    handled: int


class ParkedDetail(ParkedView):
    """A parked record with its payload's shape: what could be personal or sensitive is replaced by its class."""

    payload: Any


class ParkedGroup(BaseModel):
    """How many records wait for one reason on one topic."""

    topic: str
    code: str
    count: int
    oldest: datetime


class GroupReplay(Reason):
    """Which parked records to replay, and whether only to see what would happen."""

    code: str = Field(max_length=100)
    topic: str | None = Field(default=None, max_length=249)
    dry_run: bool = True
    limit: int = Field(default=100, ge=1, le=1000)


class Replayed(BaseModel):
    """What a replay of one record ended with, or would end with: `handled`, or the code of the reason why not."""

    id: UUID
    outcome: str


class Rewind(BaseModel):
    """How many of the last records of each partition to read once more."""

    records: int = Field(default=50, ge=1, le=10_000)


class LagView(BaseModel):
    """How far behind the consumer is on a topic."""

    model_config = ConfigDict(from_attributes=True)

    topic: str
    records: int
    seconds: float


class OutboxView(BaseModel):
    """What is committed and not yet in Kafka.

    `seconds` is the age of the oldest; `leading` says whether this process sends it.
    """

    waiting: int
    seconds: float
    leading: bool


class ConsumerView(BaseModel):
    """The state of the process's consumer."""

    group: str
    topics: list[str]
    assigned: bool
    paused: bool
    parking_full: bool


router = APIRouter(prefix="/v1", tags=["operations"], route_class=IdempotentRoute)
TheConsumer = Annotated[Consumer, Depends(part(Consumer))]
TheRelay = Annotated[Relay, Depends(part(Relay))]
TheDatabase = Annotated[Database, Depends(part(Database))]


@router.get("/parked")
async def list_parked(
    _: Operator,
    tx: ReadTx,
    state: ParkedState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ParkedView]:
    """List parked records, oldest first."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    records = await Parking(tx.connection).page(state=state, limit=limit, after=after)
    return Page.of(records, limit, lambda record: (record.parked_at, record.id), ParkedView.model_validate)


@router.get("/parked/groups")
async def count_parked(_: Operator, tx: ReadTx) -> list[ParkedGroup]:
    """Count what waits, by topic and reason."""
    return [ParkedGroup(**group) for group in await Parking(tx.connection).groups()]


@router.post("/parked/replays")
async def replay_group(
    who: Operator, body: GroupReplay, consumer: TheConsumer, database: TheDatabase, _: WriteTx
) -> list[Replayed]:
    """Replay every record that is parked for one reason; a dry run rolls each back and says what would happen."""
    async with database.read() as tx:
        ids = await Parking(tx.connection).parked_for(body.code, body.topic, body.limit)
    outcomes = []
    for parked_id in ids:
        if body.dry_run:
            outcome = await _would_be(parked_id, consumer)
        else:
            outcome = await _replayed(parked_id, consumer, database, actor=who.subject, reason=body.reason)
        outcomes.append(Replayed(id=parked_id, outcome=outcome))
    return outcomes


@router.get("/parked/{parked_id}")
async def read_parked(_: Operator, parked_id: UUID, tx: ReadTx) -> ParkedDetail:
    """Show a parked record, its payload redacted by field class."""
    record = await Parking(tx.connection).get(parked_id)
    if record is None:
        raise not_found("parked record")
    payload = redacted(await Parking(tx.connection).payload(parked_id))
    return ParkedDetail(**ParkedView.model_validate(record).model_dump(), payload=payload)


@router.get("/parked/{parked_id}/audit")
async def read_audit_trail(
    _: Operator, parked_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[AuditEntry]:
    """List what operators did to a parked record, oldest first."""
    parking = Parking(tx.connection)
    if await parking.get(parked_id) is None:
        raise not_found("parked record")
    entries = await parking.audit_trail(parked_id, read_single_cursor(cursor, int), limit)
    return Page.of(entries, limit, lambda entry: (entry["id"],), AuditEntry.model_validate)


@router.post("/parked/{parked_id}/replay")
async def replay(who: Operator, parked_id: UUID, body: Reason, consumer: TheConsumer, _: WriteTx) -> Handled:
    """Handle a parked record again, and then what is held behind it."""
    return Handled(handled=await consumer.parked.replay(parked_id, actor=who.subject, reason=body.reason))


@router.post("/parked/{parked_id}/discard")
async def discard(who: Operator, parked_id: UUID, body: Reason, consumer: TheConsumer, _: WriteTx) -> Handled:
    """Give a parked record up; what is held behind it is handled."""
    return Handled(handled=await consumer.parked.discard(parked_id, actor=who.subject, reason=body.reason))


@router.get("/consumer")
async def read_consumer(_: Operator, consumer: TheConsumer) -> ConsumerView:
    """Show the consumer."""
    return _view(consumer)


@router.get("/consumer/lag")
async def read_lag(_: Operator, consumer: TheConsumer) -> list[LagView]:
    """Show how far behind the consumer is, by topic."""
    return [LagView.model_validate(lag) for lag in await consumer.lags()]


@router.post("/consumer/rewind", status_code=202)
async def rewind(_: Operator, body: Rewind, consumer: TheConsumer, __: WriteTx) -> ConsumerView:
    """Read the last records once more, as a proof of idempotency: nothing may change."""
    await consumer.rewind(body.records)
    return _view(consumer)


@router.get("/outbox")
async def read_outbox(_: Operator, relay: TheRelay) -> OutboxView:
    """Show what is committed and not yet in Kafka."""
    waiting, seconds = await relay.backlog()
    return OutboxView(waiting=waiting, seconds=seconds, leading=relay.leading)


@router.post("/consumer/pause")
async def pause(_: Operator, consumer: TheConsumer, __: WriteTx) -> ConsumerView:
    """Stop taking records; nothing is lost, they wait in Kafka."""
    consumer.pause()
    return _view(consumer)


@router.post("/consumer/resume")
async def resume(_: Operator, consumer: TheConsumer, __: WriteTx) -> ConsumerView:
    """Take records again."""
    consumer.resume()
    return _view(consumer)


async def _would_be(parked_id: UUID, consumer: Consumer) -> str:
    try:
        rejection = await consumer.parked.dry_run(parked_id)
    except NotOpenError:
        return "no-longer-open"
    return rejection.code if rejection else "handled"


async def _replayed(parked_id: UUID, consumer: Consumer, database: Database, *, actor: str, reason: str) -> str:
    try:
        if await consumer.parked.replay(parked_id, actor=actor, reason=reason):
            return "handled"
    except NotOpenError:
        return "no-longer-open"
    async with database.read() as tx:
        record = await Parking(tx.connection).get(parked_id)
    return record.code if record else "no-longer-open"


def _view(consumer: Consumer) -> ConsumerView:
    return ConsumerView(
        group=consumer.inbound.group,
        topics=sorted(consumer.inbound.topics),
        assigned=consumer.assigned,
        paused=consumer.paused,
        parking_full=consumer.full,
    )
