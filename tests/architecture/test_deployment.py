"""The compose file and the images, checked as far as they can be without a Docker engine."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from deploy.console.settings import Settings as ConsoleSettings
from deploy.desk.settings import Settings as DeskSettings
from deploy.local.stack import OFFICES, SERVICES, principal_of

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
JOINT_LIBRARIES = ("ortools", "matplotlib", "fpdf", "jinja2")
"""What a city's image does not install."""


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
            (certificate,) = process["volumes"]
            assert certificate["volume"]["subpath"] == principal_of(service, office)
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


def lines_of(files: list[str]) -> list[str]:
    """The lines of env files, in order."""
    return [line for file in files for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("office", OFFICES)
def test_the_office_files_and_the_compose_environment_make_whole_settings(service: str, office: str) -> None:
    process = COMPOSE["services"][f"{service.replace('_', '-')}-{office}"]
    file = dict(line.split("=", 1) for line in lines_of(process["env_file"]) if line and not line.startswith("#"))
    environment = {name.lower(): value for name, value in (file | process["environment"]).items()}
    settings = import_module(f"services.{service}.settings").Settings(**environment)
    assert settings.office == office
    assert settings.is_joint is (office == "pks")


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_stands_in_an_env_file_or_in_the_compose_file(service: str) -> None:
    process = COMPOSE["services"][f"{service.replace('_', '-')}-vantaa"]
    shown = {line.removeprefix("# ").partition("=")[0] for line in lines_of(process["env_file"]) if "=" in line}
    known = {name.upper() for name in import_module(f"services.{service}.settings").Settings.model_fields}
    secret = {name for name in known if name.endswith(("_PASSWORD", "_URL"))} | {"POOL_KEY"}
    assert known - shown - process["environment"].keys() - secret == set()
    assert shown - known == set(), "nothing reads these"


@pytest.mark.parametrize(
    "name", [f"{service.replace('_', '-')}-{office}" for service in SERVICES for office in OFFICES]
)
def test_every_process_is_as_closed_as_in_the_chart_and_has_a_limit(name: str) -> None:
    process = COMPOSE["services"][name]
    assert process["read_only"] is True
    assert process["tmpfs"] == ["/tmp:size=128m"]  # noqa: S108 - the container's own
    assert process["cap_drop"] == ["ALL"]
    assert process["mem_limit"] == "512m"
    assert COMPOSE["services"][f"postgres-{name.rpartition('-')[2]}"]["mem_limit"] == "1g"


def stages() -> dict[str, str]:
    """The Dockerfile's stages by name."""
    text = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
    return dict(re.findall(r"^FROM \S+ AS ([\w-]+)\n(.*?)(?=^FROM|\Z)", text, re.MULTILINE | re.DOTALL))


def copied(stage: str) -> list[tuple[str, str]]:
    """What a stage copies from here, and to where."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", stages()[stage], re.MULTILINE)
    return [(source, words[-1]) for words in (line.split() for line in lines) for source in words[:-1]]


def fill(folder: Path, stage: str) -> None:
    """Copy into a folder what an image copies."""
    for source, target in copied(stage):
        if source == "services":
            continue  # the image takes one of them from there
        there = folder / target.removeprefix("/app/")
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, there)
        else:
            there = there / Path(source).name if target.endswith("/") else there
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, there)


def imports(module: str, folder: Path, without: tuple[str, ...] = ()) -> None:
    """Import a module from a folder alone, as if some libraries were not installed."""
    missing = "; ".join(f"sys.modules[{name!r}] = None" for name in without)
    subprocess.run(
        [sys.executable, "-c", f"import sys; {missing}\nimport {module}"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)},
        cwd=folder,
        check=True,
    )


def test_an_image_holds_shared_code_and_one_side_of_one_service() -> None:
    assert {source for source, _ in copied("source")} == {
        "shared",
        "services",
        "deploy/__init__.py",
        "deploy/topics.py",
    }
    assert 'then rm -r "/app/services/${SERVICE}/joint"' in stages()["source"]
    assert 'else rm -r "/app/services/${SERVICE}/authority"' in stages()["source"]
    assert [line for line in stages()["service"].splitlines() if line.startswith("COPY")] == [
        "COPY --from=source /out /"
    ]
    assert list(stages())[-1] == "service", "the last stage is built when none is named"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("side", ["joint", "authority"])
def test_a_sides_image_is_all_that_it_runs(service: str, side: str, tmp_path: Path) -> None:
    fill(tmp_path, "source")
    (tmp_path / "services").mkdir()
    (tmp_path / "services/__init__.py").touch()
    other = "joint" if side == "authority" else "authority"
    shutil.copytree(ROOT / "services" / service, tmp_path / "services" / service, ignore=shutil.ignore_patterns(other))
    without = JOINT_LIBRARIES if side == "authority" else ()
    imports(f"services.{service}.__main__, services.{service}.{side}.app", tmp_path, without)


def test_the_administrators_image_is_all_that_it_runs(tmp_path: Path) -> None:
    fill(tmp_path, "access-source")
    imports("deploy.access, deploy.certificates, deploy.topics", tmp_path, (*JOINT_LIBRARIES, "services", "httpx"))


def test_kafka_takes_nobody_without_a_certificate() -> None:
    environment = COMPOSE["services"]["kafka"]["environment"]
    assert "PLAINTEXT" not in " ".join(environment.values())
    assert environment["KAFKA_SSL_CLIENT_AUTH"] == "required"
    assert environment["KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND"] == "false"


def test_the_consoles_image_is_all_that_it_runs(tmp_path: Path) -> None:
    fill(tmp_path, "console-source")
    imports(
        "deploy.console.__main__, deploy.desk.__main__",
        tmp_path,
        tuple(name for name in JOINT_LIBRARIES if name != "jinja2"),
    )


def test_an_image_installs_what_runs_at_the_versions_that_are_tested() -> None:
    def versions(lock: str) -> dict[str, str]:
        found = re.findall(r"^([\w.\-\[\]]+)==([^ ;\\]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE)
        return dict(found)

    tested = versions("requirements.lock")
    assert "pytest" in tested
    for side in ("authority", "joint", "console"):
        installed = versions(f"deploy/requirements.{side}.lock")
        assert f"deploy/requirements.{side}.lock" in stages()["build"]
        assert installed.items() <= tested.items()
        assert "pytest" not in installed
        assert ("ortools" in installed) is (side == "joint")
    assert not {"matplotlib", "fpdf2", "jinja2"} & set(versions("deploy/requirements.authority.lock"))


def test_the_joint_office_alone_runs_the_joint_side() -> None:
    for service in SERVICES:
        for office in OFFICES:
            arguments = COMPOSE["services"][f"{service.replace('_', '-')}-{office}"]["build"]["args"]
            assert arguments["SIDE"] == ("joint" if office == "pks" else "authority")


@pytest.mark.parametrize("city", [office for office in OFFICES if office != "pks"])
def test_each_city_has_a_desk_that_knows_its_own_processes_alone(city: str) -> None:
    desk = COMPOSE["services"][f"desk-{city}"]
    environment = {
        name.lower(): re.sub(r"\$\{\w+:\?[^}]*\}", "https://somewhere.example", value)
        for name, value in desk["environment"].items()
    }
    settings = DeskSettings(
        desk_office=environment["desk_office"],
        desk_services=json.loads(environment["desk_services"]),
        desk_sign_in=json.loads(environment["desk_sign_in"]),
    )
    assert settings.desk_office == city
    for service, address in settings.desk_services.items():
        host = address.removeprefix("http://").removesuffix(":8080")
        assert host == f"{service.replace('_', '-')}-{city}"
        assert host in COMPOSE["services"]


def test_the_console_knows_every_process_of_the_compose_file() -> None:
    console = COMPOSE["services"]["console"]
    assert console["build"]["target"] == "console"
    settings = ConsoleSettings(
        console_offices=json.loads(console["environment"]["CONSOLE_OFFICES"]),
        console_zipkin=console["environment"]["CONSOLE_ZIPKIN"],
        console_sign_in=json.loads(
            re.sub(r"\$\{\w+:\?[^}]*\}", "https://somewhere.example", console["environment"]["CONSOLE_SIGN_IN"])
        ),
    )
    for service in SERVICES:
        for office in OFFICES:
            host = settings.console_offices[service][office].removeprefix("http://").removesuffix(":8080")
            assert COMPOSE["services"][host]["build"]["args"]["SERVICE"] == service
            assert host.endswith(office)
