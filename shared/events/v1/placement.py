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


class VacancyState(StrEnum):
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
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_LAPSED = "consent_lapsed"


class OfferState(StrEnum):
    """How far a job offer has come."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ReferralOutcome(StrEnum):
    """How a referral ended."""

    HIRED = "hired"
    NOT_HIRED = "not_hired"
    WITHDRAWN = "withdrawn"


class ConsentChannel(StrEnum):
    """How a jobseeker consents, or withdraws consent."""

    IN_PERSON = "in_person"
    PHONE = "phone"
    WRITTEN = "written"
    DIGITAL = "digital"


class VacancyEmployer(Part):
    """The employer that reports a vacancy."""

    business_id: BusinessId = Field(description="Y-tunnus, 1234567-8.")
    name: str | None = Field(default=None, max_length=200)


class VacancyContact(Part):
    """Where applicants ask: a shared mailbox and a telephone service, no person."""

    email: str | None = Field(default=None, max_length=200, description="A shared mailbox.")
    phone: str | None = Field(default=None, max_length=50)
    hours: str | None = Field(default=None, max_length=200, description="When the telephone is answered.")


class EmploymentRelationship(StrEnum):
    """The kind of the employment relationship."""

    PERMANENT = "permanent"
    FIXED_TERM = "fixed_term"
    SEASONAL = "seasonal"
    ON_CALL = "on_call"
    APPRENTICESHIP = "apprenticeship"
    TRAINEESHIP = "traineeship"


class WorkingTime(Part):
    """The working time."""

    kind: Literal["full_time", "part_time"]
    hours_per_week_min: float | None = Field(default=None, gt=0, le=80)
    hours_per_week_max: float | None = Field(default=None, gt=0, le=80)
    shifts: tuple[Literal["day", "evening", "night", "weekend", "rotating"], ...] = Field(default=(), max_length=5)


class Pay(Part):
    """The initial pay or its range (Directive (EU) 2023/970, article 5), and what it is agreed by."""

    per: Literal["hour", "month", "year", "assignment"]
    least: float | None = Field(default=None, gt=0, le=10_000_000)
    most: float | None = Field(default=None, gt=0, le=10_000_000)
    currency: Literal["EUR"] = "EUR"
    principle: str | None = Field(default=None, max_length=300, description="Such as the collective agreement.")


class VacancyText(Part):
    """The advertisement in a further language."""

    language: Literal["fi", "sv", "en"]
    title: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=10_000)


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
    municipalities: tuple[MunicipalityCode, ...] | None = Field(
        default=None, max_length=30, description="Of the workplaces, beside `municipality`."
    )
    apply_url: str | None = Field(default=None, max_length=500)
    apply_email: str | None = Field(default=None, max_length=200, description="A shared mailbox.")
    contact: VacancyContact | None = None
    employment_relationship: EmploymentRelationship | None = None
    ends_on: Day | None = Field(default=None, description="The last day of a fixed term.")
    working_time: WorkingTime | None = None
    pay: Pay | None = None
    translations: tuple[VacancyText, ...] | None = Field(
        default=None, max_length=2, description="The advertisement in other languages than `language`."
    )

    @property
    def advertised_in(self) -> tuple[str, ...]:
        """The languages of the advertisement, the one it was written in first."""
        return (self.language, *(translation.language for translation in self.translations or ()))

    @property
    def places(self) -> tuple[str, ...]:
        """The municipalities of all workplaces, each once."""
        return tuple(dict.fromkeys((self.municipality, *(self.municipalities or ()))))


class _AboutVacancy(Event):
    KEY: ClassVar[str] = "vacancy_id"
    vacancy_id: UUID


class VacancySubmitted(_AboutVacancy):
    """Another system reports a vacancy, or a revision of one it reported. `revision` n follows `revision` n - 1."""

    type: Literal["placement.vacancy-submitted.v1"] = "placement.vacancy-submitted.v1"
    revision: int = Field(default=1, ge=1, le=100_000)
    status: Literal[VacancyState.DRAFT, VacancyState.OPEN] = VacancyState.OPEN
    vacancy: Vacancy


class VacancyStatusSubmitted(_AboutVacancy):
    """Another system opens, pauses, fills or withdraws a vacancy that it reported."""

    type: Literal["placement.vacancy-status-submitted.v1"] = "placement.vacancy-status-submitted.v1"
    status: VacancyState


class VacancyPublished(_AboutVacancy):
    """A vacancy as everyone may see it; the newest version replaces the older. A stopped one shows no content."""

    type: Literal["placement.vacancy-published.v1"] = "placement.vacancy-published.v1"
    version: int = Field(ge=1)
    status: VacancyState
    vacancy: Vacancy | None = None
    removed_at: Instant | None = Field(default=None, description="Since when the advertisement is not shown.")
    open_positions: int | None = Field(default=None, ge=0, description="Those that no referral has filled.")


class Wanted(Part):
    """What a recruitment assignment looks for. Says nothing of the employer."""

    occupation: Occupation
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    municipality: MunicipalityCode
    starts_on: Day | None = None
    municipalities: tuple[MunicipalityCode, ...] | None = Field(default=None, description="Beside `municipality`.")

    @property
    def places(self) -> frozenset[str]:
        """The municipalities of all workplaces."""
        return frozenset((self.municipality, *(self.municipalities or ())))


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
    missing: tuple[str, ...] | None = Field(default=None, description="Obligatory languages that the jobseeker lacks.")


class Candidate(Part):
    """A jobseeker as another authority may see one."""

    reference: str = Field(description="Opaque; made by the owning city, and unlinkable to another city's.")
    score: int = Field(ge=0, le=100)
    occupations: tuple[str, ...] = Field(description="ISCO-08 codes.")
    languages: tuple[str, ...]
    commuting: tuple[MunicipalityCode, ...]
    available_from: Day | None = None
    reasons: tuple[MatchReason, ...]


class PoolStages(Part):
    """How many profiles of a pool were left after each stage, so that an empty answer says why."""

    profiles: int = Field(ge=0, description="Active profiles in the pool.")
    near_occupation: int = Field(ge=0, description="Of them, with an occupation of the same sub-major group.")
    answered: int = Field(ge=0, description="Candidates in the answer.")


class CandidatesAnswered(_AboutAssignment):
    """A city's pool answers. An empty answer is an answer too."""

    type: Literal["placement.candidates-answered.v1"] = "placement.candidates-answered.v1"
    office: str
    considered: int = Field(ge=0, description="Profiles that were scored.")
    candidates: tuple[Candidate, ...]
    answered_at: Instant
    stages: PoolStages | None = Field(default=None, description="Given with an answer without candidates.")


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
    state: Literal[
        ReferralState.REQUESTED,
        ReferralState.CONSENTED,
        ReferralState.DECLINED,
        ReferralState.UNKNOWN_REFERENCE,
    ]
    answered_at: Instant
    consent_until: Day | None = Field(
        default=None, description="The last day of the consent; without it the referral's end."
    )


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
    state: Literal[OfferState.OPEN, OfferState.ACCEPTED, OfferState.DECLINED, OfferState.EXPIRED]
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


class ConsentEnded(_AboutReferral):
    """The jobseeker withdraws the consent, or its last day has passed. The joint office's access ends with it."""

    type: Literal["placement.consent-ended.v1"] = "placement.consent-ended.v1"
    office: str
    why: Literal["withdrawn", "lapsed"]
    ended_at: Instant


class JobOfferConsequence(_AboutReferral):
    """What a binding job offer's answer leads to in the owning city, by the rule in force when it was made."""

    type: Literal["placement.job-offer-consequence.v1"] = "placement.job-offer-consequence.v1"
    offer_id: UUID
    answer: Literal[OfferState.ACCEPTED, OfferState.DECLINED, OfferState.EXPIRED]
    consequence: Literal["none", "ask_reason", "assess_unemployment_security"]
    rule_valid_from: Day
    source: str = Field(max_length=300)
    certainty: Literal["verified", "to_be_checked"]


class VacancyTaken(_AboutVacancy):
    """A city took in a vacancy itself, as it may while the joint office does not answer; to be registered there."""

    type: Literal["placement.vacancy-taken.v1"] = "placement.vacancy-taken.v1"
    office: str
    vacancy: Vacancy
    taken_at: Instant
    isco: str | None = Field(
        default=None, max_length=4, description="The ISCO-08 group of the occupation, by the city's classification."
    )


class OwnPoolAsked(_AboutVacancy):
    """A city asked its own pool for a vacancy that it took in; the other pools have not been asked."""

    type: Literal["placement.own-pool-asked.v1"] = "placement.own-pool-asked.v1"
    office: str
    assignment_id: UUID
    wanted: Wanted
    at_most: int = Field(ge=1, le=200)
    asked_at: Instant
    considered: int = Field(ge=0, description="Profiles that were scored.")
    candidates: tuple[Candidate, ...]
    stages: PoolStages | None = None


class VacancyRegistered(_AboutVacancy):
    """The joint office has a vacancy that the city took in; its further course is there."""

    type: Literal["placement.vacancy-registered.v1"] = "placement.vacancy-registered.v1"
    registered_at: Instant


class JobOfferWithdrawn(_AboutReferral):
    """The joint office takes a job offer back that is open: nobody need answer it, and it has no consequence."""

    type: Literal["placement.job-offer-withdrawn.v1"] = "placement.job-offer-withdrawn.v1"
    offer_id: UUID
    why: Literal["by_officer", "vacancy_filled", "vacancy_withdrawn"]
    withdrawn_at: Instant


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
    ConsentEnded,
    JobOfferConsequence,
    VacancyTaken,
    OwnPoolAsked,
    VacancyRegistered,
    JobOfferWithdrawn,
)
