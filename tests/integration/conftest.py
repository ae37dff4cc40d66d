"""Pools of invented jobseekers that carry a canary each, for every test that asks them."""

import asyncio
from datetime import date
from uuid import uuid4

import pytest

from deploy.local.stack import CITIES, Stack
from services.placement.app import PLACEMENT
from services.placement.authority.commands import CityPool
from services.placement.authority.invented import invent
from services.placement.domain.pool import Jobseeker
from services.placement.settings import Settings
from shared.process import writing
from tests.support.placement import canary
from tests.support.settings import settings_of

OCCUPATIONS = [("2512", 2), ("2513", 1), ("5120", 3), ("5131", 2), ("8219", 2)]


@pytest.fixture(scope="session")
def pools(stack: Stack) -> None:
    """Fill each city's pool with 300 invented jobseekers whose contact data carries the city's canary."""

    async def fill(city: str) -> None:
        settings = settings_of(Settings, stack, city)
        pool = CityPool(settings.reference_key)
        async with writing(PLACEMENT, settings) as database, database.transaction(uuid4()) as tx:
            for jobseeker in invent(300, city, ["092"], OCCUPATIONS, 1, date(2026, 11, 24)):
                marked = jobseeker.model_dump() | {
                    "name": f"{jobseeker.name} {canary(city)}",
                    "email": f"{canary(city)}@example.org",
                    "phone": f"+358 {canary(city)}",
                }
                await pool.put(tx, Jobseeker(**marked))

    for city in CITIES:
        asyncio.run(fill(city))
