"""A TCP and Unix socket proxy between an office's processes and its servers, whose links can be cut as a network can.

A cut link holds back every byte in both directions and tells nobody: neither end sees a closed connection, as in a real
partition. When it is restored the bytes go on, or the connections break, as the outage's length would have it.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Result = TypeVar("Result")

_CHUNK = 65_536


class Link:
    """One link from an office to a server."""

    def __init__(self, onward: Callable[[], Awaitable[Ends]]) -> None:
        self._onward = onward
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Hold back everything."""
        self._open.clear()

    def restore(self, *, breaking: bool) -> None:
        """Let everything through again; `breaking` ends the connections that were open, which both ends then notice."""
        if breaking:
            for writer in self._writers:
                writer.transport.abort()
        self._open.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its server until either end closes it."""
        await self._open.wait()
        try:
            there, onward = await self._onward()
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, onward}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, onward))
                group.create_task(self._pass(there, writer))
        except* OSError:
            pass
        finally:
            for one in (writer, onward):
                self._writers.discard(one)
                one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK):
            await self._open.wait()
            writer.write(chunk)
            await writer.drain()
        await self._open.wait()
        message = "closed"
        raise ConnectionResetError(message)  # ends the other direction too


class Links:
    """All links of a stack, carried by one thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)
        self._links: dict[tuple[str, str], Link] = {}
        self._servers: list[asyncio.Server] = []

    def start(self) -> None:
        """Start carrying."""
        self._thread.start()

    def stop(self) -> None:
        """Drop everything."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def to_port(self, office: str, server: str, port: Callable[[], int]) -> int:
        """Open a link from a free port of this machine, which is returned, to one that need not be known yet."""
        link = self._links[office, server] = Link(lambda: asyncio.open_connection("127.0.0.1", port()))
        listening = self._run(asyncio.start_server(link.carry, "127.0.0.1", 0))
        self._servers.append(listening)
        return int(listening.sockets[0].getsockname()[1])

    def to_socket(self, office: str, server: str, listening: Path, socket: Path) -> None:
        """Open a link from one Unix socket to another."""
        listening.parent.mkdir(parents=True, exist_ok=True)
        link = self._links[office, server] = Link(lambda: asyncio.open_unix_connection(socket))
        self._servers.append(self._run(asyncio.start_unix_server(link.carry, listening)))

    def cut(self, office: str, server: str) -> None:
        """Cut an office off from a server."""
        self._loop.call_soon_threadsafe(self._links[office, server].cut)

    def restore(self, office: str, server: str, *, breaking: bool) -> None:
        """Restore a link. `breaking`: the connections do not outlive the outage."""
        self._loop.call_soon_threadsafe(lambda: self._links[office, server].restore(breaking=breaking))

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for link in self._links.values():
            link.restore(breaking=True)
        me = asyncio.current_task()
        carrying = [task for task in asyncio.all_tasks() if task is not me]
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)
        await asyncio.sleep(0)  # until the transports have closed, too

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
