"""Data that ships with the service: the rule table and the capital region's municipalities and authorities."""

from importlib.resources import files

from services.change_security.domain.routing import AuthorityTable, read_shipped
from services.change_security.domain.rules import RuleTable, read_rules


def rules() -> RuleTable:
    """Return the dated rule table."""
    return read_rules(_lines("rules.csv"))


def authorities() -> AuthorityTable:
    """Return the capital region's municipalities and authorities."""
    return read_shipped(_lines("municipalities.csv"), _lines("authorities.csv"))


def _lines(name: str) -> list[str]:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
