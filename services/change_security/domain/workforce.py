"""What a notice releases to the labour market: facts for the other services, with nothing of the employer in them.

Not one word that the employer writes is published: of an occupation the code alone, if it is one of a classification,
which has the label; of a municipality the three digits.
"""

import re
from typing import Final
from uuid import UUID

from shared.events.v1.change_security import (
    Filing,
    FilingKind,
    Occupation,
    Termination,
    WorkforceRelease,
    WorkforceReleased,
)

_MASKED = range(1, 5)
"""Counts that could identify a person."""

_CODES: Final = {
    "ISCO-08": re.compile(r"[0-9]{1,4}"),
    "ESCO": re.compile(r"[0-9]{4}(\.[0-9]{1,3}){0,6}|http://data\.europa\.eu/esco/occupation/[0-9a-f-]{36}"),
}
"""The forms of the codes, by classification."""

_MUNICIPALITY: Final = re.compile(r"[0-9]{3}")


def workforce_released(
    notice_id: UUID, version: int, filing: Filing, *, over: bool = False
) -> WorkforceReleased | None:
    """Return what to tell everyone about a notice of terminations; None when there is nothing to tell.

    A filing that is not public is not told; one that becomes so takes back what was told before, as a withdrawal
    (`over`) does.
    """
    if filing.kind is not FilingKind.TERMINATION_NOTICE or (filing.not_public and version == 1):
        return None
    nothing = over or filing.not_public
    releases = () if nothing else tuple(_release(termination) for termination in filing.terminations)
    return WorkforceReleased(notice_id=notice_id, version=version, releases=releases)


def _release(termination: Termination) -> WorkforceRelease:
    hide = termination.count in _MASKED
    return WorkforceRelease(
        occupation=_classified(termination.occupation),
        municipality=termination.municipality if _MUNICIPALITY.fullmatch(termination.municipality or "") else None,
        count=None if hide else termination.count,
        masked=hide,
        available_from=termination.ends_from,
        available_until=termination.ends_until,
    )


def _classified(occupation: Occupation | None) -> Occupation | None:
    """Return the scheme and code of an occupation; None when they are of no classification."""
    if occupation is None:
        return None
    scheme = occupation.scheme.upper()
    form = _CODES.get(scheme)
    return Occupation(scheme=scheme, code=occupation.code) if form and form.fullmatch(occupation.code) else None
