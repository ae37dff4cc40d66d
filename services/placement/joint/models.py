"""What the joint office's API says and takes, beside the vacancy itself (`shared.events.v1.placement.Vacancy`)."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.placement.domain.referral import PoolState
from services.placement.domain.vacancy import Posting
from shared.events.v1.placement import (
    Candidate,
    OfferState,
    ReferralOutcome,
    ReferralState,
    Vacancy,
    VacancyStatus,
)


class VacancyIn(BaseModel):
    """A vacancy to be reported."""

    vacancy: Vacancy
    state: Literal[VacancyStatus.DRAFT, VacancyStatus.OPEN] = VacancyStatus.OPEN


class VacancyRevisionIn(BaseModel):
    """A new revision of a vacancy."""

    predecessor: int = Field(ge=1)
    vacancy: Vacancy


class StateIn(BaseModel):
    """A vacancy's new state."""

    state: VacancyStatus


class VacancyOut(BaseModel):
    """A vacancy. `vacancy` is absent where its advertisement is stopped and the caller did not report it."""

    vacancy_id: UUID
    state: VacancyStatus
    version: int
    revision: int
    changed_at: datetime
    vacancy: Vacancy | None

    @classmethod
    def of(cls, posting: Posting, *, whole: bool = False) -> "VacancyOut":
        """Show a posting; to others than its reporter, the content only while it is open."""
        shown = whole or posting.state is VacancyStatus.OPEN
        return cls(
            vacancy_id=posting.vacancy_id,
            state=posting.state,
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
    state: PoolState
    considered: int | None
    answered_at: datetime | None


class CandidateOut(Candidate):
    """A candidate: opaque, scored, explained; and whose pool it is in."""

    office: str


class AssignmentOut(BaseModel):
    """A recruitment assignment with what has been answered so far."""

    assignment_id: UUID
    vacancy_id: UUID | None = Field(description="Null for a training group's candidates.")
    asked_at: datetime
    answer_by: datetime
    complete: bool
    missing_pools: list[str] = Field(description="The pools that have not answered.")
    pools: list[PoolAnswerOut]
    candidates: list[CandidateOut] = Field(description="Ordered by score, the best first.")
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

    model_config = ConfigDict(from_attributes=True)

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
    offers: list[OfferOut] = Field(description="The oldest first.")


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
