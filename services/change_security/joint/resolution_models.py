"""What coordinators send and are shown where a notice would otherwise end nowhere."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.change_security.domain.ledger import Awaited
from services.change_security.domain.notice import NoticeState
from services.change_security.domain.routing import Unrouted
from services.change_security.joint.tables import ActKind
from shared.events.v1.change_security import AskedBecause, DeclineReason, FilingKind, Outcome, ReasonKind

Why = Annotated[str, Field(min_length=3, max_length=500, description="Kept with the act; it names no person.")]


class ReasonIn(BaseModel):
    """Why a coordinator does something."""

    reason: Why


class PlaceIn(ReasonIn):
    """A place of the unrouted queue."""

    kind: ReasonKind
    municipality: str | None = Field(default=None, max_length=10)

    @property
    def place(self) -> Unrouted:
        """The place."""
        return Unrouted(self.kind, self.municipality or None, "unknown_municipality")


class OtherNoticeIn(ReasonIn):
    """Another notice, and why it is one with this, or of the same matter, or neither."""

    notice_id: UUID


class NoteIn(BaseModel):
    """What a coordinator has found out about an overdue receipt."""

    note: Why


class ActOut(BaseModel):
    """An act of a coordinator: who, when, why."""

    model_config = ConfigDict(from_attributes=True)

    notice_id: UUID = Field(description="The notice, or one that is merged into it.")
    act: ActKind
    by: str
    at: datetime
    reason: str | None
    authority: str | None
    municipality: str | None
    other_id: UUID | None = Field(description="The other notice, of a merge or link.")
    outcome: Outcome | None


class DeclinedOut(BaseModel):
    """A part that its authority says is not its own. A coordinator releases the authority, or insists."""

    model_config = ConfigDict(from_attributes=True)

    notice_id: UUID
    authority: str
    decline_reason: DeclineReason
    declined_at: datetime
    asked_because: AskedBecause = Field(description="`insisted`: it has declined again.")


class OverdueOut(BaseModel):
    """A receipt that is overdue and still awaited."""

    model_config = ConfigDict(from_attributes=True)

    overdue_id: UUID
    notice_id: UUID
    authority: str
    awaiting: Awaited
    due_at: datetime
    since: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None


class SuggestionOut(BaseModel):
    """Two notices that may be one, or of which this may follow the other."""

    model_config = ConfigDict(from_attributes=True)

    notice_id: UUID
    other_id: UUID
    arrived_at: datetime
    other_arrived_at: datetime


class RelatedOut(BaseModel):
    """A notice of the same matter."""

    model_config = ConfigDict(from_attributes=True)

    notice_id: UUID
    relation: str = Field(description="merged, proposal or termination_notice.")
    kind: FilingKind
    state: NoticeState
    outcome: Outcome | None
    arrived_at: datetime


class MatterOut(BaseModel):
    """The notices that belong to one matter with a notice."""

    notice_id: UUID
    related: list[RelatedOut]
