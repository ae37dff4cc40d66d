"""The cooperation agreement: its versions, and the dated figures that the services obey.

Published by advisory whenever a decision is taken, whole each time: a reader needs the newest edition alone. Decisions
that are no longer in force stay in it, so that a reader can look up any day.
"""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Event, Part
from shared.events.v1.advisory import Task
from shared.events.v1.change_security import MunicipalityCode
from shared.events.values import Day

Certainty = Literal["verified", "to be checked", "unverified"]


class Group(StrEnum):
    """The region's groups that decide: johtoryhmä and koordinaatioryhmä."""

    MANAGEMENT = "management_group"
    COORDINATION = "coordination_group"


class FigureName(StrEnum):
    """What a figure is of. A reader passes over a name that it does not know."""

    PERSON_YEARS = "person_years"
    SEAT_QUOTAS = "seat_quotas"
    JOINT_HANDLING_BELOW = "joint_handling_below"
    ACKNOWLEDGE_WITHIN = "acknowledge_within"
    STORE_WITHIN = "store_within"
    ACTING_ANSWERED_WITHIN = "acting_answered_within"
    RESPONSE_HOURS = "response_hours"
    OPERATING_MODEL = "operating_model"


class DecisionRef(Part):
    """Which decision stands behind a figure or a version."""

    decision_id: UUID
    group: Group
    reference: str = Field(max_length=100)
    decided_on: Day


class _Sourced(Part):
    source: str = Field(max_length=300)
    certainty: Certainty


class Figure(_Sourced):
    """A figure that binds from a day on, until a later one of the same name and scope does.

    Either `value` or `by_authority` is given. With neither, nothing is in force from that day on.
    """

    name: str = Field(max_length=50)
    scope: str | None = Field(default=None, max_length=50, description="The task or the channel; None: of everything.")
    value: float | None = None
    by_authority: dict[str, float] | None = None
    unit: str = Field(max_length=50)
    valid_from: Day
    decision: DecisionRef | None = Field(default=None, description="None: shipped, and not verified.")


class Delegation(_Sourced):
    """From a day on, officers of the acting authority may act in a task for the competent one, or no longer may."""

    task: Task
    competent_authority: str
    acting_authority: str
    in_force: bool = True
    valid_from: Day
    decision: DecisionRef | None = None


class Party(_Sourced):
    """A party: an employment authority and the municipalities that it acts for."""

    authority: str
    municipalities: tuple[MunicipalityCode, ...] = Field(min_length=1, max_length=50)


class Term(_Sourced):
    """How long the agreement runs, and how it is given notice of. None: until further notice; not known."""

    since: Day
    until: Day | None = None
    notice_months: int | None = Field(default=None, ge=0, le=120)


class AgreedTask(_Sourced):
    """A task that is performed jointly, with its legal ground."""

    task: Task
    legal_ground: str = Field(max_length=300)


class AgreedShare(_Sourced):
    """An authority's share of the person-years in principle, and the least that it gives."""

    authority: str
    percent: float = Field(ge=0, le=100)
    least_person_years: float = Field(ge=0)


class Agreement(Part):
    """The text of the agreement as data."""

    parties: tuple[Party, ...] = Field(min_length=1, max_length=20)
    term: Term
    tasks: tuple[AgreedTask, ...] = Field(min_length=1, max_length=10)
    shares: tuple[AgreedShare, ...] = Field(min_length=1, max_length=20)


class AgreementVersion(Part):
    """A version of the agreement, in force from a day on until a later one is."""

    version: int = Field(ge=1)
    valid_from: Day
    agreement: Agreement
    decision: DecisionRef | None = Field(default=None, description="None: the agreement as it was signed.")


class AgreementPublished(Event):
    """The agreement with every figure that was, is or will be in force. A higher edition replaces a lower one."""

    KEY: ClassVar[str] = "subject"
    type: Literal["advisory.agreement-published.v1"] = "advisory.agreement-published.v1"
    subject: Literal["agreement"] = "agreement"
    edition: int = Field(ge=1)
    versions: tuple[AgreementVersion, ...]
    figures: tuple[Figure, ...] = Field(description="In the order in which they were decided.")
    delegations: tuple[Delegation, ...] = Field(default=(), description="In the order in which they were decided.")


EVENTS: tuple[type[Event], ...] = (AgreementPublished,)
