"""Child processes that never outlive the parent, an end by signals that stops them, free ports, and waiting."""

import ctypes
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

_PR_SET_PDEATHSIG = 1
TLS = ssl.create_default_context()
"""For every HTTP client: one that makes its own reads the machine's certificates each time, 50 ms of a processor."""


class StartError(RuntimeError):
    """Something could not be started; the text says what, and what to do."""


def _die_with_parent() -> None:
    # Linux ties this to the thread that starts the child, so children are started from the main thread alone.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process(ABC):
    """A program that runs, here or in a container: what the stack and its tests do with either.

    Attributes:
        name: what messages call it.
    """

    name: str

    @abstractmethod
    def start(self) -> None:
        """Start it, or start it again after it ended."""

    @abstractmethod
    def stop(self, timeout: float = 30) -> None:
        """Ask it to stop; kill it if it does not within `timeout` seconds."""

    def remove(self) -> None:
        """Stop it for good, with whatever only it holds."""
        self.stop()

    @abstractmethod
    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        """End it at once with a signal, as a crash would, and wait until it has ended."""

    @abstractmethod
    def freeze(self) -> None:
        """Halt it without ending it, as a long pause would."""

    @abstractmethod
    def thaw(self) -> None:
        """Let it go on after `freeze`."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """The process id on this machine."""

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether it runs."""

    @abstractmethod
    def last_lines(self, count: int = 15) -> str:
        """Return the end of its log."""

    def wait_until(self, answers: Callable[[], bool], timeout: float) -> None:
        """Wait until it answers, at most `timeout` seconds.

        Raises:
            StartError: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.running:
                message = f"{self.name} ended while starting; the end of its log:\n{self.last_lines()}"
                raise StartError(message)
            if answers():
                return
            time.sleep(0.05)
        message = f"{self.name} did not answer in {timeout:.0f} s; the end of its log:\n{self.last_lines()}"
        raise StartError(message)


class Child(Process):
    """One child process with its log file."""

    def __init__(self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._env = dict(env) if env is not None else None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process. It gets no terminal signals: the parent stops it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call, no locks
            )

    @property
    def pid(self) -> int:
        """The process id."""
        if self._process is None:
            message = f"{self.name} is not started"
            raise RuntimeError(message)
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def terminate(self) -> None:
        """Ask the process to stop, and do not wait for it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop(self, timeout: float = 30) -> None:
        """Ask the process to stop; kill it if it does not."""
        self.terminate()
        if self._process is None:
            return
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        """Kill the process at once, as a crash would."""
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait()

    def freeze(self) -> None:
        """Stop the process's clock (SIGSTOP), as a long pause would."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        os.kill(self.pid, signal.SIGCONT)

    def last_lines(self, count: int = 15) -> str:
        """Return the end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:]) if self.log.exists() else ""


def stop_on_signals() -> None:
    """End by the normal way when told to stop, so that everything started is stopped too."""

    def end(*_: object) -> None:
        sys.exit(130)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def must_be_free(port: int, what: str) -> None:
    """Check that a port is free.

    Raises:
        StartError: it is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            message = f"port {port} for {what} is taken: stop what listens there, or another `make up`"
            raise StartError(message) from error


def listens(port: int) -> bool:
    """Whether something accepts connections on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    """Whether a URL is answered with success."""
    try:
        return httpx.get(url, timeout=2, verify=TLS).is_success
    except httpx.HTTPError:
        return False
