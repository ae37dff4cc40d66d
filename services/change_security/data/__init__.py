"""Data that ships with the service, and the reading of what is imported beside it.

Shipped are the rule table, what the cities have agreed, and the capital region's municipalities and authorities.
"""

import csv
from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from typing import Final

from services.change_security.domain.agreed import Agreed, read_delegations, read_shares
from services.change_security.domain.routing import Authority, AuthorityTable, Language, Municipality
from services.change_security.domain.rules import RuleTable, read_rules

_LETTER_LANGUAGES: Final[tuple[Language, ...]] = ("fi", "sv")


def rules() -> RuleTable:
    """Return the dated rule table."""
    return read_rules(_lines("rules.csv"))


def agreed() -> Agreed:
    """Return the shares of joint matters and the standing delegations, dated."""
    return Agreed(read_shares(_lines("shares.csv")), read_delegations(_lines("delegations.csv")))


def authorities() -> AuthorityTable:
    """Return the capital region's municipalities and authorities."""
    return AuthorityTable(
        [
            Municipality(
                code=row["municipality_code"],
                name_fi=row["municipality_fi"],
                name_sv=row["municipality_sv"],
                area=row["area_code"],
                authority=row["authority_code"],
                valid_from=date.fromisoformat(row["valid_from"]),
                valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            )
            for row in csv.DictReader(_lines("municipalities.csv"))
        ],
        [
            Authority(
                code=row["authority_code"],
                name_fi=row["name_fi"],
                name_sv=row["name_sv"],
                name_en=row["name_en"],
                office=row["office"] or None,
                email=row["email"] or None,
            )
            for row in csv.DictReader(_lines("authorities.csv"))
        ],
    )


def read_national(
    lines: Iterable[str], valid_from: date, shipped: AuthorityTable
) -> tuple[list[Municipality], list[Authority]]:
    """Read the national classification (one row a municipality) as additions to the shipped table.

    The municipalities that ship with the service are passed over: their authority is the City, not the area.

    Raises:
        ValueError: a column is missing, or a municipality code is not three digits.
    """
    municipalities: list[Municipality] = []
    authorities: dict[str, Authority] = {}
    spoken: dict[str, set[str]] = {}
    reader = csv.DictReader(lines)
    needed = {"municipality_code", "municipality_fi", "municipality_sv", "authority_code", "authority_name"}
    if lacking := needed - set(reader.fieldnames or ()):
        message = f"columns are missing: {', '.join(sorted(lacking))}"
        raise ValueError(message)
    for row in reader:
        code = row["municipality_code"]
        if not (len(code) == 3 and code.isdigit()):  # noqa: PLR2004 - the classification's form
            message = f"line {reader.line_num}: a municipality code has three digits"
            raise ValueError(message)
        if shipped.municipality(code) is not None:
            continue
        area = row["authority_code"]
        municipalities.append(
            Municipality(code, row["municipality_fi"], row["municipality_sv"], area, area, valid_from)
        )
        # Of the municipalities of an area; a column that may be absent: then letters are in both.
        spoken.setdefault(area, set()).update((row.get("languages") or "fi+sv").split("+"))
        authorities[area] = Authority(
            code=area,
            name_fi=row["authority_name"],
            name_sv=row.get("authority_name_sv") or row["authority_name"],
            name_en=row.get("authority_name_en") or row["authority_name"],
            email=row.get("email") or None,
            # Åland's municipalities are outside the Act on organising employment services.
            under_act=row.get("responsible_source") != "not-applicable",
            languages=tuple(one for one in _LETTER_LANGUAGES if one in spoken[area]) or _LETTER_LANGUAGES,
        )
    return municipalities, list(authorities.values())


def _lines(name: str) -> list[str]:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
