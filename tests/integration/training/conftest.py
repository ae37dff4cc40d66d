"""Callers of the running training offices."""

import pytest

from deploy.local.client import Callers
from deploy.local.stack import Stack
from tests.support.training import Training


@pytest.fixture(scope="session")
def training_callers(stack: Stack) -> Callers:
    """Everyone who calls training."""
    return Callers(stack, "training")


@pytest.fixture
def training(stack: Stack, training_callers: Callers) -> Training:
    """What a test does with courses and applications."""
    return Training(stack, training_callers)
