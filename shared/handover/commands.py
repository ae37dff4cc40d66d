"""What a service does with what advisory asks of it, each inside one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from shared.calendar import start_of
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import derived_id
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
from shared.handover.store import Drafts, HandOvers
from shared.handover.tables import DraftRow, DraftState, HandOverRow, HandOverState
from shared.messaging.transaction import Transaction


class Answers(Protocol):
    """What a service answers from its own store, in one transaction."""

    async def facts(self, business_id: str, authority: str) -> tuple[Sequence[Fact], Sequence[Withheld]]:
        """Return what the service has of an employer, and what of it an authority may not see."""

    async def work(self, since: datetime, until: datetime) -> Sequence[WorkDone]:
        """Return the service's acts of handling by authority between two instants."""


@dataclass(frozen=True)
class JointHandOvers:
    """A service's answers to advisory.

    Attributes:
        service: the service's name in the events.
        answers: makes what answers from the service's own store.
        prefill: makes the content of the service's draft of a matter: what is known of it, as the service's API takes
            it.
    """

    service: str
    answers: Callable[[Transaction], Answers]
    prefill: Callable[[HandOverRow], dict[str, Any]]

    async def receive(self, event: MatterHandedOver, tx: Transaction) -> None:
        """Store a matter that is handed over to this service, with the draft made of it, and confirm both."""
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
            why=event.reason,
            draft_id=derived_id("draft", event.hand_over_id),
        )
        if await HandOvers(tx).add(row):
            self._draft(tx, row)
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
        row = await self._decide(tx, hand_over_id, HandOverState.REJECTED, by, reason=reason)
        if row.draft_id is not None and (draft := await Drafts(tx).lock(row.draft_id)) is not None:
            _end(draft, DraftState.DISCARDED, by, tx.clock.now(), reason=reason)
        return row

    async def complete(self, tx: Transaction, draft_id: UUID, by: str, matter_id: UUID) -> DraftRow:
        """Enter what a draft has become: the matter is taken, if it was not, and advisory is told which it is.

        Raises:
            UnknownError: no such draft.
            ConflictError: it was completed or discarded.
        """
        draft = await self.open_draft(tx, draft_id)
        row = await self._hand_over(tx, draft.hand_over_id)
        now = tx.clock.now()
        _end(draft, DraftState.COMPLETED, by, now, matter_id=matter_id)
        row.state, row.matter_id, row.answered_at, row.answered_by = HandOverState.ACCEPTED, matter_id, now, by
        self._answer(tx, row, now)
        return draft

    async def discard(self, tx: Transaction, draft_id: UUID, by: str, reason: str) -> DraftRow:
        """Make nothing of a draft: the contact goes back to who had it, with the reason, taken here or not.

        Raises:
            UnknownError: no such draft.
            ConflictError: it was completed. One that is discarded stays as it is.
        """
        draft = await Drafts(tx).lock(draft_id)
        if draft is None:
            raise UnknownError("draft")
        if draft.state is DraftState.DISCARDED:
            return draft
        draft = await self.open_draft(tx, draft_id)
        row = await self._hand_over(tx, draft.hand_over_id)
        now = tx.clock.now()
        _end(draft, DraftState.DISCARDED, by, now, reason=reason)
        row.state, row.reason, row.answered_at, row.answered_by = HandOverState.REJECTED, reason, now, by
        self._answer(tx, row, now)
        return draft

    async def open_draft(self, tx: Transaction, draft_id: UUID) -> DraftRow:
        """Return a draft that nobody has ended, locked.

        Raises:
            UnknownError: no such draft.
            ConflictError: it was completed or discarded.
        """
        draft = await Drafts(tx).lock(draft_id)
        if draft is None:
            raise UnknownError("draft")
        if draft.state is not DraftState.OPEN:
            raise ConflictError("invalid-state", f"The draft is {draft.state}.")
        return draft

    def _draft(self, tx: Transaction, row: HandOverRow) -> None:
        draft = DraftRow(
            draft_id=derived_id("draft", row.hand_over_id),
            hand_over_id=row.hand_over_id,
            contact_id=row.contact_id,
            content=self.prefill(row),
            reason=row.why,
            due_at=row.due_at,
            made_at=row.received_at,
            state=DraftState.OPEN,
        )
        Drafts(tx).add(draft)

    async def _hand_over(self, tx: Transaction, hand_over_id: UUID) -> HandOverRow:
        row = await HandOvers(tx).lock(hand_over_id)
        if row is None:
            raise UnknownError("hand-over")
        return row

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
        row = await self._hand_over(tx, hand_over_id)
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
                    "draft_id": row.draft_id,
                    "reason": row.reason,
                    "at": at,
                }
            )
        )


def _end(
    draft: DraftRow,
    state: DraftState,
    by: str,
    at: datetime,
    *,
    matter_id: UUID | None = None,
    reason: str | None = None,
) -> None:
    draft.state, draft.ended_at, draft.ended_by = state, at, by
    draft.matter_id, draft.end_reason = matter_id, reason
