"""The published documents as a linter of the field sees them."""

import subprocess

from deploy import openapi
from tests.support import needs

DOCUMENTS = sorted(openapi.FOLDER.glob("*.json"))


def test_spectral_finds_nothing_in_the_documents() -> None:
    command = [needs.program("spectral"), "lint", "--ruleset", ".spectral.yaml", "--fail-severity", "warn"]
    found = subprocess.run(
        [*command, *map(str, DOCUMENTS)], cwd=needs.ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout
