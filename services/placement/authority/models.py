"""What a city's API says and takes, beside the profile itself (`services.placement.domain.pool`)."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.placement.domain.offer_rules import Consequence
from services.placement.domain.pool import PersonalProfile
from services.placement.domain.referral import Stay
from services.placement.models import Input, ReportedVacancy
from shared.events.v1.placement import (
    Candidate,
    ConsentChannel,
    MatchReason,
    OfferState,
    PoolStages,
    ReferralOutcome,
    ReferralState,
    Vacancy,
)
from shared.events.values import Day

_MAX_SERIAL: Final = 2**63


def serial(value: str) -> int:
    """Return the number in a cursor.

    Raises:
        ValueError: it is none that the database counts.
    """
    number = int(value)
    if not 0 <= number < _MAX_SERIAL:
        raise ValueError
    return number


class ProfileIn(PersonalProfile):
    """A jobseeker's profile. An import passes over columns that it does not know; a request may not have any."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class JobseekerOut(BaseModel):
    """What of a jobseeker is matched. No name and no contact."""

    model_config = ConfigDict(from_attributes=True)

    jobseeker_id: str
    reference: str = Field(description="Opaque: what other offices have of the jobseeker.")
    active: bool = Field(description="Whether the pool answers with the jobseeker.")
    municipality: str
    occupations: tuple[str, ...]
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    commuting: tuple[str, ...]
    available_from: date | None
    updated_at: datetime


class ConsentOut(BaseModel):
    """One consent: when it was given, how, for what, until when; and how it ended."""

    model_config = ConfigDict(from_attributes=True)

    given_at: datetime
    how: ConsentChannel | None
    purpose: str
    until: date | None = Field(description="Its last day; null: until the referral ends.")
    entered_by: str
    ended_at: datetime | None
    ended_how: ConsentChannel | None
    ended_by: str | None


class OwnOfferOut(BaseModel):
    """A job offer to one of the city's own jobseekers, the answer, and what that leads to.

    `withdrawn`: the consent ended before an answer, which leads to nothing.
    """

    model_config = ConfigDict(from_attributes=True)

    offer_id: UUID
    referral_id: UUID
    binding: bool
    answer_by: datetime
    state: OfferState
    answered_at: datetime | None
    consequence: Consequence | None = Field(description="By the rule in force when the offer was made.")
    rule_valid_from: date | None
    rule_source: str | None
    rule_certainty: str | None = Field(description="`to_be_checked`: an officer must check the rule before acting.")
    handled_at: datetime | None
    handled_by: str | None


class OwnReferralOut(BaseModel):
    """A referral of one of the city's own jobseekers, with every consent and offer."""

    referral_id: UUID
    assignment_id: UUID
    vacancy_id: UUID
    jobseeker_id: str | None = Field(description="Null once the profile is removed.")
    reference: str
    purpose: str
    requesting_authority: str
    state: ReferralState
    requested_at: datetime
    outcome: ReferralOutcome | None
    stay: Stay | None = Field(description="Whether a jobseeker who was hired stays in the pool.")
    consents: list[ConsentOut] = Field(description="The oldest first.")
    offers: list[OwnOfferOut]


class ConsentIn(Input):
    """Whether the jobseeker consents to be referred: how, for what, until when."""

    consented: bool
    how: ConsentChannel | None = Field(default=None, description="How the jobseeker said so. Needed for a consent.")
    purpose: str | None = Field(
        default=None, min_length=3, max_length=300, description="For what; without it, what the referral says."
    )
    until: Day | None = Field(default=None, description="Its last day; without it, until the referral ends.")


class ConsentWithdrawalIn(Input):
    """How the jobseeker withdraws the consent. No reason is needed."""

    how: ConsentChannel


class StayIn(Input):
    """Whether a jobseeker who was hired stays in the pool."""

    stays: bool


class HandlingIn(Input):
    """Whether what an answer leads to is handled."""

    handled: bool = True


class ContactQueryIn(Input):
    """Why a jobseeker's name and contact are asked for. Logged."""

    purpose: str = Field(min_length=3, max_length=300)


class ContactOut(BaseModel):
    """A jobseeker's name and contact."""

    name: str
    phone: str | None
    email: str | None


class ResolvedOut(ContactOut):
    """Who stands behind a reference."""

    model_config = ConfigDict(from_attributes=True)

    jobseeker_id: str


class ContactQueryOut(BaseModel):
    """One query for a contact; without a referral it was made in the own city."""

    model_config = ConfigDict(from_attributes=True)

    referral_id: UUID | None
    asked_by: str
    authority: str
    purpose: str
    answered: bool
    at: datetime


class OfferAnswerIn(Input):
    """The jobseeker's answer."""

    accepted: bool


class WhyOut(BaseModel):
    """Why a jobseeker is, or is not, among the candidates."""

    verdict: str
    score: int
    reasons: list[MatchReason]


class OwnVacancyIn(Input):
    """A vacancy that the city takes in itself."""

    vacancy: ReportedVacancy


class OwnVacancyOut(BaseModel):
    """A vacancy that the city took in itself."""

    model_config = ConfigDict(from_attributes=True)

    vacancy_id: UUID
    isco: str = Field(description="The ISCO-08 group of the occupation.")
    taken_at: datetime
    registered_at: datetime | None = Field(description="Since when the joint office has it; its course is there.")
    vacancy: Vacancy


class OwnAssignmentIn(Input):
    """A recruitment assignment over the own pool."""

    at_most: int = Field(default=20, ge=1, le=200)


class OwnCandidateOut(Candidate):
    """A candidate of the own pool, with the city's own id."""

    jobseeker_id: str | None = Field(description="Null once the profile is removed.")


class OwnAssignmentOut(BaseModel):
    """What the own pool answers for a vacancy that the city took in."""

    assignment_id: UUID
    vacancy_id: UUID
    at_most: int
    asked_at: datetime
    considered: int
    stages: PoolStages | None = Field(description="Given without candidates: where they were lost.")
    candidates: list[OwnCandidateOut] = Field(description="Ordered by score, the best first.")
