"""The short form of `make faults`."""

from faults import change_security


def test_kills_of_processes_databases_and_broker_lose_nothing_and_double_nothing() -> None:
    verdict = change_security.run(notices=600, rounds=1, seed=2, tell=lambda _: None)
    assert verdict.wrong == {}
    assert verdict.counts["kills"] == 5
