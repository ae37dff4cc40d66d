"""One local stack for all tests that need the real thing: Kafka, PostgreSQL, Zipkin, and every office's process."""

import os
import warnings
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from deploy.local.client import Callers
from deploy.local.processes import free_port
from deploy.local.stack import SERVICES, Stack
from tests.support.matters import Matters
from tests.support.rig import Rig, make_rig


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a stack, so that the rest can be run alone."""
    for item in items:
        if {"stack", "small"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("stack")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole suite on this machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a child process's libraries warn of is not this test run's
        settings = {
            "SWEEP_SECONDS": "1",
            "LOG_LEVEL": "INFO",
            "HEARTBEAT_SECONDS": "2",
            "SMTP_PORT": str(free_port()),
            "SMTP_INTAKE_PORT": str(free_port()),
            "PUBLIC_URL": "https://muutosturva.example",
            "ACKNOWLEDGE_HOURS": str(4 / 3600),
            "RECEIVING_SYSTEMS": '{"/systems/vantaa-portal": "vantaa"}',
        }
        names = os.environ.get("STACK_SERVICES")
        services = SERVICES if names is None else tuple(filter(None, names.split(",")))
        with Stack(settings=settings, services=services, short_lived=True) as running:
            yield running


@pytest.fixture(scope="session")
def small() -> Iterator[Stack]:
    """A stack of change security alone for what would disturb everyone else: broken consumers, cut networks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Stack(
            services=("change_security",),
            with_zipkin=False,
            linked=True,
            short_lived=True,
            settings={"MAX_ATTEMPTS": "2", "DATABASE_TIMEOUT_SECONDS": "2"},
        ) as running:
            yield running


@pytest.fixture
async def rig(stack: Stack, request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    """A consumer of test events with its own schema and topics."""
    made = await make_rig(stack.kafka.bootstrap, stack.databases["helsinki"].url, request.node.originalname)
    yield made
    await made.engine.dispose()


@pytest.fixture(scope="session")
def callers(stack: Stack) -> Callers:
    """Everyone who calls change security."""
    return Callers(stack, "change_security")


@pytest.fixture
def matters(callers: Callers) -> Matters:
    """What a test does with notices."""
    return Matters(callers, uuid4().hex)
