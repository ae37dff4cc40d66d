"""The tables of a city's side: jobseekers, what was asked of the pool, referrals, consents, job offers, queries."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Date, DateTime, Identity, Index, MetaData, Text, text
from sqlmodel import Field, SQLModel

from services.placement.domain.offer_rules import Consequence
from services.placement.domain.referral import Stay
from shared.database import EnumText, Json
from shared.events.v1.placement import (
    Candidate,
    ConsentChannel,
    OfferState,
    PoolStages,
    ReferralOutcome,
    ReferralState,
    Vacancy,
    Wanted,
)

metadata = MetaData()
"""This side's own: SQLModel's global one would mix the services' tables."""


def _instant(*, null: bool = False) -> Any:
    kind = DateTime(timezone=True)
    return Field(default=None, sa_type=kind, nullable=True) if null else Field(sa_type=kind)


def _text(*, key: bool = False, null: bool = False) -> Any:
    return Field(default=None, sa_type=Text, nullable=True) if null else Field(sa_type=Text, primary_key=key)


def _texts() -> Any:
    return Field(sa_column=Column(ARRAY(Text), nullable=False))


class Table(SQLModel):
    """What the tables have in common."""

    metadata: ClassVar[MetaData] = metadata


class JobseekerRow(Table, table=True):
    """A jobseeker of the city. `groups`: the first two, three and four digits of every occupation.

    `active`: whether the pool answers with it. Who was hired and leaves is not.
    """

    __tablename__ = "jobseeker"
    __table_args__ = (Index("jobseeker_groups", "groups", postgresql_using="gin"),)

    jobseeker_id: str = _text(key=True)
    reference: str = Field(sa_type=Text, unique=True)
    name: str = _text()
    phone: str | None = _text(null=True)
    email: str | None = _text(null=True)
    municipality: str = _text()
    occupations: list[str] = _texts()
    groups: list[str] = _texts()
    skills: list[str] = _texts()
    languages: list[str] = _texts()
    commuting: list[str] = _texts()
    available_from: date | None = Field(default=None, sa_type=Date, nullable=True)
    updated_at: datetime = _instant()
    active: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=text("true")))


class AskedRow(Table, table=True):
    """What an assignment asked of the pool, kept to explain the answer later."""

    __tablename__ = "asked"

    assignment_id: UUID = Field(primary_key=True)
    wanted: Wanted = Field(sa_column=Column(Json(Wanted), nullable=False))
    at_most: int
    as_of: date = Field(sa_type=Date)
    asked_at: datetime = _instant()


class OwnReferralRow(Table, table=True):
    """A referral of one of the city's jobseekers. `consent_until`: the last day of the consent that is in force.

    `stay`: whether the jobseeker who was hired stays in the pool.
    """

    __tablename__ = "own_referral"
    __table_args__ = (Index("own_referral_consented", "consent_until", postgresql_where=text("state = 'consented'")),)

    referral_id: UUID = Field(primary_key=True)
    assignment_id: UUID
    vacancy_id: UUID
    reference: str = _text()
    purpose: str = _text()
    requesting_authority: str = _text()
    state: ReferralState = Field(sa_column=Column(EnumText(ReferralState), nullable=False))
    requested_at: datetime = _instant()
    answered_at: datetime | None = _instant(null=True)
    answered_by: str | None = _text(null=True)
    outcome: ReferralOutcome | None = Field(default=None, sa_column=Column(EnumText(ReferralOutcome)))
    consent_until: date | None = Field(default=None, sa_type=Date, nullable=True)
    stay: Stay | None = Field(default=None, sa_column=Column(EnumText(Stay)))
    stay_answered_at: datetime | None = _instant(null=True)
    stay_answered_by: str | None = _text(null=True)


class ConsentRow(Table, table=True):
    """One consent to one referral: when it was given, how, for what, until when; and how it ended. Never overwritten.

    `how` is null for those that were given before it was recorded. `ended_how` is null while it is in force, and where
    its last day has passed.
    """

    __tablename__ = "consent"
    __table_args__ = (Index("consent_referral", "referral_id"),)

    consent_id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    referral_id: UUID
    given_at: datetime = _instant()
    how: ConsentChannel | None = Field(default=None, sa_column=Column(EnumText(ConsentChannel)))
    purpose: str = _text()
    until: date | None = Field(default=None, sa_type=Date, nullable=True)
    entered_by: str = _text()
    ended_at: datetime | None = _instant(null=True)
    ended_how: ConsentChannel | None = Field(default=None, sa_column=Column(EnumText(ConsentChannel)))
    ended_by: str | None = _text(null=True)


class OwnOfferRow(Table, table=True):
    """A job offer to one of the city's jobseekers; and what a binding one's answer leads to, by which dated rule."""

    __tablename__ = "own_offer"
    __table_args__ = (
        Index("own_offer_open", "answer_by", postgresql_where=text("state = 'open'")),
        Index("own_offer_referral", "referral_id"),
    )

    offer_id: UUID = Field(primary_key=True)
    referral_id: UUID
    binding: bool
    answer_by: datetime = _instant()
    state: OfferState = Field(sa_column=Column(EnumText(OfferState), nullable=False))
    answered_at: datetime | None = _instant(null=True)
    consequence: Consequence | None = _text(null=True)
    rule_valid_from: date | None = Field(default=None, sa_type=Date, nullable=True)
    rule_source: str | None = _text(null=True)
    rule_certainty: str | None = _text(null=True)
    consequence_at: datetime | None = _instant(null=True)
    handled_at: datetime | None = _instant(null=True)
    handled_by: str | None = _text(null=True)


class ContactQueryRow(Table, table=True):
    """A query for a jobseeker's name and contact: who asked, why, and whether it was answered.

    By a referral, or by the owning city alone for a reference.
    """

    __tablename__ = "contact_query"
    __table_args__ = (Index("contact_query_reference", "reference"),)

    query_id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    referral_id: UUID | None = None
    reference: str | None = _text(null=True)
    asked_by: str = _text()
    authority: str = _text()
    purpose: str = _text()
    answered: bool
    at: datetime = _instant()


class OwnVacancyRow(Table, table=True):
    """A vacancy that the city took in itself. `registered_at`: when the joint office had it."""

    __tablename__ = "own_vacancy"
    __table_args__ = (Index("own_vacancy_taken", "taken_at", "vacancy_id"),)

    vacancy_id: UUID = Field(primary_key=True)
    vacancy: Vacancy = Field(sa_column=Column(Json(Vacancy), nullable=False))
    isco: str = _text()
    taken_at: datetime = _instant()
    taken_by: str = _text()
    registered_at: datetime | None = _instant(null=True)


class OwnAssignmentRow(Table, table=True):
    """What the own pool answered for such a vacancy."""

    __tablename__ = "own_assignment"
    __table_args__ = (Index("own_assignment_vacancy", "vacancy_id"),)

    assignment_id: UUID = Field(primary_key=True)
    vacancy_id: UUID
    at_most: int
    asked_at: datetime = _instant()
    asked_by: str = _text()
    considered: int
    candidates: tuple[Candidate, ...] = Field(sa_column=Column(Json(tuple[Candidate, ...]), nullable=False))
    stages: PoolStages | None = Field(default=None, sa_column=Column(Json(PoolStages)))
