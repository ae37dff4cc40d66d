"""The trace viewer: Zipkin's server, its UI and API on one port."""

from pathlib import Path

from deploy.local.jvm import classpath, java
from deploy.local.processes import Child, answers, free_port


class Zipkin:
    """A Zipkin server that keeps its traces in memory."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.endpoint = f"{self.url}/api/v2/spans"
        self._folder = folder
        self._child: Child | None = None

    def start(self) -> None:
        """Start the server.

        Raises:
            StartError
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        options = ("-Xmx256m", f"-DQUERY_PORT={self.port}", f"-Dserver.port={self.port}", "-Dlogging.level.root=WARN")
        self._child = Child("Zipkin", [java(), *options, "-jar", classpath("zipkin")], self._folder / "zipkin.log")
        self._child.start()

    def wait(self) -> None:
        """Wait until the server answers.

        Raises:
            StartError
        """
        if self._child is not None:
            self._child.wait_until(lambda: answers(f"{self.url}/health"), timeout=90)

    def stop(self) -> None:
        """Stop the server."""
        if self._child is not None:
            self._child.stop(timeout=5)
