"""The OpenAPI documents are up to date, valid, and do not change so that a caller breaks."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import openapi_spec_validator
import pytest

from deploy import openapi
from deploy.openapi_changes import breaking_changes

DOCUMENTS = sorted(openapi.FOLDER.glob("*.json"))
Json = dict[str, Any]


def test_every_side_of_every_service_has_a_document_that_is_up_to_date() -> None:
    made = openapi.files()
    assert set(DOCUMENTS) == set(made)
    broken = [
        f"{path.name}: {change}"
        for path, content in made.items()
        for change in breaking_changes(json.loads(path.read_text(encoding="utf-8")), json.loads(content))
    ]
    assert broken == [], "a caller would break: see CONTRIBUTING.md"
    assert [path.name for path, content in made.items() if path.read_text(encoding="utf-8") != content] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_is_valid_openapi(path: Any) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    openapi_spec_validator.validate(document)
    operations = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(operations) == len(set(operations))


def small() -> Json:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "note": {"type": "string"},
        },
        "required": ["name"],
    }
    thing: Json = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    asked: Json = {
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}},
        "required": True,
    }
    parameter = {"in": "query", "name": "limit", "required": False, "schema": {"type": "integer"}}
    post = {"parameters": [parameter], "requestBody": asked, "responses": {"201": thing}}
    return {
        "paths": {"/things": {"post": post}},
        "components": {"schemas": {"Thing": schema, "Asked": deepcopy(schema)}},
    }


def post(document: Json) -> Json:
    found: Json = document["paths"]["/things"]["post"]
    return found


def thing(document: Json) -> Json:
    found: Json = document["components"]["schemas"]["Thing"]
    return found


def asked(document: Json) -> Json:
    found: Json = document["components"]["schemas"]["Asked"]
    return found


BREAKS: dict[str, Callable[[Json], Any]] = {
    "POST /things: removed": lambda new: new["paths"].clear(),
    "answer 201 removed": lambda new: post(new)["responses"].clear(),
    "query parameter limit removed": lambda new: post(new)["parameters"].clear(),
    "query parameter limit newly required": lambda new: post(new)["parameters"][0].update(required=True),
    "?limit: type changed": lambda new: post(new)["parameters"][0].update(schema={"type": "string"}),
    "201/note: removed": lambda new: thing(new)["properties"].pop("note"),
    "201/note: type changed": lambda new: thing(new)["properties"].update(note={"type": "integer"}),
    "201/name: may now be missing": lambda new: thing(new)["required"].clear(),
    "201/kind: c is a value that callers do not know": lambda new: thing(new)["properties"]["kind"]["enum"].append("c"),
    "request/note: newly required": lambda new: asked(new)["required"].append("note"),
    "request/note: removed": lambda new: asked(new)["properties"].pop("note"),
    "request/kind: b is no longer taken": lambda new: asked(new)["properties"]["kind"]["enum"].remove("b"),
    "request/note: any value is no longer taken": lambda new: asked(new)["properties"]["note"].update(enum=["long"]),
}


@pytest.mark.parametrize("finding", BREAKS)
def test_what_breaks_a_caller_is_refused(finding: str) -> None:
    new = small()
    BREAKS[finding](new)
    (found,) = breaking_changes(small(), new)
    assert finding in found


def test_what_takes_nothing_from_a_caller_is_allowed() -> None:
    new = small()
    asked(new)["properties"]["more"] = {"type": "string"}
    asked(new)["properties"]["kind"]["enum"].append("c")
    asked(new)["required"].clear()
    thing(new)["properties"]["more"] = {"type": "string"}
    thing(new)["required"].append("more")
    thing(new)["properties"]["kind"]["enum"].remove("b")
    new["paths"]["/others"] = {}
    assert breaking_changes(small(), new) == []


def test_a_breaking_document_is_not_written(tmp_path: Any) -> None:
    path = tmp_path / "service.json"
    path.write_text(json.dumps(small()), encoding="utf-8")
    openapi.refuse_breaking(path, json.dumps(small()))
    with pytest.raises(SystemExit, match="would break its callers"):
        openapi.refuse_breaking(path, json.dumps(small() | {"paths": {}}))
