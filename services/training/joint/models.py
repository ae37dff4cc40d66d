"""What the joint office's API says and takes, beside courses, groups and proposals themselves."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.training.domain.course import NamedGroup
from services.training.domain.formation import sizes_of
from services.training.domain.procurement import LABELS, EmployerShare, Proposal, Stage, stage_of
from services.training.domain.seats import SeatOfferState
from services.training.joint.store import StandingProposal
from services.training.joint.tables import ApplicationRow, DecisionRow, FormationRow
from services.training.models import strict
from shared.events.v1.placement import Candidate, Wanted
from shared.events.v1.training import ApplicationState, Course, Group, GroupState, InvitationAnswer, Labels

Reason = Field(
    min_length=3, max_length=280, description="Kept, and sent to the applicant's city. Write no personal data."
)


class _Body(BaseModel):
    """A request's body: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid")


class CourseIn(_Body):
    """A course for the catalogue."""

    course: Annotated[Course, strict(Course)]


class CourseChangeIn(_Body):
    """A course as it is to be. `predecessor` is the version that was read."""

    predecessor: int = Field(ge=1)
    course: Annotated[Course, strict(Course)]


class GroupIn(_Body):
    """A group to be planned."""

    group: Annotated[Group, strict(Group)]


class GroupChangeIn(_Body):
    """A group as it is to be. `predecessor` is the version that was read."""

    predecessor: int = Field(ge=1)
    group: Annotated[Group, strict(Group)]


class GroupStateIn(_Body):
    """A group's next state, and why."""

    state: GroupState
    reason: str = Field(default="", max_length=280)


class SeatOut(BaseModel):
    """A seat offer: to whom by opaque reference, why, and what became of it."""

    model_config = ConfigDict(from_attributes=True)

    offer_id: UUID
    application_id: UUID
    authority: str
    reference: str
    state: SeatOfferState
    reason: str
    made_at: datetime
    answer_by: datetime
    answered_at: datetime | None


class WaitingOut(BaseModel):
    """Somebody who waits, by opaque reference. `position` counts from 1 in the joint queue."""

    model_config = ConfigDict(from_attributes=True)

    position: int
    application_id: UUID
    office: str
    reference: str
    points: int
    queued_at: datetime


class DecisionOut(BaseModel):
    """A decision: by whom, for whose authority, why."""

    model_config = ConfigDict(from_attributes=True)

    decision_id: int
    act: str
    reason: str
    actor: str
    competent_authority: str | None
    acting_authority: str | None
    at: datetime


class ApplicationOut(BaseModel):
    """An application at the joint office."""

    application_id: UUID
    course_id: UUID
    office: str
    reference: str
    points: int
    queued_at: datetime
    state: ApplicationState
    group_id: UUID | None
    reason: str
    position: int | None = Field(description="In the joint queue, from 1; null when it does not wait.")
    decisions: list[DecisionOut]

    @classmethod
    def of(
        cls, application: ApplicationRow, position: int | None, decisions: Sequence[DecisionRow]
    ) -> "ApplicationOut":
        """Show an application."""
        return cls(
            application_id=application.application_id,
            course_id=application.course_id,
            office=application.office,
            reference=application.reference,
            points=application.points,
            queued_at=application.queued_at,
            state=application.state,
            group_id=application.group_id,
            reason=application.reason,
            position=position,
            decisions=[DecisionOut.model_validate(decision) for decision in decisions],
        )


class SelectionIn(_Body):
    """A discretionary selection: who, and why out of the order."""

    application_id: UUID
    reason: str = Reason


class TransferIn(_Body):
    """A transfer to another group, and why."""

    group_id: UUID
    reason: str = Reason


class ReasonIn(_Body):
    """Why something is done."""

    reason: str = Reason


class FormationIn(_Body):
    """The groups that could be formed."""

    groups: list[Annotated[NamedGroup, strict(NamedGroup)]] = Field(min_length=1, max_length=200)


class PlacementOut(BaseModel):
    """Where an applicant would be placed, or why not and what would let the applicant in."""

    model_config = ConfigDict(from_attributes=True)

    application_id: UUID
    authority: str
    slot: str | None
    reason: str
    would_help: str | None


class FormationOut(BaseModel):
    """Proposed groups; nothing is decided until they are adopted."""

    formation_id: UUID
    course_id: UUID
    groups: list[NamedGroup]
    sizes: dict[str, int]
    placements: list[PlacementOut]
    adopted_at: datetime | None

    @classmethod
    def of(cls, formation: FormationRow) -> "FormationOut":
        """Show proposed groups."""
        return cls(
            formation_id=formation.formation_id,
            course_id=formation.course_id,
            groups=list(formation.slots),
            sizes=sizes_of(formation.placements),
            placements=[PlacementOut.model_validate(placement) for placement in formation.placements],
            adopted_at=formation.adopted_at,
        )


class ProposalOut(BaseModel):
    """A proposal of joint-procurement training: where it stands, and what the employer pays, without VAT."""

    proposal_id: UUID
    kind: Labels
    proposal: Proposal
    stage: Stage
    group_id: UUID | None
    employer_percent: int | None
    employer_eur: Decimal | None
    authority_eur: Decimal | None
    source: str | None
    to_be_checked: bool

    @classmethod
    def of(cls, proposal: StandingProposal, share: EmployerShare | None) -> "ProposalOut":
        """Show a proposal with the employer's share, if there is a rule for it."""
        return cls(
            proposal_id=proposal.proposal_id,
            kind=LABELS[proposal.proposed.kind],
            proposal=proposal.proposed,
            stage=stage_of(proposal.state, proposal.group_state),
            group_id=proposal.group_id,
            employer_percent=share.percent if share else None,
            employer_eur=share.employer_eur if share else None,
            authority_eur=share.authority_eur if share else None,
            source=share.source if share else None,
            to_be_checked=share is None or share.to_be_checked,
        )


class StatementOut(BaseModel):
    """What a home authority's seats in a group come to, without VAT. A statement, no invoice."""

    model_config = ConfigDict(from_attributes=True)

    group_id: UUID
    starts_on: date
    authority: str
    offered: int
    seats: int = Field(description="Used: accepted, and attended at least a day once attendance is entered.")
    dropped_out: int
    no_shows: int
    days: int | None = Field(description="Training days attended, as far as entered.")
    eur: Decimal | None = Field(description="Null where the group has no price: it was not procured jointly.")
    to_be_checked: bool = False


class CandidatesIn(_Body):
    """What to ask the three jobseeker pools for."""

    wanted: Annotated[Wanted, strict(Wanted)]
    at_most: int = Field(default=20, ge=1, le=200)


class RequestOut(BaseModel):
    """A request that is under way."""

    request_id: UUID


class PoolOut(BaseModel):
    """A pool's answer to a request for candidates; null before it has answered."""

    model_config = ConfigDict(from_attributes=True)

    request_id: UUID
    office: str
    received_at: datetime | None
    candidates: list[Candidate] | None


class InvitationIn(_Body):
    """Whom to invite."""

    office: str
    reference: str = Field(max_length=100)


class InvitationOut(BaseModel):
    """An invitation to a candidate, and what came of it in the candidate's city: null while it says nothing."""

    model_config = ConfigDict(from_attributes=True)

    invitation_id: UUID
    group_id: UUID
    office: str
    reference: str
    invited_at: datetime
    answer: InvitationAnswer | None
    answered_at: datetime | None
