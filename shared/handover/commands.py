"""What a service does with what advisory asks of it, each inside one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.calendar import start_of
from shared.errors import ConflictError, UnknownError
from shared.events.v1.advisory import (
    Fact,
    HandOverAnswered,
    MatterHandedOver,
    TimelineAnswered,
    TimelineRequested,
    Withheld,
    WorkDone,
    WorkReported,
    WorkRequested,
)
from shared.handover.store import HandOvers
from shared.handover.tables import HandOverRow, HandOverState
from shared.messaging.transaction import Transaction


class Answers(Protocol):
    """What a service answers from its own store, in one transaction."""

    async def facts(self, business_id: str, authority: str) -> tuple[Sequence[Fact], Sequence[Withheld]]:
        """Return what the service has of an employer, and what of it an authority may not see."""

    async def work(self, since: datetime, until: datetime) -> Sequence[WorkDone]:
        """Return the service's acts of handling by authority between two instants."""


@dataclass(frozen=True)
class HandOverDesk:
    """A service's answers to advisory.

    Attributes:
        service: the service's name in the events.
        answers: makes what answers from the service's own store.
    """

    service: str
    answers: Callable[[Transaction], Answers]

    async def receive(self, event: MatterHandedOver, tx: Transaction) -> None:
        """Store a matter that is handed over to this service, and confirm that it is stored."""
        if event.to_service != self.service:
            return
        row = HandOverRow(
            hand_over_id=event.hand_over_id,
            contact_id=event.contact_id,
            topic=event.topic,
            language=event.language,
            municipality=event.municipality,
            business_id=event.business_id,
            from_authority=event.from_authority,
            due_at=event.due_at,
            state=HandOverState.STORED,
            received_at=tx.clock.now(),
        )
        if await HandOvers(tx).add(row):
            self._answer(tx, row, tx.clock.now())

    async def answer_timeline(self, event: TimelineRequested, tx: Transaction) -> None:
        """Tell what this service has of an employer, as far as the asking authority may see it."""
        facts, withheld = await self.answers(tx).facts(event.business_id, event.for_authority)
        tx.publish(
            TimelineAnswered.model_validate(
                {
                    "request_id": event.request_id,
                    "service": self.service,
                    "facts": tuple(facts),
                    "withheld": tuple(withheld),
                }
            )
        )

    async def report_work(self, event: WorkRequested, tx: Transaction) -> None:
        """Report this service's acts of handling."""
        done = await self.answers(tx).work(start_of(event.since), start_of(event.until + timedelta(days=1)))
        tx.publish(
            WorkReported.model_validate({"request_id": event.request_id, "service": self.service, "done": tuple(done)})
        )

    async def accept(self, tx: Transaction, hand_over_id: UUID, by: str, matter_id: UUID | None) -> HandOverRow:
        """Take a matter; repeating it changes nothing. `matter_id`: what it became here, once that is known.

        Raises:
            UnknownError, ConflictError
        """
        return await self._decide(tx, hand_over_id, HandOverState.ACCEPTED, by, matter_id=matter_id)

    async def reject(self, tx: Transaction, hand_over_id: UUID, by: str, reason: str) -> HandOverRow:
        """Do not take a matter: it goes back to advisory, with the reason. Repeating it changes nothing.

        Raises:
            UnknownError, ConflictError
        """
        return await self._decide(tx, hand_over_id, HandOverState.REJECTED, by, reason=reason)

    async def _decide(
        self,
        tx: Transaction,
        hand_over_id: UUID,
        state: HandOverState,
        by: str,
        *,
        matter_id: UUID | None = None,
        reason: str | None = None,
    ) -> HandOverRow:
        row = await HandOvers(tx).lock(hand_over_id)
        if row is None:
            raise UnknownError("hand-over")
        if row.state == state:
            return row
        if row.state != HandOverState.STORED:
            raise ConflictError("invalid-state", f"The hand-over is {row.state}.")
        now = tx.clock.now()
        row.state, row.matter_id, row.reason, row.answered_at, row.answered_by = state, matter_id, reason, now, by
        self._answer(tx, row, now)
        return row

    def _answer(self, tx: Transaction, row: HandOverRow, at: datetime) -> None:
        tx.publish(
            HandOverAnswered.model_validate(
                {
                    "hand_over_id": row.hand_over_id,
                    "service": self.service,
                    "state": row.state,
                    "matter_id": row.matter_id,
                    "reason": row.reason,
                    "at": at,
                }
            )
        )
