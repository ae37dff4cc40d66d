"""The conformance kit notices consumers that are broken on purpose: each costs the quarter of a minute."""

import pytest

from deploy.conformance.kit import Kit
from deploy.local.client import Callers, has_read_everything, wait_for
from deploy.local.stack import PARTIES, Stack

BROKEN = {
    "no_inbox": "a duplicate is confirmed stored once",
    "no_version_guard": "an older version that comes late changes nothing",
    "drops_poison": "a poison record is parked",
    "stops_at_poison": "another key goes on behind all that",
    "no_receipts": "an initial notice is confirmed stored",
    "overtakes": "a later record of a poisoned key waits behind it",
}


def kit(stack: Stack, patience: float) -> Kit:
    token = stack.issuer.officer("vantaa", "officer", "operator")
    return Kit(stack.client(PARTIES.conformance), stack.url("change_security", "vantaa"), "vantaa", token, patience)


def replace(stack: Stack, module: str) -> None:
    """Run another module instead of Vantaa's consumer."""
    stack.child("change_security", "vantaa").stop()
    stack.modules["change_security", "vantaa"] = module
    stack.start_process("change_security", "vantaa")
    stack.wait_ready("change_security", "vantaa")


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_consumer_is_noticed(small: Stack, name: str) -> None:
    replace(small, f"faults.mutants.{name}")
    findings = {one.what: one.holds for one in kit(small, 4).run()}
    assert findings[BROKEN[name]] is False, findings


def test_ours_conforms_again_after_all_that(small: Stack) -> None:
    replace(small, "services.change_security")
    operator = Callers(small, "change_security").city_operator["vantaa"]
    wait_for(lambda: has_read_everything(operator), "what the broken ones left")
    findings = kit(small, 20).run()
    assert [one.what for one in findings if not one.holds] == []
