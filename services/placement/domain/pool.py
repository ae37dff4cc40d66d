"""A city's own jobseekers: their profiles, and reading them in with a report."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from services.placement.domain.occupation import group_in, is_uri
from shared.errors import RefusedError

_LIST_SEPARATOR: Final = ";"


def _unit_groups(codes: tuple[str, ...]) -> tuple[str, ...]:
    groups = tuple(code if _by_classification(code) else group_in(code) for code in codes)
    if not all(is_uri(group) or len(group) == 4 for group in groups):  # noqa: PLR2004
        raise PydanticCustomError("not-isco-08", "occupations are ISCO-08 unit groups of four digits, or URIs")
    return tuple(dict.fromkeys(groups))


def _by_classification(code: str) -> bool:
    return is_uri(code) and not group_in(code)


def concept_uris(profiles: Iterable["PersonalProfile"]) -> set[str]:
    """Return the URIs of single occupations, whose groups the classification says."""
    return {code for profile in profiles for code in profile.occupations if is_uri(code)}


def classified(jobseeker: "Jobseeker", groups: Mapping[str, str]) -> "Jobseeker":
    """Return a profile with ISCO-08 unit groups in the place of URIs.

    Raises:
        RefusedError: a URI is not in the classification.
    """
    codes = [groups.get(code, "") if is_uri(code) else code for code in jobseeker.occupations]
    if not all(len(code) == 4 for code in codes):  # noqa: PLR2004
        raise RefusedError("/occupations", "unknown-occupation", "An occupation is not in the imported classification.")
    return jobseeker.model_copy(update={"occupations": tuple(dict.fromkeys(codes))})


class PersonalProfile(BaseModel):
    """What a city knows of a jobseeker. Name, phone and e-mail never leave it in a message."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(min_length=1, max_length=200)
    phone: str | None = Field(default=None, max_length=50)
    email: str | None = Field(default=None, max_length=200)
    municipality: str = Field(pattern=r"^\d{3}$")
    occupations: Annotated[tuple[str, ...], AfterValidator(_unit_groups)] = Field(min_length=1, max_length=10)
    skills: tuple[str, ...] = Field(default=(), max_length=100)
    languages: tuple[str, ...] = Field(default=(), max_length=10)
    commuting: tuple[str, ...] = Field(default=(), max_length=30)
    available_from: date | None = None


@dataclass(frozen=True, slots=True)
class PoolFilter:
    """Which jobseekers are asked for. `occupation`: two to four digits of ISCO-08."""

    occupation: str | None = None
    language: str | None = None
    municipality: str | None = None
    available_by: date | None = None
    active: bool | None = None


class Jobseeker(PersonalProfile):
    """A jobseeker's profile in the pool of the own city, under the city's own id."""

    jobseeker_id: str = Field(min_length=1, max_length=100)


@dataclass
class Report:
    """What an import did: rows taken, and for each refused one its line and what is wrong, without its values."""

    taken: int = 0
    removed: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def read(lines: Iterable[str], kind: str, report: Report) -> Iterator[Jobseeker | str]:
    """Read profiles from CSV or JSON lines; a removal (`removed` true) is returned as the jobseeker's id.

    Lists stand in CSV with `;` between their values. A row that is not valid is passed over and reported.
    """
    rows = _csv_rows(lines) if kind == "csv" else _json_rows(lines)
    for number, row in rows:
        if row is None:
            report.refused.append((number, "not a JSON object"))
            continue
        if str(row.get("removed", "")).lower() in {"true", "1", "yes"} and row.get("jobseeker_id"):
            report.removed += 1
            yield str(row["jobseeker_id"])
            continue
        try:
            jobseeker = Jobseeker.model_validate(row)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            why = "; ".join(f"{'/'.join(map(str, problem['loc']))}: {problem['type']}" for problem in problems)
            report.refused.append((number, why))
            continue
        report.taken += 1
        yield jobseeker


def _csv_rows(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(lines)
    for row in reader:
        values: dict[str, Any] = {name: value for name, value in row.items() if name and value not in (None, "")}
        for name in ("occupations", "skills", "languages", "commuting"):
            if name in values:
                values[name] = [part.strip() for part in values[name].split(_LIST_SEPARATOR) if part.strip()]
        yield reader.line_num, values


def _json_rows(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        yield number, row if isinstance(row, dict) else None
