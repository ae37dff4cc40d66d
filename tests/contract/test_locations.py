"""What a POST makes can be read where its `Location` says."""

import json
import re
from pathlib import Path

import pytest

from deploy.openapi import FOLDER
from tests.support.needs import ROOT

SAID = [
    (path, found)
    for path in sorted((ROOT / "services").rglob("*.py"))
    for found in re.findall(r'headers\["Location"\] = f"([^"]+)"', path.read_text(encoding="utf-8"))
]


def readable(service: str, side: str) -> set[str]:
    """The paths that can be read, without the names of their parameters."""
    document = json.loads((FOLDER / f"{service.replace('_', '-')}-{side}.json").read_text(encoding="utf-8"))
    return {re.sub(r"{[^}]*}", "{}", path) for path, methods in document["paths"].items() if "get" in methods}


def test_there_are_locations() -> None:
    assert len(SAID) > 30


@pytest.mark.parametrize(("path", "location"), SAID, ids=lambda value: value.stem if isinstance(value, Path) else value)
def test_every_location_can_be_read(path: Path, location: str) -> None:
    service, side = path.relative_to(ROOT / "services").parts[:2]
    assert re.sub(r"{[^}]*}", "{}", location) in readable(service, side)
