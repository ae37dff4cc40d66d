"""What the API says and takes, beside courses, groups and proposals themselves."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.training.domain.course import Entry, Held, NamedGroup
from services.training.domain.procurement import LABELS, Proposal
from services.training.domain.supply import Line, Planned
from shared.events.v1.change_security import MunicipalityCode
from shared.events.v1.placement import Candidate, Wanted
from shared.events.v1.training import Application, ApplicationState, Course, Group, GroupState, Labels

Stage = Literal[
    "proposed", "rejected", "preliminary_plan", "procurement", "selection", "running", "completed", "cancelled"
]
Reason = Field(min_length=3, max_length=280, description="Kept and told. Write no personal data.")


class CourseIn(BaseModel):
    """A course for the catalogue."""

    course: Course


class CourseChangeIn(BaseModel):
    """A course as it is to be. `predecessor` is the version that was read."""

    predecessor: int = Field(ge=1)
    course: Course


class CourseOut(BaseModel):
    """A course of the catalogue, with its kind in the service languages."""

    course_id: UUID
    version: int
    kind: Labels
    course: Course

    @classmethod
    def of(cls, entry: Entry) -> "CourseOut":
        """Show a course."""
        return cls(
            course_id=entry.course_id, version=entry.version, kind=LABELS[entry.course.kind], course=entry.course
        )


class GroupIn(BaseModel):
    """A group to be planned."""

    group: Group


class GroupChangeIn(BaseModel):
    """A group as it is to be. `predecessor` is the version that was read."""

    predecessor: int = Field(ge=1)
    group: Group


class GroupStateIn(BaseModel):
    """A group's next state, and why."""

    state: GroupState
    reason: str = Field(default="", max_length=280)


class GroupOut(BaseModel):
    """A group."""

    group_id: UUID
    course_id: UUID
    version: int
    state: GroupState
    group: Group

    @classmethod
    def of(cls, held: Held) -> "GroupOut":
        """Show a group."""
        return cls.model_validate(held, from_attributes=True)


class SeatOut(BaseModel):
    """A seat offer: to whom by opaque reference, why, and what became of it."""

    model_config = ConfigDict(from_attributes=True)

    offer_id: UUID
    application_id: UUID
    authority: str
    reference: str
    state: Literal["open", "accepted", "declined", "expired", "no_show", "withdrawn", "cancelled", "moved"]
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


class SelectionIn(BaseModel):
    """A discretionary selection: who, and why out of the order."""

    application_id: UUID
    reason: str = Reason


class TransferIn(BaseModel):
    """A transfer to another group, and why."""

    group_id: UUID
    reason: str = Reason


class ReasonIn(BaseModel):
    """Why something is done."""

    reason: str = Reason


class FormationIn(BaseModel):
    """The groups that could be formed."""

    groups: list[NamedGroup] = Field(min_length=1, max_length=200)


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


class StatementOut(BaseModel):
    """What a home authority's seats in a group come to, without VAT. A statement, no invoice."""

    group_id: UUID
    starts_on: date
    authority: str
    seats: int
    eur: Decimal | None = Field(description="Null where the group has no price: it was not procured jointly.")
    to_be_checked: bool = False


class CandidatesIn(BaseModel):
    """What to ask the three jobseeker pools for."""

    wanted: Wanted
    at_most: int = Field(default=20, ge=1, le=200)


class RequestOut(BaseModel):
    """A request that is under way."""

    request_id: UUID


class PoolOut(BaseModel):
    """A pool's answer to a request for candidates; null before it has answered."""

    request_id: UUID
    office: str
    received_at: datetime | None
    candidates: list[Candidate] | None


class InvitationIn(BaseModel):
    """Whom to invite."""

    office: str
    reference: str = Field(max_length=100)


class SupplyOut(BaseModel):
    """The queue, and the groups that the written rule would procure."""

    queue: list[Line]
    plan: list[Planned]


# -- a city's office


class ApplicationIn(BaseModel):
    """An application of one of the city's own people. `applicant_id` is the city's own key, no personal identity code."""

    applicant_id: str = Field(min_length=1, max_length=100)
    course_id: UUID
    assessment: dict[str, int] = Field(default={}, max_length=20, description="Points by criterion of the course.")
    languages: tuple[str, ...] = Field(min_length=1, max_length=20)
    municipality: MunicipalityCode
    travel: tuple[MunicipalityCode, ...] = Field(default=(), max_length=30, description="Beside the own municipality.")
    can_start_from: date
    queued_at: AwareDatetime | None = Field(default=None, description="When it came in on paper; now, if not given.")


class OwnOfferOut(BaseModel):
    """A seat offer to one of the city's own people."""

    model_config = ConfigDict(from_attributes=True)

    offer_id: UUID
    group_id: UUID
    starts_on: date
    answer_by: datetime
    reason: str
    state: Literal["open", "accepted", "declined", "expired", "closed"]


class OwnApplicationOut(BaseModel):
    """An application as the applicant's own city sees it."""

    application_id: UUID
    applicant_id: str | None = Field(description="Null until an officer has entered whose it is, after a transfer.")
    course_id: UUID
    application: Application
    assessment: dict[str, int]
    state: ApplicationState
    group_id: UUID | None
    reason: str
    moved_to: str | None
    offers: list[OwnOfferOut]

    @classmethod
    def of(cls, row: Any, offers: Any) -> "OwnApplicationOut":
        """Show a row with its offers."""
        return cls(
            application_id=row.application_id,
            applicant_id=row.applicant_id,
            course_id=row.course_id,
            application=Application.model_validate(row.application),
            assessment=row.assessment,
            state=row.state,
            group_id=row.group_id,
            reason=row.reason,
            moved_to=row.moved_to,
            offers=[OwnOfferOut.model_validate(offer) for offer in offers],
        )


class SeatAnswerIn(BaseModel):
    """The applicant's answer."""

    accepted: bool


class MoveIn(BaseModel):
    """The city that the applicant has moved to."""

    to_office: str


class ApplicantIn(BaseModel):
    """Whose application it is, by the city's own key."""

    applicant_id: str = Field(min_length=1, max_length=100)


class InvitationOut(BaseModel):
    """An invitation to one of the city's own people, by the reference that its jobseeker pool gave."""

    model_config = ConfigDict(from_attributes=True)

    invitation_id: UUID
    group_id: UUID
    course_id: UUID
    reference: str
    invited_at: datetime
