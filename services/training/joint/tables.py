"""The tables of the joint side: the queue and its seats, decisions, formations, procurement, candidates, planning."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from services.training.catalogue import CourseGroupRow
from services.training.domain.attendance import Participant
from services.training.domain.contracts import ContractTerms
from services.training.domain.course import NamedGroup
from services.training.domain.formation import ProposedPlacement
from services.training.domain.plans import PlanState
from services.training.domain.procurement import GroupStatement, Proposal, ProposalState, StatementState
from services.training.domain.seats import SeatOfferState
from services.training.domain.supply import Planned
from shared.database import EnumText, Json
from shared.events.v1.change_security import WorkforceRelease
from shared.events.v1.placement import Candidate
from shared.events.v1.training import ApplicationState, InvitationAnswer

metadata = MetaData()
"""This module's own: SQLModel's global one would mix the services' tables."""


def _instant(*, null: bool = False) -> Any:
    kind = DateTime(timezone=True)
    return Field(default=None, sa_type=kind, nullable=True) if null else Field(sa_type=kind)


def _text(*, null: bool = False) -> Any:
    return Field(default=None, sa_type=Text, nullable=True) if null else Field(sa_type=Text)


def _texts() -> Any:
    return Field(sa_column=Column(ARRAY(Text), nullable=False))


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = metadata


class ApplicationRow(_Table, table=True):
    """An application in a course's joint queue, by opaque reference."""

    __tablename__ = "application"
    __table_args__ = (
        Index(
            "application_queue",
            "course_id",
            text("points DESC"),
            "queued_at",
            "application_id",
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    application_id: UUID = Field(primary_key=True)
    course_id: UUID
    office: str = _text()
    reference: str = _text()
    points: int
    queued_at: datetime = _instant()
    languages: list[str] = _texts()
    municipality: str = _text()
    travel: list[str] = _texts()
    can_start_from: date
    state: ApplicationState = Field(sa_column=Column(EnumText(ApplicationState), nullable=False))
    version: int
    group_id: UUID | None = None
    reason: str = _text()


class SeatOfferRow(_Table, table=True):
    """A seat that is or was offered.

    The index `seat_offer_held` is the last word on "no seat is given twice": an applicant holds at most one seat,
    whatever the code does.
    """

    __tablename__ = "seat_offer"
    __table_args__ = (
        Index("seat_offer_group", "group_id"),
        Index("seat_offer_held", "application_id", unique=True, postgresql_where=text("state IN ('open', 'accepted')")),
    )

    offer_id: UUID = Field(primary_key=True)
    group_id: UUID = Field(
        sa_column=Column(
            ForeignKey(CourseGroupRow.__table__.c.group_id),  # type: ignore[attr-defined]
            nullable=False,
        )
    )
    application_id: UUID = Field(foreign_key="application.application_id")
    state: SeatOfferState = Field(sa_column=Column(EnumText(SeatOfferState), nullable=False))
    reason: str = _text()
    made_at: datetime = _instant()
    answer_by: datetime = _instant()
    answered_at: datetime | None = _instant(null=True)


class DecisionRow(_Table, table=True):
    """Who decided what of an application, a group or a proposal, why, and for whose authority."""

    __tablename__ = "decision"
    __table_args__ = (Index("decision_subject", "subject_id"),)

    decision_id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    subject_id: UUID
    act: str = _text()
    reason: str = _text()
    actor: str = _text()
    competent_authority: str | None = _text(null=True)
    acting_authority: str | None = _text(null=True)
    at: datetime = _instant()


class FormationRow(_Table, table=True):
    """Groups that were proposed from the queue, and who would be in which."""

    __tablename__ = "formation"

    formation_id: UUID = Field(primary_key=True)
    course_id: UUID
    slots: tuple[NamedGroup, ...] = Field(sa_column=Column(Json(tuple[NamedGroup, ...]), nullable=False))
    placements: tuple[ProposedPlacement, ...] = Field(
        sa_column=Column(Json(tuple[ProposedPlacement, ...]), nullable=False)
    )
    made_by: str = _text()
    made_at: datetime = _instant()
    adopted_at: datetime | None = _instant(null=True)


class ProposalRow(_Table, table=True):
    """An employer's proposal of joint-procurement training; `group_id` once it is planned."""

    __tablename__ = "proposal"

    proposal_id: UUID = Field(primary_key=True)
    proposed: Proposal = Field(sa_column=Column(Json(Proposal), nullable=False))
    proposed_by: str = _text()
    proposed_at: datetime = _instant()
    state: ProposalState = Field(sa_column=Column(EnumText(ProposalState), nullable=False))
    group_id: UUID | None = None


class PoolCandidatesRow(_Table, table=True):
    """A pool that was asked for candidates for a group; what it answered, once it has."""

    __tablename__ = "pool_candidates"
    __table_args__ = (Index("pool_candidates_group", "group_id"),)

    request_id: UUID = Field(primary_key=True)
    office: str = Field(sa_type=Text, primary_key=True)
    group_id: UUID
    candidates: tuple[Candidate, ...] | None = Field(
        default=None, sa_column=Column(Json(tuple[Candidate, ...]), nullable=True)
    )
    received_at: datetime | None = _instant(null=True)


class InvitationRow(_Table, table=True):
    """A candidate who was invited to apply for a group."""

    __tablename__ = "invitation"
    __table_args__ = (UniqueConstraint("group_id", "office", "reference"),)

    invitation_id: UUID = Field(primary_key=True)
    group_id: UUID
    office: str = _text()
    reference: str = _text()
    invited_at: datetime = _instant()
    answer: InvitationAnswer | None = Field(default=None, sa_column=Column(EnumText(InvitationAnswer)))
    answered_at: datetime | None = _instant(null=True)


class ReleasedRow(_Table, table=True):
    """What a notice of change security releases to the labour market."""

    __tablename__ = "released"

    notice_id: UUID = Field(primary_key=True)
    version: int
    releases: tuple[WorkforceRelease, ...] = Field(sa_column=Column(Json(tuple[WorkforceRelease, ...]), nullable=False))


class DemandRow(_Table, table=True):
    """What a vacancy demands: no positions, unless it is open."""

    __tablename__ = "demand"

    vacancy_id: UUID = Field(primary_key=True)
    version: int
    occupation: str = _text()
    municipality: str = _text()
    positions: int


# -- places in the queues


class QueuePlaceRow(_Table, table=True):
    """A place in the queue as the applicant's city was last told it."""

    __tablename__ = "queue_place"
    __table_args__ = (Index("queue_place_course", "course_id"),)

    application_id: UUID = Field(primary_key=True)
    course_id: UUID
    office: str = _text()
    position: int
    estimated_start: date | None = None


# -- supply plans


class SupplyPlanRow(_Table, table=True):
    """A plan of groups to procure that was kept; `group_ids` once it is adopted."""

    __tablename__ = "supply_plan"

    plan_id: UUID = Field(primary_key=True)
    planned: tuple[Planned, ...] = Field(sa_column=Column(Json(tuple[Planned, ...]), nullable=False))
    uptake: float
    digits: int
    state: PlanState = Field(sa_column=Column(EnumText(PlanState), nullable=False))
    group_ids: tuple[UUID, ...] = Field(sa_column=Column(Json(tuple[UUID, ...]), nullable=False))
    made_by: str = _text()
    made_at: datetime = _instant()


# -- joint procurement: own staff, attendance, statements


class ParticipantRow(_Table, table=True):
    """Own staff who take part in a TäsmäKoulutus: a number, or one by an opaque reference; no name."""

    __tablename__ = "participant"
    __table_args__ = (Index("participant_proposal", "proposal_id"),)

    participant_id: UUID = Field(primary_key=True)
    proposal_id: UUID = Field(foreign_key="proposal.proposal_id")
    people: int
    participant: Participant = Field(sa_column=Column(Json(Participant), nullable=False))
    added_by: str = _text()
    added_at: datetime = _instant()
    removed_at: datetime | None = _instant(null=True)
    dropped_out_at: datetime | None = _instant(null=True)

    @property
    def seats(self) -> int:
        """How many seats they keep: none once they have dropped out."""
        return 0 if self.dropped_out_at else self.people


class AttendanceRow(_Table, table=True):
    """How many days the holder of a seat has attended so far. Nothing is overwritten: the newest entry counts."""

    __tablename__ = "attendance"
    __table_args__ = (Index("attendance_holder", "holder_id", "recorded_at"), Index("attendance_group", "group_id"))

    entry_id: UUID = Field(primary_key=True)
    group_id: UUID
    holder_id: UUID
    days: int
    recorded_by: str = _text()
    recorded_at: datetime = _instant()


class StatementRow(_Table, table=True):
    """A statement of the seats of groups that start within some days, as it was when it was kept."""

    __tablename__ = "statement"

    statement_id: UUID = Field(primary_key=True)
    since: date
    until: date
    lines: tuple[GroupStatement, ...] = Field(sa_column=Column(Json(tuple[GroupStatement, ...]), nullable=False))
    state: StatementState = Field(sa_column=Column(EnumText(StatementState), nullable=False))
    replaces: UUID | None = None
    made_by: str = _text()
    made_at: datetime = _instant()


# -- contracts


class ContractRow(_Table, table=True):
    """A contract with a provider, and the names of the options that were taken."""

    __tablename__ = "contract"

    contract_id: UUID = Field(primary_key=True)
    terms: ContractTerms = Field(sa_column=Column(Json(ContractTerms), nullable=False))
    options_taken: list[str] = _texts()
    recorded_by: str = _text()
    recorded_at: datetime = _instant()
    ended_at: datetime | None = _instant(null=True)


class CallOffRow(_Table, table=True):
    """Seats that were ordered from a contract, for a group if it is known."""

    __tablename__ = "call_off"
    __table_args__ = (Index("call_off_contract", "contract_id"),)

    call_off_id: UUID = Field(primary_key=True)
    contract_id: UUID = Field(foreign_key="contract.contract_id")
    group_id: UUID | None = None
    volume: dict[str, int] = Field(sa_column=Column(Json(dict[str, int]), nullable=False))
    ordered_by: str = _text()
    ordered_at: datetime = _instant()
    cancelled_at: datetime | None = _instant(null=True)


# -- what the version before uses: a later migration drops it


class SeatQuotaRow(_Table, table=True):
    """A decision on the authorities' shares of seats; the agreement says them now."""

    __tablename__ = "seat_quota"

    quota_id: UUID = Field(primary_key=True)
    decision: dict[str, Any] = Field(sa_column=Column(Json(dict[str, Any]), nullable=False))
    recorded_by: str = _text()
    recorded_at: datetime = _instant()
