"""The short form of `make faults`: a campaign over all four services, and some mutants of its checker."""

import pytest

from faults.campaign import MIX, Campaign, run
from faults.mutations import MUTANTS, attempt


def test_kills_of_processes_databases_and_broker_freezes_and_cuts_lose_nothing_and_double_nothing() -> None:
    mix = dict.fromkeys(MIX, 1) | {"process kill": 3}
    verdict, done = run(Campaign(sum(mix.values()), count=30, seed=2, mix=mix, patience=120), tell=lambda _: None)
    assert verdict.wrong == {}
    assert len(verdict.counts) == 55
    assert done == mix


@pytest.mark.parametrize(
    "module",
    ["faults.mutants.wrong_key", "faults.mutants.no_inbox"],
)
def test_the_checker_finds_a_mutant(module: str) -> None:
    """The others are tried by `make faults`; see RELIABILITY.md."""
    (mutant,) = (one for one in MUTANTS if one.module == module)
    assert attempt(mutant).found
