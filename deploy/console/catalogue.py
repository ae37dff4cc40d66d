"""The AsyncAPI document as pages: what each event type says, field by field, with examples and its topics."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from shared.contracts import EXAMPLES, asyncapi
from shared.topics import TOPICS, Topic

_DEEPEST: Final = 8
_LIMITS: Final = ("minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "minItems", "maxItems", "pattern")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event's body; `path` has a dot before each member and `[]` after each list."""

    path: str
    kind: str
    required: bool
    limits: str
    meaning: str


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type as its page shows it."""

    name: str
    summary: str
    topics: tuple[Topic, ...]
    fields: tuple[Field, ...]
    examples: tuple[Any, ...]
    schema: dict[str, Any]


@cache
def document() -> dict[str, Any]:
    """Return the AsyncAPI document."""
    return asyncapi()


@cache
def event_type(name: str) -> EventType | None:
    """Return what there is to know about an event type; None when there is no such type."""
    message = document()["components"]["messages"].get(name)
    if message is None:
        return None
    schema = message["payload"]["schema"]
    return EventType(
        name,
        message["summary"],
        tuple(topic for topic in TOPICS if name in topic.types),
        tuple(_members(schema, schema.get("$defs", {}), "", 0)),
        tuple(json.loads(file.read_text(encoding="utf-8")) for file in sorted((EXAMPLES / name).glob("*.json"))),
        schema,
    )


def _members(schema: dict[str, Any], known: dict[str, Any], prefix: str, depth: int) -> Iterator[Field]:
    for name, member in schema.get("properties", {}).items():
        found = _resolved(member, known)
        path = f"{prefix}{name}"
        yield Field(
            path, _kind(found), name in schema.get("required", ()), _limits(found), found.get("description", "")
        )
        if depth < _DEEPEST:
            item, place = found, path
            while item.get("type") == "array":
                item, place = _resolved(item.get("items", {}), known), f"{place}[]"
            yield from _members(item, known, f"{place}.", depth + 1)


def _resolved(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference, and pass over the null that may stand instead of a value. The place's own text counts."""
    real = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(real) == 1:
        return _resolved(real[0], known) | {key: text for key, text in schema.items() if key == "description"}
    if "$ref" in schema:
        named: dict[str, Any] = known[schema["$ref"].rpartition("/")[2]]
        return named | {key: text for key, text in schema.items() if key != "$ref"}
    return schema


def _kind(schema: dict[str, Any]) -> str:
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(one) for one in schema["enum"])
    return " ".join(str(schema[key]) for key in ("type", "format") if key in schema) or "any"


def _limits(schema: dict[str, Any]) -> str:
    return ", ".join(f"{name} {schema[name]}" for name in _LIMITS if name in schema)
