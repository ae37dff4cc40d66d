"""One Apache Kafka broker in KRaft mode: on this machine's Java, or in a container."""

import socket
import ssl
import struct
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from deploy.certificates import ORGANIZATION, Certificate
from deploy.local.containers import Container
from deploy.local.jvm import QUICK_START, classpath, java
from deploy.local.processes import Child, Process, StartError, free_port

_IMAGE = "apache/kafka:4.3.1"
_JVM = ("-Xms256m", "-Xmx512m")
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
)
"""What goes wrong, on standard error: a wrong setting of TLS ends the broker, and this says why."""


class Listener(NamedTuple):
    """Where the broker listens, and where it tells its clients to come: something may carry them from there."""

    port: int
    advertised: int


class Guard(NamedTuple):
    """What keeps a broker closed: TLS both ways on every listener, and access lists.

    Attributes:
        broker: the broker's own certificate.
        administrator: the administrator's; it is also who asks whether the broker answers.
        super_users: the principals that need no grant.
    """

    broker: Certificate
    administrator: Certificate
    super_users: Sequence[str]

    @property
    def properties(self) -> dict[str, str]:
        """Kafka's properties. Certificates stand in them, so that a container needs no file."""
        written = self.broker.own.read_text()
        begins = written.index("-----BEGIN CERTIFICATE-----")
        return {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": ";".join(f"User:{one}" for one in self.super_users),
            "ssl.client.auth": "required",
            "ssl.enabled.protocols": "TLSv1.3",
            "ssl.principal.mapping.rules": (rf"RULE:^CN=([a-z0-9-]+),OU=([a-z0-9-]+),O={ORGANIZATION}$/$1.$2/,DEFAULT"),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.key": _one_line(written[:begins]),
            "ssl.keystore.certificate.chain": _one_line(written[begins:]),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.certificates": _one_line(self.broker.ca.read_text()),
        }

    @property
    def context(self) -> ssl.SSLContext:
        """What the administrator connects with."""
        made = ssl.create_default_context(cafile=self.administrator.ca)
        made.load_cert_chain(self.administrator.own)
        return made


Making = Callable[[Path, Mapping[str, str], list[int], Sequence[str]], Process]
"""Prepares a broker in a folder, from Kafka's properties, the ports that clients reach, and options of the JVM."""


class Kafka:
    """A broker, its data kept while the stack lives.

    Attributes:
        listeners: further listeners by name; `advertised` says at which port each is advertised.
        guard: what keeps it closed; None lets everyone do everything.
        properties: what differs from Kafka's properties as they are made here.
    """

    def __init__(
        self,
        folder: Path,
        make: Making,
        host: str = "127.0.0.1",
        port: int | None = None,
        advertised: Mapping[str, int] | None = None,
        *,
        guard: Guard | None = None,
        properties: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        short_lived: bool = False,
    ) -> None:
        self.guard = guard
        self.properties = dict(properties or {})
        self.port = port or free_port()
        self.listeners = {name: Listener(free_port(), there) for name, there in (advertised or {}).items()}
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._folder = folder
        self._make = make
        self._host = host
        self._options = (*_JVM, *(QUICK_START if short_lived else ()), *options)
        self._process: Process | None = None

    def start(self) -> None:
        """Prepare the broker the first time, and start it.

        Raises:
            StartError
        """
        if self._process is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            ports = [self.port, *(listener.port for listener in self.listeners.values())]
            self._process = self._make(self._folder, self._properties(), ports, self._options)
        self._process.start()

    def wait(self) -> None:
        """Wait until the broker answers.

        Raises:
            StartError
        """
        self._started.wait_until(lambda: _answers(self.port, self.guard), timeout=120)

    @property
    def pid(self) -> int:
        """The broker's process id."""
        return self._started.pid

    @property
    def _started(self) -> Process:
        if self._process is None:
            message = "Kafka is not started"
            raise RuntimeError(message)
        return self._process

    def stop(self) -> None:
        """Stop the broker for good."""
        if self._process is not None:
            self._process.remove()

    def kill(self) -> None:
        """Kill the broker, as a crash would."""
        self._started.kill()

    def freeze(self) -> None:
        """Freeze the broker."""
        self._started.freeze()

    def thaw(self) -> None:
        """Let the frozen broker go on."""
        self._started.thaw()

    def _properties(self) -> dict[str, str]:
        controller = free_port()
        # The controller is guarded like the rest: it would be the way round the access lists.
        protocol = "PLAINTEXT" if self.guard is None else "SSL"
        named = {"CLIENTS": Listener(self.port, self.port)} | {
            name.upper(): listener for name, listener in self.listeners.items()
        }
        listening = ",".join(f"{name}://{self._host}:{listener.port}" for name, listener in named.items())
        return {
            "node.id": "1",
            "process.roles": "broker,controller",
            "listeners": f"{listening},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": ",".join(
                f"{name}://127.0.0.1:{listener.advertised}" for name, listener in named.items()
            ),
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name in ("CONTROLLER", *named)),
            "inter.broker.listener.name": "CLIENTS",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "auto.create.topics.enable": "false",
            # Cuts a restart after a kill from 13 s to 5 s.
            "broker.session.timeout.ms": "2000",
            "broker.heartbeat.interval.ms": "500",
            **(self.guard.properties if self.guard is not None else {}),
            **self.properties,
        }


def on_java(folder: Path, properties: Mapping[str, str], _: list[int], options: Sequence[str]) -> Child:
    """Prepare a broker on this machine's Java, its data in the folder.

    Raises:
        StartError: Java or Kafka is missing, or the data folder cannot be formatted.
    """
    data = folder / "data"
    written = folder / "server.properties"
    lines = [f"{name}={value}" for name, value in {**properties, "log.dirs": str(data)}.items()]
    written.touch(mode=0o600)  # a private key stands in it
    written.write_text("\n".join(lines) + "\n")
    base = [java(), *_LOGGING, "-cp", classpath("kafka")]
    if not (data / "meta.properties").exists():
        formatted = subprocess.run(  # noqa: S603 - our own command
            [
                base[0],
                *QUICK_START,
                *base[1:],
                "kafka.tools.StorageTool",
                "format",
                "-t",
                _cluster_id(),
                "-c",
                str(written),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if formatted.returncode != 0:
            message = f"Kafka's data folder could not be formatted:\n{formatted.stdout}{formatted.stderr}"
            raise StartError(message)
    return Child("Kafka", [base[0], *options, *base[1:], "kafka.Kafka", str(written)], folder / "kafka.log")


def in_container(_: Path, properties: Mapping[str, str], ports: list[int], options: Sequence[str]) -> Container:
    """Prepare a broker in a container of the official image, which takes Kafka's properties from its environment."""
    env = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in properties.items()}
    return Container("Kafka", _IMAGE, env | {"CLUSTER_ID": _cluster_id(), "KAFKA_HEAP_OPTS": " ".join(options)}, ports)


def _one_line(pem: str) -> str:
    """Return a PEM as properties files have it: Kafka makes the line ends of it."""
    return pem.replace("\n", "\\n")


def _answers(port: int, guard: Guard | None) -> bool:
    # A port that an engine publishes is open before the server listens behind it, so a request is made: which versions
    # of its requests (key 18, version 0) does the broker know? Its answer begins with a length and this correlation id.
    request = struct.pack(">ihhih", 10, 18, 0, 1, -1)
    try:
        with ExitStack() as closing:
            connection = closing.enter_context(socket.create_connection(("127.0.0.1", port), timeout=2))
            if guard is not None:
                connection = closing.enter_context(guard.context.wrap_socket(connection, server_hostname="127.0.0.1"))
            connection.sendall(request)
            return connection.recv(8)[4:] == struct.pack(">i", 1)
    except OSError:
        return False


def _cluster_id() -> str:
    # Kafka's own form: 22 characters of URL-safe base64. A UUID's first 22 hexadecimal digits are that too.
    return uuid4().hex[:22]
