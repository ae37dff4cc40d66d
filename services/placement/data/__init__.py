"""Data that ships with the service: occupations with labels, for invented profiles and for readers."""

import csv
from importlib.resources import files


def occupations() -> dict[str, dict[str, str]]:
    """Return ISCO-08 unit groups by code, with labels and a weight for invented profiles."""
    lines = files(__package__).joinpath("occupations.csv").read_text(encoding="utf-8").splitlines()
    return {row["code"]: row for row in csv.DictReader(lines)}
