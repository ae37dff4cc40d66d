"""The short form of `make faults`: a campaign over all four services. Its checker is tried there, by every mutant."""

from faults.campaign import MIX, Campaign, run


def test_kills_of_processes_databases_and_broker_freezes_and_cuts_lose_nothing_and_double_nothing() -> None:
    mix = dict.fromkeys(MIX, 1) | {"process kill": 3}
    verdict, done = run(Campaign(sum(mix.values()), count=30, seed=2, mix=mix, patience=120), tell=lambda _: None)
    assert verdict.wrong == {}
    assert len(verdict.counts) == 55
    assert done == mix
