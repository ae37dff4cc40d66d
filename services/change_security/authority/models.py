"""What a city's API takes and shows."""

from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.change_security.authority.case_view import CaseView
from services.change_security.authority.lists_store import ListedCase
from services.change_security.domain.case import CaseState, CheckItem, Checklist, StepState, course
from services.change_security.domain.texts import TEXTS, message
from services.change_security.models import AssessmentOut, HandlingOut, MessageOut, StepOut
from shared.events.v1.change_security import (
    AskedBecause,
    DeclineReason,
    Filing,
    FilingKind,
    HandlingMode,
    Outcome,
    Reason,
)
from shared.events.values import Count


class StepIn(BaseModel):
    """How far a step of the course is."""

    state: StepState


class CheckIn(BaseModel):
    """To how many employees of a group a checklist item applies."""

    count: Count | None = Field(description="Null: nobody has counted them.")


class NoteIn(BaseModel):
    """An officer's note. It never leaves the office."""

    text: str = Field(min_length=1, max_length=5000)
    shared: bool = Field(default=False, description="Officers of an authority that acts in the case see it too.")


class SpecialistIn(BaseModel):
    """The officer named as specialist, by the issuer's opaque id."""

    specialist: str = Field(min_length=1, max_length=200)


class DeclineIn(BaseModel):
    """Why the notice is not this authority's own."""

    reason: DeclineReason


class TakeIn(BaseModel):
    """The part that this authority takes out of joint handling: its own, named or not."""

    parts: list[str] = Field(default=[], max_length=10, description="Others' parts are refused: they are asked for.")


class CaseHead(BaseModel):
    """What a list and the case itself say alike."""

    model_config = ConfigDict(from_attributes=True)

    notice_id: UUID
    filer_reference: str | None
    state: CaseState
    revision: int
    kind: FilingKind | None
    employer: str | None
    business_id: str | None
    arrived_at: datetime | None
    registered_at: datetime | None
    handling_mode: HandlingMode
    competent_authority: str
    acting_authority: str
    specialist: str | None
    acknowledge_by: datetime | None
    acknowledged_at: datetime | None
    overdue: str | None
    stored_at: datetime
    asked_because: AskedBecause = Field(description="Why the authority was last asked to acknowledge.")
    acknowledged_revision: int | None = Field(
        description="The newest that was acknowledged; an older one while a newer one awaits it."
    )
    declined_at: datetime | None
    decline_reason: DeclineReason | None


class CaseLine(CaseHead):
    """A case in a list."""

    not_public: bool | None
    affected: int | None = Field(description="Employees, or at least so many; null in a released case.")
    terminations: int | None
    counts_complete: bool | None = Field(description="No number is missing.")
    rules_of: date | None = Field(description="The day whose rules apply.")
    late: bool = Field(description="The acknowledgement, or the receipt of this store, is overdue.")
    declined: bool
    acknowledged: bool
    mine: bool = Field(description="The caller is the specialist.")

    @classmethod
    def of(cls, row: ListedCase) -> "CaseLine":
        """Show a case; a released one without its counts, which can identify a person."""
        released = row.state == CaseState.RELEASED
        hidden = {"affected": None, "terminations": None, "counts_complete": None} if released else {}
        return cls.model_validate(row._asdict() | hidden)


class CheckOut(BaseModel):
    """An item of the checklist of extended change security (55+). It decides nothing."""

    item: CheckItem
    fi: str
    sv: str
    en: str
    count: int | None = Field(description="Employees of the group to whom it applies; null while not counted.")


class ChecklistOut(BaseModel):
    """The checklist of one employee group with terminations."""

    group_id: UUID
    name: str | None = Field(description="The personnel group, occupation or duties, in the employer's words.")
    terminations: int
    is_complete: bool = Field(description="No number of the group is missing.")
    checks: list[CheckOut]

    @classmethod
    def of(cls, checklist: Checklist) -> "ChecklistOut":
        """Show a checklist."""
        return cls(
            group_id=checklist.group.id,
            name=checklist.group.name,
            terminations=checklist.group.terminations,
            is_complete=checklist.group.is_complete,
            checks=[
                CheckOut(item=check.item, **asdict(check.message.text), count=check.count) for check in checklist.checks
            ],
        )


class CaseOut(CaseHead):
    """An authority's own case."""

    outcome: Outcome | None
    awaits_acknowledgement: bool
    asked_reason: str | None = Field(description="The coordinator's, who asks again.")
    merged_into: UUID | None = Field(description="The notice that this one is one with, and that continues.")
    overdue_message: MessageOut | None
    arrived_at_claimed: datetime | None = Field(
        description="An earlier arrival that the filer states. It moves no clock."
    )
    reasons: list[Reason]
    missing: list[str]
    trace_id: str | None
    handling: HandlingOut | None
    assessment: AssessmentOut | None
    course: list[StepOut]
    checklists: list[ChecklistOut] = Field(description="By employee group.")
    filing: Filing | None

    @classmethod
    def of(cls, view: CaseView) -> "CaseOut":
        """Show a case with the work done on it."""
        row, assessment = view.row, view.assessment
        return cls(
            **CaseHead.model_validate(row).model_dump(),
            outcome=row.outcome,
            awaits_acknowledgement=row.state is CaseState.OPEN
            and row.acknowledged_at is None
            and row.declined_at is None,
            asked_reason=row.asked_reason,
            merged_into=row.merged_into,
            overdue_message=MessageOut.of(message(f"overdue_{row.overdue}")) if row.overdue else None,
            arrived_at_claimed=row.arrived_at_claimed,
            reasons=list(row.reasons),
            missing=list(row.missing),
            trace_id=row.trace_id,
            handling=HandlingOut.of(row.handling),
            assessment=AssessmentOut.of(assessment) if assessment else None,
            course=[
                StepOut(
                    step=step,
                    **asdict(TEXTS[step]),
                    state=done.state if (done := view.steps.get(step)) else None,
                    at=done.at if done else None,
                    by=done.by if done else None,
                )
                for step in course(assessment.plan if assessment else None)
            ],
            checklists=[ChecklistOut.of(checklist) for checklist in view.checklists],
            filing=view.filing,
        )


class CaseRevisionOut(BaseModel):
    """One revision of a case's filing."""

    model_config = ConfigDict(from_attributes=True)

    revision: int
    arrived_at: datetime | None = Field(description="When the revision first reached an authority.")
    stored_at: datetime
    filing: Filing


class NoteOut(BaseModel):
    """An officer's note."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    by: str
    at: datetime
    shared: bool
    authority: str | None = Field(description="Whose officer wrote it.")
