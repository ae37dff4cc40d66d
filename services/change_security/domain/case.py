"""An authority's own case: the course of a change situation, and the checklists an officer works by."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class CaseState(StrEnum):
    """Where an authority's case stands."""

    OPEN = "open"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class Step(StrEnum):
    """The course of a case, from advance information to follow-up."""

    ADVANCE_INFORMATION = "advance_information"
    PROPOSAL = "proposal"
    SPECIALIST_NAMED = "specialist_named"
    EMPLOYER_CONTACTED = "employer_contacted"
    SITE_BREAKDOWN_ASKED = "site_breakdown_asked"
    ACTION_PLAN = "action_plan"
    OPERATING_PRINCIPLES = "operating_principles"
    INFORMATION_SESSIONS = "information_sessions"
    OUTCOME_KNOWN = "outcome_known"
    TERMINATION_NOTICE = "termination_notice"
    EMPLOYMENT_PLANS = "employment_plans"
    TRAINING_AND_MATCHING = "training_and_matching"
    FOLLOW_UP = "follow_up"


class StepState(StrEnum):
    """How far a step is."""

    DONE = "done"
    NOT_NEEDED = "not_needed"


def course(plan: str | None) -> tuple[Step, ...]:
    """Return the steps of a case. `plan`: action plan (10 or more concerned) or operating principles (fewer)."""
    left_out = {
        "action_plan": {Step.OPERATING_PRINCIPLES},
        "operating_principles": {Step.ACTION_PLAN},
    }.get(plan or "", set())
    return tuple(step for step in Step if step not in left_out)


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One thing to check, with its words in the service languages. Swedish is to be reviewed by a native speaker."""

    code: str
    fi: str
    sv: str
    en: str


EXTENDED_CHANGE_SECURITY: Final = (
    ChecklistItem(
        "aged_55",
        "Irtisanottu on irtisanomispäivänä täyttänyt 55 vuotta",
        "Den uppsagda har fyllt 55 år den dag uppsägningen sker",
        "The employee is 55 or older on the day of notice",
    ),
    ChecklistItem(
        "service_5_years",
        "Työsuhde on kestänyt vähintään 5 vuotta",
        "Anställningen har varat minst 5 år",
        "The employment has lasted at least 5 years",
    ),
    ChecklistItem(
        "registered_within_60_days",
        "Ilmoittautuu työnhakijaksi 60 päivän kuluessa irtisanomisesta",
        "Anmäler sig som arbetssökande inom 60 dagar från uppsägningen",
        "Registers as a jobseeker within 60 days of the notice of termination",
    ),
)
"""Extended change security (since 1.1.2023), a checklist to show the employer. It decides nothing."""
