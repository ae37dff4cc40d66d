"""Training and coaching: courses, groups, a joint queue of applications, seats.

An application lives in the applicant's own city. Across the border go an opaque reference, points by the written
criteria, queue time, languages, travel area, municipality, and the day from which the applicant can start.
"""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Event, Part
from shared.events.v1.change_security import MunicipalityCode, Occupation
from shared.events.v1.placement import Wanted
from shared.events.values import Day, Instant

Language = Literal["fi", "sv", "en"]


class CourseKind(StrEnum):
    """What kind of training or coaching it is."""

    LABOUR_MARKET_TRAINING = "labour_market_training"
    REKRY = "rekry"
    MUUTOS = "muutos"
    TASMA = "tasma"
    JOB_SEARCH_COACHING = "job_search_coaching"
    CAREER_COACHING = "career_coaching"
    JOB_COACHING = "job_coaching"


class GroupState(StrEnum):
    """The course of a group."""

    PLANNED = "planned"
    PROCUREMENT = "procurement"
    OPEN = "open"
    SELECTION = "selection"
    CONFIRMED = "confirmed"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class ApplicationState(StrEnum):
    """How far an application has come."""

    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    NO_SHOW = "no_show"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    COMPLETED = "completed"


class SeatAnswer(StrEnum):
    """What became of a seat offer in the applicant's own city."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


class Labels(Part):
    """A text in the service languages. Swedish is to be reviewed by a native speaker."""

    fi: str = Field(min_length=1, max_length=300)
    sv: str | None = Field(default=None, max_length=300)
    en: str | None = Field(default=None, max_length=300)


class Criterion(Part):
    """One thing that applicants are assessed by, and how many points it can give."""

    code: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    label: Labels
    points: int = Field(ge=1, le=100)


class AfterDecline(Part):
    """What a seat offer that is declined, or not answered in time, makes of the application, from a day on.

    `waits`: the application goes on waiting for the course's other groups. `ends`: it has ended.
    """

    valid_from: Day
    application: Literal["waits", "ends"]


class Course(Part):
    """An entry of the catalogue. Sizes are people."""

    kind: CourseKind
    title: Labels
    occupation: Occupation | None = None
    criteria: tuple[Criterion, ...] = Field(default=(), max_length=20)
    min_size: int = Field(default=8, ge=1, le=200)
    max_size: int = Field(default=20, ge=1, le=200)
    start_type: Literal["common", "continuous"] = "common"
    late_entry_days: int = Field(default=5, ge=0, le=60, description="Free seats are offered so long after the start.")
    after_decline: tuple[AfterDecline, ...] | None = Field(
        default=None, max_length=20, description="The rule in force when the seat was offered; without one it waits."
    )


class Group(Part):
    """A group of a course, as it is planned or held."""

    seats: int = Field(ge=1, le=200)
    language: Language
    municipality: MunicipalityCode
    place: str | None = Field(default=None, max_length=200)
    provider: str | None = Field(default=None, max_length=200)
    starts_on: Day
    ends_on: Day
    answer_hours: float | None = Field(
        default=None,
        gt=0,
        le=720,
        description="To answer a seat offer; 72 if not given. Each 24 hours are a business day.",
    )


class CoursePublished(Event):
    """A course as everyone may see it; the newest version replaces the older."""

    KEY: ClassVar[str] = "course_id"
    type: Literal["training.course-published.v1"] = "training.course-published.v1"
    course_id: UUID
    version: int = Field(ge=1)
    course: Course


class _AboutGroup(Event):
    KEY: ClassVar[str] = "group_id"
    group_id: UUID


class GroupPublished(_AboutGroup):
    """A group of a course as everyone may see it; the newest version replaces the older."""

    type: Literal["training.group-published.v1"] = "training.group-published.v1"
    course_id: UUID
    version: int = Field(ge=1)
    state: GroupState
    group: Group


class _AboutApplication(Event):
    KEY: ClassVar[str] = "application_id"
    application_id: UUID


class Application(Part):
    """An application as another authority may see it."""

    reference: str = Field(max_length=100, description="Opaque; made by the applicant's own city.")
    points: int = Field(ge=0, le=100, description="By the course's written criteria, assessed in the own city.")
    queued_at: Instant
    languages: tuple[str, ...] = Field(max_length=20)
    municipality: MunicipalityCode
    travel: tuple[MunicipalityCode, ...] = Field(max_length=30)
    can_start_from: Day


class ApplicationReceived(_AboutApplication):
    """A city has received an application to a course's joint queue."""

    type: Literal["training.application-received.v1"] = "training.application-received.v1"
    office: str
    course_id: UUID
    application: Application


class ApplicationWithdrawn(_AboutApplication):
    """The applicant has withdrawn."""

    type: Literal["training.application-withdrawn.v1"] = "training.application-withdrawn.v1"
    office: str


class SeatAnswered(_AboutApplication):
    """The applicant's answer to a seat offer, or that none came by the deadline."""

    type: Literal["training.seat-answered.v1"] = "training.seat-answered.v1"
    office: str
    offer_id: UUID
    answer: SeatAnswer
    answered_at: Instant


class ApplicationTransferred(_AboutApplication):
    """The applicant has moved: the application goes on in another city, with its queue time and its seat."""

    type: Literal["training.application-transferred.v1"] = "training.application-transferred.v1"
    office: str
    to_office: str


class ApplicationIdentified(_AboutApplication):
    """The city that an application was handed over to has found its applicant, under its own reference."""

    type: Literal["training.application-identified.v1"] = "training.application-identified.v1"
    office: str
    reference: str = Field(max_length=100)


class SeatOffered(_AboutApplication):
    """A seat is offered to an applicant, to be answered by a deadline."""

    type: Literal["training.seat-offered.v1"] = "training.seat-offered.v1"
    offer_id: UUID
    group_id: UUID
    starts_on: Day
    answer_by: Instant
    reason: str = Field(max_length=300)


class ApplicationDecided(_AboutApplication):
    """Where an application stands at the joint office, and why. The newest version replaces the older."""

    type: Literal["training.application-decided.v1"] = "training.application-decided.v1"
    version: int = Field(ge=1)
    state: ApplicationState
    group_id: UUID | None = None
    reason: str = Field(max_length=300)


class ApplicationHandedOver(_AboutApplication):
    """An applicant has moved here. Who it is, the applicant tells: the application's id is asked."""

    type: Literal["training.application-handed-over.v1"] = "training.application-handed-over.v1"
    from_office: str
    course_id: UUID
    application: Application
    state: ApplicationState
    version: int = Field(ge=1)


class ApplicantInvited(Event):
    """A candidate from the city's own jobseeker pool is invited to apply for a group."""

    KEY: ClassVar[str] = "invitation_id"
    type: Literal["training.applicant-invited.v1"] = "training.applicant-invited.v1"
    invitation_id: UUID
    group_id: UUID
    course_id: UUID
    reference: str = Field(max_length=100)


class QueuePlace(Part):
    """An application's place in the joint queue, from 1, and when it may start. Neither is a promise."""

    application_id: UUID
    position: int = Field(ge=1)
    estimated_start: Day | None = Field(
        default=None,
        description="If everybody before takes what the written rule offers; none while no group has room.",
    )


class QueuePlacesChanged(Event):
    """Places of a city's applicants in a course's queue that have changed. The newest replaces the older."""

    KEY: ClassVar[str] = "course_id"
    type: Literal["training.queue-places-changed.v1"] = "training.queue-places-changed.v1"
    course_id: UUID
    as_of: Instant
    places: tuple[QueuePlace, ...] = Field(min_length=1, max_length=500)


class CandidatesWanted(_AboutGroup):
    """Candidates for a group are wanted from the three jobseeker pools."""

    type: Literal["training.candidates-wanted.v1"] = "training.candidates-wanted.v1"
    request_id: UUID
    wanted: Wanted
    at_most: int = Field(ge=1, le=200)


class InvitationAnswer(StrEnum):
    """What an invited jobseeker says, or that nobody could be reached."""

    APPLIES = "applies"
    DECLINES = "declines"
    NOT_REACHED = "not_reached"


class InvitationAnswered(Event):
    """The owning city says what came of an invitation. The newest answer counts."""

    KEY: ClassVar[str] = "invitation_id"
    type: Literal["training.invitation-answered.v1"] = "training.invitation-answered.v1"
    invitation_id: UUID
    office: str
    answer: InvitationAnswer
    answered_at: Instant


EVENTS: tuple[type[Event], ...] = (
    CoursePublished,
    GroupPublished,
    ApplicationReceived,
    ApplicationWithdrawn,
    SeatAnswered,
    ApplicationTransferred,
    ApplicationIdentified,
    SeatOffered,
    ApplicationDecided,
    ApplicationHandedOver,
    ApplicantInvited,
    CandidatesWanted,
    QueuePlacesChanged,
    InvitationAnswered,
)
