"""The tables of a city's office. Filings live in the revision table alone: nothing is overwritten.

What messages bring is written in bulk by the statements in `store`, which take their columns from here.
"""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, MetaData, Text
from sqlmodel import Field, SQLModel

from services.change_security.domain.case import CaseState, StepState
from shared.database import EnumText, Json
from shared.events.v1.change_security import AskedBecause, DeclineReason, Filing, HandlingMode, Outcome, Reason

metadata = MetaData()
"""This side's own: SQLModel's global one would mix the services' tables."""

_INSTANT = DateTime(timezone=True)


class Table(SQLModel):
    """What the tables have in common."""

    metadata: ClassVar[MetaData] = metadata


class CaseRow(Table, table=True):
    """An authority's own case.

    `arrived_at` and `registered_at` are missing only while an ending has overtaken its beginning. `asked_version` is 0
    while the joint office has not asked for an acknowledgement.
    """

    __tablename__ = "authority_case"
    __table_args__ = (Index("authority_case_stored", "stored_at", "notice_id"),)

    notice_id: UUID = Field(primary_key=True)
    state: CaseState = Field(sa_type=EnumText(CaseState))
    version: int
    revision: int
    competent_authority: str = Field(sa_type=Text)
    acting_authority: str = Field(sa_type=Text)
    handling_mode: HandlingMode = Field(sa_type=EnumText(HandlingMode))
    reasons: tuple[Reason, ...] = Field(sa_type=Json(tuple[Reason, ...]))
    missing: tuple[str, ...] = Field(sa_type=Json(tuple[str, ...]))
    arrived_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    registered_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    acknowledge_by: datetime | None = Field(default=None, sa_type=_INSTANT)
    outcome: Outcome | None = Field(default=None, sa_type=EnumText(Outcome))
    stored_at: datetime = Field(sa_type=_INSTANT)
    trace_id: str | None = Field(default=None, sa_type=Text)
    specialist: str | None = Field(default=None, sa_type=Text)
    acknowledged_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    overdue: str | None = Field(default=None, sa_type=Text)
    asked_version: int = Field(default=0)
    asked_because: AskedBecause = Field(default=AskedBecause.ASSIGNED, sa_type=EnumText(AskedBecause))
    asked_reason: str | None = Field(default=None, sa_type=Text)
    acknowledged_revision: int | None = None
    declined_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    decline_reason: DeclineReason | None = Field(default=None, sa_type=EnumText(DeclineReason))
    merged_into: UUID | None = None


class CaseRevisionRow(Table, table=True):
    """One revision of a filing, as this authority received it."""

    __tablename__ = "case_revision"

    notice_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    filing: Filing = Field(sa_type=Json(Filing))
    stored_at: datetime = Field(sa_type=_INSTANT)


class CaseStepRow(Table, table=True):
    """A step of the course that is done or not needed."""

    __tablename__ = "case_step"

    notice_id: UUID = Field(primary_key=True)
    step: str = Field(sa_type=Text, primary_key=True)
    state: StepState = Field(sa_type=EnumText(StepState))
    at: datetime = Field(sa_type=_INSTANT)
    by: str = Field(sa_type=Text)


class CaseCheckRow(Table, table=True):
    """A checklist item that an officer has checked."""

    __tablename__ = "case_check"

    notice_id: UUID = Field(primary_key=True)
    item: str = Field(sa_type=Text, primary_key=True)
    at: datetime = Field(sa_type=_INSTANT)
    by: str = Field(sa_type=Text)


class CaseNoteRow(Table, table=True):
    """An officer's note. It never leaves this office."""

    __tablename__ = "case_note"
    __table_args__ = (Index("case_note_of", "notice_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    notice_id: UUID
    text: str = Field(sa_type=Text)
    by: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=_INSTANT)
