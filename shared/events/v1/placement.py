"""Placement: vacancies for everyone to see, three jobseeker pools that each answer for themselves.

Across an authority's border go only an opaque reference, occupation codes, availability, languages, commuting area and
a score with reasons. A name and a contact never travel in a message: they are asked for by a logged query to the owning
city, after the jobseeker's consent.
"""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Event, Part
from shared.events.v1.change_security import MunicipalityCode, Occupation
from shared.events.values import BusinessId, Day, Instant


class VacancyStatus(StrEnum):
    """Where a vacancy stands. Only an open one is shown whole."""

    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    FILLED = "filled"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ReferralState(StrEnum):
    """How far a referral has come."""

    REQUESTED = "requested"
    CONSENTED = "consented"
    DECLINED = "declined"
    UNKNOWN_REFERENCE = "unknown_reference"


class OfferState(StrEnum):
    """How far a job offer has come."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


class ReferralOutcome(StrEnum):
    """How a referral ended."""

    HIRED = "hired"
    NOT_HIRED = "not_hired"
    WITHDRAWN = "withdrawn"


class VacancyEmployer(Part):
    """The employer that reports a vacancy."""

    business_id: BusinessId = Field(description="Y-tunnus, 1234567-8.")
    name: str | None = Field(default=None, max_length=200)


class Vacancy(Part):
    """A vacancy as the employer reports it."""

    title: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=10_000)
    employer: VacancyEmployer
    occupation: Occupation
    skills: tuple[str, ...] = Field(default=(), max_length=50, description="ESCO skill codes or plain words.")
    languages: tuple[str, ...] = Field(default=(), max_length=10, description="ISO 639-1, needed at work.")
    municipality: MunicipalityCode = Field(max_length=10)
    positions: int = Field(default=1, ge=1, le=1000)
    starts_on: Day | None = None
    apply_by: Day | None = None
    expires_on: Day | None = Field(default=None, description="The last day it is shown.")
    language: Literal["fi", "sv", "en"] = Field(default="fi", description="Of the advertisement.")


class _AboutVacancy(Event):
    KEY: ClassVar[str] = "vacancy_id"
    vacancy_id: UUID


class VacancySubmitted(_AboutVacancy):
    """Another system reports a vacancy, or a revision of one it reported. `revision` n follows `revision` n - 1."""

    type: Literal["placement.vacancy-submitted.v1"] = "placement.vacancy-submitted.v1"
    revision: int = Field(default=1, ge=1, le=100_000)
    status: Literal[VacancyStatus.DRAFT, VacancyStatus.OPEN] = VacancyStatus.OPEN
    vacancy: Vacancy


class VacancyStatusSubmitted(_AboutVacancy):
    """Another system opens, pauses, fills or withdraws a vacancy that it reported."""

    type: Literal["placement.vacancy-status-submitted.v1"] = "placement.vacancy-status-submitted.v1"
    status: VacancyStatus


class VacancyPublished(_AboutVacancy):
    """A vacancy as everyone may see it; the newest version replaces the older. A stopped one shows no content."""

    type: Literal["placement.vacancy-published.v1"] = "placement.vacancy-published.v1"
    version: int = Field(ge=1)
    status: VacancyStatus
    vacancy: Vacancy | None = None


class Wanted(Part):
    """What a recruitment assignment looks for. Says nothing of the employer."""

    occupation: Occupation
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    municipality: MunicipalityCode
    starts_on: Day | None = None


class _AboutAssignment(Event):
    KEY: ClassVar[str] = "assignment_id"
    assignment_id: UUID


class CandidatesRequested(_AboutAssignment):
    """A recruitment assignment asks a city's pool for candidates, by a deadline."""

    type: Literal["placement.candidates-requested.v1"] = "placement.candidates-requested.v1"
    wanted: Wanted
    at_most: int = Field(ge=1, le=200)
    answer_by: Instant
    as_of: Day = Field(description="The day availability is judged by, the same in every pool.")


class MatchReason(Part):
    """One factor of a score: points of at most so many, and why."""

    factor: Literal["occupation", "skills", "languages", "commuting", "availability"]
    points: int
    of: int
    why: str = Field(max_length=200)


class Candidate(Part):
    """A jobseeker as another authority may see one."""

    reference: str = Field(description="Opaque; made by the owning city, and unlinkable to another city's.")
    score: int = Field(ge=0, le=100)
    occupations: tuple[str, ...] = Field(description="ISCO-08 codes.")
    languages: tuple[str, ...]
    commuting: tuple[MunicipalityCode, ...]
    available_from: Day | None = None
    reasons: tuple[MatchReason, ...]


class CandidatesAnswered(_AboutAssignment):
    """A city's pool answers. An empty answer is an answer too."""

    type: Literal["placement.candidates-answered.v1"] = "placement.candidates-answered.v1"
    office: str
    considered: int = Field(ge=0, description="Profiles that were scored.")
    candidates: tuple[Candidate, ...]
    answered_at: Instant


class _AboutReferral(Event):
    KEY: ClassVar[str] = "referral_id"
    referral_id: UUID


class ReferralRequested(_AboutReferral):
    """An authority asks the owning city whether a jobseeker consents to be referred."""

    type: Literal["placement.referral-requested.v1"] = "placement.referral-requested.v1"
    assignment_id: UUID
    vacancy_id: UUID
    reference: str
    purpose: str = Field(max_length=300)
    requesting_authority: str


class ReferralAnswered(_AboutReferral):
    """The owning city tells whether the jobseeker consents. No name and no contact."""

    type: Literal["placement.referral-answered.v1"] = "placement.referral-answered.v1"
    office: str
    state: ReferralState
    answered_at: Instant


class JobOfferMade(_AboutReferral):
    """A job offer to a referred jobseeker, binding or not, to be answered by a deadline."""

    type: Literal["placement.job-offer-made.v1"] = "placement.job-offer-made.v1"
    offer_id: UUID
    binding: bool
    answer_by: Instant


class JobOfferAnswered(_AboutReferral):
    """The jobseeker's answer, or that none came by the deadline."""

    type: Literal["placement.job-offer-answered.v1"] = "placement.job-offer-answered.v1"
    office: str
    offer_id: UUID
    state: OfferState
    answered_at: Instant


class ReferralEnded(_AboutReferral):
    """How a referral ended, told to the owning city."""

    type: Literal["placement.referral-ended.v1"] = "placement.referral-ended.v1"
    outcome: ReferralOutcome
    ended_at: Instant


class CandidatesGathered(Event):
    """A pool's answer to a request for candidates that another service made. Each pool's comes by itself."""

    KEY: ClassVar[str] = "group_id"
    type: Literal["placement.candidates-gathered.v1"] = "placement.candidates-gathered.v1"
    group_id: UUID
    request_id: UUID
    office: str
    considered: int = Field(ge=0)
    candidates: tuple[Candidate, ...]


EVENTS: tuple[type[Event], ...] = (
    VacancySubmitted,
    VacancyStatusSubmitted,
    VacancyPublished,
    CandidatesRequested,
    CandidatesAnswered,
    ReferralRequested,
    ReferralAnswered,
    JobOfferMade,
    JobOfferAnswered,
    ReferralEnded,
    CandidatesGathered,
)
