"""The tables of a city's office. Filings live in the revision table alone: nothing is overwritten.

What messages bring is written in bulk by the statements in `store`, which take their columns from here.
"""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, MetaData, Text, false, text
from sqlmodel import Field, SQLModel

from services.change_security.domain.case import CaseAct, CaseState, CheckItem, StepState
from shared.database import EnumText, Json
from shared.events.v1.change_security import (
    Acting,
    ActingState,
    AskedBecause,
    DeclineReason,
    EarlierReduction,
    Filing,
    FilingKind,
    Handling,
    HandlingMode,
    LegalGround,
    Measure,
    Outcome,
    PlanStep,
    Reason,
    SpecialistListed,
)

metadata = MetaData()
"""This side's own: SQLModel's global one would mix the services' tables."""

_INSTANT = DateTime(timezone=True)


class Table(SQLModel):
    """What the tables have in common."""

    metadata: ClassVar[MetaData] = metadata


class CaseRow(Table, table=True):
    """An authority's own case.

    `arrived_at`, `registered_at` and what the lists say of the newest revision are missing only while an ending has
    overtaken its beginning. `asked_version` is 0 while the joint office has not asked for an acknowledgement.
    """

    __tablename__ = "authority_case"
    __table_args__ = (
        Index("authority_case_stored", "stored_at", "notice_id"),
        Index("authority_case_business_id", "business_id"),
        Index("authority_case_employer", "employer_key", postgresql_ops={"employer_key": "text_pattern_ops"}),
        Index(
            "authority_case_filer_reference", "filer_reference", postgresql_where=text("filer_reference IS NOT NULL")
        ),
        Index("authority_case_municipalities", "municipalities", postgresql_using="gin"),
        Index("authority_case_arrived", "arrived_at", postgresql_using="brin"),
        Index("authority_case_specialist", "specialist", postgresql_where=text("specialist IS NOT NULL")),
    )

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
    handling: Handling | None = Field(default=None, sa_type=Json(Handling))
    declined_at: datetime | None = Field(default=None, sa_type=_INSTANT)
    filer_reference: str | None = Field(default=None, sa_type=Text)
    arrived_at_claimed: datetime | None = Field(default=None, sa_type=_INSTANT)
    earlier_reductions: tuple[EarlierReduction, ...] | None = Field(
        default=None, sa_type=Json(tuple[EarlierReduction, ...])
    )
    kind: FilingKind | None = Field(default=None, sa_type=EnumText(FilingKind))
    business_id: str | None = Field(default=None, sa_type=Text)
    employer: str | None = Field(default=None, sa_type=Text)
    employer_key: str | None = Field(default=None, sa_type=Text)
    not_public: bool | None = None
    municipalities: tuple[str, ...] | None = Field(default=None, sa_type=Json(tuple[str, ...]))
    measures: tuple[Measure, ...] | None = Field(default=None, sa_type=Json(tuple[Measure, ...]))
    affected: int | None = Field(default=None, sa_type=BigInteger)
    terminations: int | None = Field(default=None, sa_type=BigInteger)
    counts_complete: bool | None = None
    rules_of: date | None = None
    asked_version: int = Field(default=0)
    asked_because: AskedBecause = Field(default=AskedBecause.ASSIGNED, sa_type=EnumText(AskedBecause))
    asked_reason: str | None = Field(default=None, sa_type=Text)
    acknowledged_revision: int | None = None
    decline_reason: DeclineReason | None = Field(default=None, sa_type=EnumText(DeclineReason))
    merged_into: UUID | None = None


class CaseRevisionRow(Table, table=True):
    """One revision of a filing, as this authority received it."""

    __tablename__ = "case_revision"

    notice_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    filing: Filing = Field(sa_type=Json(Filing))
    stored_at: datetime = Field(sa_type=_INSTANT)
    arrived_at: datetime | None = Field(default=None, sa_type=_INSTANT)


class CaseStepRow(Table, table=True):
    """A step of the course that is done or not needed."""

    __tablename__ = "case_step"

    notice_id: UUID = Field(primary_key=True)
    step: str = Field(sa_type=Text, primary_key=True)
    state: StepState = Field(sa_type=EnumText(StepState))
    at: datetime = Field(sa_type=_INSTANT)
    by: str = Field(sa_type=Text)


class CaseCheckRow(Table, table=True):
    """To how many employees of a group a checklist item applies, as an officer has counted."""

    __tablename__ = "case_check"

    notice_id: UUID = Field(primary_key=True)
    group_id: UUID = Field(primary_key=True)
    item: CheckItem = Field(sa_type=EnumText(CheckItem), primary_key=True)
    count: int
    at: datetime = Field(sa_type=_INSTANT)
    by: str = Field(sa_type=Text)


class CaseNoteRow(Table, table=True):
    """An officer's note. It never leaves this office; `shared`: officers of an authority that acts here see it."""

    __tablename__ = "case_note"
    __table_args__ = (Index("case_note_of", "notice_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    notice_id: UUID
    text: str = Field(sa_type=Text)
    by: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=_INSTANT)
    shared: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    authority: str | None = Field(default=None, sa_type=Text)


# -- joint matters and acting for another


class CaseActRow(Table, table=True):
    """An officer's act in a case: in whose competence, for which authority, on what ground. Rows are only added."""

    __tablename__ = "case_act"
    __table_args__ = (
        Index("case_act_of", "notice_id", "id"),
        Index("case_act_of_others", "id", postgresql_where=text("acting_id IS NOT NULL")),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    notice_id: UUID
    act: CaseAct = Field(sa_type=EnumText(CaseAct))
    detail: str | None = Field(default=None, sa_type=Text)
    competent_authority: str = Field(sa_type=Text)
    acting_authority: str = Field(sa_type=Text)
    officer: str = Field(sa_type=Text)
    legal_ground: LegalGround = Field(sa_type=EnumText(LegalGround))
    acting_id: UUID | None = None
    at: datetime = Field(sa_type=_INSTANT)


class OwnActingRow(Table, table=True):
    """Another authority acts in a case of this one, or this one in another's."""

    __tablename__ = "own_acting"
    __table_args__ = (
        Index("own_acting_of", "notice_id", "acting_authority"),
        Index("own_acting_state", "state", "asked_at", "acting_id"),
    )

    acting_id: UUID = Field(primary_key=True)
    notice_id: UUID
    acting_authority: str = Field(sa_type=Text)
    state: ActingState = Field(sa_type=EnumText(ActingState))
    asked_at: datetime = Field(sa_type=_INSTANT)
    acting: Acting = Field(sa_type=Json(Acting))


class OwnPlanStepRow(Table, table=True):
    """A step of a shared plan, as far as it has come here."""

    __tablename__ = "own_plan_step"

    notice_id: UUID = Field(primary_key=True)
    step_id: UUID = Field(primary_key=True)
    step: PlanStep = Field(sa_type=Json(PlanStep))


class OwnSpecialistRow(Table, table=True):
    """An officer of this authority who handles change security."""

    __tablename__ = "own_specialist"

    officer: str = Field(sa_type=Text, primary_key=True)
    listed: SpecialistListed = Field(sa_type=Json(SpecialistListed))
