"""The trace viewer: Zipkin's server, its UI and API on one port; on this machine's Java, or in a container."""

from collections.abc import Callable
from pathlib import Path

from deploy.local.containers import Container
from deploy.local.jvm import QUICK_START, classpath, java
from deploy.local.processes import Child, Process, answers, free_port

_IMAGE = "openzipkin/zipkin:3.5"
_JVM = ("-Xmx256m", *QUICK_START)

Making = Callable[[Path, int], Process]
"""Prepares a server in a folder, on a port."""


class Zipkin:
    """A Zipkin server that keeps its traces in memory."""

    def __init__(self, folder: Path, make: Making, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.endpoint = f"{self.url}/api/v2/spans"
        self._folder = folder
        self._make = make
        self._process: Process | None = None

    def start(self) -> None:
        """Start the server.

        Raises:
            StartError
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = self._make(self._folder, self.port)
        self._process.start()

    def wait(self) -> None:
        """Wait until the server answers.

        Raises:
            StartError
        """
        if self._process is not None:
            self._process.wait_until(lambda: answers(f"{self.url}/health"), timeout=120)

    def stop(self) -> None:
        """Stop the server for good."""
        if self._process is not None:
            self._process.remove()


def on_java(folder: Path, port: int) -> Child:
    """Prepare a server on this machine's Java.

    Raises:
        StartError: Java or Zipkin is missing.
    """
    options = (*_JVM, f"-DQUERY_PORT={port}", f"-Dserver.port={port}", "-Dlogging.level.root=WARN")
    return Child("Zipkin", [java(), *options, "-jar", classpath("zipkin")], folder / "zipkin.log")


def in_container(_: Path, port: int) -> Container:
    """Prepare a server in a container of the official image."""
    return Container("Zipkin", _IMAGE, {"QUERY_PORT": str(port), "JAVA_OPTS": " ".join(_JVM)}, [port])
