"""Data that ships with the service: agreed shares of seats, the employer's share of a price, each with its dates."""

from importlib.resources import files

from services.training.domain.procurement import ShareRule, read_rules
from services.training.domain.seats import Share, read_shares


def shares() -> tuple[Share, ...]:
    """Return the agreed shares of seats."""
    return read_shares(_lines("shares.csv"))


def procurement_rules() -> tuple[ShareRule, ...]:
    """Return the employer's shares of the price."""
    return read_rules(_lines("procurement.csv"))


def _lines(name: str) -> list[str]:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
