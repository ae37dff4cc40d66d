"""Every event type that was ever published still stands, with its schema, an example and its name."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.contracts import ASYNCAPI, EXAMPLES, SCHEMAS, asyncapi, broken_channels, files, schema_of
from shared.events.compatibility import breaking_changes
from shared.events.registry import REGISTRY
from shared.topics import TOPICS

TYPES = sorted(REGISTRY)
EXAMPLE_FILES = sorted(EXAMPLES.glob("*/*.json"))


def test_generated_files_are_up_to_date() -> None:
    stale = [path.name for path, content in files().items() if path.read_text(encoding="utf-8") != content]
    assert stale == []


def test_the_asyncapi_document_fits_asyncapi_3() -> None:
    document = json.loads((SCHEMAS.parents[2] / "docs/asyncapi.json").read_text(encoding="utf-8"))
    schema = json.loads(Path(__file__).with_name("asyncapi-3.0.0.schema.json").read_text(encoding="utf-8"))
    assert list(jsonschema.Draft7Validator(schema).iter_errors(document)) == []
    document["channels"] = 7
    assert list(jsonschema.Draft7Validator(schema).iter_errors(document))


def test_no_published_type_has_been_dropped() -> None:
    assert {path.stem for path in SCHEMAS.glob("*.json")} == set(REGISTRY)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_has_an_example(name: str) -> None:
    assert list((EXAMPLES / name).glob("*.json"))


@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_example_fits_its_schema_and_its_model(path: Path) -> None:
    body = json.loads(path.read_text(encoding="utf-8"))
    assert body["type"] == path.parent.name
    jsonschema.validate(body, schema_of(path.parent.name), jsonschema.Draft202012Validator)
    event = REGISTRY[path.parent.name].model_validate_json(path.read_text(encoding="utf-8"))
    assert json.loads(event.model_dump_json(exclude_none=True)) == body


@pytest.mark.parametrize("name", TYPES)
def test_a_reader_passes_over_a_field_it_does_not_know(name: str) -> None:
    body = json.loads(next((EXAMPLES / name).glob("*.json")).read_text(encoding="utf-8"))
    REGISTRY[name].model_validate(body | {"a_field_of_next_year": 1})


@pytest.mark.parametrize("name", TYPES)
def test_every_type_stands_on_exactly_one_topic(name: str) -> None:
    assert [topic.name for topic in TOPICS if name in topic.types].__len__() == 1


def _broken(change: str) -> dict[str, Any]:
    schema = deepcopy(schema_of("change-security.notice-stored.v1"))
    fields = schema["properties"]
    match change:
        case "removed":
            del fields["revision"]
        case "retyped":
            fields["revision"]["type"] = "string"
        case "newly required":
            fields["place"] = {"type": "string"}
            schema["required"] = [*schema["required"], "place"]
        case "renamed type":
            fields["type"]["const"] = "change-security.notice-kept.v1"
    return schema


@pytest.mark.parametrize("change", ["removed", "retyped", "newly required", "renamed type"])
def test_a_breaking_change_within_a_version_is_refused(change: str) -> None:
    assert breaking_changes(schema_of("change-security.notice-stored.v1"), _broken(change))


def test_an_enum_that_gains_a_member_is_a_breaking_change() -> None:
    old = schema_of("change-security.notice-closed.v1")
    new = deepcopy(old)
    new["$defs"]["Outcome"]["enum"].append("merged")
    assert breaking_changes(old, new)


def test_a_new_optional_field_is_not_a_breaking_change() -> None:
    old = schema_of("change-security.notice-stored.v1")
    new = deepcopy(old)
    new["properties"]["note"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert breaking_changes(old, new) == []


def test_every_channel_has_those_who_send_and_those_who_receive() -> None:
    document = asyncapi()
    for name in document["channels"]:
        ends = [one for one in document["operations"].values() if one["channel"]["$ref"] == f"#/channels/{name}"]
        assert {one["action"] for one in ends} == {"send", "receive"}, name
    assert "send from.{office}.training.v1 by training @ each city" in document["operations"]
    readers = [one for one in document["operations"] if one.startswith("receive between.advisory.services.v1")]
    assert len(readers) == 3


def _broken_document(change: str) -> dict[str, Any]:
    new = asyncapi()
    messages = new["components"]["messages"]
    channel = new["channels"]["to.{office}.training.v1"]
    match change:
        case "channels to.{office}.training.v1: removed":
            del new["channels"]["to.{office}.training.v1"]
        case "operations send to.{office}.training.v1 by training @ joint office: removed":
            del new["operations"]["send to.{office}.training.v1 by training @ joint office"]
        case "channel to.{office}.training.v1: address changed":
            channel["address"] = "to.{office}.training.v2"
        case "channel to.{office}.training.v1: training.seat-offered.v1 removed":
            del channel["messages"]["training.seat-offered.v1"]
        case "message training.seat-offered.v1: removed":
            del messages["training.seat-offered.v1"]
        case "message training.seat-offered.v1: header tenant newly required":
            messages["training.seat-offered.v1"]["headers"]["required"].append("tenant")
        case _:
            del messages["training.seat-offered.v1"]["payload"]["schema"]["properties"]["type"]
    return new


@pytest.mark.parametrize(
    "finding",
    [
        "channels to.{office}.training.v1: removed",
        "operations send to.{office}.training.v1 by training @ joint office: removed",
        "channel to.{office}.training.v1: address changed",
        "channel to.{office}.training.v1: training.seat-offered.v1 removed",
        "message training.seat-offered.v1: removed",
        "message training.seat-offered.v1: header tenant newly required",
        "message training.seat-offered.v1: /type: removed",
    ],
)
def test_a_document_that_takes_something_from_a_program_is_refused(finding: str) -> None:
    assert broken_channels(asyncapi(), _broken_document(finding)) == [finding]
    assert broken_channels(asyncapi(), asyncapi()) == []


def test_the_committed_document_is_not_broken() -> None:
    assert broken_channels(json.loads(ASYNCAPI.read_text(encoding="utf-8")), asyncapi()) == []
