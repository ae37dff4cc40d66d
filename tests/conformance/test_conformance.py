"""The conformance kit passes ours; the example consumers run. What it notices is in tests/campaign."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.client import Callers, wait_for
from deploy.local.jvm import classpath, java
from deploy.local.stack import PARTIES, Stack
from tests.support.filings import termination_notice

ROOT = Path(__file__).parents[2]


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
