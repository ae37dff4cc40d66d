"""Which authorities a filing concerns, and why.

Affected are the authority of the employer's domicile, of each workplace municipality, and, where counts are known, of
the workers' residence: three geographies, never mixed. An unknown municipality is never given to a default office; it
goes to the queue of the unrouted, where a coordinator sees it.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

from shared.events.v1.change_security import Filing, HandlingMode, Reason, ReasonKind


@dataclass(frozen=True, slots=True)
class Authority:
    """An employment authority. `office` is set for those whose process we exchange messages with."""

    code: str
    name_fi: str
    name_sv: str
    name_en: str
    office: str | None = None
    email: str | None = None
    under_act: bool = True


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality's authority during a time. The employment area and the authority are two notions."""

    code: str
    name_fi: str
    name_sv: str
    area: str
    authority: str
    valid_from: date
    valid_to: date | None = None


class AuthorityTable:
    """Municipalities and authorities, effective-dated. `version` names exactly this content."""

    def __init__(self, municipalities: Iterable[Municipality], authorities: Iterable[Authority]) -> None:
        self.authorities: Mapping[str, Authority] = {authority.code: authority for authority in authorities}
        self._municipalities: dict[str, list[Municipality]] = {}
        rows = sorted(municipalities, key=lambda row: (row.code, row.valid_from))
        for row in rows:
            self._municipalities.setdefault(row.code, []).append(row)
        listed = "\n".join(map(repr, [*rows, *sorted(self.authorities.values(), key=lambda one: one.code)]))
        self.version = f"{len(rows)}-{hashlib.sha256(listed.encode()).hexdigest()[:12]}"
        self.authority_of = lru_cache(maxsize=4096)(self._authority_of)

    def with_others(self, municipalities: Iterable[Municipality], authorities: Iterable[Authority]) -> "AuthorityTable":
        """Return a table that has these too. What this table already says of a municipality stands."""
        own = [row for rows in self._municipalities.values() for row in rows]
        added = [row for row in municipalities if row.code not in self._municipalities]
        return AuthorityTable(
            [*own, *added],
            [*(one for one in authorities if one.code not in self.authorities), *self.authorities.values()],
        )

    def _authority_of(self, municipality: str, day: date) -> Authority | None:
        """Return the authority of a municipality on a day; None when the municipality is unknown then."""
        for row in self._municipalities.get(municipality, ()):
            if row.valid_from <= day and (row.valid_to is None or day <= row.valid_to):
                return self.authorities.get(row.authority)
        return None

    def municipality(self, code: str) -> Municipality | None:
        """Return the newest row of a municipality."""
        rows = self._municipalities.get(code)
        return rows[-1] if rows else None


@dataclass(frozen=True, slots=True)
class Recipient:
    """An affected authority with every reason why it is one."""

    authority: str
    office: str | None
    mode: HandlingMode
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Unrouted:
    """A place in the filing that leads to no authority."""

    kind: ReasonKind
    municipality: str | None
    why: Literal["unknown_municipality", "outside_act", "no_municipality_given"]


@dataclass(frozen=True, slots=True)
class Routing:
    """Where a filing goes, what leads nowhere, and by which table this was decided."""

    recipients: tuple[Recipient, ...]
    unrouted: tuple[Unrouted, ...]
    version: str

    def authorities(self) -> frozenset[str]:
        """Return the affected authorities' codes."""
        return frozenset(recipient.authority for recipient in self.recipients)


def route(
    filing: Filing,
    day: date,
    table: AuthorityTable,
    *,
    small: bool,
    manual: Sequence[str] = (),
) -> Routing:
    """Return the affected authorities with their reasons, sorted by code. Same input, same answer.

    Args:
        filing: what the employer filed.
        day: the day by which municipalities belong to authorities.
        table: the municipalities and authorities.
        small: whether the situation is small enough that the three authorities handle it jointly.
        manual: authorities that a coordinator has added.
    """
    reasons: dict[str, dict[Reason, None]] = {}
    unrouted: dict[Unrouted, None] = {}
    places = list(_places(filing))
    for reason in places:
        code = reason.municipality or ""
        authority = table.authority_of(code, day)
        if authority is None:
            unrouted[Unrouted(reason.kind, code, "unknown_municipality")] = None
        elif not authority.under_act:
            unrouted[Unrouted(reason.kind, code, "outside_act")] = None
        else:
            reasons.setdefault(authority.code, {})[reason] = None
    for code in manual:
        reasons.setdefault(code, {})[Reason(kind=ReasonKind.MANUAL)] = None
    if not places and not manual:
        unrouted[Unrouted(ReasonKind.DOMICILE, None, "no_municipality_given")] = None
    return Routing(
        recipients=tuple(
            Recipient(code, office, _mode(office, small=small), tuple(reasons[code]))
            for code in sorted(reasons)
            for office in (table.authorities[code].office,)
        ),
        unrouted=tuple(unrouted),
        version=table.version,
    )


def _places(filing: Filing) -> Iterable[Reason]:
    if filing.employer.domicile:
        yield Reason(kind=ReasonKind.DOMICILE, municipality=filing.employer.domicile)
    workplaces = [site.municipality for site in filing.sites]
    workplaces += [termination.municipality for termination in filing.terminations if termination.municipality]
    for code in dict.fromkeys(workplaces):
        yield Reason(kind=ReasonKind.WORKPLACE, municipality=code)
    for residence in filing.residences:
        if residence.count != 0:
            yield Reason(kind=ReasonKind.RESIDENCE, municipality=residence.municipality)


def _mode(office: str | None, *, small: bool) -> HandlingMode:
    if office is None:
        return HandlingMode.EXTERNAL
    return HandlingMode.JOINT if small else HandlingMode.OWN


def read_shipped(municipalities: Iterable[str], authorities: Iterable[str]) -> AuthorityTable:
    """Read the table that ships with the service: the four municipalities of the capital region."""
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
            for row in csv.DictReader(municipalities)
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
            for row in csv.DictReader(authorities)
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
        authorities[area] = Authority(
            code=area,
            name_fi=row["authority_name"],
            name_sv=row.get("authority_name_sv") or row["authority_name"],
            name_en=row.get("authority_name_en") or row["authority_name"],
            email=row.get("email") or None,
            # Åland's municipalities are outside the Act on organising employment services.
            under_act=row.get("responsible_source") != "not-applicable",
        )
    return municipalities, list(authorities.values())
