"""Data that ships with the service, with its dates: person-years, response times, each municipality's authority."""

import csv
from importlib.resources import files

from services.advisory.domain.resources import Agreed, read_agreed
from services.advisory.domain.response import ResponseTime, read_response_times


def agreed() -> tuple[Agreed, ...]:
    """Return the agreed person-years as shipped; the management group's later decisions come on top."""
    return read_agreed(_lines("resources.csv"))


def response_times() -> tuple[ResponseTime, ...]:
    """Return the response times as shipped; the management group's later decisions come on top."""
    return read_response_times(_lines("response_times.csv"))


def authority_of() -> dict[str, str]:
    """Return the authority of each municipality of the region."""
    return {row["municipality"]: row["authority"] for row in csv.DictReader(_lines("municipalities.csv"))}


def _lines(name: str) -> list[str]:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
