"""What a city's API takes and shows."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.change_security.authority.case_view import CaseView
from services.change_security.domain.case import CaseState, StepState, course
from services.change_security.domain.texts import TEXTS
from services.change_security.models import AssessmentOut, StepOut
from shared.events.v1.change_security import AskedBecause, DeclineReason, Filing, HandlingMode, Outcome, Reason


class StepIn(BaseModel):
    """How far a step of the course is."""

    state: StepState


class CheckIn(BaseModel):
    """Whether a checklist item is checked."""

    checked: bool


class NoteIn(BaseModel):
    """An officer's note. It never leaves the office."""

    text: str = Field(min_length=1, max_length=5000)


class SpecialistIn(BaseModel):
    """The officer named as specialist, by the issuer's opaque id."""

    specialist: str = Field(min_length=1, max_length=200)


class DeclineIn(BaseModel):
    """Why the notice is not this authority's own."""

    reason: DeclineReason


class TakeIn(BaseModel):
    """Whose parts this authority handles; its own, if none is named."""

    parts: list[str] = Field(default=[], max_length=10)


class CaseLine(BaseModel):
    """A case in a list."""

    model_config = ConfigDict(from_attributes=True)

    notice_id: UUID
    state: CaseState
    revision: int
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


class CheckOut(BaseModel):
    """An item of the checklist of extended change security (55+). It decides nothing."""

    item: str
    fi: str
    sv: str
    en: str
    checked: bool


class CaseOut(CaseLine):
    """An authority's own case."""

    outcome: Outcome | None
    awaits_acknowledgement: bool
    asked_reason: str | None = Field(description="The coordinator's, who asks again.")
    merged_into: UUID | None = Field(description="The notice that this one is one with, and that continues.")
    arrived_at: datetime | None
    registered_at: datetime | None
    reasons: list[Reason]
    missing: list[str]
    trace_id: str | None
    assessment: AssessmentOut | None
    course: list[StepOut]
    checklist: list[CheckOut]
    filing: Filing | None

    @classmethod
    def of(cls, view: CaseView) -> "CaseOut":
        """Show a case with the work done on it."""
        row, assessment = view.row, view.assessment
        return cls(
            **CaseLine.model_validate(row).model_dump(),
            outcome=row.outcome,
            awaits_acknowledgement=row.state is CaseState.OPEN
            and row.acknowledged_at is None
            and row.declined_at is None,
            asked_reason=row.asked_reason,
            merged_into=row.merged_into,
            arrived_at=row.arrived_at,
            registered_at=row.registered_at,
            reasons=list(row.reasons),
            missing=list(row.missing),
            trace_id=row.trace_id,
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
            checklist=[
                CheckOut(item=item.code, **asdict(item.text), checked=item.code in view.checked)
                for item in view.checklist
            ],
            filing=view.filing,
        )


class CaseRevisionOut(BaseModel):
    """One revision of a case's filing."""

    model_config = ConfigDict(from_attributes=True)

    revision: int
    stored_at: datetime
    filing: Filing


class NoteOut(BaseModel):
    """An officer's note."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    by: str
    at: datetime
