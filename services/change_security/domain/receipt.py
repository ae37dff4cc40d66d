"""What whoever filed is answered: the receipt that follows from a change of the notice.

Systems hear by the receipts' topic, and by a webhook if they filed over HTTP; an officer's filing came by post or
e-mail, a city's by the city itself, so that nobody reads receipts for those. An employer's mailbox gets a letter
whatever the way.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.change_security.domain.filing import missing
from services.change_security.domain.notice import Notice, NoticeState
from services.change_security.domain.reductions import Reduction
from services.change_security.domain.rules import RuleTable, StatutoryClock, assess
from shared.events.envelope import Envelope
from shared.events.v1.change_security import (
    FilingAccepted,
    FilingClosed,
    FilingMerged,
    FilingReassigned,
    FilingRefused,
    FilingRevised,
    FilingWithdrawn,
    HandledBy,
    Outcome,
    ReceiptClock,
)

_LONGEST: Final = 200

Receipt = FilingAccepted | FilingRevised | FilingReassigned | FilingMerged | FilingWithdrawn | FilingClosed


def receipt_of(
    before: tuple[int, int] | None,
    notice: Notice,
    rules: RuleTable,
    earlier: Sequence[Reduction] | None = None,
    *,
    filed: Notice | None = None,
) -> Receipt | None:
    """Return the receipt of a change; None when nothing has changed.

    Args:
        before: version and revision of the notice before the change; None when it is new.
        notice: as it now is.
        rules: the dated rules, for the clocks.
        earlier: what the employer reduced before; None when the clocks do not hang on it, or it is not known.
        filed: the notice whose filer is answered, when that is one merged into `notice`.
    """
    if before is not None and before[0] == notice.version:
        return None
    filed = filed or notice
    about: dict[str, Any] = {
        "notice_id": filed.notice_id,
        "filed_by": filed.receipt.filed_by,
        "version": filed.version,
        "revision": filed.revision,
    }
    if notice.merged_into is not None:
        return FilingMerged(**about, into=notice.merged_into)
    match notice.state:
        case NoticeState.WITHDRAWN:
            return FilingWithdrawn(**about)
        case NoticeState.CLOSED:
            return FilingClosed(**about, outcome=notice.outcome or Outcome.NO_TERMINATIONS)
    about |= {
        "arrived_at": filed.receipt.arrived_at,
        "authorities": tuple(
            HandledBy(authority=entry.authority, handling_mode=entry.mode, acting_authority=entry.acting_authority)
            for entry in notice.active
        ),
        "missing": missing(notice.filing),
        "clocks": tuple(
            _clock(clock) for clock in assess(notice.filing, notice.receipt.arrived_at, rules, earlier).clocks
        ),
    }
    if before is None:
        return FilingAccepted(**about)
    return FilingReassigned(**about) if before[1] == notice.revision else FilingRevised(**about)


def refusal_of(
    refusal_id: UUID, key: bytes | None, envelope: Envelope | None, code: str, refused_at: datetime
) -> FilingRefused:
    """Return the answer to a record that is parked. It names what its sender can recognise, and quotes nothing else."""
    return FilingRefused(
        refusal_id=refusal_id,
        notice_id=_notice_id(key),
        event_id=_readable(envelope.id) if envelope else None,
        source=_readable(envelope.source) if envelope else None,
        code=code,
        refused_at=refused_at,
    )


def _notice_id(key: bytes | None) -> UUID | None:
    try:
        return UUID((key or b"").decode())
    except ValueError:
        return None


def _readable(attribute: str) -> str | None:
    """Return an attribute that a sender chose freely, if it is printable and of reasonable length."""
    return attribute if len(attribute) <= _LONGEST and attribute.isprintable() else None


def _clock(clock: StatutoryClock) -> ReceiptClock:
    return ReceiptClock(
        name=clock.name,
        day=clock.day,
        to_be_checked=clock.to_be_checked,
        condition=clock.condition.code if clock.condition else None,
    )
