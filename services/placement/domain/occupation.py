"""Which group of ISCO-08 an occupation lies in.

A code says it itself: ISCO-08 is a tree (2512 lies in 251, 25 and 2), an ESCO code begins with its group (2512.4), and
the URI of a group ends with it (http://data.europa.eu/esco/isco/C2512). The URI of a single occupation, ESCO's or the
national FINESCO's, says nothing: its group stands in the classification that was imported.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from shared.errors import RefusedError
from shared.events.v1.change_security import Occupation

LEAST_DIGITS: Final = 2
"""A major group alone is too broad to look for anybody by."""
_MOST_DIGITS: Final = 4
_SCHEMES: Final = {"ISCO-08", "ISCO08", "ESCO", "FINESCO"}
_GROUP_URI: Final = re.compile(r"https?://data\.europa\.eu/esco/isco/[Cc](\d{1,4})$")
_CODE: Final = re.compile(r"[Cc]?(\d+)(\.\d+)*$", re.ASCII)
_URI: Final = re.compile(r"https?://\S+$")
_SUB_MAJOR: Final = {
    "0": "123", "1": "1234", "2": "123456", "3": "12345", "4": "1234",
    "5": "1234", "6": "123", "7": "12345", "8": "123", "9": "123456",
}  # fmt: skip
"""The second digits of each major group: the 43 sub-major groups of ISCO-08 (International Labour Organization)."""


@dataclass(frozen=True, slots=True)
class Concept:
    """A single occupation of a classification, and the ISCO-08 group it lies in."""

    uri: str
    isco: str
    label: str | None


def is_uri(code: str) -> bool:
    """Whether a code is a URI."""
    return _URI.match(code) is not None


def group_in(code: str) -> str:
    """Return the ISCO-08 group that a code or a group's URI says, at most four digits; empty when it says none."""
    found = _GROUP_URI.match(code) or _CODE.match(code)
    group = found[1][:_MOST_DIGITS] if found else ""
    return group if len(group) < LEAST_DIGITS or group[1] in _SUB_MAJOR[group[0]] else ""


def isco(occupation: Occupation) -> str:
    """Return the ISCO-08 group that an occupation's code says; empty when the scheme is another or it says none."""
    return group_in(occupation.code.strip()) if occupation.scheme.upper() in _SCHEMES else ""


def concept_uri(occupation: Occupation) -> str | None:
    """Return the URI by which an occupation must be looked up in the classification; None when its code says enough."""
    code = occupation.code.strip()
    known = occupation.scheme.upper() in _SCHEMES
    return code if known and is_uri(code) and not group_in(code) else None


def checked(occupation: Occupation, group: str, pointer: str) -> str:
    """Return the group of an occupation that can be looked for.

    Raises:
        RefusedError: the scheme is another, the occupation is not in the classification, or it is a major group.
    """
    if occupation.scheme.upper() not in _SCHEMES:
        text = "Occupations are given by ISCO-08, ESCO or FINESCO."
        raise RefusedError(f"{pointer}/scheme", "unknown-occupation-scheme", text)
    if not group:
        text = "The occupation is not in the classification. A URI must be in the one that was imported."
        raise RefusedError(f"{pointer}/code", "unknown-occupation", text)
    if len(group) < LEAST_DIGITS:
        raise RefusedError(f"{pointer}/code", "occupation-too-broad", "At least a sub-major group is needed: 2 digits.")
    return group


def concepts(lines: Iterable[str], refused: list[int]) -> Iterator[Concept]:
    """Read a classification's own CSV, as ESCO publishes it: `conceptUri`, `iscoGroup` (or `code`), `preferredLabel`.

    The numbers of lines that say no URI or no group of at least two digits are added to `refused`.
    """
    reader = csv.DictReader(lines)
    for row in reader:
        uri = (row.get("conceptUri") or "").strip()
        group = group_in((row.get("iscoGroup") or row.get("code") or "").strip())
        if is_uri(uri) and len(group) >= LEAST_DIGITS:
            yield Concept(uri, group, (row.get("preferredLabel") or "").strip() or None)
        else:
            refused.append(reader.line_num)
