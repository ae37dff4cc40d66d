"""Joint-procurement training (yhteishankintakoulutus): conditions, and the employer's share of the price without VAT.

RekryKoulutus for people to be hired, MuutosKoulutus for people dismissed or laid off by the employer, TäsmäKoulutus for
the own staff: at least 10 training days for each student, and no induction. The shares stand in a dated table with
their sources; a step that is not verified is marked so.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.training.domain.supply import check_occupation
from shared.cost_shares import divide
from shared.errors import ConflictError, RefusedError
from shared.events.v1.change_security import MunicipalityCode, Occupation
from shared.events.v1.training import Course, CourseKind, Group, GroupState, Labels, Language
from shared.events.values import BusinessId, is_business_id

LEAST_TASMA_DAYS: Final = 10
JOINT_PROCUREMENT: Final = (CourseKind.REKRY, CourseKind.MUUTOS, CourseKind.TASMA)
_CENT: Final = Decimal("0.01")

LABELS: Final = {
    CourseKind.LABOUR_MARKET_TRAINING: Labels(
        fi="Työvoimakoulutus", sv="Arbetskraftsutbildning", en="Labour-market training"
    ),
    CourseKind.REKRY: Labels(fi="RekryKoulutus", sv="RekryteringsUtbildning", en="Recruitment training"),
    CourseKind.MUUTOS: Labels(fi="MuutosKoulutus", sv="OmställningsUtbildning", en="Change training"),
    CourseKind.TASMA: Labels(fi="TäsmäKoulutus", sv="PrecisionsUtbildning", en="Targeted training"),
    CourseKind.JOB_SEARCH_COACHING: Labels(fi="Työnhakuvalmennus", sv="Jobbsökarträning", en="Job-search coaching"),
    CourseKind.CAREER_COACHING: Labels(fi="Uravalmennus", sv="Karriärträning", en="Career coaching"),
    CourseKind.JOB_COACHING: Labels(fi="Työhönvalmennus", sv="Arbetsträning", en="Job coaching"),
}
"""The Swedish words are to be reviewed by a native speaker."""


class Size(StrEnum):
    """An employer's size."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class ProposalState(StrEnum):
    """What was decided of a proposal. What is planned goes its way as a group."""

    PROPOSED = "proposed"
    PLANNED = "planned"
    REJECTED = "rejected"


class Stage(StrEnum):
    """Where a proposal stands, for the employer."""

    PROPOSED = "proposed"
    REJECTED = "rejected"
    PRELIMINARY_PLAN = "preliminary_plan"
    PROCUREMENT = "procurement"
    SELECTION = "selection"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


_STAGE: Final = {
    GroupState.PLANNED: Stage.PRELIMINARY_PLAN,
    GroupState.PROCUREMENT: Stage.PROCUREMENT,
    GroupState.OPEN: Stage.SELECTION,
    GroupState.SELECTION: Stage.SELECTION,
    GroupState.CONFIRMED: Stage.SELECTION,
    GroupState.RUNNING: Stage.RUNNING,
    GroupState.COMPLETED: Stage.COMPLETED,
    GroupState.CANCELLED: Stage.CANCELLED,
}


def stage_of(proposal: ProposalState, group: GroupState | None) -> Stage:
    """Return where a proposal stands: what is planned stands where its group stands."""
    if proposal is ProposalState.REJECTED:
        return Stage.REJECTED
    return Stage.PROPOSED if group is None else _STAGE[group]


class Proposal(BaseModel):
    """An employer's proposal of joint-procurement training. Prices are euros without VAT."""

    model_config = ConfigDict(frozen=True)

    kind: CourseKind
    title: Labels
    business_id: BusinessId = Field(description="Y-tunnus, 1234567-8.")
    employer_name: str | None = Field(default=None, max_length=200)
    employer_size: Size | None = None
    occupation: Occupation | None = None
    municipality: MunicipalityCode
    language: Language = "fi"
    seats: int = Field(ge=1, le=200)
    training_days: int = Field(ge=1, le=1000, description="For each student.")
    price_eur: Decimal = Field(gt=0, max_digits=12, decimal_places=2)
    starts_on: date
    is_induction: bool = Field(default=False, description="Whether it is the induction that every employer owes.")


@dataclass(frozen=True, slots=True)
class ShareRule:
    """The employer's share, per cent, during a time."""

    kind: CourseKind
    size: Size | None
    percent: int
    valid_from: date
    valid_to: date | None
    certainty: str
    source: str


@dataclass(frozen=True, slots=True)
class EmployerShare:
    """What the employer and the authority pay of a price without VAT, in euros, and the rule it comes from."""

    percent: int
    employer_eur: Decimal
    authority_eur: Decimal
    source: str
    to_be_checked: bool


def read_rules(lines: Iterable[str]) -> tuple[ShareRule, ...]:
    """Read the table of employers' shares from CSV."""
    return tuple(
        ShareRule(
            kind=CourseKind(row["kind"]),
            size=Size(row["employer_size"]) if row["employer_size"] else None,
            percent=int(row["percent"]),
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            certainty=row["certainty"],
            source=row["source"],
        )
        for row in csv.DictReader(lines)
    )


def check(proposal: Proposal) -> None:
    """Check a proposal against the conditions of joint procurement.

    Raises:
        RefusedError: naming every condition that is not met, or the occupation if it cannot be compared.
    """
    kind = proposal.kind
    conditions = (
        (kind not in JOINT_PROCUREMENT, "/kind", "not-joint-procurement"),
        (not is_business_id(proposal.business_id), "/business_id", "wrong-business-id"),
        (
            kind is CourseKind.TASMA and proposal.training_days < LEAST_TASMA_DAYS,
            "/training_days",
            "too-few-training-days",
        ),
        (kind is CourseKind.TASMA and proposal.employer_size is None, "/employer_size", "size-needed"),
        (proposal.is_induction, "/is_induction", "induction-is-the-employers-own-duty"),
    )
    if fields := [(pointer, code) for fails, pointer, code in conditions if fails]:
        text = "The conditions of joint procurement are not met."
        raise RefusedError("", "conditions-not-met", text, fields)
    if proposal.occupation is not None:
        check_occupation(proposal.occupation, "/occupation")


def check_open(state: ProposalState) -> None:
    """Check that nothing was decided of a proposal.

    Raises:
        ConflictError: it is planned or rejected already.
    """
    if state is not ProposalState.PROPOSED:
        raise ConflictError("invalid-state", f"The proposal is {state}.")


def course_of(proposal: Proposal, group: Group) -> Course:
    """Return the course of a proposal's preliminary plan."""
    return Course(
        kind=proposal.kind,
        title=proposal.title,
        occupation=proposal.occupation,
        min_size=1,
        max_size=max(group.seats, proposal.seats),
    )


def employer_share(rules: Iterable[ShareRule], proposal: Proposal) -> EmployerShare | None:
    """Return what the employer pays, by the rule in force when the training starts; None without a rule."""
    price = proposal.price_eur
    for rule in rules:
        in_force = rule.valid_from <= proposal.starts_on and (
            rule.valid_to is None or proposal.starts_on <= rule.valid_to
        )
        if rule.kind is proposal.kind and rule.size in {None, proposal.employer_size} and in_force:
            employer = (price * rule.percent / 100).quantize(_CENT, ROUND_HALF_UP)
            return EmployerShare(
                rule.percent, employer, price - employer, rule.source, to_be_checked=rule.certainty != "read"
            )
    return None


class UsedSeats(BaseModel):
    """What people of one authority were offered in a group, and what of it they have used.

    A seat is used by who has accepted it and, once attendance is entered, has attended at least a day; also by who has
    dropped out later. `days`: training days attended, as far as entered. `proposed`: what the group was procured for.
    """

    model_config = ConfigDict(frozen=True)

    group_id: UUID
    starts_on: date
    authority: str
    offered: int
    seats: int
    dropped_out: int
    no_shows: int
    days: int | None
    proposed: Proposal | None


@dataclass(frozen=True, slots=True)
class GroupStatement:
    """What a home authority's used seats in a group come to, beside those offered.

    `eur` is None where the group was not procured jointly, or nobody has used a seat.
    """

    group_id: UUID
    starts_on: date
    authority: str
    offered: int
    seats: int
    dropped_out: int
    no_shows: int
    to_be_checked: bool
    days: int | None = None
    eur: Decimal | None = None


def account(used: Sequence[UsedSeats], rules: Sequence[ShareRule]) -> list[GroupStatement]:
    """Account for the seats of groups by home authority: the authorities' part of the price is divided by used seats.

    The cents that division leaves go round (`shared.cost_shares`), from group to group in the order of their starts.
    """
    shares = {
        seats.group_id: employer_share(rules, seats.proposed) if seats.proposed is not None else None for seats in used
    }
    parts = _parts(used, shares)
    statements = []
    for seats in used:
        share = shares[seats.group_id]
        of_group = parts.get(seats.group_id)
        statements.append(
            GroupStatement(
                seats.group_id,
                seats.starts_on,
                seats.authority,
                seats.offered,
                seats.seats,
                seats.dropped_out,
                seats.no_shows,
                to_be_checked=share is not None and share.to_be_checked,
                days=seats.days,
                eur=None if of_group is None else of_group.get(seats.authority, Decimal("0.00")),
            )
        )
    return statements


def _parts(used: Sequence[UsedSeats], shares: Mapping[UUID, EmployerShare | None]) -> dict[UUID, Mapping[str, Decimal]]:
    """Return what each authority pays of each group that was procured jointly and of which seats were used."""
    by_group: dict[tuple[date, UUID], dict[str, int]] = {}
    for seats in used:
        by_group.setdefault((seats.starts_on, seats.group_id), {})[seats.authority] = seats.seats
    parts: dict[UUID, Mapping[str, Decimal]] = {}
    short: Mapping[str, Fraction] = {}
    for (_, group_id), weights in sorted(by_group.items()):
        share = shares[group_id]
        if share is not None and any(weights.values()):
            division = divide(share.authority_eur, weights, short)
            parts[group_id], short = division.parts, division.short
    return parts


class StatementState(StrEnum):
    """How far a kept statement has come."""

    KEPT = "kept"
    APPROVED = "approved"
    REPLACED = "replaced"


def check_approval(state: StatementState) -> None:
    """Check that a statement may be approved.

    Raises:
        ConflictError: it is approved, or replaced by another.
    """
    if state is not StatementState.KEPT:
        raise ConflictError("invalid-state", f"The statement is {state}.")


def check_replacement(state: StatementState) -> None:
    """Check that a statement may be replaced by a corrected one.

    Raises:
        ConflictError: it is not approved, or replaced already.
    """
    if state is not StatementState.APPROVED:
        raise ConflictError("not-approved", f"The statement is {state}.")
