"""What both sides' APIs take and show, beside the filing itself (`shared.events.v1.change_security.Filing`)."""

from datetime import date, datetime

from pydantic import AwareDatetime, BaseModel, Field

from services.change_security.domain.rules import Assessment
from shared.events.v1.change_security import Filing, Outcome


class NoticeIn(BaseModel):
    """A filing to be registered."""

    filing: Filing
    arrived_at: AwareDatetime | None = Field(
        default=None,
        description="When an e-mail or paper filing first reached an authority; given by the officer who registers it.",
    )


class RevisionIn(BaseModel):
    """A new revision of a filing."""

    predecessor: int = Field(ge=1, description="The revision that this one follows: the newest you have seen.")
    filing: Filing


class ClosingIn(BaseModel):
    """How a change situation ended."""

    outcome: Outcome


class ClockOut(BaseModel):
    """A day that the law sets. Computed for the reader, not a decision."""

    name: str
    day: date
    sources: list[str]
    to_be_checked: bool


class WarningOut(BaseModel):
    """Something to notice. It refuses nothing."""

    code: str
    text: str


class AssessmentOut(BaseModel):
    """What the rules in force on the day of arrival say."""

    rules_of: date
    scope: str
    plan: str | None
    clocks: list[ClockOut]
    warnings: list[WarningOut]

    @classmethod
    def of(cls, assessment: Assessment) -> "AssessmentOut":
        """Show an assessment."""
        return cls(
            rules_of=assessment.rules_of,
            scope=assessment.scope,
            plan=assessment.plan,
            clocks=[
                ClockOut(name=clock.name, day=clock.day, sources=list(clock.sources), to_be_checked=clock.to_be_checked)
                for clock in assessment.clocks
            ],
            warnings=[WarningOut(code=warning.code, text=warning.text) for warning in assessment.warnings],
        )


class StepOut(BaseModel):
    """A step of the course."""

    step: str
    state: str | None
    at: datetime | None
    by: str | None
