"""Servers of the stack in containers, by testcontainers, on a Docker engine of this machine."""

import contextlib
import signal
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from docker.errors import APIError, DockerException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from deploy.local.processes import Process, StartError


def engine_answers() -> bool:
    """Whether a Docker engine answers where its client's settings (`DOCKER_HOST`) point."""
    try:
        client = DockerClient().client
    except DockerException:
        return False
    try:
        return bool(client.ping())
    except DockerException:
        return False
    finally:
        client.close()


@cache
def has_bridge() -> bool:
    """Whether the engine has a bridge network, over which it can publish ports."""
    client = DockerClient().client
    try:
        return bool(client.networks.list(filters={"driver": "bridge"}))
    finally:
        client.close()


def listening_host() -> str:
    """Where a server in a container must listen to be reached from this machine at 127.0.0.1, and from nowhere else."""
    return "0.0.0.0" if has_bridge() else "127.0.0.1"  # noqa: S104 - inside the container; published on 127.0.0.1 alone


class Container(Process):
    """One container. It keeps its data when it is stopped or killed, until `remove`.

    A server listens on the same port inside as outside: it is told its port before it starts, because Kafka must
    advertise it, and because without a bridge network the container shares this machine's network.
    """

    def __init__(
        self, name: str, image: str, env: Mapping[str, str], ports: Iterable[int], command: Sequence[str] = ()
    ) -> None:
        self.name = name
        if not has_bridge():
            testcontainers_config.ryuk_disabled = True  # testcontainers' own cleaner is reached over a published port
        self._made = DockerContainer(image, env=dict(env))
        self._made.with_command(list(command))
        if has_bridge():
            published = {f"{port}/tcp": ("127.0.0.1", port) for port in ports}
            self._made.ports.update(published)  # type: ignore[arg-type]  # the client takes the address, too
        else:
            self._made.with_kwargs(network_mode="host")
        self._created = False

    def start(self) -> None:
        """Create the container, pulling its image the first time, and start it; or start it again with its data.

        Raises:
            StartError: the engine could not.
        """
        try:
            if self._created:
                self._made.get_wrapped_container().start()
            else:
                self._made.start()
                self._created = True
        except DockerException as error:
            message = f"{self.name} could not be started from the image {self._made.image}: {error}"
            raise StartError(message) from error

    @property
    def pid(self) -> int:
        """The id of its first process on the engine's machine."""
        self._made.reload()
        return int(self._made.get_wrapped_container().attrs["State"]["Pid"])

    @property
    def running(self) -> bool:
        """Whether the container runs."""
        self._made.reload()
        return self._created and self._made.status == "running"

    def stop(self, timeout: float = 30) -> None:
        """Ask the program to stop, kill it if it does not, and keep the container."""
        if self._created:
            self._made.get_wrapped_container().stop(timeout=int(timeout))

    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        """Send its first process a signal that ends it, and wait until the container has ended."""
        container = self._made.get_wrapped_container()
        container.kill(signal=by.name)
        container.wait()

    def freeze(self) -> None:
        """Freeze every process of the container."""
        self._made.get_wrapped_container().pause()

    def thaw(self) -> None:
        """Let the frozen container go on."""
        self._made.get_wrapped_container().unpause()

    def last_lines(self, count: int = 15) -> str:
        """Return the end of what the container wrote."""
        written: bytes = self._made.get_wrapped_container().logs(tail=count)
        return written.decode(errors="replace")

    def remove(self) -> None:
        """Stop the container at once and delete it with its data."""
        if self._created:
            with contextlib.suppress(APIError):  # it may be gone already
                self._made.stop()
