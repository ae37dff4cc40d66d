"""A trace as bars, in the order of its tree."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bar:
    """A span in a waterfall. `left` and `width` are per cent of the whole trace; times are milliseconds."""

    office: str
    service: str
    name: str
    depth: int
    left: float
    width: float
    begun: float
    took: float


def waterfall(spans: list[dict[str, Any]]) -> list[Bar]:
    """Return a trace's spans in the order of a tree, as bars."""
    if not spans:
        return []
    start = min(span["timestamp"] for span in spans)
    whole = max(1, max(span["timestamp"] + span.get("duration", 0) for span in spans) - start)
    known = {span["id"] for span in spans}
    below: dict[str | None, list[dict[str, Any]]] = {}
    for span in sorted(spans, key=lambda one: one["timestamp"]):
        parent = span.get("parentId")
        below.setdefault(parent if parent in known else None, []).append(span)
    bars: list[Bar] = []

    def grow(parent: str | None, depth: int) -> None:
        for span in below.get(parent, ()):
            service, _, office = span["localEndpoint"]["serviceName"].rpartition(".")
            begun, took = span["timestamp"] - start, span.get("duration", 0)
            bars.append(
                Bar(
                    office,
                    service,
                    span["name"],
                    depth,
                    100 * begun / whole,
                    max(0.3, 100 * took / whole),
                    begun / 1000,
                    took / 1000,
                )
            )
            grow(span["id"], depth + 1)

    grow(None, 0)
    return bars
