"""Everything that runs on one machine, started and stopped together."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy import access, topics
from deploy.local import kafka, zipkin
from deploy.local.containers import engine_answers, listening_host
from deploy.local.identities import Identities
from deploy.local.issuer import AUDIENCE, Issuer
from deploy.local.kafka import Kafka
from deploy.local.postgres import (
    SOCKET,
    ContainerPostgres,
    EmbeddedPostgres,
    GivenPostgres,
    Postgres,
    temporary_folder,
)
from deploy.local.processes import Child, StartError, answers, free_port, must_be_free
from deploy.local.tcp_proxy import Links
from deploy.local.zipkin import Zipkin
from shared.messaging.security import client_of
from shared.settings import KafkaSettings
from shared.topics import Role

JOINT = "pks"
CITIES = ("helsinki", "espoo", "vantaa")
OFFICES = (JOINT, *CITIES)
SERVICES = ("change_security", "placement", "training", "advisory")
SYSTEMS = {
    "portal": frozenset({Role.FILES_NOTICES, Role.BRINGS_CONTACTS}),
    "jobs": frozenset({Role.OFFERS_VACANCIES}),
    "vantaa-portal": frozenset({Role.FILES_NOTICES}),
    "stranger": frozenset({Role.FILES_NOTICES, Role.OFFERS_VACANCIES}),
    "faults": frozenset(Role),
    "bench": frozenset(Role),
}
"""The other systems of a stack: an employer's portal, a job market, one more of each, and those that make load."""

ADMINISTRATOR = access.administrator(JOINT)
PARTIES = access.Parties(JOINT, CITIES, SYSTEMS, tried=CITIES)
ROOT = Path(__file__).parents[2]


class Way(StrEnum):
    """How the stack comes to Kafka, PostgreSQL and the trace viewer."""

    EMBEDDED = "embedded"
    CONTAINERS = "containers"


class Bus(StrEnum):
    """How closed Kafka is."""

    MTLS = "mtls"
    PLAINTEXT = "plaintext"


def bus_of(wish: str | None, otherwise: Bus = Bus.MTLS) -> Bus:
    """Return how closed Kafka shall be.

    Args:
        wish: the environment's `BUS`, if it is set.
        otherwise: what it is without a wish.

    Raises:
        StartError: the wish is unknown.
    """
    if wish and wish not in tuple(Bus):
        raise StartError(f"BUS={wish} is unknown: use {' or '.join(Bus)}")
    return Bus(wish) if wish else otherwise


def choose(wish: str | None, programs: Callable[[str], str | None], engine: Callable[[], bool]) -> Way:
    """Choose the way to the servers.

    Args:
        wish: the environment's `STACK`, if it is set.
        programs: finds a program's path, as `shutil.which` does.
        engine: whether a Docker engine answers.

    Returns:
        What is wished; else containers where Java or Maven is missing and an engine answers; else embedded servers,
        which say what is missing.

    Raises:
        StartError: the wish is unknown, or containers are wished and no engine answers.
    """
    if wish:
        if wish not in tuple(Way):
            raise StartError(f"STACK={wish} is unknown: use {' or '.join(Way)}")
        if wish == Way.CONTAINERS and not engine():
            raise StartError("STACK=containers needs a Docker engine, and none answers: start it, or set DOCKER_HOST")
        return Way(wish)
    if programs("java") and programs("mvn"):
        return Way.EMBEDDED
    return Way.CONTAINERS if engine() else Way.EMBEDDED


@dataclass
class Ports:
    """Fixed ports for a stack that people use; None picks a free one."""

    kafka: int | None = None
    zipkin: int | None = None
    issuer: int | None = None
    first_api: int | None = None


@dataclass
class Stack:
    """Kafka, one PostgreSQL for each office, a token issuer, a trace viewer, and every service of every office.

    Attributes:
        folder: where data and logs are; a new temporary one if not given, removed at the end.
        with_zipkin: whether traces are collected.
        tell: is told what is being started.
        settings: environment for every service process.
        modules: what runs instead of a service's own module, by service and office.
        linked: whether the processes reach Kafka and PostgreSQL over `links`, which can be cut.
        short_lived: whether servers start quickly at the cost of throughput, and what they store may be lost with the
            machine (never with a process): for tests.
        bus: how closed Kafka is, where the environment's `BUS` says nothing.
    """

    folder: Path | None = None
    ports: Ports = field(default_factory=Ports)
    with_zipkin: bool = True
    services: tuple[str, ...] = SERVICES
    tell: Callable[[str], None] = lambda _: None
    settings: dict[str, str] = field(default_factory=dict)
    modules: dict[tuple[str, str], str] = field(default_factory=dict)
    linked: bool = False
    short_lived: bool = False
    bus: Bus = Bus.MTLS

    def __post_init__(self) -> None:
        self._stopping = ExitStack()
        self._children: dict[tuple[str, str], Child] = {}
        self._urls: dict[tuple[str, str], str] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stopping.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children.values():
            child.terminate()  # all at once; each is waited for then
        self._stopping.close()

    def url(self, service: str, office: str) -> str:
        """Return the address of a process's API."""
        return self._urls[service, office]

    def child(self, service: str, office: str) -> Child:
        """Return a service's process, to stop, kill or freeze it."""
        return self._children[service, office]

    def wait_ready(self, service: str, office: str, timeout: float = 120) -> None:
        """Wait until a process is ready."""
        url = f"{self.url(service, office)}/readyz"
        self.child(service, office).wait_until(lambda: answers(url), timeout)

    def _start(self) -> None:
        folder = self.folder or temporary_folder()
        if self.folder is None:
            self._stopping.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._check_ports()
        self.logs = folder / "logs"
        self.logs.mkdir(exist_ok=True)
        self.issuer = Issuer(self.ports.issuer)
        self.issuer.start()
        self._stopping.callback(self.issuer.stop)
        self._make_servers(folder, choose(os.environ.get("STACK"), shutil.which, engine_answers))
        self._start_servers()
        self._reach = {office: (self.databases[office].url, self.kafka.bootstrap) for office in OFFICES}
        if self.linked:
            self._link_databases(folder / "links")
        self.tell("topics")
        asyncio.run(topics.create(self.client(), CITIES))
        if self.kafka.guard is not None:
            access.apply(access.Cluster(self.kafka_settings()), PARTIES)
        self.tell("services")
        for service in self.services:
            for office in OFFICES:
                self.start_process(service, office)
        for service, office in self._children:
            self.wait_ready(service, office)
        if self.zipkin is not None:
            self.tell("trace viewer")
            self.zipkin.wait()

    def _make_servers(self, folder: Path, way: Way) -> None:
        ways = self._ways_to_kafka() if self.linked else {}
        given = os.environ.get("DATABASE_URL")
        self.databases: dict[str, Postgres] = {}
        in_containers = way is Way.CONTAINERS
        guarded = bus_of(os.environ.get("BUS"), self.bus) is Bus.MTLS
        self.identities = Identities(folder / "certificates", JOINT, guarded=guarded)
        self.kafka = Kafka(
            folder / "kafka",
            kafka.in_container if in_containers else kafka.on_java,
            host=listening_host() if in_containers else "127.0.0.1",
            port=self.ports.kafka,
            advertised=ways,
            guard=self.identities.guard,
            short_lived=self.short_lived,
        )
        viewer = Zipkin(folder / "zipkin", zipkin.in_container if in_containers else zipkin.on_java, self.ports.zipkin)
        self.zipkin = viewer if self.with_zipkin else None
        for office in OFFICES:
            if given:
                self.databases[office] = GivenPostgres(given, office)
            elif in_containers:
                self.databases[office] = ContainerPostgres(office, short_lived=self.short_lived)
            else:
                self.databases[office] = EmbeddedPostgres(folder / "postgres" / office, short_lived=self.short_lived)

    def _start_servers(self) -> None:
        """Start Kafka, the databases and the trace viewer side by side, and wait for all but the trace viewer."""
        self.tell("Kafka and PostgreSQL (the first time, they are downloaded)")
        # Each is told to stop whether or not the others could be started.
        for part in (self.kafka, self.zipkin):
            if part is not None:
                self._stopping.callback(part.stop)
                part.start()
        for database in self.databases.values():
            self._stopping.callback(database.stop)
            database.begin()
        for database in self.databases.values():
            database.wait()
        self.kafka.wait()

    def _ways_to_kafka(self) -> dict[str, int]:
        """Open each office's way to Kafka before Kafka is there: nobody else can then take the ports it advertises."""
        self.links = Links()
        self.links.start()
        self._stopping.callback(self.links.stop)

        def way_of(office: str) -> int:
            return self.links.to_port(office, "Kafka", lambda: self.kafka.listeners[office].port)

        return {office: way_of(office) for office in OFFICES}

    def _link_databases(self, folder: Path) -> None:
        for office, database in self.databases.items():
            listens = database.listens
            if isinstance(listens, Path):
                self.links.to_socket(office, "PostgreSQL", folder / office / SOCKET, listens)
                url = database.url.replace(str(listens.parent), str(folder / office))
            else:
                way = self.links.to_port(office, "PostgreSQL", lambda port=listens: port)  # type: ignore[misc]
                url = database.url.replace(f":{listens}/", f":{way}/")
            self._reach[office] = (url, f"127.0.0.1:{self.kafka.listeners[office].advertised}")

    def _check_ports(self) -> None:
        for name in ("kafka", "zipkin", "issuer"):
            port = getattr(self.ports, name)
            if port is not None:
                must_be_free(port, name)
        if self.ports.first_api is not None:
            for place in range(len(OFFICES) * len(self.services)):
                must_be_free(self.ports.first_api + place, "an API")

    def start_process(self, service: str, office: str) -> None:
        """Start the process of a service for an office, or another one in the place of the one that was stopped."""
        port = self._port(service, office)
        child = Child(
            f"{service} @ {office}",
            [sys.executable, "-m", self.modules.get((service, office), f"services.{service}")],
            self.logs / f"{service}.{office}.log",
            env=self.environment(office)
            | self.identities.environment(principal_of(service, office))
            | {"HTTP_PORT": str(port)},
        )
        self._children[service, office] = child
        self._urls[service, office] = f"http://127.0.0.1:{port}"
        self._stopping.callback(child.stop)
        child.start()

    def _port(self, service: str, office: str) -> int:
        # A process that is started anew keeps its address: its callers know it.
        if (service, office) in self._urls:
            return int(self._urls[service, office].rpartition(":")[2])
        return self.ports.first_api + len(self._urls) if self.ports.first_api is not None else free_port()

    def start_console(self, port: int | None = None) -> str:
        """Start the operators' console; return its address."""
        port = port or free_port()
        addresses: dict[str, dict[str, str]] = {}
        for (service, office), url in self._urls.items():
            addresses.setdefault(service, {})[office] = url
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "CONSOLE_OFFICES": json.dumps(addresses),
            "CONSOLE_PORT": str(port),
            "CONSOLE_SIGN_IN": json.dumps(
                {"issuer": self.issuer.name, "client_id": "console", "address": f"http://127.0.0.1:{port}"}
            ),
            **({"CONSOLE_ZIPKIN": self.zipkin.url} if self.zipkin is not None else {}),
        }
        child = Child("console", [sys.executable, "-m", "deploy.console"], self.logs / "console.log", env=env)
        self._stopping.callback(child.stop)
        child.start()
        address = f"http://127.0.0.1:{port}"
        child.wait_until(lambda: answers(f"{address}/signed-out"), 30)
        return address

    def start_desk(self, office: str, port: int | None = None) -> str:
        """Start the officers' desk of a city; return its address."""
        port = port or free_port()
        address = f"http://127.0.0.1:{port}"
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DESK_OFFICE": office,
            "DESK_SERVICES": json.dumps({service: url for (service, at), url in self._urls.items() if at == office}),
            "DESK_PORT": str(port),
            "DESK_SIGN_IN": json.dumps({"issuer": self.issuer.name, "client_id": "desk", "address": address}),
        }
        child = Child(
            f"desk @ {office}", [sys.executable, "-m", "deploy.desk"], self.logs / f"desk.{office}.log", env=env
        )
        self._stopping.callback(child.stop)
        child.start()
        child.wait_until(lambda: answers(f"{address}/signed-out"), 30)
        return address

    def client(self, principal: str = ADMINISTRATOR) -> dict[str, Any]:
        """Return what a client of aiokafka needs to come to Kafka as a principal: to arrange things, as all of them."""
        return client_of(self.kafka_settings(principal))

    def kafka_settings(self, principal: str = ADMINISTRATOR) -> KafkaSettings:
        """Return how a principal comes to Kafka."""
        return self.identities.settings(principal, self.kafka.bootstrap)

    def environment(self, office: str) -> dict[str, str]:
        """Return the environment of an office's processes."""
        traces = (
            {"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_EXPORTER_ZIPKIN_ENDPOINT": self.zipkin.endpoint}
            if self.zipkin is not None
            else {"OTEL_TRACES_EXPORTER": "none"}
        )
        database, kafka = self._reach[office]
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "OFFICE": office,
            "JOINT_OFFICE": JOINT,
            "CITY_OFFICES": ",".join(CITIES),
            "DATABASE_URL": database,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "SYSTEMS": json.dumps({name: sorted(roles) for name, roles in SYSTEMS.items()}),
            "JWKS_URL": self.issuer.jwks_url,
            "TOKEN_ISSUER": self.issuer.name,
            "TOKEN_AUDIENCE": AUDIENCE,
            "POOL_KEY": f"a local secret of {office}",
            "ALWAYS_OPEN": "true",  # tests and demonstrations run on any day
            "WEBHOOK_ALLOW_LOOPBACK": "true",
            **traces,
            **self.settings,
        }


def principal_of(service: str, office: str) -> str:
    """Return the name that Kafka knows a process by: it is its consumer group's, too."""
    return f"{service.replace('_', '-')}.{office}"
