"""The compose file and the images, checked as far as they can be without a Docker engine."""

import re
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from deploy.local.stack import OFFICES, SERVICES
from services.change_security.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)


def test_the_compose_file_fits_the_compose_specification() -> None:
    merged = compose_spec.PyCompose.from_yaml(yaml.safe_dump(COMPOSE))  # with its `<<` merged
    merged.validate()
    assert len(merged.service_names()) == len(COMPOSE["services"])


def test_a_compose_file_that_does_not_fit_is_noticed() -> None:
    with pytest.raises(ValueError, match="restart"):
        compose_spec.PyCompose.from_yaml(TEXT.replace("restart: unless-stopped", "restart: sometimes"))


def test_every_service_runs_for_every_office_with_its_own_database() -> None:
    for service in SERVICES:
        for office in OFFICES:
            process = COMPOSE["services"][f"{service.replace('_', '-')}-{office}"]
            assert process["build"]["args"]["SERVICE"] == service
            assert process["environment"]["DATABASE_URL"].endswith(f"@postgres-{office}/postgres")
            assert process["depends_on"]["topics"] == {"condition": "service_completed_successfully"}
            assert set(process["depends_on"]) == {"topics", f"postgres-{office}"}


def test_no_secret_has_a_default() -> None:
    for name in re.findall(r"\$\{(\w+)", TEXT):
        assert re.search(r"\$\{" + name + r":\?", TEXT), name
        assert not re.search(r"\$\{" + name + r":?-", TEXT)
        assert f"{name}=\n" in (ROOT / "deploy/compose.env.example").read_text(encoding="utf-8")
    for office in OFFICES:
        assert "PASSWORD" not in (ROOT / f"deploy/offices/{office}.env").read_text(encoding="utf-8")


def test_every_long_running_container_has_a_health_check() -> None:
    dockerfile = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
    assert "HEALTHCHECK" in dockerfile
    for name, container in COMPOSE["services"].items():
        built_here = "build" in container
        assert built_here or "healthcheck" in container or name == "collector", name


def test_the_office_files_and_the_compose_environment_make_whole_settings() -> None:
    for office in OFFICES:
        process = COMPOSE["services"][f"change-security-{office}"]
        lines = (ROOT / process["env_file"][0]).read_text(encoding="utf-8").splitlines()
        file = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        environment = {name.lower(): value for name, value in (file | process["environment"]).items()}
        settings = Settings(**environment)
        assert settings.office == office
        assert settings.is_joint is (office == "pks")


def test_an_image_holds_shared_code_and_one_service() -> None:
    copied = re.findall(
        r"^COPY (?!--from)(\S+)", (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [source for source in copied if source.startswith("services")] == [
        "services/__init__.py",
        "services/${SERVICE}",
    ]
    assert "shared" in copied


def test_the_kubernetes_example_sets_what_the_process_reads_and_probes_what_it_answers() -> None:
    text = (ROOT / "deploy/kubernetes/change-security-vantaa.yaml").read_text(encoding="utf-8")
    config, deployment, _ = yaml.safe_load_all(text)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    secrets = {one["name"]: "postgresql://nowhere" for one in container["env"]}
    settings = Settings(**{name.lower(): value for name, value in (config["data"] | secrets).items()})
    assert settings.office == "vantaa"
    paths = {container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("liveness", "readiness", "startup")}
    health = (ROOT / "shared/health.py").read_text(encoding="utf-8")
    assert all(f'"{path}"' in health for path in paths)
    assert "password" not in text.lower()
