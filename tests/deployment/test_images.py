"""The images as they are deployed: small, closed, the same each time, and able to do the work."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from deploy.images import IMAGES, Image, build, version
from deploy.local.client import Callers, wait_for
from deploy.local.processes import answers, free_port
from deploy.local.stack import CITIES, JOINT, OFFICES, SERVICES, Stack
from tests.support import needs
from tests.support.matters import Matters

CITY_LIMIT = 220 * 1_000_000
PROCESSES = [Image(service, side) for service in SERVICES for side in ("joint", "authority")]


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    needs.images(image.tag for image in IMAGES)
    client = docker.from_env()
    yield client
    client.close()


def details(engine: docker.DockerClient, image: Image) -> dict[str, Any]:
    found: dict[str, Any] = engine.images.get(image.tag).attrs
    return found


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_an_image_is_small_labelled_watched_and_run_by_nobody_in_particular(
    engine: docker.DockerClient, image: Image
) -> None:
    found = details(engine, image)
    if image.side != "joint":
        assert found["Size"] <= CITY_LIMIT, found["Size"]
    assert found["Config"]["User"] == "10001:10001"
    assert found["Config"]["Healthcheck"]["Test"][0] == "CMD"
    labels = found["Config"]["Labels"]
    assert labels["org.opencontainers.image.licenses"] == "EUPL-1.2"
    assert labels["org.opencontainers.image.version"] == version()
    assert len(labels["org.opencontainers.image.revision"]) == 40
    assert labels["org.opencontainers.image.created"].startswith("20")


@pytest.mark.parametrize("image", PROCESSES, ids=lambda image: image.name)
def test_an_image_has_one_side_of_one_service_and_no_bytecode(engine: docker.DockerClient, image: Image) -> None:
    files = engine.containers.run(
        image.tag, ["find", "/app", "/venv", "-name", "*.py*"], remove=True, network_mode="none"
    )
    paths = files.decode().splitlines()
    services = {path.split("/")[3] for path in paths if path.startswith("/app/services/")} - {"__init__.py"}
    assert services == {image.service}
    sides = {path.split("/")[4] for path in paths if path.startswith(f"/app/services/{image.service}/")}
    assert sides & {"joint", "authority"} == {image.side}
    assert any("/ortools/" in path for path in paths) is (image.side == "joint")
    assert not [path for path in paths if path.endswith(".pyc")]


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_a_bill_of_materials_names_what_is_installed(image: Image) -> None:
    needs.images([image.tag])
    bill = json.loads(image.sbom.read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    listed = {(one["name"].lower().replace("_", "-").replace(".", "-"), one["version"]) for one in bill["components"]}
    lock = Path(f"deploy/requirements.{image.side}.lock").read_text(encoding="utf-8")
    lines = [line.split(" ")[0].split("==") for line in lock.splitlines() if "==" in line and line[0] not in " #"]
    locked = {(name.split("[")[0].replace(".", "-"), found) for name, found in lines}
    assert len(locked) > 50
    assert locked <= listed


def test_the_same_commit_makes_the_same_layers(engine: docker.DockerClient) -> None:
    image = Image("change_security", "authority")
    build(image, ["--quiet", "--network=host"])
    before = details(engine, image)["RootFS"]["Layers"]
    build(image, ["--quiet", "--no-cache", "--network=host"])
    assert details(engine, image)["RootFS"]["Layers"] == before


@pytest.fixture(scope="module")
def servers(engine: docker.DockerClient) -> Iterator[Stack]:
    """Kafka, the databases and the issuer, without any process of ours."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("STACK", "containers")
        with Stack(services=(), with_zipkin=False, short_lived=True) as running:
            yield running


class Containers:
    """Processes of the suite in their images, as closed as they are deployed."""

    def __init__(self, engine: docker.DockerClient, servers: Stack) -> None:
        self._engine = engine
        self._servers = servers
        self._made: dict[str, Container] = {}

    def start(self, service: str, office: str) -> None:
        port = free_port()
        kept = ("PATH", "PYTHONPATH")
        env = {name: value for name, value in self._servers.environment(office).items() if name not in kept}
        self._servers._urls[service, office] = f"http://127.0.0.1:{port}"
        self._made[self._servers.url(service, office)] = self._engine.containers.run(
            Image(service, "joint" if office == JOINT else "authority").tag,
            detach=True,
            network_mode="host",
            read_only=True,
            tmpfs={"/tmp": "size=64m"},  # noqa: S108 - the container's own
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            environment=env | {"HTTP_PORT": str(port), "HTTP_HOST": "127.0.0.1"},
        )

    def wait(self) -> None:
        for url, container in self._made.items():

            def ready(url: str = url, container: Container = container) -> bool:
                container.reload()
                assert container.status == "running", container.logs(tail=20).decode()
                return answers(f"{url}/readyz")

            wait_for(ready, f"{url} ready", 120)

    def stop(self) -> None:
        for container in self._made.values():
            container.remove(force=True)
        self._made.clear()

    @property
    def healthy(self) -> bool:
        for container in self._made.values():
            container.reload()
        return all(one.attrs["State"]["Health"]["Status"] == "healthy" for one in self._made.values())


@pytest.fixture
def containers(engine: docker.DockerClient, servers: Stack) -> Iterator[Containers]:
    made = Containers(engine, servers)
    yield made
    made.stop()


@pytest.mark.parametrize("service", [service for service in SERVICES if service != "change_security"])
def test_an_image_becomes_ready_and_healthy_with_nothing_to_write_to(containers: Containers, service: str) -> None:
    for office in (JOINT, CITIES[0]):
        containers.start(service, office)
    containers.wait()
    assert wait_for(lambda: containers.healthy, "healthy", 30)


def test_a_notice_is_filed_through_the_images_and_stored_in_three_cities(
    containers: Containers, servers: Stack
) -> None:
    for office in OFFICES:
        containers.start("change_security", office)
    containers.wait()
    matters = Matters(Callers(servers, "change_security"), "images")
    ledger = matters.complete(matters.file()["notice_id"])
    assert len(ledger["entries"]) == 3
