"""What the API says and takes, beside the vacancy itself (`shared.events.v1.placement.Vacancy`)."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.placement.domain.vacancy import Posting
from shared.events.v1.placement import MatchReason, OfferState, ReferralOutcome, ReferralState, Vacancy, VacancyStatus


class VacancyIn(BaseModel):
    """A vacancy to be reported."""

    vacancy: Vacancy
    status: Literal[VacancyStatus.DRAFT, VacancyStatus.OPEN] = VacancyStatus.OPEN


class VacancyRevisionIn(BaseModel):
    """A new revision of a vacancy."""

    predecessor: int = Field(ge=1)
    vacancy: Vacancy


class StatusIn(BaseModel):
    """A vacancy's new status."""

    status: VacancyStatus


class VacancyOut(BaseModel):
    """A vacancy. `vacancy` is absent where its advertisement is stopped and the caller did not report it."""

    vacancy_id: UUID
    status: VacancyStatus
    version: int
    revision: int
    changed_at: datetime
    vacancy: Vacancy | None

    @classmethod
    def of(cls, posting: Posting, *, whole: bool = False) -> "VacancyOut":
        """Show a posting; to others than its reporter, the content only while it is open."""
        shown = whole or posting.status is VacancyStatus.OPEN
        return cls(
            vacancy_id=posting.vacancy_id,
            status=posting.status,
            version=posting.version,
            revision=posting.revision,
            changed_at=posting.changed_at,
            vacancy=posting.vacancy if shown else None,
        )


class Feed(BaseModel):
    """One page of the national feed."""

    items: list[VacancyOut]
    next: str | None = Field(description="The cursor of the next page; in the snapshot absent on the last one.")
    changes: str | None = Field(default=None, description="Read the change stream from this cursor after the snapshot.")


class AssignmentIn(BaseModel):
    """A recruitment assignment for a vacancy."""

    vacancy_id: UUID
    at_most: int = Field(default=20, ge=1, le=200, description="Candidates from each pool.")
    answer_within_seconds: float | None = Field(default=None, gt=0, le=7 * 24 * 3600)


class PoolAnswerOut(BaseModel):
    """What one pool has answered."""

    office: str
    state: Literal["answered", "answered_late", "waiting", "did_not_answer"]
    considered: int | None
    answered_at: datetime | None


class CandidateOut(BaseModel):
    """A candidate: opaque, scored, explained."""

    office: str
    reference: str
    score: int
    occupations: list[str]
    languages: list[str]
    commuting: list[str]
    available_from: date | None
    reasons: list[MatchReason]


class AssignmentOut(BaseModel):
    """A recruitment assignment with what has been answered so far."""

    assignment_id: UUID
    vacancy_id: UUID | None = Field(description="Null for a training group's candidates.")
    asked_at: datetime
    answer_by: datetime
    complete: bool
    missing_pools: list[str] = Field(description="The pools that have not answered.")
    pools: list[PoolAnswerOut]
    candidates: list[CandidateOut]
    trace_id: str | None


class ReferralIn(BaseModel):
    """A candidate to be referred."""

    office: str = Field(max_length=60)
    reference: str = Field(max_length=60)
    purpose: str = Field(min_length=3, max_length=300)


class OfferIn(BaseModel):
    """A job offer."""

    binding: bool
    answer_by: AwareDatetime


class OfferOut(BaseModel):
    """A job offer and its answer."""

    offer_id: UUID
    binding: bool
    answer_by: datetime
    state: OfferState
    answered_at: datetime | None


class OutcomeIn(BaseModel):
    """How a referral ended."""

    outcome: ReferralOutcome


class ReferralOut(BaseModel):
    """A referral at the joint office."""

    referral_id: UUID
    assignment_id: UUID
    office: str
    reference: str
    purpose: str
    state: ReferralState
    outcome: ReferralOutcome | None
    offers: list[OfferOut]


class SupplyOut(BaseModel):
    """Workers expected to be free, by occupation and municipality."""

    occupation: str
    municipality: str
    known: int
    masked_groups: int = Field(description="Groups of one to four, whose number is not told.")
    available_from: date | None
    available_until: date | None


class SuggestionOut(BaseModel):
    """Expected supply, and open vacancies that it could fill."""

    supply: SupplyOut
    vacancies: list[VacancyOut]


class JobseekerIn(BaseModel):
    """A profile to be written; see `services.placement.domain.pool.Jobseeker`."""

    name: str = Field(min_length=1, max_length=200)
    phone: str | None = Field(default=None, max_length=50)
    email: str | None = Field(default=None, max_length=200)
    municipality: str = Field(pattern=r"^\d{3}$")
    occupations: list[str] = Field(min_length=1, max_length=10)
    skills: list[str] = Field(default=[], max_length=100)
    languages: list[str] = Field(default=[], max_length=10)
    commuting: list[str] = Field(default=[], max_length=30)
    available_from: date | None = None


class OwnReferralOut(BaseModel):
    """A referral of one of the city's own jobseekers."""

    referral_id: UUID
    assignment_id: UUID
    vacancy_id: UUID
    jobseeker_id: str | None
    purpose: str
    requesting_authority: str
    state: ReferralState
    outcome: ReferralOutcome | None


class ConsentIn(BaseModel):
    """Whether the jobseeker consents to be referred."""

    consented: bool


class ContactQueryIn(BaseModel):
    """Why a jobseeker's name and contact are asked for. Logged."""

    purpose: str = Field(min_length=3, max_length=300)


class ContactOut(BaseModel):
    """A jobseeker's name and contact."""

    name: str
    phone: str | None
    email: str | None


class ContactQueryOut(BaseModel):
    """One query for a contact."""

    asked_by: str
    authority: str
    purpose: str
    answered: bool
    at: datetime


class OfferAnswerIn(BaseModel):
    """The jobseeker's answer."""

    accepted: bool


class WhyOut(BaseModel):
    """Why a jobseeker is, or is not, among the candidates."""

    verdict: str
    score: int
    reasons: list[MatchReason]


def offers_of(rows: Any) -> list[OfferOut]:
    """Show job offers."""
    return [OfferOut.model_validate(row, from_attributes=True) for row in rows]
