"""What advisory asks of a service at the joint office: to take matters over, to tell what it has, to count its work.

A matter that is handed over is receipted when it stands in the service's own store, and again when an officer accepts or
rejects it: until then whoever handed it over has it still. The service that owns a matter decides what an authority may
see of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Protocol
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from shared import topics
from shared.calendar import start_of
from shared.events.v1.advisory import (
    Fact,
    HandOverAnswered,
    MatterHandedOver,
    ServiceName,
    TimelineAnswered,
    TimelineRequested,
    Withheld,
    WorkDone,
    WorkReported,
    WorkRequested,
)
from shared.http import Caller, Limit, ProblemError, not_found, permit_officer
from shared.identity import Officer
from shared.messaging.handlers import Handler
from shared.messaging.transaction import Transaction, Database
from shared.screening import without_identity_codes
from shared.store import Found, Store

DDL: Final = (
    """
    CREATE TABLE handed_over (
        hand_over_id uuid PRIMARY KEY,
        contact_id uuid NOT NULL,
        topic text NOT NULL,
        language text NOT NULL,
        municipality text,
        business_id text,
        from_authority text NOT NULL,
        due_at timestamptz NOT NULL,
        state text NOT NULL,
        matter_id uuid,
        reason text,
        received_at timestamptz NOT NULL,
        answered_at timestamptz,
        answered_by text
    )
    """,
    "CREATE INDEX handed_over_open ON handed_over (due_at) WHERE state = 'stored'",
)
"""A service's migrations create these."""


class Answers(Protocol):
    """What a service answers from its own store, in one transaction."""

    async def facts(self, business_id: str, authority: str) -> tuple[Sequence[Fact], Sequence[Withheld]]:
        """Return what the service has of an employer, and what of it an authority may not see."""

    async def work(self, since: datetime, until: datetime) -> Sequence[WorkDone]:
        """Return the service's acts of handling by authority between two instants."""


class HandOverView(BaseModel):
    """A matter that advisory hands over."""

    model_config = ConfigDict(from_attributes=True)

    hand_over_id: UUID
    contact_id: UUID
    topic: str
    language: str
    municipality: str | None
    business_id: str | None
    from_authority: str
    due_at: datetime
    state: Literal["stored", "accepted", "rejected"]
    matter_id: UUID | None
    reason: str | None


class Acceptance(BaseModel):
    """That an officer takes the matter, and what it became here, once that is known."""

    matter_id: UUID | None = None


class Rejection(BaseModel):
    """Why an officer does not take the matter."""

    reason: str = Field(min_length=3, max_length=280, description="Told to advisory. Write no personal data.")


class _HandedOver(Store):
    async def receive(self, told: MatterHandedOver) -> bool:
        return bool(
            await self._run(
                "INSERT INTO handed_over (hand_over_id, contact_id, topic, language, municipality, business_id,"
                " from_authority, due_at, state, received_at) VALUES (:id, :contact_id, :topic, :language, :municipality,"
                " :business_id, :authority, :due_at, 'stored', :at) ON CONFLICT DO NOTHING",
                id=told.hand_over_id,
                contact_id=told.contact_id,
                topic=told.topic,
                language=told.language,
                municipality=told.municipality,
                business_id=told.business_id,
                authority=told.from_authority,
                due_at=told.due_at,
                at=self._tx.clock.now(),
            )
        )

    async def get(self, hand_over_id: UUID) -> Found | None:
        return await self._row("SELECT * FROM handed_over WHERE hand_over_id = :id FOR UPDATE", id=hand_over_id)

    async def page(self, state: str | None, limit: int) -> Sequence[Found]:
        return await self._rows(
            "SELECT * FROM handed_over WHERE (CAST(:state AS text) IS NULL OR state = :state)"
            " ORDER BY due_at, hand_over_id LIMIT :limit",
            state=state,
            limit=limit,
        )

    async def answer(self, told: HandOverAnswered, by: str) -> None:
        await self._run(
            "UPDATE handed_over SET state = :state, matter_id = :matter_id, reason = :reason, answered_at = :at,"
            " answered_by = :by WHERE hand_over_id = :id",
            id=told.hand_over_id,
            state=told.state,
            matter_id=told.matter_id,
            reason=told.reason,
            at=told.at,
            by=by,
        )


@dataclass(frozen=True)
class Desk:
    """A service's desk for what advisory asks of it. The handlers are safe to redeliver."""

    service: ServiceName
    answers: Callable[[Transaction], Answers]

    def by_type(self) -> Mapping[str, Handler]:
        """Return the handler of each event type on `between.advisory.services`."""
        return {
            MatterHandedOver.type_name(): self.receive,
            TimelineRequested.type_name(): self.tell_timeline,
            WorkRequested.type_name(): self.report_work,
        }

    async def receive(self, event: MatterHandedOver, tx: Transaction) -> None:
        """Store a matter that is handed over to this service, and receipt it."""
        if event.to_service == self.service and await _HandedOver(tx).receive(event):
            self._tell(tx, self._answer(event.hand_over_id, "stored", tx))

    async def tell_timeline(self, event: TimelineRequested, tx: Transaction) -> None:
        """Tell what this service has of an employer, as far as the asking authority may see it."""
        facts, withheld = await self.answers(tx).facts(event.business_id, event.for_authority)
        self._tell(
            tx,
            TimelineAnswered(
                request_id=event.request_id, service=self.service, facts=tuple(facts), withheld=tuple(withheld)
            ),
        )

    async def report_work(self, event: WorkRequested, tx: Transaction) -> None:
        """Report this service's acts of handling."""
        done = await self.answers(tx).work(start_of(event.since), start_of(event.until + timedelta(days=1)))
        self._tell(tx, WorkReported(request_id=event.request_id, service=self.service, done=tuple(done)))

    def router(self, database: Database, authorities: frozenset[str]) -> APIRouter:
        """Make the routes by which officers accept or reject what is handed over."""
        routes = APIRouter(prefix="/v1/hand-overs", tags=["hand-overs"])

        def staff(who: Caller) -> Officer:
            return permit_officer(who, authorities, "officer", "coordinator")

        Staff = Annotated[Officer, Depends(staff)]  # noqa: N806 - a type

        @routes.get("")
        async def list_hand_overs(
            _: Staff,
            state: Annotated[Literal["stored", "accepted", "rejected"] | None, Query()] = None,
            limit: Limit = 50,
        ) -> list[HandOverView]:
            """List matters that advisory hands over, those due first first."""
            async with database.read() as tx:
                return [HandOverView.model_validate(row) for row in await _HandedOver(tx).page(state, limit)]

        @routes.post("/{hand_over_id}/acceptance")
        async def accept(who: Staff, hand_over_id: UUID, told: Acceptance) -> HandOverView:
            """Take the matter. Repeating it changes nothing."""
            async with database.transaction(uuid4()) as tx:
                return await self._decide(tx, hand_over_id, "accepted", who.actor, matter_id=told.matter_id)

        @routes.post("/{hand_over_id}/rejection", dependencies=[Depends(without_identity_codes)])
        async def reject(who: Staff, hand_over_id: UUID, told: Rejection) -> HandOverView:
            """Do not take the matter: it goes back to advisory, with the reason."""
            async with database.transaction(uuid4()) as tx:
                return await self._decide(tx, hand_over_id, "rejected", who.actor, reason=told.reason)

        return routes

    async def _decide(
        self,
        tx: Transaction,
        hand_over_id: UUID,
        state: Literal["accepted", "rejected"],
        by: str,
        *,
        matter_id: UUID | None = None,
        reason: str | None = None,
    ) -> HandOverView:
        row = await _HandedOver(tx).get(hand_over_id)
        if row is None:
            raise not_found("hand-over")
        if row.state == state:
            return HandOverView.model_validate(row)
        if row.state != "stored":
            raise ProblemError(409, "not-now", "This cannot be done now.", f"The hand-over is {row.state}.")
        told = self._answer(hand_over_id, state, tx, matter_id=matter_id, reason=reason)
        await _HandedOver(tx).answer(told, by)
        self._tell(tx, told)
        return HandOverView.model_validate(await _HandedOver(tx).get(hand_over_id))

    def _answer(
        self,
        hand_over_id: UUID,
        state: Literal["stored", "accepted", "rejected"],
        tx: Transaction,
        *,
        matter_id: UUID | None = None,
        reason: str | None = None,
    ) -> HandOverAnswered:
        return HandOverAnswered(
            hand_over_id=hand_over_id,
            service=self.service,
            state=state,
            matter_id=matter_id,
            reason=reason,
            at=tx.clock.now(),
        )

    def _tell(self, tx: Transaction, told: HandOverAnswered | TimelineAnswered | WorkReported) -> None:
        tx.publish(told, to=topics.SERVICES_ADVISORY)
