"""What a city's API says and takes, beside the profile itself (`services.placement.domain.pool`)."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.events.v1.placement import MatchReason, OfferState, ReferralOutcome, ReferralState


class JobseekerOut(BaseModel):
    """What of a jobseeker is matched. The name and the contact are not repeated."""

    jobseeker_id: str
    municipality: str
    occupations: tuple[str, ...]
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    commuting: tuple[str, ...]
    available_from: date | None


class OwnReferralOut(BaseModel):
    """A referral of one of the city's own jobseekers."""

    referral_id: UUID
    assignment_id: UUID
    vacancy_id: UUID
    jobseeker_id: str | None = Field(description="Null once the profile is removed.")
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

    model_config = ConfigDict(from_attributes=True)

    asked_by: str
    authority: str
    purpose: str
    answered: bool
    at: datetime


class OfferAnswerIn(BaseModel):
    """The jobseeker's answer."""

    accepted: bool


class OwnOfferOut(BaseModel):
    """A job offer to one of the city's own jobseekers, and the answer."""

    model_config = ConfigDict(from_attributes=True)

    offer_id: UUID
    referral_id: UUID
    binding: bool
    answer_by: datetime
    state: OfferState
    answered_at: datetime | None


class WhyOut(BaseModel):
    """Why a jobseeker is, or is not, among the candidates."""

    verdict: str
    score: int
    reasons: list[MatchReason]
