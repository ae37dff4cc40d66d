"""Whatever is accepted can be read back through every route of both sides, and no cursor breaks a list."""

import base64
import json
from datetime import datetime
from functools import partial
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.client import Caller, Callers, has_read_everything, wait_for
from deploy.local.sample_data import BUSINESS_ID
from deploy.local.stack import Stack
from tests.support.any_filing import INSTANTS, Known, any_filing
from tests.support.matters import submit

FILINGS = any_filing(st.just(BUSINESS_ID), st.sampled_from(["049", "091", "092", "999", "x"]))
HOSTILE = ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "2026-11-24T07:00:00", "2147483648", "-1"]
HOSTILE += ["9223372036854775808", "\0", "\ud800", "", "true", "nan"]


def everything(callers: Callers, office: str) -> Caller:
    """Someone who may read all of an office."""
    return callers.of(office, "helsinki" if office == "pks" else office, "officer", "coordinator", "operator")


def reads(caller: Caller, *, with_cursor: bool = False) -> list[tuple[str, Known]]:
    """The paths of an office's reads that need no more than a notice, each with the query that it cannot do without."""
    api = caller.read("/openapi.json")
    return [
        (path, {one["name"]: _any(one, api) for one in methods["get"].get("parameters", ()) if _is_needed(one)})
        for path, methods in api["paths"].items()
        if "get" in methods
        and path.startswith("/v1/")
        and path.replace("{notice_id}", "").count("{") == 0
        and (not with_cursor or "cursor" in {one["name"] for one in methods["get"].get("parameters", ())})
    ]


def _is_needed(parameter: Known) -> bool:
    return bool(parameter["in"] == "query" and parameter["required"])


def _any(parameter: Known, api: Known) -> str:
    name = parameter["schema"]["$ref"].rsplit("/", 1)[-1]
    return str(api["components"]["schemas"][name]["enum"][0])


def bodies() -> list[Known]:
    """The same filings in every run, each with its reference and the arrival that an officer gives."""
    made: list[Known] = []

    @settings(max_examples=25, derandomize=True, deadline=None, database=None)
    @given(FILINGS, st.none() | INSTANTS, st.none() | st.just("Ä-17 \"'"))
    def make(filing: Known, arrived_at: datetime | None, reference: str | None) -> None:
        told: Known = {"filing": filing, "filer_reference": reference}
        made.append(told | ({"arrived_at": arrived_at.isoformat()} if arrived_at else {}))

    make()
    return made


def test_whatever_is_accepted_can_be_read_back_through_every_route(callers: Callers, stack: Stack) -> None:
    joint, vantaa = everything(callers, "pks"), everything(callers, "vantaa")
    accepted: list[tuple[Caller, str]] = []
    for told in bodies():
        for caller in (joint, vantaa):
            answer = caller.post("/v1/notices", json=told)
            assert answer.status_code in {201, 422}, answer.text
            if answer.status_code == 201:
                accepted.append((caller, answer.json()["notice_id"]))
        if answer.status_code == 201:
            notice_id = str(uuid4())
            body = told | {"type": "change-security.notice-submitted.v1", "notice_id": notice_id}
            submit(stack.kafka.bootstrap, (notice_id, str(body["type"]), body, notice_id))
            accepted.append((joint, notice_id))
    assert len(accepted) > 30
    for office in ("pks", "vantaa", "pks", "vantaa"):  # what one sends, the other answers
        wait_for(partial(has_read_everything, everything(callers, office)), "everything read", 60)
    for caller, notice_id in accepted:
        must_be_readable(caller, notice_id)
    for caller in (joint, vantaa):
        must_be_listed(caller)


def must_be_readable(caller: Caller, notice_id: str) -> None:
    for path, query in reads(caller):
        if "{notice_id}" in path:
            answer = caller.get(path.replace("{notice_id}", notice_id), params=query)
            assert answer.status_code == 200, (path, answer.text)


def must_be_listed(caller: Caller) -> None:
    for path, query in reads(caller):
        if "{" not in path:
            for more in ({"limit": 200}, {"format": "csv"}):
                assert caller.get(path, params=query | more).status_code < 500, path


@pytest.mark.parametrize("office", ["pks", "vantaa"])
def test_a_cursor_that_was_tampered_with_is_400_on_every_list(callers: Callers, office: str) -> None:
    caller = everything(callers, office)
    filed = caller.send(
        "/v1/notices", {"filing": {"kind": "termination_notice", "employer": {"business_id": BUSINESS_ID}}}
    )
    lists = reads(caller, with_cursor=True)
    assert len(lists) >= 4
    for pattern, query in lists:
        path = pattern.replace("{notice_id}", filed["notice_id"])
        for garbage in ("x", "%%", "W10", "bnVsbA", _cursor(["a"] * 7)):
            answer = caller.get(path, params=query | {"cursor": garbage})
            assert answer.status_code == 400, (path, garbage, answer.text)
        first = caller.get(path, params=query | {"limit": 1}).json()
        place = json.loads(base64.urlsafe_b64decode(first["next"] + "==")) if first.get("next") else None
        for wrong in HOSTILE:
            for at in range(len(place or ())):
                tampered = [wrong if number == at else part for number, part in enumerate(place or ())]
                answer = caller.get(path, params=query | {"cursor": _cursor(tampered)})
                assert answer.status_code in {200, 400}, (path, tampered, answer.text)


def _cursor(parts: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
