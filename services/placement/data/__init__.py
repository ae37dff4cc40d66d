"""Data that ships with the service: occupations with labels, and the dated rules of job offers."""

import csv
from functools import cache
from importlib.resources import files

from pydantic import TypeAdapter

from services.placement.domain.offer_rules import OfferRule


def occupations() -> dict[str, dict[str, str]]:
    """Return ISCO-08 unit groups by code, with labels and a weight for invented profiles."""
    return {row["code"]: row for row in _rows("occupations.csv")}


@cache
def offer_rules() -> tuple[OfferRule, ...]:
    """Return what the answer to a binding job offer leads to, and from when."""
    rows = [{name: value or None for name, value in row.items()} for row in _rows("offer_rules.csv")]
    return TypeAdapter(tuple[OfferRule, ...]).validate_python(rows)


def _rows(name: str) -> list[dict[str, str]]:
    lines = files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(lines))
