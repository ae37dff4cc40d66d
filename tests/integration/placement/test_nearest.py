"""The score in SQL is the score of the pure function: the same candidates, in the same order, with the same count."""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from uuid import uuid4

import pytest

from deploy.local.stack import Stack
from services.placement.app import PLACEMENT
from services.placement.authority.store import Pool
from services.placement.domain.matching import Profile, Scorer, rank
from services.placement.domain.pool import Jobseeker
from services.placement.settings import Settings
from shared.events.v1.change_security import Occupation
from shared.events.v1.placement import Wanted
from shared.messaging.transaction import Database
from shared.process import Service, writing
from tests.support.settings import settings_of

TODAY = date(2026, 11, 24)
CODES = ["5120", "5131", "5311", "5321", "2512"]
SKILLS = ["Python", "python", "ÅÄÖ", "paisto", "5120-1", "quote's; --"]


def jobseeker(number: int, chance: random.Random) -> Jobseeker:
    return Jobseeker(
        jobseeker_id=str(number),
        name="Aino Esimerkki",
        municipality="092",
        occupations=tuple(chance.sample(CODES, chance.randint(1, 3))),
        skills=tuple(chance.sample(SKILLS, chance.randint(0, 4))),
        languages=tuple(chance.choices(["fi", "sv", "en"], k=chance.randint(0, 3))),
        commuting=tuple(chance.sample(["091", "092", "049"], chance.randint(0, 2))),
        available_from=chance.choice([None, TODAY + timedelta(days=chance.randint(-10, 90))]),
    )


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    """A pool of its own, with 300 jobseekers."""
    service = Service(PLACEMENT.name, f"placement_{uuid4().hex[:8]}", PLACEMENT.migrations)
    async with writing(service, settings_of(Settings, stack, "vantaa")) as opened:
        chance = random.Random(1)
        async with opened.transaction(uuid4()) as tx:
            for number in range(300):
                # References as any city's key could give them: their order is that of their letters.
                Pool(tx).put(jobseeker(number, chance), chance.choice("aBz-_0") + str(number))
        yield opened


async def test_the_database_scores_as_the_pure_function_does(database: Database) -> None:
    chance = random.Random(2)
    async with database.read() as tx:
        everyone = [profile for number in range(300) if (profile := await Pool(tx).profile(str(number)))]
        for _ in range(100):
            wanted = Wanted(
                occupation=Occupation(scheme="ISCO-08", code=chance.choice([*CODES, "512", "51", "53", "9621"])),
                skills=tuple(chance.sample(SKILLS, chance.randint(0, 4))),
                languages=tuple(chance.sample(["fi", "sv", "en"], chance.randint(0, 3))),
                municipality=chance.choice(["091", "092"]),
                municipalities=chance.choice([None, ("049",)]),
                starts_on=chance.choice([None, TODAY + timedelta(days=7)]),
            )
            scorer, at_most = Scorer(wanted, TODAY), chance.choice([1, 7, 300])
            nearest = await Pool(tx).nearest(scorer, at_most)
            near = [profile for profile in everyone if scorer.points(profile)[0]]
            assert nearest.considered == len(near)
            assert found(nearest.profiles, wanted, at_most) == found(everyone, wanted, at_most)


def found(profiles: Sequence[Profile], wanted: Wanted, at_most: int) -> list[tuple[str, int]]:
    best, _ = rank(profiles, wanted, TODAY, at_most)
    return [(match.profile.reference, match.score) for match in best]
