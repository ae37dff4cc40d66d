"""What both sides' APIs take and show, beside the filing itself (`shared.events.v1.change_security.Filing`)."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.change_security.domain.acting import ground_explained
from services.change_security.domain.handling import choice_explained, explained
from services.change_security.domain.rules import Assessment
from services.change_security.domain.texts import TEXTS, Message
from shared.events.v1.change_security import (
    Acting,
    ActingState,
    Choice,
    FilerReference,
    Filing,
    Handling,
    HandlingMode,
    Outcome,
    PlanStep,
)
from shared.events.values import Instant


class NoticeIn(BaseModel):
    """A filing to be registered."""

    filing: Filing
    arrived_at: Instant | None = Field(
        default=None,
        description="When an e-mail or paper filing first reached an authority; given by the officer who registers it.",
    )
    filer_reference: FilerReference | None = Field(default=None, description="The filer's own, to find it by.")


class RevisionIn(BaseModel):
    """A new revision of a filing."""

    predecessor: int = Field(ge=1, description="The revision that this one follows: the newest you have seen.")
    filing: Filing
    arrived_at: Instant | None = Field(
        default=None, description="When this revision first reached an authority; given by an officer."
    )


class ClosingIn(BaseModel):
    """How a change situation ended."""

    outcome: Outcome


class MessageOut(BaseModel):
    """Something said to the reader: a code with its parameters, and its text in the service languages."""

    code: str
    pointer: str | None = Field(description="Where in the filing it belongs.")
    parameters: dict[str, str | int]
    fi: str
    sv: str
    en: str

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        """Show a message."""
        fi, sv, en = message.text
        parameters = dict(message.parameters)
        return cls(code=message.code, pointer=message.pointer, parameters=parameters, fi=fi, sv=sv, en=en)


class ClockOut(BaseModel):
    """A day that the law sets. Computed for the reader, not a decision."""

    name: str
    fi: str
    sv: str
    en: str
    day: date
    sources: list[str]
    to_be_checked: bool
    condition: MessageOut | None = Field(description="Under which the day holds.")
    missing: list[MessageOut] = Field(description="Missing numbers, for want of which the stricter case is shown.")


class AssessmentOut(BaseModel):
    """What the rules say that were in force on the day the proposal was given."""

    rules_of: date
    rules_chosen_by: str = Field(description="What told the day: given_on, personnel_informed_on or arrived_at.")
    rules_to_be_checked: bool
    scope: str
    plan: str = Field(description="action_plan, operating_principles, none or unknown.")
    clocks: list[ClockOut]
    warnings: list[MessageOut]
    missing_numbers: list[MessageOut]
    notes: list[MessageOut]

    @classmethod
    def of(cls, assessment: Assessment) -> "AssessmentOut":
        """Show an assessment."""
        return cls(
            rules_of=assessment.rules_of,
            rules_chosen_by=assessment.rules_chosen_by,
            rules_to_be_checked=assessment.rules_to_be_checked,
            scope=assessment.scope,
            plan=assessment.plan,
            clocks=[
                ClockOut(
                    name=clock.name,
                    **asdict(TEXTS[clock.name]),
                    day=clock.day,
                    sources=list(clock.sources),
                    to_be_checked=clock.to_be_checked,
                    condition=MessageOut.of(clock.condition) if clock.condition else None,
                    missing=[MessageOut.of(number) for number in clock.missing],
                )
                for clock in assessment.clocks
            ],
            warnings=[MessageOut.of(warning) for warning in assessment.warnings],
            missing_numbers=[MessageOut.of(number) for number in assessment.missing],
            notes=[MessageOut.of(note) for note in assessment.notes],
        )


class StepOut(BaseModel):
    """A step of the course."""

    step: str
    fi: str
    sv: str
    en: str
    state: str | None
    at: datetime | None
    by: str | None


# -- joint matters and acting for another


class ChoiceOut(BaseModel):
    """Who was chosen, by whom and why."""

    authority: str
    officer: str | None
    by: str = Field(description="`rule`, or the officer who decided.")
    because: MessageOut
    at: datetime


class HandlingOut(BaseModel):
    """How a matter is handled, why, and who leads it."""

    mode: HandlingMode
    because: MessageOut
    to_be_checked: bool = Field(description="The limit is to be checked.")
    authorities: list[str] = Field(description="Those of the region that it concerns and that did not take it.")
    lead: ChoiceOut | None
    specialist: ChoiceOut | None = Field(description="None while nobody can be named; a coordinator sees it in a list.")

    @classmethod
    def of(cls, handling: Handling | None) -> "HandlingOut | None":
        """Show a handling; None where none was decided yet."""
        if handling is None:
            return None
        return cls(
            mode=handling.mode,
            because=MessageOut.of(explained(handling)),
            to_be_checked=handling.limit_to_be_checked,
            authorities=list(handling.authorities),
            lead=_choice(handling.lead),
            specialist=_choice(handling.specialist),
        )


def _choice(choice: Choice | None) -> ChoiceOut | None:
    if choice is None:
        return None
    return ChoiceOut(
        authority=choice.authority,
        officer=choice.officer,
        by=choice.by,
        because=MessageOut.of(choice_explained(choice)),
        at=choice.at,
    )


class ActingOut(Acting):
    """One authority acts in another's part, is asked to, or did."""

    notice_id: UUID
    overdue: bool = Field(description="It was to be answered, and is not.")
    ground: MessageOut | None

    @classmethod
    def of(cls, notice_id: UUID, acting: Acting, now: datetime) -> "ActingOut":
        """Show how far it has come."""
        waits = acting.state is ActingState.ASKED and acting.answer_by is not None
        return cls(
            **acting.model_dump(),
            notice_id=notice_id,
            overdue=bool(waits and acting.answer_by and now > acting.answer_by),
            ground=MessageOut.of(ground_explained(acting.legal_ground)) if acting.legal_ground else None,
        )


class PlanStepOut(PlanStep):
    """A step of a shared plan."""

    fi: str
    sv: str
    en: str

    @classmethod
    def of(cls, step: PlanStep) -> "PlanStepOut":
        """Show a step."""
        return cls(**step.model_dump(), **asdict(TEXTS[step.step]))

    @classmethod
    def of_plan(cls, steps: Iterable[PlanStep]) -> "list[PlanStepOut]":
        """Show a plan in the order of its days, undated steps last."""
        dated = sorted(steps, key=lambda step: (step.planned_on is None, step.planned_on or date.min, step.step_id))
        return [cls.of(step) for step in dated]
