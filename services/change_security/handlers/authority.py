"""The authority side: each city opens its own case in its own store, and its receipt commits with it.

Idempotent by the inbox; beyond it, by version: an older version arriving late changes nothing, and is still receipted.
"""

from collections.abc import Mapping
from typing import Final

from services.change_security.store import Cases, NewCase
from shared import topics
from shared.events.v1.change_security import (
    HandlingChanged,
    NoticeAmended,
    NoticeAssigned,
    NoticeClosed,
    NoticeReleased,
    NoticeStored,
    NoticeWithdrawn,
    ReceiptOverdue,
)
from shared.messaging.handlers import Handler
from shared.messaging.transaction import Transaction
from shared.telemetry import current_trace_id


async def open_case(event: NoticeAssigned | NoticeAmended, tx: Transaction) -> None:
    """Open this authority's own case for a notice, or bring it to a newer version. Safe to redeliver."""
    Cases(tx).add(
        NewCase(
            notice_id=event.notice_id,
            version=event.version,
            revision=event.revision,
            authority=event.authority,
            handling_mode=event.handling_mode,
            reasons=event.reasons,
            missing=event.missing,
            arrived_at=event.arrived_at,
            registered_at=event.registered_at,
            acknowledge_by=event.acknowledge_by,
            filing=event.filing,
            trace_id=current_trace_id(),
        )
    )
    _receipt(event, tx)


async def release_case(event: NoticeReleased, tx: Transaction) -> None:
    """Keep the case, but let go of it: the notice no longer concerns this authority."""
    Cases(tx).end(event.notice_id, "released", event.version, event.revision, event.authority)
    _receipt(event, tx)


async def withdraw_case(event: NoticeWithdrawn, tx: Transaction) -> None:
    """Mark the case withdrawn by the employer."""
    Cases(tx).end(event.notice_id, "withdrawn", event.version, event.revision, event.authority)
    _receipt(event, tx)


async def close_case(event: NoticeClosed, tx: Transaction) -> None:
    """Close the case with the outcome of the change situation."""
    Cases(tx).end(event.notice_id, "closed", event.version, event.revision, event.authority, event.outcome)
    _receipt(event, tx)


async def change_handling(event: HandlingChanged, tx: Transaction) -> None:
    """Note who acts in this authority's case. The competence stays here."""
    Cases(tx).set_handling(event.notice_id, event.version, event.handling_mode, event.acting_authority)
    _receipt(event, tx)


async def mark_overdue(event: ReceiptOverdue, tx: Transaction) -> None:
    """Show the officers that the joint office still waits for them."""
    Cases(tx).mark_overdue(event.notice_id, event.awaiting)


def _receipt(
    event: NoticeAssigned | NoticeAmended | NoticeReleased | NoticeWithdrawn | NoticeClosed | HandlingChanged,
    tx: Transaction,
) -> None:
    tx.publish(
        NoticeStored(
            notice_id=event.notice_id,
            version=event.version,
            revision=event.revision,
            authority=event.authority,
            stored_at=tx.clock.now(),
        ),
        to=topics.CHANGE_SECURITY_FROM,
        office=tx.office,
    )


HANDLERS: Final[Mapping[str, Handler]] = {
    NoticeAssigned.type_name(): open_case,
    NoticeAmended.type_name(): open_case,
    NoticeReleased.type_name(): release_case,
    NoticeWithdrawn.type_name(): withdraw_case,
    NoticeClosed.type_name(): close_case,
    HandlingChanged.type_name(): change_handling,
    ReceiptOverdue.type_name(): mark_overdue,
}
