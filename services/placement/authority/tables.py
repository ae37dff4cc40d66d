"""The tables of a city's side: its jobseekers, what was asked of its pool, referrals, job offers, contact queries."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Column, Date, DateTime, Identity, Index, MetaData, Text, text
from sqlmodel import Field, SQLModel

from shared.database import EnumText, Json
from shared.events.v1.placement import OfferState, ReferralOutcome, ReferralState, Wanted

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
    """A jobseeker of the city. `groups`: the first two, three and four digits of every occupation."""

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


class AskedRow(Table, table=True):
    """What an assignment asked of the pool, kept to explain the answer later."""

    __tablename__ = "asked"

    assignment_id: UUID = Field(primary_key=True)
    wanted: Wanted = Field(sa_column=Column(Json(Wanted), nullable=False))
    at_most: int
    as_of: date = Field(sa_type=Date)
    asked_at: datetime = _instant()


class OwnReferralRow(Table, table=True):
    """A referral of one of the city's jobseekers."""

    __tablename__ = "own_referral"

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


class OwnOfferRow(Table, table=True):
    """A job offer to one of the city's jobseekers."""

    __tablename__ = "own_offer"
    __table_args__ = (Index("own_offer_open", "answer_by", postgresql_where=text("state = 'open'")),)

    offer_id: UUID = Field(primary_key=True)
    referral_id: UUID
    binding: bool
    answer_by: datetime = _instant()
    state: OfferState = Field(sa_column=Column(EnumText(OfferState), nullable=False))
    answered_at: datetime | None = _instant(null=True)


class ContactQueryRow(Table, table=True):
    """A query for a jobseeker's name and contact: who asked, why, and whether it was answered."""

    __tablename__ = "contact_query"

    query_id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    referral_id: UUID
    asked_by: str = _text()
    authority: str = _text()
    purpose: str = _text()
    answered: bool
    at: datetime = _instant()
