"""The ledger: who has been sent a notice, whose store has it, who has acknowledged it, and what is late.

    sent ──► stored ──► acknowledged
      └─────────┴─────► not_ours | taken_by: the authority has taken its own part out of joint handling
                        released: the notice no longer concerns the authority

Receipts arrive in any order and more than once; a state only moves forward.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.events.v1.change_security import DeclineReason, HandlingMode, Outcome, Reason, ReceiptOverdue

Awaited = Literal["stored", "acknowledged"]
"""What an office is waited for: the receipt of its store, or of an officer."""


class EntryState(StrEnum):
    """How far an authority's part has come."""

    SENT = "sent"
    STORED = "stored"
    ACKNOWLEDGED = "acknowledged"
    NOT_OURS = "not_ours"
    TAKEN_BY = "taken_by"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Entry:
    """One authority's part in a notice.

    Attributes:
        competent authority is `authority`; `acting_authority` may handle the part on its behalf, by its consent.
        version_sent, version_stored: the newest version sent to the office, and the newest its store has confirmed.
        store_by, acknowledge_by: after these the receipt is overdue.
        acknowledged_by, case_closed_by: the authority whose officer did it.
        escalated: what has been escalated for the version sent, so that it is done once.
    """

    notice_id: UUID
    authority: str
    office: str | None
    mode: HandlingMode
    acting_authority: str
    state: EntryState
    reasons: tuple[Reason, ...]
    version_sent: int
    revision_sent: int
    sent_at: datetime
    store_by: datetime
    acknowledge_by: datetime
    version_stored: int = 0
    revision_stored: int = 0
    stored_at: datetime | None = None
    acknowledged_at: datetime | None = None
    decline_reason: DeclineReason | None = None
    case_outcome: Outcome | None = None
    case_closed_at: datetime | None = None
    escalated: Awaited | None = None
    acknowledged_by: str | None = None
    case_closed_by: str | None = None

    @property
    def is_confirmed_stored(self) -> bool:
        """Whether the authority's store has all it was sent."""
        return self.version_stored >= self.version_sent

    def stored(self, version: int, revision: int, at: datetime) -> "Entry":
        """Enter the receipt of a store. An older receipt arriving late changes nothing."""
        if version <= self.version_stored:
            return self
        return replace(
            self,
            version_stored=version,
            revision_stored=max(revision, self.revision_stored),
            stored_at=at,
            state=EntryState.STORED if self.state is EntryState.SENT else self.state,
            escalated=None if self.escalated == "stored" else self.escalated,
        )

    def acknowledged(self, acting_authority: str, at: datetime) -> "Entry":
        """Enter that an officer has acknowledged the notice. The first time counts."""
        if self.state in {EntryState.ACKNOWLEDGED, EntryState.RELEASED}:
            return self
        return replace(
            self,
            state=self.state if self.state is EntryState.TAKEN_BY else EntryState.ACKNOWLEDGED,
            acknowledged_at=self.acknowledged_at or at,
            acknowledged_by=self.acknowledged_by or acting_authority,
            decline_reason=None,
        )

    def not_ours(self, reason: DeclineReason) -> "Entry":
        """Enter that the authority says the notice is not its own."""
        if self.state is EntryState.RELEASED:
            return self
        return replace(self, state=EntryState.NOT_OURS, decline_reason=reason)

    def taken(self, at: datetime) -> "Entry":
        """Enter that the authority takes its own part out of joint handling; that is an acknowledgement too."""
        if self.state is EntryState.RELEASED:
            return self
        return replace(
            self,
            state=EntryState.TAKEN_BY,
            acting_authority=self.authority,
            mode=HandlingMode.OWN,
            acknowledged_at=self.acknowledged_at or at,
            acknowledged_by=self.acknowledged_by or self.authority,
        )

    def returned(self) -> "Entry":
        """Enter that the authority returns its own part to joint handling; that it has acknowledged it stands."""
        return replace(self, state=EntryState.ACKNOWLEDGED) if self.state is EntryState.TAKEN_BY else self

    def case_closed(self, outcome: Outcome, at: datetime, acting_authority: str) -> "Entry":
        """Enter that the authority's case is closed, and whose officer did it."""
        return replace(self, case_outcome=outcome, case_closed_at=at, case_closed_by=acting_authority)

    def released(self, version: int, revision: int, at: datetime) -> "Entry":
        """Enter that the notice no longer concerns the authority; its store hears that, and confirms it."""
        return replace(self.resent(version, revision), state=EntryState.RELEASED, sent_at=at)

    def resent(self, version: int, revision: int) -> "Entry":
        """Enter that the office is sent a newer version."""
        return replace(self, version_sent=version, revision_sent=revision)

    def overdue(self, now: datetime) -> Awaited | None:
        """Return what is awaited and late; None when nothing is."""
        if not self.is_confirmed_stored and now > self.store_by:
            return "stored"
        waiting = self.state in {EntryState.SENT, EntryState.STORED}
        return "acknowledged" if waiting and now > self.acknowledge_by else None

    def escalate(self, now: datetime) -> "tuple[Entry, ReceiptOverdue] | None":
        """Return the entry marked as overdue, and what its office hears; None when nothing new is late."""
        awaiting = self.overdue(now)
        if awaiting is None or awaiting == self.escalated:
            return None
        event = ReceiptOverdue(
            notice_id=self.notice_id,
            version=self.version_sent,
            revision=self.revision_sent,
            authority=self.authority,
            awaiting=awaiting,
            due_at=self.store_by if awaiting == "stored" else self.acknowledge_by,
        )
        return replace(self, escalated=awaiting), event
