"""Invented jobseekers for demonstrations, tests and benchmarks."""

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from services.placement.domain.pool import Jobseeker

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
    rng = random.Random(f"{seed}/{city}")  # noqa: S311 - invented people, no secret
    codes = [code for code, _ in occupations]
    weights = [weight for _, weight in occupations]
    for number in range(count):
        home = rng.choice(municipalities)
        main = rng.choices(codes, weights, k=1 if rng.random() < 0.7 else 2)  # noqa: PLR2004
        commuting = {home, *rng.sample(_REGION, rng.randint(0, 3))}
        skills = {f"{code}-{rng.randint(1, 9)}" for code in main for _ in range(rng.randint(1, 4))}
        yield Jobseeker(
            jobseeker_id=f"{city}-{number:06d}",
            name=f"{rng.choice(_FIRST)} {rng.choice(_LAST)}",
            phone=f"+358 40 {rng.randint(0, 9_999_999):07d}",
            email=f"{city}-{number:06d}@example.org",
            municipality=home,
            occupations=tuple(dict.fromkeys(main)),
            skills=tuple(sorted(skills)),
            languages=tuple(sorted({"fi" if rng.random() < 0.8 else "en", rng.choice(_LANGUAGES)})),  # noqa: PLR2004
            commuting=tuple(sorted(commuting)),
            available_from=today + timedelta(days=rng.choice((0, 0, 0, 7, 14, 30, 60, 120))),
        )
