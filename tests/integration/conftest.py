"""Pools of invented jobseekers that carry a canary each, for every test that asks them."""

import asyncio
from datetime import date
from uuid import uuid4

import pytest

from deploy.local.stack import CITIES, Stack
from services.placement.settings import Settings
from shared.opaque import reference_of
from shared.process import writing
from tests.support.placement import canary

OCCUPATIONS = [("2512", 2), ("2513", 1), ("5120", 3), ("5131", 2), ("8219", 2)]


def settings_of(stack: Stack, office: str) -> Settings:
    """Return a city's settings."""
    return Settings(**{name.lower(): value for name, value in stack.environment(office).items()})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def pools(stack: Stack) -> None:
    """Fill each city's pool with 300 invented jobseekers whose contact data carries the city's canary."""
    from services.placement.app import PLACEMENT, pool_key_of  # noqa: PLC0415
    from services.placement.domain.pool import Jobseeker, invent  # noqa: PLC0415
    from services.placement.store import Pool  # noqa: PLC0415

    async def fill(city: str) -> None:
        settings = settings_of(stack, city)
        async with writing(PLACEMENT, settings) as database, database.transaction(uuid4()) as tx:
            for one in invent(300, city, ["092"], OCCUPATIONS, 1, date(2026, 11, 24)):
                marked = one.model_dump() | {
                    "name": f"{one.name} {canary(city)}",
                    "email": f"{canary(city)}@example.org",
                    "phone": f"+358 {canary(city)}",
                }
                Pool(tx).put(Jobseeker(**marked), reference_of(pool_key_of(settings), one.jobseeker_id))

    for city in CITIES:
        asyncio.run(fill(city))
