"""The ledger: who has been sent a notice, whose store has it, who has acknowledged it, and what is late.

    sent ──► stored ──► acknowledged
      └─────────┴─────► not_ours | taken_by: the authority has taken its own part out of joint handling
                        released: the notice no longer concerns the authority

Receipts arrive in any order and more than once; a state only moves forward, until the authority is asked again: then it
begins anew. An answer counts for what was asked when it was given.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.events.v1.change_security import (
    AskedBecause,
    DeclineReason,
    HandlingMode,
    Outcome,
    Reason,
    ReceiptOverdue,
)

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


class Standing(StrEnum):
    """Who must act next in an authority's part. Each stands on a list of theirs, until the part is finished."""

    STORE = "store"  # the authority's process; when late, the coordinator's list of what is overdue
    OFFICER = "officer"  # the authority's cases that await acknowledgement; when late, as above
    OUTSIDE = "outside"  # an authority outside the region; when late, as above
    COORDINATOR = "coordinator"  # the list of declined parts; when all are closed, of notices that are ready to close
    HANDLING = "handling"  # the authority's open cases
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Entry:
    """One authority's part in a notice.

    Attributes:
        competent authority is `authority`; `acting_authority` may handle the part on its behalf, by its consent.
        version_sent, version_stored: the newest version sent to the office, and the newest its store has confirmed.
        store_by, acknowledge_by: after these the receipt is overdue.
        acknowledged_by, case_closed_by: the authority whose officer did it.
        escalated: what was escalated last, so that it is done once for each deadline.
        version_asked, revision_asked, asked_because: when the authority was last asked to acknowledge, and why.
        acknowledged_revision: the newest that an officer has acknowledged; less than `revision_asked` while a newer one
            awaits acknowledgement.
        is_taken: the authority has taken its own part out of joint handling, until it returns it.
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
    version_asked: int = 1
    revision_asked: int = 1
    asked_because: AskedBecause = AskedBecause.ASSIGNED
    acknowledged_revision: int | None = None
    declined_at: datetime | None = None
    is_taken: bool = False

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

    @property
    def is_confirmed(self) -> bool:
        """Whether the authority has all it must have: outside the region, what it was asked to confirm."""
        if self.office is not None:
            return self.is_confirmed_stored
        return self.state is EntryState.RELEASED or self.version_stored >= self.version_asked

    @property
    def awaits_acknowledgement(self) -> bool:
        """Whether the authority has not yet answered what it was last asked."""
        return self.state in {EntryState.SENT, EntryState.STORED}

    def asked(self, version: int, revision: int, at: datetime, acknowledge_by: datetime, why: AskedBecause) -> "Entry":
        """Ask the authority to acknowledge, or to decline anew. What it acknowledged before stays on record."""
        return replace(
            self.resent(version, revision),
            state=EntryState.SENT,
            sent_at=at,
            acknowledge_by=acknowledge_by,
            decline_reason=None,
            declined_at=None,
            case_outcome=None,
            case_closed_at=None,
            case_closed_by=None,
            escalated=None,
            version_asked=version,
            revision_asked=revision,
            asked_because=why,
        )

    def _answers(self, version: int | None, revision: int | None) -> bool:
        """Whether an answer was given to what was last asked. A case without a version is of the filing's own city."""
        if version is not None:
            return version >= self.version_asked
        return revision is None or revision >= self.revision_asked

    def acknowledged(
        self, acting_authority: str, at: datetime, *, version: int | None = None, revision: int | None = None
    ) -> "Entry":
        """Enter that an officer has acknowledged the notice, as it was at a version. The first time counts."""
        if self.state is EntryState.RELEASED:
            return self
        entry = replace(
            self,
            acknowledged_at=self.acknowledged_at or at,
            acknowledged_by=self.acknowledged_by or acting_authority,
            acknowledged_revision=max(revision or self.revision_sent, self.acknowledged_revision or 0),
        )
        if not self._answers(version, revision):
            return entry
        return replace(
            entry,
            state=EntryState.TAKEN_BY if self.is_taken else EntryState.ACKNOWLEDGED,
            decline_reason=None,
            declined_at=None,
        )

    def not_ours(
        self, reason: DeclineReason, at: datetime, *, version: int | None = None, revision: int | None = None
    ) -> "Entry":
        """Enter that the authority says the notice is not its own."""
        if self.state is EntryState.RELEASED or not self._answers(version, revision):
            return self
        return replace(self, state=EntryState.NOT_OURS, decline_reason=reason, declined_at=at)

    def taken(self, at: datetime, *, version: int | None = None, revision: int | None = None) -> "Entry":
        """Enter that the authority takes its own part out of joint handling; that is an acknowledgement too."""
        if self.state is EntryState.RELEASED:
            return self
        taken = replace(self, is_taken=True, acting_authority=self.authority, mode=HandlingMode.OWN)
        return taken.acknowledged(self.authority, at, version=version, revision=revision)

    def returned(self) -> "Entry":
        """Enter that the authority returns its own part to joint handling; that it has acknowledged it stands."""
        state = EntryState.ACKNOWLEDGED if self.state is EntryState.TAKEN_BY else self.state
        return replace(self, state=state, is_taken=False)

    def case_closed(
        self,
        outcome: Outcome,
        at: datetime,
        acting_authority: str,
        *,
        version: int | None = None,
        revision: int | None = None,
    ) -> "Entry":
        """Enter that the authority's case is closed, and whose officer did it. That is an acknowledgement too."""
        if not self._answers(version, revision):
            return self
        entry = self.acknowledged(acting_authority, at, version=version, revision=revision)
        return replace(entry, case_outcome=outcome, case_closed_at=at, case_closed_by=acting_authority)

    def released(self, version: int, revision: int, at: datetime) -> "Entry":
        """Enter that the notice no longer concerns the authority; its store hears that, and confirms it."""
        return replace(self.resent(version, revision), state=EntryState.RELEASED, sent_at=at, escalated=None)

    def resent(self, version: int, revision: int) -> "Entry":
        """Enter that the office is sent a newer version."""
        return replace(self, version_sent=version, revision_sent=revision)

    def overdue(self, now: datetime, *, is_open: bool = True) -> Awaited | None:
        """Return what is awaited and late; None when nothing is.

        Nothing is late in a notice that has ended (`is_open` is false), or for an authority that is released. Outside
        the region there is no store that answers by itself: the confirmation alone is awaited.
        """
        if not is_open or self.state is EntryState.RELEASED:
            return None
        if self.office is not None and not self.is_confirmed_stored and now > self.store_by:
            return "stored"
        return "acknowledged" if self.awaits_acknowledgement and now > self.acknowledge_by else None

    @property
    def is_done(self) -> bool:
        """Whether the authority has closed its case. One outside the region tells no outcome: it has confirmed."""
        return self.case_outcome is not None or (self.office is None and self.state is EntryState.ACKNOWLEDGED)

    def standing(self, *, is_open: bool = True, is_ready_to_close: bool = False) -> Standing:
        """Return who must act next. A notice that has ended (`is_open` is false) asks for nothing more.

        `is_ready_to_close`: every part of the notice is done, and it awaits a coordinator.
        """
        is_closed = self.case_outcome is not None and not is_ready_to_close
        if not is_open or self.state is EntryState.RELEASED or is_closed:
            return Standing.FINISHED
        if is_ready_to_close or self.state is EntryState.NOT_OURS:
            return Standing.COORDINATOR
        if self.awaits_acknowledgement:
            if self.office is None:
                return Standing.OUTSIDE
            return Standing.STORE if self.version_stored < self.version_asked else Standing.OFFICER
        return Standing.HANDLING

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
