"""What the cities have agreed for change security, dated: their shares of joint matters, and standing delegations."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args

Certainty = Literal["read", "secondary", "unverified"]


@dataclass(frozen=True, slots=True)
class Share:
    """An authority's share of the joint matters during a time, per cent."""

    authority: str
    share: float
    valid_from: date
    valid_to: date | None
    certainty: Certainty
    source: str


@dataclass(frozen=True, slots=True)
class Delegation:
    """During a time, the acting authority may act in every case of the competent one without being asked again."""

    competent_authority: str
    acting_authority: str
    valid_from: date
    valid_to: date | None
    certainty: Certainty
    source: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """What is agreed for the task."""

    shares: tuple[Share, ...] = ()
    delegations: tuple[Delegation, ...] = ()

    def shares_on(self, day: date) -> dict[str, float]:
        """Return the shares in force on a day, by authority; of two rows the later one counts."""
        rows = sorted((row for row in self.shares if _in_force(row, day)), key=lambda row: row.valid_from)
        return {row.authority: row.share for row in rows if row.share > 0}

    def delegation(self, competent: str, acting: str, day: date) -> Delegation | None:
        """Return the standing delegation in force on a day, if there is one."""
        rows = (
            row
            for row in self.delegations
            if (row.competent_authority, row.acting_authority) == (competent, acting) and _in_force(row, day)
        )
        return next(rows, None)


NOTHING_AGREED: Final = Agreed()


def read_shares(lines: Iterable[str]) -> tuple[Share, ...]:
    """Read the shares from CSV.

    Raises:
        ValueError: a row lacks its source or its certainty.
    """
    return tuple(
        Share(
            row["authority"],
            float(row["share"]),
            date.fromisoformat(row["valid_from"]),
            _last_day(row["valid_to"]),
            _certainty(row["certainty"]),
            _source(row["source"]),
        )
        for row in csv.DictReader(lines)
    )


def read_delegations(lines: Iterable[str]) -> tuple[Delegation, ...]:
    """Read the standing delegations from CSV.

    Raises:
        ValueError: a row lacks its source or its certainty.
    """
    return tuple(
        Delegation(
            row["competent_authority"],
            row["acting_authority"],
            date.fromisoformat(row["valid_from"]),
            _last_day(row["valid_to"]),
            _certainty(row["certainty"]),
            _source(row["source"]),
        )
        for row in csv.DictReader(lines)
    )


def _in_force(row: Share | Delegation, day: date) -> bool:
    return row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)


def _last_day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _certainty(text: str) -> Certainty:
    word: Certainty | None = next((word for word in get_args(Certainty) if word == text), None)
    if word is None:
        raise ValueError("a row of what is agreed lacks its certainty")
    return word


def _source(text: str) -> str:
    if not text:
        raise ValueError("a row of what is agreed lacks its source")
    return text
