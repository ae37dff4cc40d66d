"""Callers of the running advisory offices, officers who advise, and a joint office of which commands are called."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.client import Callers, wait_for
from deploy.local.stack import CITIES, Stack
from tests.support.advisory import Advisory
from tests.support.advisory_office import Office, made_office


@pytest.fixture(scope="session")
def advisory_callers(stack: Stack) -> Callers:
    """Everyone who calls advisory, with forty officers in each city, so that no test waits for another."""
    callers = Callers(stack, "advisory")
    advisory = Advisory(stack, callers)
    for city in CITIES:
        for number in range(40):
            advisory.list_adviser(city, f"{city}-{number:02}")

    def listed() -> bool:
        contact_id = advisory.bring(business_id=None)["contact_id"]
        return bool(advisory.at_joint(contact_id)["officer"])

    wait_for(listed, "the officers at the joint office", 60)
    return callers


@pytest.fixture
def advisory(stack: Stack, advisory_callers: Callers) -> Advisory:
    """What a test does with contacts."""
    return Advisory(stack, advisory_callers)


@pytest.fixture
async def office(stack: Stack) -> AsyncIterator[Office]:
    """A joint office with nothing in it."""
    async with made_office(stack) as office:
        yield office
