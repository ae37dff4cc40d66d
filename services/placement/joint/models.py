"""What the joint office's API says and takes, beside the vacancy itself (`shared.events.v1.placement.Vacancy`)."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.placement.domain.referral import PoolState
from services.placement.domain.vacancy import Posting, Removal
from services.placement.models import Input, ReportedVacancy
from shared.events.v1.placement import (
    Candidate,
    OfferState,
    PoolStages,
    ReferralOutcome,
    ReferralState,
    Vacancy,
    VacancyState,
)
from shared.identity import Officer, System


class VacancyIn(Input):
    """A vacancy to be reported."""

    vacancy: ReportedVacancy
    state: Literal[VacancyState.DRAFT, VacancyState.OPEN] = VacancyState.OPEN


class VacancyRevisionIn(Input):
    """A new revision of a vacancy."""

    predecessor: int = Field(ge=1)
    vacancy: ReportedVacancy


class StateIn(Input):
    """A vacancy's new state."""

    state: VacancyState


class RemovedOut(BaseModel):
    """Why, and since when, an advertisement is not shown."""

    reason: Removal
    at: datetime


class VacancyOut(BaseModel):
    """A vacancy. Its content is null where its advertisement is stopped and the caller did not report it."""

    vacancy_id: UUID
    state: VacancyState
    version: int
    revision: int
    changed_at: datetime
    removed: RemovedOut | None
    isco: str | None = Field(description="The ISCO-08 group of the occupation.")
    open_positions: int | None = Field(description="Positions that no referral has filled.")
    vacancy: Vacancy | None

    @classmethod
    def of(cls, posting: Posting, *, whole: bool = False, fits: bool = True) -> "VacancyOut":
        """Show a posting; to others than its reporter, the content only while it is open.

        `fits`: whether it fits the reader's filter; if not, it is shown as removed.
        """
        shown = whole or (posting.state is VacancyState.OPEN and fits)
        removed = None
        if posting.removal is not None:
            removed = RemovedOut(reason=posting.removal, at=posting.state_since)
        elif not fits:
            removed = RemovedOut(reason=Removal.CHANGED, at=posting.changed_at)
        return cls(
            vacancy_id=posting.vacancy_id,
            state=posting.state,
            version=posting.version,
            revision=posting.revision,
            changed_at=posting.changed_at,
            removed=removed,
            isco=posting.isco if shown else None,
            open_positions=max(0, posting.vacancy.positions - posting.filled) if shown else None,
            vacancy=posting.vacancy if shown else None,
        )


def sees_all(who: Officer | System | None, posting: Posting) -> bool:
    """Whether a caller sees a vacancy whole in every state: an officer, or the system that reported it."""
    return isinstance(who, Officer) or (who is not None and posting.filed_by == who.actor)


class Feed(BaseModel):
    """One page of the national feed."""

    items: list[VacancyOut]
    next: str | None = Field(description="The cursor of the next page; in the snapshot absent on the last one.")
    changes: str | None = Field(default=None, description="Read the change stream from this cursor after the snapshot.")


class AssignmentIn(Input):
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
    stages: PoolStages | None = Field(description="Given with an answer without candidates: where they were lost.")
    why_none: Literal["empty-pool", "no-near-occupation"] | None


class CandidateOut(Candidate):
    """A candidate: opaque, scored, explained; and whose pool it is in."""

    office: str


class AssignmentLine(BaseModel):
    """A recruitment assignment in a list."""

    model_config = ConfigDict(from_attributes=True)

    assignment_id: UUID
    asked_at: datetime
    answer_by: datetime
    at_most: int
    refreshes: UUID | None


class AssignmentOut(BaseModel):
    """A recruitment assignment with what has been answered so far."""

    assignment_id: UUID
    vacancy_id: UUID | None = Field(description="Null for a training group's candidates.")
    refreshes: UUID | None = Field(description="The assignment that it asks again.")
    asked_at: datetime
    answer_by: datetime
    complete: bool
    missing_pools: list[str] = Field(description="The pools that have not answered.")
    pools: list[PoolAnswerOut]
    candidates: list[CandidateOut] = Field(description="Ordered by score, the best first.")
    trace_id: str | None


class ReferralIn(Input):
    """A candidate to be referred."""

    office: str = Field(max_length=60)
    reference: str = Field(max_length=60)
    purpose: str = Field(min_length=3, max_length=300)


class OfferIn(Input):
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


class OutcomeIn(Input):
    """How a referral ended."""

    outcome: ReferralOutcome
    corrects: ReferralOutcome | None = Field(default=None, description="The outcome that was entered by mistake.")


class ReferralOut(BaseModel):
    """A referral at the joint office. Offers end as `withdrawn` with the consent."""

    referral_id: UUID
    assignment_id: UUID
    vacancy_id: UUID
    office: str
    reference: str
    purpose: str
    state: ReferralState
    outcome: ReferralOutcome | None
    consent_until: date | None = Field(description="The last day of the consent; null: until the referral ends.")
    consent_ended_at: datetime | None
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
