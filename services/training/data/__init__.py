"""Data that ships with the service, each with its dates: shares of seats, the employer's share of a price, appeals."""

from importlib.resources import files

from services.training.domain.appeal import AppealInstruction, read_instructions
from services.training.domain.procurement import ShareRule, read_rules
from services.training.domain.seats import Share, read_shares


def shares() -> tuple[Share, ...]:
    """Return the shares of seats that are used until the agreement has come; unverified."""
    return read_shares(_lines("shares.csv"))


def procurement_rules() -> tuple[ShareRule, ...]:
    """Return the employer's shares of the price."""
    return read_rules(_lines("procurement.csv"))


def appeal_instructions() -> tuple[AppealInstruction, ...]:
    """Return the appeal instructions of selection decisions."""
    return read_instructions(_lines("appeal.csv"))


def _lines(name: str) -> list[str]:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
