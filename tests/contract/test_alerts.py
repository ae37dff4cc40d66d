"""Alert rules: tried by promtool, written about in the runbook, and about metrics that exist."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.needs import program

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "deploy/alerts/rules.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]


def test_the_rules_fire_when_they_should_and_only_then() -> None:
    command = [program("promtool"), "test", "rules", "tests.yml"]
    ran = subprocess.run(command, cwd=ROOT / "deploy/alerts", capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("name", [rule["alert"] for rule in RULES])
def test_every_alert_is_tried_and_has_an_entry_in_the_runbook(name: str) -> None:
    assert f"alertname: {name}" in (ROOT / "deploy/alerts/tests.yml").read_text(encoding="utf-8")
    assert f"### {name}\n" in (ROOT / "docs/runbook.md").read_text(encoding="utf-8")


def test_every_metric_in_a_rule_is_declared() -> None:
    places = [ROOT / "shared/instruments.py", *(ROOT / "services").glob("*/instruments.py")]
    declared = "".join(place.read_text(encoding="utf-8") for place in places)
    for rule in RULES:
        for name in re.findall(r"\b(?:messaging|ledger|http)_[a-z_]+", rule["expr"]):
            assert f'"{name}"' in declared, name
