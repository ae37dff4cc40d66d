"""Draws the message-flow map from `shared.topics`: who writes which topic, who reads it. Plain SVG, no library."""

from dataclasses import dataclass
from html import escape
from typing import Final

from shared.topics import TOPICS, Party, Topic

_ROW: Final = 30
_LEFT, _MIDDLE, _RIGHT, _WIDTH = 150, 490, 830, 980


@dataclass(frozen=True)
class Node:
    """Somebody who writes or reads."""

    name: str
    y: float


def flow_map() -> str:
    """Return the map as SVG."""
    writers = list(dict.fromkeys(one for topic in TOPICS for one in _each(topic.writes)))
    readers = list(dict.fromkeys(one for topic in TOPICS for one in _each(topic.reads)))
    height = _ROW * (max(len(TOPICS), len(writers), len(readers)) + 1)
    left, right = _spread(writers, height), _spread(readers, height)
    parts = [
        (
            f'<svg class="flow" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="message flows"'
            ' xmlns="http://www.w3.org/2000/svg">'
        )
    ]
    for place, topic in enumerate(TOPICS):
        y = _ROW * (place + 1)
        parts += [_line(_LEFT, left[one].y, _MIDDLE - 150, y, topic) for one in _each(topic.writes)]
        parts += [_line(_MIDDLE + 150, y, _RIGHT, right[one].y, topic) for one in _each(topic.reads)]
        parts.append(
            f'<rect x="{_MIDDLE - 150}" y="{y - 11}" width="300" height="22" rx="4"/>'
            f'<text x="{_MIDDLE}" y="{y + 4}" text-anchor="middle">{escape(topic.name)}</text>'
        )
    parts += [_text(_LEFT - 6, node, "end") for node in left.values()]
    parts += [_text(_RIGHT + 6, node, "start") for node in right.values()]
    return "".join([*parts, "</svg>"])


def _each(party: Party) -> list[str]:
    """Return each of those who stand together: "a, b @ office" are two processes."""
    names, at, office = str(party).partition(" @ ")
    return [f"{name}{at}{office}" for name in names.split(", ")]


def _spread(names: list[str], height: float) -> dict[str, Node]:
    step = height / (len(names) + 1)
    return {name: Node(name, step * (place + 1)) for place, name in enumerate(names)}


def _line(x1: float, y1: float, x2: float, y2: float, topic: Topic) -> str:
    half = (x1 + x2) / 2
    kind = topic.name.partition(".")[0]
    return f'<path class="{kind}" d="M{x1} {y1:.0f} C{half} {y1:.0f} {half} {y2:.0f} {x2} {y2:.0f}"/>'


def _text(x: float, node: Node, anchor: str) -> str:
    lines = node.name.split(" @ ")
    spans = "".join(
        f'<tspan x="{x}" dy="{0 if place == 0 else 13}">{escape(("@ " if place else "") + line)}</tspan>'
        for place, line in enumerate(lines)
    )
    return f'<text x="{x}" y="{node.y:.0f}" text-anchor="{anchor}">{spans}</text>'
