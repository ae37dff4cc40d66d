"""What operators do to a process over HTTP: look at parked records, replay or discard them, pause the consumer."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from aiokafka.errors import KafkaError
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from shared.http.auth import Caller, permit_officer
from shared.http.problems import ProblemError, not_found
from shared.http.reading import Cursor, Limit, Page, read_cursor
from shared.identity import Officer, Role
from shared.messaging.loop import Consumer
from shared.messaging.parking import Parking
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
    status: Literal["parked", "held", "replayed", "discarded"]
    parked_at: datetime
    resolved_at: datetime | None


class ActView(BaseModel):
    """One act of an operator on a parked record."""

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
    """What is committed and not yet in Kafka. `seconds`: the age of the oldest; `leading`: whether this process sends it."""

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


def router(consumer: Consumer, relay: Relay, database: Database, authorities: frozenset[str]) -> APIRouter:
    """Make the operators' routes. `authorities`: those whose operators may work at this office."""

    def operator(who: Caller) -> Officer:
        return permit_officer(who, authorities, Role.OPERATOR)

    Operator = Annotated[Officer, Depends(operator)]
    routes = APIRouter(prefix="/v1", tags=["operations"])

    @routes.get("/parked")
    async def parked(
        _: Operator,
        status: Annotated[Literal["parked", "held", "replayed", "discarded"] | None, Query()] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[ParkedView]:
        """List parked records, oldest first."""
        after = read_cursor(cursor, datetime.fromisoformat, UUID)
        async with database.read() as tx:
            records = await Parking(tx.connection).page(status=status, limit=limit, after=after)
        return Page.of(records, limit, lambda record: (record.parked_at, record.id), ParkedView.model_validate)

    @routes.get("/parked/groups")
    async def groups(_: Operator) -> list[ParkedGroup]:
        """Count what waits, by topic and reason."""
        async with database.read() as tx:
            return [ParkedGroup(**one) for one in await Parking(tx.connection).groups()]

    @routes.post("/parked/replays")
    async def replay_group(who: Operator, told: GroupReplay) -> list[Replayed]:
        """Replay every record that is parked for one reason; a dry run rolls each back and says what would happen."""
        async with database.read() as tx:
            ids = await Parking(tx.connection).parked_for(told.code, told.topic, told.limit)
        return [Replayed(id=one, outcome=await outcome_of(one, told, who)) for one in ids]

    async def outcome_of(parked_id: UUID, told: GroupReplay, who: Officer) -> str:
        try:
            if told.dry_run:
                rejection = await consumer.parked.dry_run(parked_id)
                return rejection.code if rejection else "handled"
            handled = await consumer.parked.replay(parked_id, actor=who.subject, reason=told.reason)
        except NotOpenError:
            return "no-longer-open"
        if handled:
            return "handled"
        async with database.read() as tx:
            record = await Parking(tx.connection).get(parked_id)
        return record.code if record else "no-longer-open"

    @routes.get("/parked/{parked_id}")
    async def one_parked(_: Operator, parked_id: UUID) -> ParkedDetail:
        """Show a parked record, its payload redacted by field class."""
        async with database.read() as tx:
            record = await Parking(tx.connection).get(parked_id)
            if record is None:
                raise not_found("parked record")
            payload = redacted(await Parking(tx.connection).payload(parked_id))
        return ParkedDetail(**ParkedView.model_validate(record).model_dump(), payload=payload)

    @routes.get("/parked/{parked_id}/acts")
    async def acts(_: Operator, parked_id: UUID) -> list[ActView]:
        """List what operators did to a parked record."""
        async with database.read() as tx:
            if await Parking(tx.connection).get(parked_id) is None:
                raise not_found("parked record")
            found: list[dict[str, Any]] = await Parking(tx.connection).acts(parked_id)
        return [ActView(**act) for act in found]

    @routes.post("/parked/{parked_id}/replay")
    async def replay(who: Operator, parked_id: UUID, why: Reason) -> Handled:
        """Handle a parked record again, and then what is held behind it."""
        try:
            return Handled(handled=await consumer.parked.replay(parked_id, actor=who.subject, reason=why.reason))
        except NotOpenError as error:
            raise _not_open() from error

    @routes.post("/parked/{parked_id}/discard")
    async def discard(who: Operator, parked_id: UUID, why: Reason) -> Handled:
        """Give a parked record up; what is held behind it is handled."""
        try:
            return Handled(handled=await consumer.parked.discard(parked_id, actor=who.subject, reason=why.reason))
        except NotOpenError as error:
            raise _not_open() from error

    @routes.get("/consumer")
    async def state(_: Operator) -> ConsumerView:
        """Show the consumer."""
        return _view(consumer)

    @routes.get("/consumer/lag")
    async def lag(_: Operator) -> list[LagView]:
        """Show how far behind the consumer is, by topic."""
        try:
            return [LagView.model_validate(one) for one in await consumer.lags()]
        except KafkaError as error:
            raise ProblemError(503, "kafka-unavailable", "Kafka does not answer. Try again.") from error

    @routes.post("/consumer/rewind", status_code=202)
    async def rewind(_: Operator, body: Rewind) -> None:
        """Read the last records once more, as a proof of idempotency: nothing may change."""
        try:
            await consumer.rewind(body.records)
        except KafkaError as error:
            raise ProblemError(503, "kafka-unavailable", "Kafka does not answer. Try again.") from error

    @routes.get("/outbox")
    async def outbox(_: Operator) -> OutboxView:
        """Show what is committed and not yet in Kafka."""
        waiting, seconds = await relay.backlog()
        return OutboxView(waiting=waiting, seconds=seconds, leading=relay.leading)

    @routes.post("/consumer/pause")
    async def pause(_: Operator) -> ConsumerView:
        """Stop taking records; nothing is lost, they wait in Kafka."""
        consumer.pause()
        return _view(consumer)

    @routes.post("/consumer/resume")
    async def resume(_: Operator) -> ConsumerView:
        """Take records again."""
        consumer.resume()
        return _view(consumer)

    return routes


def _view(consumer: Consumer) -> ConsumerView:
    return ConsumerView(
        group=consumer.inbound.group,
        topics=sorted(consumer.inbound.topics),
        assigned=consumer.assigned,
        paused=consumer.paused,
        parking_full=consumer.full,
    )


def _not_open() -> ProblemError:
    return ProblemError(409, "not-open", "There is no such parked record, or it is no longer open.")
