"""What the API of the agreement and of the groups says and takes."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.advisory.domain.agreement import DecisionState, Proposal, Results
from services.advisory.domain.governance import AgendaItem, MeetingState
from services.advisory.domain.kept_review import ReviewState
from services.advisory.domain.operating_model import ModelTexts
from services.advisory.domain.resources import Compared, Total
from shared.events.v1.agreement import Agreement, AgreementVersion, Delegation, Figure, Group
from shared.events.values import Day
from shared.figures import InForce


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class AgreementOut(BaseModel):
    """The agreement as it is in force on a day."""

    day: date
    edition: int
    version: AgreementVersion | None
    figures: list[Figure] = Field(description="One without a decision is shown with its certainty, unverified.")
    delegations: list[Delegation]

    @classmethod
    def of(cls, in_force: InForce) -> "AgreementOut":
        """Show the agreement."""
        return cls(
            day=in_force.day,
            edition=in_force.published.edition if in_force.published else 0,
            version=in_force.version,
            figures=in_force.figures,
            delegations=in_force.delegations,
        )


class AgreementTextOut(_Shown):
    """A version of the agreement's text; whether it is in force, the decisions say."""

    version: int
    agreement: Agreement
    written_by: str
    written_at: datetime


class OperatingModelOut(_Shown):
    """A version of the operating model."""

    version: int
    texts: ModelTexts
    written_by: str
    written_at: datetime


class DecisionOut(_Shown):
    """A decision: what was proposed, what became of it, and what it put in force."""

    decision_id: UUID
    group_name: Group
    state: DecisionState
    proposal: Proposal
    proposed_by: str
    proposed_at: datetime
    edition: int | None
    results: Results | None
    decided_by: str | None
    decided_on: date | None
    reason: str | None


class ReasonIn(BaseModel):
    """Why."""

    reason: str = Field(min_length=3, max_length=280, description="Kept and shown. Write no personal data.")


class MemberOut(_Shown):
    """A member of a group, for a term."""

    member_id: UUID
    group_name: Group
    subject: str
    authority: str
    since: date
    until: date | None
    listed_by: str
    ended_by: str | None


class EndingIn(BaseModel):
    """The last day of a term."""

    until: Day


class MinutesIn(BaseModel):
    """Where the minutes are kept."""

    reference: str = Field(min_length=1, max_length=300)


class MeetingOut(_Shown):
    """A meeting of a group."""

    meeting_id: UUID
    group_name: Group
    held_on: date
    state: MeetingState
    agenda: tuple[AgendaItem, ...]
    called_by: str
    reason: str | None
    minutes: str | None
    minutes_by: str | None
    approved_by: str | None
    approved_at: datetime | None


class NextReviewIn(BaseModel):
    """When the next review is due."""

    next_due: Day


class NextReviewOut(BaseModel):
    """When the next review is due."""

    due_on: date | None = Field(description="null: no agreement is in force yet.")
    is_due: bool = Field(description="Whether it is time to make it.")


class KeptReviewOut(_Shown):
    """A review that was kept, and what became of it. The review itself is read under its own address."""

    request_id: UUID
    state: ReviewState
    next_due: date
    kept_by: str
    kept_at: datetime
    decided_by: str | None
    decided_on: date | None
    reason: str | None


class QuarterOut(BaseModel):
    """The approved review of a calendar quarter."""

    since: date
    until: date
    rows: list[Compared]
    totals: list[Total]


class WaitingOut(BaseModel):
    """What waits for the groups."""

    reviews: list[KeptReviewOut] = Field(description="Kept, to be approved by the management group.")
    next_review_on: date | None
    review_is_due: bool

    decisions: list[DecisionOut] = Field(description="Proposed, the longest waiting first.")
    meetings: list[MeetingOut] = Field(description="Held, the minutes not approved.")
    unverified: list[Figure] = Field(description="In force without a decision.")
