"""Joint-procurement training (yhteishankintakoulutus): conditions, and the employer's share of the price without VAT.

RekryKoulutus for people to be hired, MuutosKoulutus for people dismissed or laid off by the employer, TäsmäKoulutus for
the own staff: at least 10 training days for each student, and no induction. The shares stand in a dated table with their
sources; a step that is not verified is marked so.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from stdnum.fi import ytunnus

from shared.events.v1.change_security import MunicipalityCode, Occupation
from shared.events.v1.training import CourseKind, Labels, Language
from shared.events.values import BusinessId

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


@dataclass(frozen=True, slots=True)
class Unmet:
    """A condition that a proposal does not meet. `pointer` says where."""

    pointer: str
    code: str


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


def unmet(
    kind: CourseKind, business_id: str, training_days: int, size: Size | None, *, is_induction: bool
) -> list[Unmet]:
    """Return the conditions of joint procurement that a proposal does not meet."""
    checks = (
        (kind not in JOINT_PROCUREMENT, "/kind", "not-joint-procurement"),
        (not ytunnus.is_valid(business_id), "/business_id", "wrong-business-id"),
        # TäsmäKoulutus: at least 10 training days for each student (domain.md § 4, read).
        (kind is CourseKind.TASMA and training_days < LEAST_TASMA_DAYS, "/training_days", "too-few-training-days"),
        (kind is CourseKind.TASMA and size is None, "/employer_size", "size-needed"),
        (is_induction, "/is_induction", "induction-is-the-employers-own-duty"),
    )
    return [Unmet(pointer, code) for fails, pointer, code in checks if fails]


def employer_share(
    rules: Iterable[ShareRule], kind: CourseKind, size: Size | None, price_eur: Decimal, day: date
) -> EmployerShare | None:
    """Return what the employer pays of a price without VAT by the rule in force on a day; None without a rule."""
    for rule in rules:
        in_force = rule.valid_from <= day and (rule.valid_to is None or day <= rule.valid_to)
        if rule.kind is kind and rule.size in {None, size} and in_force:
            employer = (price_eur * rule.percent / 100).quantize(_CENT, ROUND_HALF_UP)
            return EmployerShare(
                rule.percent, employer, price_eur - employer, rule.source, to_be_checked=rule.certainty != "read"
            )
    return None


@dataclass(frozen=True, slots=True)
class Statement:
    """What one authority's seats in a group cost, in euros without VAT. A statement, no invoice."""

    authority: str
    seats: int
    eur: Decimal


def settle(price_eur: Decimal, seats_by_authority: dict[str, int]) -> list[Statement]:
    """Divide the authorities' part of a group's price by the seats that each home authority has used.

    The cents that division leaves go to the first in alphabetical order, so that the statements add up to the price.
    """
    seats = sum(seats_by_authority.values())
    if not seats:
        return []
    parts = {
        authority: (price_eur * count / seats).quantize(_CENT, ROUND_HALF_UP)
        for authority, count in sorted(seats_by_authority.items())
    }
    first = next(iter(parts))
    parts[first] += price_eur - sum(parts.values())
    return [Statement(authority, seats_by_authority[authority], eur) for authority, eur in parts.items()]
