"""Which authorities a filing concerns, and why.

Affected are the authority of the employer's domicile, of each workplace municipality, and, where counts are known, of
the workers' residence: three geographies, never mixed. An unknown municipality is never given to a default office; it
goes to the unrouted queue, where a coordinator sees it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

from shared.events.envelope import Part
from shared.events.v1.change_security import Filing, Reason, ReasonKind

Language = Literal["fi", "sv", "en"]
Why = Literal["unknown_municipality", "outside_act", "no_municipality_given"]
"""Why a place leads to no authority."""


@dataclass(frozen=True, slots=True)
class Authority:
    """An employment authority. `office` is set for those whose process we exchange messages with.

    Attributes:
        email, certificate: where letters go, and to what they are encrypted (PEM), outside the region.
        languages: in which letters are written.
    """

    code: str
    name_fi: str
    name_sv: str
    name_en: str
    office: str | None = None
    email: str | None = None
    under_act: bool = True
    certificate: str | None = None
    languages: tuple[Language, ...] = ("fi", "sv")


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
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Unrouted:
    """A place in the filing that leads to no authority."""

    kind: ReasonKind
    municipality: str | None
    why: Why


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
    manual: Sequence[str] = (),
) -> Routing:
    """Return the affected authorities with their reasons, sorted by code. Same input, same answer.

    Args:
        filing: what the employer filed.
        day: the day by which municipalities belong to authorities.
        table: the municipalities and authorities.
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
            Recipient(code, table.authorities[code].office, tuple(reasons[code])) for code in sorted(reasons)
        ),
        unrouted=tuple(unrouted),
        version=table.version,
    )


def part_of(filing: Filing, authority: str, day: date, table: AuthorityTable) -> tuple[object, ...]:
    """Return what of a filing is one authority's: a revision asks it again if, and only if, this changes.

    Its sites, residents and terminations, and the domicile. Where its sites do not give its numbers, the measures do,
    since they may then be its own. Terminations without a municipality may be anyone's.
    """

    def own(municipality: str | None) -> bool:
        found = table.authority_of(municipality or "", day)
        return found is not None and found.code == authority

    sites = [site for site in filing.sites if own(site.municipality) and site.affected != 0]
    is_counted = bool(sites) and all(site.affected is not None for site in sites)
    return (
        filing.kind,
        own(filing.employer.domicile),
        _sorted(sites),
        _sorted(part for part in filing.residences if own(part.municipality) and part.count != 0),
        _sorted(part for part in filing.terminations if not part.municipality or own(part.municipality)),
        () if is_counted else _sorted(filing.measures),
    )


def _sorted(parts: Iterable[Part]) -> tuple[str, ...]:
    return tuple(sorted(part.model_dump_json(exclude_none=True) for part in parts))


def _places(filing: Filing) -> Iterable[Reason]:
    if filing.employer.domicile:
        yield Reason(kind=ReasonKind.DOMICILE, municipality=filing.employer.domicile)
    workplaces = [site.municipality for site in filing.sites if site.affected != 0]
    workplaces += [part.municipality for part in filing.terminations if part.municipality and part.count != 0]
    for code in dict.fromkeys(workplaces):
        yield Reason(kind=ReasonKind.WORKPLACE, municipality=code)
    for residence in filing.residences:
        if residence.count != 0:
            yield Reason(kind=ReasonKind.RESIDENCE, municipality=residence.municipality)
