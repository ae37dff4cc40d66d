"""Every command of the runbook, typed into a shell as an operator would."""

import asyncio
import re
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.client import Callers, wait_for
from deploy.local.stack import JOINT, Stack
from faults.workload import Sent, send
from tests.support.needs import program

RUNBOOK = (Path(__file__).parents[2] / "docs/runbook.md").read_text(encoding="utf-8")
BLOCKS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", RUNBOOK, re.MULTILINE | re.DOTALL)
    for line in block.replace("\\\n", "").splitlines()
]
COMMANDS = [*BLOCKS, *re.findall(r"`(curl [^`]+)`", RUNBOOK)]
TRIED_ELSEWHERE = {
    "python -m deploy.conformance": "tests/conformance/test_conformance.py",
    "python -m services.change_security import-authorities": "tests/integration/change_security/test_notices.py",
}


@pytest.fixture(scope="module")
def environment(stack: Stack) -> dict[str, str]:
    """What the runbook tells to put into the shell, with a parked record's id."""
    path = f"{Path(program('curl')).parent}:/usr/bin:/bin"
    callers = Callers(stack, "change_security")
    key = str(uuid4())
    poison = Sent.event("inbound.change-notices.v1", key, "change-security.notice-submitted.v1", key, b"{")
    before = {one["id"] for one in callers.operator.read("/v1/parked?state=parked&limit=200")["items"]}
    asyncio.run(send(stack.kafka.bootstrap, [poison]))

    def parked() -> set[str]:
        return {one["id"] for one in callers.operator.read("/v1/parked?state=parked&limit=200")["items"]} - before

    (parked_id,) = wait_for(parked, "the parked record")
    return {
        "PATH": path,
        "API": stack.url("change_security", JOINT),
        "TOKEN": stack.issuer.officer("helsinki", "operator"),
        "ID": parked_id,
    }


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("curl")])
def test_a_command_of_the_runbook_succeeds(command: str, environment: dict[str, str]) -> None:
    script = f'set -euo pipefail\ncurl() {{ command curl --fail-with-body "$@"; }}\n{command}\n'
    ran = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_other_command_of_the_runbook_is_tried_elsewhere() -> None:
    others = [one for one in COMMANDS if not one.startswith("curl")]
    assert len(COMMANDS) - len(others) > 10
    for command in others:
        (where,) = (file for what, file in TRIED_ELSEWHERE.items() if what in command)
        arguments = re.findall(r"import-authorities|deploy\.conformance|--[a-z-]+", command)
        text = (Path(__file__).parents[2] / where).read_text(encoding="utf-8")
        assert [one for one in arguments if one not in text] == []
