"""The conformance kit passes ours and notices consumers that are broken on purpose; the example consumers run."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.conformance.kit import Kit
from deploy.local.client import Callers, has_read_everything, wait_for
from deploy.local.jvm import classpath, java
from deploy.local.stack import PARTIES, Stack
from tests.support.filings import termination_notice

ROOT = Path(__file__).parents[2]
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


def test_ours_conforms_by_the_command_line(small: Stack) -> None:
    command = [sys.executable, "-m", "deploy.conformance", "--office", "vantaa"]
    env = (
        small.environment("vantaa")
        | small.identities.environment(PARTIES.conformance)
        | {"CONFORMANCE_TOKEN": small.issuer.officer("vantaa", "officer", "operator")}
    )
    url = small.url("change_security", "vantaa")
    ran = subprocess.run([*command, "--api", url], env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("holds") == 13


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


@pytest.mark.parametrize("language", ["python", "java"])
def test_an_example_consumer_reads_the_receipts_of_what_its_system_filed(small: Stack, language: str) -> None:
    filing = termination_notice(40).model_dump(mode="json")
    callers = Callers(small, "change_security")
    notice_id = callers.system.send("/v1/notices", {"filing": filing})["notice_id"]
    wait_for(lambda: callers.coordinator.read(f"/v1/notices/{notice_id}/ledger")["complete"], "the receipts")
    folder = str(small.identities.certificate("portal.systems").ca.parent)
    told = [small.kafka.bootstrap, "receipts.change-notices.v1", "portal.systems", "1", folder]
    examples = ROOT / "deploy/examples"
    if language == "python":
        command = [sys.executable, str(examples / "consumer.py"), *told]
    else:
        command = [java(), "-cp", classpath("kafka"), str(examples / "Consumer.java"), *told]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("change-security.filing-accepted.v1 ")


def test_the_examples_are_short() -> None:
    for name in ("consumer.py", "Consumer.java"):
        lines = (ROOT / "deploy/examples" / name).read_text(encoding="utf-8").splitlines()
        assert len([line for line in lines if line.strip()]) <= 33
