"""Callers of the running offices."""

from uuid import uuid4

import pytest

from deploy.local.client import Callers
from deploy.local.stack import Stack
from tests.support.matters import Matters


@pytest.fixture(scope="session")
def callers(stack: Stack) -> Callers:
    """Everyone who calls change security."""
    return Callers(stack, "change_security")


@pytest.fixture
def matters(callers: Callers) -> Matters:
    """What a test does with notices."""
    return Matters(callers, uuid4().hex)
