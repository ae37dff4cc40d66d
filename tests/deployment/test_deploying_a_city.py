"""A city that has the guide, the chart and nothing else gets as far as the guide says."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.images import version
from deploy.local.stack import OFFICES, ROOT, SERVICES
from tests.support import needs

GUIDE = (ROOT / "docs/deploying-a-city.md").read_text(encoding="utf-8")


def commands(containing: str) -> str:
    """The block of shell commands with this in it."""
    (found,) = [block for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL) if containing in block]
    return str(found)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the guide's last command would install, from a folder with the packed chart and the guide's values."""
    helm = needs.program("helm")
    folder = tmp_path_factory.mktemp("city")
    subprocess.run([helm, "package", str(ROOT / "deploy/helm/office")], cwd=folder, check=True, capture_output=True)
    (values,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    (folder / "values.yaml").write_text(values, encoding="utf-8")
    words = commands("helm upgrade").split()
    assert words[:3] == ["helm", "upgrade", "--install"]
    command = [helm, "template", *words[3:]]
    shown = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, env={})
    return [one for one in yaml.safe_load_all(shown.stdout) if one]


def test_the_guides_values_make_a_whole_and_valid_city(made: list[dict[str, Any]]) -> None:
    for one in made:
        kubernetes_validate.validate(one, "1.37", strict=True)
    names = {one["metadata"]["name"] for one in made if one["kind"] == "Deployment"}
    assert names == {f"{service.replace('_', '-')}-vantaa" for service in SERVICES}


def test_the_guides_images_and_secrets_are_those_that_the_chart_asks_for(made: list[dict[str, Any]]) -> None:
    pods = [one["spec"]["template"]["spec"] for one in made if one["kind"] in {"Deployment", "Job"}]
    tag = f"registry.vantaa.example/employment-services/$service-authority:{version()}"
    assert tag in commands("make images")
    assert {pod["containers"][0]["image"] for pod in pods} == {
        tag.replace("$service", service.replace("_", "-")) for service in SERVICES
    }
    needed = {
        (source["name"], source["key"])
        for pod in pods
        for variable in pod["containers"][0]["env"]
        if (source := variable["valueFrom"].get("secretKeyRef")) and not source["optional"]
    }
    keys = set(re.findall(r"--from-literal=([\w-]+)=", commands("create secret")))
    names = commands("create secret").partition("in ")[2].partition(";")[0].split()
    assert needed <= {(name, key) for name in names for key in keys}


def test_nothing_of_another_city_is_needed_or_shown(made: list[dict[str, Any]]) -> None:
    text = yaml.safe_dump_all(made).replace("helsinki,espoo,vantaa", "")
    assert [office for office in OFFICES if office not in {"vantaa", "pks"} and office in text] == []


def test_a_city_that_forgets_what_is_needed_is_told(tmp_path: Path) -> None:
    helm = needs.program("helm")
    (values,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    shutil.copytree(ROOT / "deploy/helm/office", tmp_path / "office")
    for missing in ("office: vantaa", "  KAFKA_BOOTSTRAP_SERVERS: kafka.example:9092"):
        (tmp_path / "values.yaml").write_text(values.replace(missing, ""), encoding="utf-8")
        command = [helm, "template", "city", "office", "--values", "values.yaml"]
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert found.returncode != 0
        assert missing.split(":")[0].strip() in found.stderr
