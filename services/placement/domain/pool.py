"""A city's own jobseekers: reading them in with a report, and inventing some for demonstrations and benchmarks."""

import csv
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

_LIST_SEPARATOR: Final = ";"


class Jobseeker(BaseModel):
    """A jobseeker's profile in the pool of the own city. Name, phone and e-mail never leave it in a message."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    jobseeker_id: str = Field(min_length=1, max_length=100)
    name: str = Field(min_length=1, max_length=200)
    phone: str | None = Field(default=None, max_length=50)
    email: str | None = Field(default=None, max_length=200)
    municipality: str = Field(pattern=r"^\d{3}$")
    occupations: tuple[str, ...] = Field(min_length=1, max_length=10)
    skills: tuple[str, ...] = Field(default=(), max_length=100)
    languages: tuple[str, ...] = Field(default=(), max_length=10)
    commuting: tuple[str, ...] = Field(default=(), max_length=30)
    available_from: date | None = None

    @field_validator("occupations")
    @classmethod
    def _isco(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        if not all(code.isdigit() and len(code) == 4 for code in codes):  # noqa: PLR2004 - ISCO-08's unit groups
            message = "occupations are ISCO-08 unit groups of four digits"
            raise ValueError(message)
        return codes


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
            found = Jobseeker.model_validate(row)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            told = "; ".join(f"{'/'.join(map(str, one['loc']))}: {one['type']}" for one in problems)
            report.refused.append((number, told))
            continue
        report.taken += 1
        yield found


def _csv_rows(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(lines)
    for row in reader:
        told: dict[str, Any] = {name: value for name, value in row.items() if name and value not in (None, "")}
        for name in ("occupations", "skills", "languages", "commuting"):
            if name in told:
                told[name] = [part.strip() for part in told[name].split(_LIST_SEPARATOR) if part.strip()]
        yield reader.line_num, told


def _json_rows(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        yield number, row if isinstance(row, dict) else None


_FIRST: Final = (
    "Aino",
    "Eero",
    "Fatima",
    "Hanna",
    "Ilkka",
    "Johan",
    "Karin",
    "Liisa",
    "Mikael",
    "Noora",
    "Oskar",
    "Pekka",
)
_LAST: Final = ("Esimerkki", "Koekoski", "Mallinen", "Provberg", "Testström", "Näytelä", "Kuviola", "Demonen")
_LANGUAGES: Final = ("fi", "fi", "fi", "fi", "sv", "en", "en", "ru", "et", "so", "ar")
_REGION: Final = ("091", "049", "092", "235")


def invent(
    count: int, city: str, municipalities: Sequence[str], occupations: Sequence[tuple[str, int]], seed: int, today: date
) -> Iterator[Jobseeker]:
    """Invent profiles, the same for the same seed. `occupations`: ISCO-08 code and weight."""
    chance = random.Random(f"{seed}/{city}")  # noqa: S311 - invented people, no secret
    codes = [code for code, _ in occupations]
    weights = [weight for _, weight in occupations]
    for number in range(count):
        home = chance.choice(municipalities)
        main = chance.choices(codes, weights, k=1 if chance.random() < 0.7 else 2)  # noqa: PLR2004
        commuting = {home, *chance.sample(_REGION, chance.randint(0, 3))}
        skills = {f"{code}-{chance.randint(1, 9)}" for code in main for _ in range(chance.randint(1, 4))}
        yield Jobseeker(
            jobseeker_id=f"{city}-{number:06d}",
            name=f"{chance.choice(_FIRST)} {chance.choice(_LAST)}",
            phone=f"+358 40 {chance.randint(0, 9_999_999):07d}",
            email=f"{city}-{number:06d}@example.org",
            municipality=home,
            occupations=tuple(dict.fromkeys(main)),
            skills=tuple(sorted(skills)),
            languages=tuple(sorted({"fi" if chance.random() < 0.8 else "en", chance.choice(_LANGUAGES)})),  # noqa: PLR2004
            commuting=tuple(sorted(commuting)),
            available_from=today + timedelta(days=chance.choice((0, 0, 0, 7, 14, 30, 60, 120))),
        )
