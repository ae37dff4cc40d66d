"""The messages of a city's office: each opens or changes its own case in its own store; the receipt commits with it.

Idempotent by the inbox; beyond it, by version: an older version arriving late changes nothing, and is still confirmed.
"""

from dataclasses import dataclass
from uuid import UUID

from services.change_security.authority.acting_commands import CityActing
from services.change_security.authority.plan_commands import CityPlans
from services.change_security.authority.store import CaseEnd, Cases
from services.change_security.domain import own_case
from services.change_security.domain.case import CaseState
from shared.events.v1.change_security import (
    ActingChanged,
    HandlingChanged,
    NoticeAmended,
    NoticeAskedAgain,
    NoticeAssigned,
    NoticeClosed,
    NoticeMerged,
    NoticeReleased,
    NoticeStored,
    NoticeWithdrawn,
    Outcome,
    PlanChanged,
    ReceiptOverdue,
)
from shared.messaging.handlers import Handlers
from shared.messaging.transaction import Transaction
from shared.telemetry import current_trace_id


async def open_case(event: NoticeAssigned | NoticeAmended | NoticeAskedAgain, tx: Transaction) -> None:
    """Open this authority's own case for a notice, bring it to a newer version, or open it again. Safe to redeliver."""
    Cases(tx).add(own_case.receive(event, tx.clock.now(), current_trace_id()))
    _confirm(event, tx)


async def release_case(event: NoticeReleased, tx: Transaction) -> None:
    """Keep the case, but let go of it: the notice no longer concerns this authority."""
    _end(event, CaseState.RELEASED, None, tx)


async def withdraw_case(event: NoticeWithdrawn, tx: Transaction) -> None:
    """Mark the case withdrawn by the employer."""
    _end(event, CaseState.WITHDRAWN, None, tx)


async def close_case(event: NoticeClosed, tx: Transaction) -> None:
    """Close the case with the outcome of the change situation."""
    _end(event, CaseState.CLOSED, event.outcome, tx)


async def merge_case(event: NoticeMerged, tx: Transaction) -> None:
    """Close the case as one with another, which continues."""
    _end(event, CaseState.MERGED, None, tx, merged_into=event.into)


async def change_handling(event: HandlingChanged, tx: Transaction) -> None:
    """Note how the matter is handled: jointly or not, who leads it, who is its specialist."""
    Cases(tx).set_handling(event)
    _confirm(event, tx)


async def mark_overdue(event: ReceiptOverdue, tx: Transaction) -> None:
    """Show the officers that the joint office still waits for them."""
    Cases(tx).mark_overdue(event)


@dataclass(frozen=True)
class CityHandlers:
    """What comes of joint matters, and of acting for another."""

    plans: CityPlans
    acting: CityActing

    async def receive_plan(self, event: PlanChanged, tx: Transaction) -> None:
        """Take in the shared plan."""
        await self.plans.receive(tx, event)

    async def receive_acting(self, event: ActingChanged, tx: Transaction) -> None:
        """Take in how far acting for another has come."""
        await self.acting.receive(tx, event)


def handlers_of(plans: CityPlans, acting: CityActing) -> Handlers:
    """Return the handler of each event type that the joint office sends."""
    city = CityHandlers(plans, acting)
    return Handlers(
        open_case,
        release_case,
        withdraw_case,
        close_case,
        merge_case,
        change_handling,
        mark_overdue,
        city.receive_plan,
        city.receive_acting,
    )


def _end(
    event: NoticeReleased | NoticeWithdrawn | NoticeClosed | NoticeMerged,
    state: CaseState,
    outcome: Outcome | None,
    tx: Transaction,
    *,
    merged_into: UUID | None = None,
) -> None:
    Cases(tx).end(
        CaseEnd(
            event.notice_id,
            state,
            event.version,
            event.revision,
            event.authority,
            outcome,
            tx.clock.now(),
            merged_into,
        )
    )
    _confirm(event, tx)


def _confirm(
    event: NoticeAssigned
    | NoticeAmended
    | NoticeAskedAgain
    | NoticeReleased
    | NoticeWithdrawn
    | NoticeClosed
    | NoticeMerged
    | HandlingChanged,
    tx: Transaction,
) -> None:
    tx.publish(
        NoticeStored(
            notice_id=event.notice_id,
            version=event.version,
            revision=event.revision,
            authority=event.authority,
            stored_at=tx.clock.now(),
        )
    )
