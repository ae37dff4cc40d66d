"""Callers of the running placement offices."""

import pytest

from deploy.local.client import Callers
from deploy.local.stack import Stack
from tests.support.placement import Placement


@pytest.fixture(scope="session")
def placement(stack: Stack, pools: None) -> Placement:
    """What tests do with vacancies."""
    return Placement(stack, Callers(stack, "placement"))
