"""Writes what the published language looks like from outside: a JSON Schema for each type, and the AsyncAPI document.

`python -m shared.contracts` writes them; with `--check` it only tells whether they are up to date.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from shared.events.compatibility import breaking_changes
from shared.events.registry import REGISTRY
from shared.topics import TOPICS, Topic

SCHEMAS: Final = Path(__file__).parent / "events" / "schemas"
EXAMPLES: Final = Path(__file__).parent / "events" / "examples"
ASYNCAPI: Final = Path(__file__).parents[1] / "docs" / "asyncapi.json"


def schema_of(type_name: str) -> dict[str, Any]:
    """Return the JSON Schema of an event type's body."""
    schema = REGISTRY[type_name].model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:event:{type_name}"} | schema


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of all topics and event types."""
    messages = {
        name: {
            "name": name,
            "title": event.__name__,
            "summary": (event.__doc__ or "").split("\n\n")[0].strip(),
            "contentType": "application/json",
            "headers": {
                "type": "object",
                "required": ["ce_specversion", "ce_id", "ce_type", "ce_source"],
                "properties": {
                    "ce_specversion": {"const": "1.0"},
                    "ce_id": {"type": "string"},
                    "ce_type": {"const": name},
                    "ce_source": {"type": "string"},
                    "ce_time": {"type": "string", "format": "date-time"},
                    "traceparent": {"type": "string", "description": "W3C Trace Context."},
                },
            },
            "payload": {
                "schemaFormat": "application/schema+json;version=draft-2020-12",
                "schema": schema_of(name),
            },
        }
        for name, event in REGISTRY.items()
    }
    channels = {}
    for topic in TOPICS:
        channel: dict[str, Any] = {
            "address": topic.name,
            "description": f"Written by {topic.writes}; read by {topic.reads}.",
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in sorted(topic.types)},
            "bindings": {"kafka": {"partitions": topic.partitions, "topicConfiguration": _kafka(topic.config)}},
        }
        if topic.per_office:
            channel["parameters"] = {"office": {"description": "A city office."}}
        channels[topic.name] = channel
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Joint employment services of the Helsinki capital region",
            "version": "1",
            "description": "CloudEvents 1.0 in Kafka's binary mode. The key of a record is the id whose order matters.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {name: operation for topic in TOPICS for name, operation in _operations(topic).items()},
        "components": {"messages": messages},
    }


def _operations(topic: Topic) -> dict[str, Any]:
    """Return who sends on a topic and who receives, each as an operation of a program at a place."""
    made = {}
    for action, words in (("send", topic.writes), ("receive", topic.reads)):
        programs, _, place = words.partition(" @ ")
        for program in programs.split(", "):
            who = f"{program} @ {place}" if place else program
            made[f"{action} {topic.name} by {who}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "title": f"{who} {action}s",
                "tags": [{"name": who}],
                "messages": [{"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in sorted(topic.types)],
            }
    return made


def broken_channels(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return what in an AsyncAPI document takes something from a program that works by the old one."""
    broken = []
    for kind in ("channels", "operations"):
        broken += [f"{kind} {name}: removed" for name in sorted(old.get(kind, {}).keys() - new[kind].keys())]
    for name in sorted(old["channels"].keys() & new["channels"].keys()):
        before, after = old["channels"][name], new["channels"][name]
        if before["address"] != after["address"]:
            broken.append(f"channel {name}: address changed")
        broken += [f"channel {name}: {one} removed" for one in sorted(before["messages"].keys() - after["messages"])]
    messages = new["components"]["messages"]
    for name, message in old["components"]["messages"].items():
        if name not in messages:
            broken.append(f"message {name}: removed")
            continue
        asked = set(messages[name]["headers"]["required"]) - set(message["headers"]["required"])
        broken += [f"message {name}: header {one} newly required" for one in sorted(asked)]
        schemas = message["payload"]["schema"], messages[name]["payload"]["schema"]
        broken += [f"message {name}: {one}" for one in breaking_changes(*schemas)]
    return broken


def _kafka(config: dict[str, str]) -> dict[str, Any]:
    known: dict[str, Any] = {"cleanup.policy": [config["cleanup.policy"]]}
    for name in ("retention.ms", "max.message.bytes"):
        if name in config:
            known[name] = int(config[name])
    return known


def files() -> dict[Path, str]:
    """Return every generated file with its content."""
    made: dict[Path, Any] = {SCHEMAS / f"{name}.json": schema_of(name) for name in REGISTRY}
    made[ASYNCAPI] = asyncapi()
    return {path: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for path, content in made.items()}


def refuse_breaking(path: Path, content: str) -> None:
    """Exit instead of overwriting a published contract with one that breaks those who work by it."""
    compare = broken_channels if path == ASYNCAPI else breaking_changes
    if broken := compare(json.loads(path.read_text(encoding="utf-8")), json.loads(content)):
        sys.exit(f"{path.stem} would break its readers; publish a new version instead:\n" + "\n".join(broken))


def main() -> None:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(prog="python -m shared.contracts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not up to date")
    check = parser.parse_args().check
    for path, content in files().items():
        if check and (not path.exists() or path.read_text(encoding="utf-8") != content):
            sys.exit(f"{path.name} is not up to date: run python -m shared.contracts")
        if not check:
            if path.exists():
                refuse_breaking(path, content)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
