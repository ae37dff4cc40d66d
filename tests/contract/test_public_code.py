"""The repository is public code: a licence for every file, and a description that others find it by."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
PUBLICCODE: dict[str, Any] = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

STANDARD = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        *("publiccodeYmlVersion", "name", "url", "platforms", "developmentStatus", "softwareType", "description"),
        *("legal", "maintenance", "localisation"),
    ],
    "properties": {
        "publiccodeYmlVersion": {"const": "0.4"},
        "name": {"type": "string"},
        "url": {"type": "string", "pattern": "^https://"},
        "softwareVersion": {"type": "string"},
        "releaseDate": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "platforms": {"type": "array", "minItems": 1, "items": {"enum": ["web", "windows", "mac", "linux"]}},
        "categories": {"type": "array", "minItems": 1},
        "developmentStatus": {"enum": ["concept", "development", "beta", "stable", "obsolete"]},
        "softwareType": {
            "enum": [
                *("standalone/mobile", "standalone/iot", "standalone/desktop", "standalone/web", "standalone/backend"),
                *("standalone/other", "addon", "library", "configurationFiles"),
            ]
        },
        "intendedAudience": {"type": "object"},
        "description": {
            "type": "object",
            "minProperties": 1,
            "patternProperties": {
                "^[a-z]{2}$": {
                    "type": "object",
                    "required": ["shortDescription", "longDescription", "features"],
                    "properties": {
                        "genericName": {"type": "string", "maxLength": 35},
                        "shortDescription": {"type": "string", "maxLength": 150},
                        "longDescription": {"type": "string", "minLength": 150, "maxLength": 10_000},
                        "features": {"type": "array", "minItems": 1, "items": {"maxLength": 100}},
                    },
                }
            },
        },
        "legal": {"type": "object", "required": ["license"]},
        "maintenance": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": ["internal", "contract", "community", "none"]}},
        },
        "localisation": {"type": "object", "required": ["localisationReady", "availableLanguages"]},
        "dependsOn": {"type": "object"},
    },
}
"""What publiccode.yml 0.4 asks for: https://yml.publiccode.tools/schema.core.html."""


def test_every_file_has_a_licence() -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("reuse"), "lint", "--quiet"], cwd=ROOT, capture_output=True, check=False
    )
    assert found.returncode == 0, found.stdout.decode()


def test_the_licence_is_the_eupl_in_full() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text == (ROOT / "LICENSES/EUPL-1.2.txt").read_text(encoding="utf-8")
    assert "EUROPEAN UNION PUBLIC LICENCE v. 1.2" in text
    assert "15." in text
    assert "Appendix" in text
    assert PROJECT["license"] == PUBLICCODE["legal"]["license"] == "EUPL-1.2"


def test_publiccode_describes_this_software() -> None:
    jsonschema.validate(PUBLICCODE, STANDARD)
    for language in PUBLICCODE["localisation"]["availableLanguages"]:
        assert f'"{language}"' in (ROOT / "deploy/console/translations.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "value"),
    [("developmentStatus", "finished"), ("url", "somewhere"), ("legal", {}), ("platforms", []), ("unheardOf", 1)],
)
def test_what_publiccode_does_not_allow_is_noticed(key: str, value: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(PUBLICCODE | {key: value}, STANDARD)


def test_the_version_is_the_same_everywhere() -> None:
    version = PROJECT["version"]
    assert PUBLICCODE["softwareVersion"] == version
    assert f"## [{version}] - {PUBLICCODE['releaseDate']}" in CHANGELOG
    chart = yaml.safe_load((ROOT / "deploy/helm/office/Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == version
