"""The tables of the joint side: vacancies and their revisions, assignments and answers, referrals, offers, supply."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, Column, Date, DateTime, Index, MetaData, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field, SQLModel

from shared.database import EnumText, Json
from shared.events.v1.placement import (
    Candidate,
    OfferState,
    PoolStages,
    ReferralOutcome,
    ReferralState,
    Vacancy,
    VacancyState,
    Wanted,
)

metadata = MetaData()
"""This side's own: SQLModel's global one would mix the services' tables."""


class TransactionId(UserDefinedType[int]):
    """A transaction's number, `xid8`: where a change stands in the order of the change stream."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the name of the type in PostgreSQL."""
        return "xid8"


ischema_names["xid8"] = TransactionId  # SQLAlchemy has none of its own


def _instant(*, null: bool = False) -> Any:
    kind = DateTime(timezone=True)
    return Field(default=None, sa_type=kind, nullable=True) if null else Field(sa_type=kind)


def _text(*, key: bool = False, null: bool = False) -> Any:
    return Field(default=None, sa_type=Text, nullable=True) if null else Field(sa_type=Text, primary_key=key)


def _texts() -> Any:
    return Field(sa_column=Column(ARRAY(Text), nullable=False))


def _date() -> Any:
    return Field(default=None, sa_type=Date, nullable=True)


class Table(SQLModel):
    """What the tables have in common."""

    metadata: ClassVar[MetaData] = metadata


class VacancyRow(Table, table=True):
    """A vacancy as it stands. `changed_xid`: its place in the change stream. `filled`: positions, by referrals.

    `resumes`: the state that a correction of the last hiring returns to.
    """

    __tablename__ = "vacancy"
    __table_args__ = (
        Index("vacancy_changes", "changed_xid", "vacancy_id"),
        Index(
            "vacancy_open",
            "isco",
            postgresql_ops={"isco": "text_pattern_ops"},
            postgresql_where=text("state = 'open'"),
        ),
        Index("vacancy_reported", "filed_by", "changed_at"),
        Index("vacancy_expiring", "expires_on", postgresql_where=text("state IN ('open', 'paused')")),
    )

    vacancy_id: UUID = Field(primary_key=True)
    state: VacancyState = Field(sa_column=Column(EnumText(VacancyState), nullable=False))
    version: int
    revision: int
    vacancy: Vacancy = Field(sa_column=Column(Json(Vacancy), nullable=False))
    filed_by: str = _text()
    isco: str = _text()
    municipalities: list[str] = _texts()
    advertised_in: list[str] = _texts()
    expires_on: date | None = _date()
    state_since: datetime = _instant()
    filled: int
    shown_at: datetime | None = _instant(null=True)
    changed_at: datetime = _instant()
    changed_xid: int = Field(sa_column=Column(TransactionId, nullable=False))
    resumes: VacancyState | None = Field(default=None, sa_column=Column(EnumText(VacancyState)))


class VacancyRevisionRow(Table, table=True):
    """One revision of a vacancy as it was reported. Nothing is overwritten: a feed's filter may have fitted it."""

    __tablename__ = "vacancy_revision"

    vacancy_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    vacancy: Vacancy = Field(sa_column=Column(Json(Vacancy), nullable=False))
    filed_by: str = _text()
    recorded_at: datetime = _instant()
    isco: str = _text()
    municipalities: list[str] = _texts()
    advertised_in: list[str] = _texts()


class AssignmentRow(Table, table=True):
    """A recruitment assignment: for a vacancy, or for a training group that asked by a request.

    `refreshes`: the assignment that it asks again.
    """

    __tablename__ = "assignment"
    __table_args__ = (Index("assignment_vacancy", "vacancy_id", "asked_at"),)

    assignment_id: UUID = Field(primary_key=True)
    vacancy_id: UUID | None = None
    wanted: Wanted = Field(sa_column=Column(Json(Wanted), nullable=False))
    at_most: int
    asked_by: str = _text()
    asked_at: datetime = _instant()
    answer_by: datetime = _instant()
    trace_id: str | None = _text(null=True)
    group_id: UUID | None = None
    request_id: UUID | None = None
    refreshes: UUID | None = None


class PoolAnswerRow(Table, table=True):
    """What one city's pool answers to an assignment; its first answer counts."""

    __tablename__ = "pool_answer"

    assignment_id: UUID = Field(primary_key=True, foreign_key="assignment.assignment_id")
    office: str = _text(key=True)
    answered_at: datetime | None = _instant(null=True)
    received_at: datetime | None = _instant(null=True)
    considered: int | None = None
    candidates: tuple[Candidate, ...] | None = Field(default=None, sa_column=Column(Json(tuple[Candidate, ...])))
    stages: PoolStages | None = Field(default=None, sa_column=Column(Json(PoolStages)))


class ReferralRow(Table, table=True):
    """A candidate who is referred, once in an assignment."""

    __tablename__ = "referral"
    __table_args__ = (
        UniqueConstraint("assignment_id", "office", "reference"),
        Index("referral_vacancy", "vacancy_id", "requested_at"),
    )

    referral_id: UUID = Field(primary_key=True)
    assignment_id: UUID = Field(foreign_key="assignment.assignment_id")
    vacancy_id: UUID
    office: str = _text()
    reference: str = _text()
    purpose: str = _text()
    requested_by: str = _text()
    requesting_authority: str = _text()
    state: ReferralState = Field(sa_column=Column(EnumText(ReferralState), nullable=False))
    requested_at: datetime = _instant()
    answered_at: datetime | None = _instant(null=True)
    outcome: ReferralOutcome | None = Field(default=None, sa_column=Column(EnumText(ReferralOutcome)))
    consent_until: date | None = _date()
    consent_ended_at: datetime | None = _instant(null=True)


class OfferRow(Table, table=True):
    """A job offer to a referred jobseeker."""

    __tablename__ = "job_offer"

    offer_id: UUID = Field(primary_key=True)
    referral_id: UUID = Field(foreign_key="referral.referral_id")
    binding: bool
    answer_by: datetime = _instant()
    state: OfferState = Field(sa_column=Column(EnumText(OfferState), nullable=False))
    made_at: datetime = _instant()
    answered_at: datetime | None = _instant(null=True)


class ExpectedSupplyRow(Table, table=True):
    """Workers that a notice expects to be released, in one place of it. `ends_on`: the last day it counts."""

    __tablename__ = "expected_supply"

    notice_id: UUID = Field(primary_key=True)
    version: int
    place: int = Field(primary_key=True)
    isco: str = _text()
    municipality: str = _text()
    count: int | None = None
    masked: bool
    available_from: date | None = _date()
    available_until: date | None = _date()
    ends_on: date = Field(sa_type=Date)


class SupplyVersionRow(Table, table=True):
    """Which version of a notice the expected supply has."""

    __tablename__ = "supply_version"

    notice_id: UUID = Field(primary_key=True)
    version: int
