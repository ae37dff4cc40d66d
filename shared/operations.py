"""What operators do to a process over HTTP: look at parked records, replay or discard them, pause the consumer."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from shared.http import Caller, Cursor, Limit, Page, ProblemError, not_found, permit_officer, read_cursor, write_cursor
from shared.identity import Officer
from shared.messaging.consumer import Consumer
from shared.messaging.parking import Parking
from shared.messaging.transaction import Writer


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


class ConsumerView(BaseModel):
    """The state of the process's consumer."""

    group: str
    topics: list[str]
    assigned: bool
    paused: bool
    parking_full: bool


def router(consumer: Consumer, writer: Writer, authorities: frozenset[str]) -> APIRouter:
    """Make the operators' routes. `authorities`: those whose operators may work at this office."""

    def operator(who: Caller) -> Officer:
        return permit_officer(who, authorities, "operator")

    Operator = Annotated[Officer, Depends(operator)]  # noqa: N806 - a type
    routes = APIRouter(prefix="/v1", tags=["operations"])

    @routes.get("/parked")
    async def parked(
        _: Operator,
        status: Annotated[Literal["parked", "held", "replayed", "discarded"] | None, Query()] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[ParkedView]:
        """List parked records, oldest first."""
        after = None
        if cursor is not None:
            at, parked_id = read_cursor(cursor, 2)
            after = (datetime.fromisoformat(at), UUID(parked_id))
        async with writer.reading() as tx:
            found = await Parking(tx.connection).page(status=status, limit=limit, after=after)
        following = write_cursor(found[-1].parked_at, found[-1].id) if len(found) == limit else None
        return Page(items=[ParkedView.model_validate(record) for record in found], next=following)

    @routes.get("/parked/{parked_id}/acts")
    async def acts(_: Operator, parked_id: UUID) -> list[ActView]:
        """List what operators did to a parked record."""
        async with writer.reading() as tx:
            if await Parking(tx.connection).get(parked_id) is None:
                raise not_found("parked record")
            found: list[dict[str, Any]] = await Parking(tx.connection).acts(parked_id)
        return [ActView(**act) for act in found]

    @routes.post("/parked/{parked_id}/replay")
    async def replay(who: Operator, parked_id: UUID, why: Reason) -> Handled:
        """Handle a parked record again, and then what is held behind it."""
        try:
            return Handled(handled=await consumer.replay(parked_id, actor=who.subject, reason=why.reason))
        except LookupError as error:
            raise _not_open() from error

    @routes.post("/parked/{parked_id}/discard")
    async def discard(who: Operator, parked_id: UUID, why: Reason) -> Handled:
        """Give a parked record up; what is held behind it is handled."""
        try:
            return Handled(handled=await consumer.discard(parked_id, actor=who.subject, reason=why.reason))
        except LookupError as error:
            raise _not_open() from error

    @routes.get("/consumer")
    async def state(_: Operator) -> ConsumerView:
        """Show the consumer."""
        return _view(consumer)

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
