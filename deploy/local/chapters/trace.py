"""The trace of the story's first notice, fetched back from the trace viewer."""

from typing import Any

from rich.tree import Tree

from deploy.local.chapters.chapter import Chapter
from deploy.local.client import wait_for
from deploy.local.observing import spans_of
from deploy.local.stack import CITIES


class TraceChapter(Chapter):
    """The trace of the first notice, across four offices."""

    SERVICE = "change_security"
    TITLE = "The first notice's trace, fetched back from the trace viewer"

    def _tell(self) -> None:
        if self._stack.zipkin is None:
            self._print("no trace viewer runs")
            return

        def look() -> list[dict[str, Any]] | None:
            spans = spans_of(self._stack, self._story.trace_id)
            received = [span for span in spans if span["name"].startswith("process from.")]
            return spans if len(received) >= len(CITIES) else None

        self._print(_tree(wait_for(look, "the whole trace", 20)))


def _tree(spans: list[dict[str, Any]]) -> Tree:
    start = min(span["timestamp"] for span in spans)
    below: dict[str | None, list[dict[str, Any]]] = {}
    for span in sorted(spans, key=lambda one: one["timestamp"]):
        below.setdefault(span.get("parentId"), []).append(span)

    def grow(branch: Tree, parent: str | None) -> None:
        for span in below.get(parent, ()):
            office = span["localEndpoint"]["serviceName"].rpartition(".")[2]
            begun, took = (span["timestamp"] - start) / 1000, span.get("duration", 0) / 1000
            many = span["tags"].get("messaging.batch.message_count")
            name = span["name"] + (f" × {many}" if many else "")
            grow(branch.add(f"[bold]{office:9}[/] {name}  [dim]+{begun:.1f} ms, took {took:.1f} ms[/]"), span["id"])

    tree = Tree(f"trace {spans[0]['traceId']}")
    grow(tree, None)
    return tree
