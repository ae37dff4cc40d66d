"""Data that ships with the service: the agreement with its first figures, each municipality's authority."""

import csv
from functools import cache
from importlib.resources import files

from services.advisory.domain.agreement import FirstAgreement
from services.advisory.domain.resources import Agreed, agreed_in
from services.advisory.domain.response import ResponseTime, response_times_in


@cache
def first_agreement() -> FirstAgreement:
    """Return the agreement as it was signed, with the figures that are used until a decision is taken."""
    return FirstAgreement.model_validate_json(_text("agreement.json"))


def agreed() -> tuple[Agreed, ...]:
    """Return the agreed person-years as shipped."""
    return agreed_in(first_agreement().figures)


def response_times() -> tuple[ResponseTime, ...]:
    """Return the response times as shipped."""
    return response_times_in(first_agreement().figures)


def authority_of() -> dict[str, str]:
    """Return the authority of each municipality of the region."""
    return {row["municipality"]: row["authority"] for row in csv.DictReader(_text("municipalities.csv").splitlines())}


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
