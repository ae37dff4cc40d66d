"""One trace shows a notice's whole way: fetched back from the trace viewer."""

from typing import Any

import pytest

from deploy.local.client import wait_for
from deploy.local.observing import spans_of
from deploy.local.stack import Stack
from tests.support.matters import Matters

Span = dict[str, Any]


def fetched(stack: Stack, trace_id: str, spans: int) -> list[Span]:
    """Return a trace from Zipkin once it has so many spans."""

    def look() -> list[Span] | None:
        found = spans_of(stack, trace_id)
        return found if len(found) >= spans else None

    return wait_for(look, f"{spans} spans", 20)


def named(trace: list[Span], start: str) -> list[Span]:
    return [span for span in trace if span["name"].startswith(start)]


def office(span: Span) -> str:
    return str(span["localEndpoint"]["serviceName"]).rpartition(".")[2]


@pytest.fixture
def trace(matters: Matters, stack: Stack) -> list[Span]:
    """The trace of one notice that concerns three authorities."""
    ledger = matters.complete(matters.file()["notice_id"])
    # server, create and send at the joint office; process and send in three cities; three receipts
    return fetched(stack, ledger["trace_id"], 12)


def test_one_trace_has_one_process_span_for_each_office_and_message(trace: list[Span]) -> None:
    assert len({span["traceId"] for span in trace}) == 1
    in_cities = named(trace, "process to.")
    assert sorted(office(span) for span in in_cities) == ["espoo", "helsinki", "vantaa"]
    receipts = named(trace, "process from.")
    assert sorted(span["name"] for span in receipts) == [
        f"process from.{city}.change-security.v1" for city in ("espoo", "helsinki", "vantaa")
    ]
    assert {office(span) for span in receipts} == {"pks"}


def test_the_offices_lie_side_by_side_below_the_span_that_created_the_message(trace: list[Span]) -> None:
    by_id = {span["id"]: span for span in trace}
    (root,) = [span for span in trace if "parentId" not in span]
    assert (root["kind"], root["tags"]["http.route"]) == ("SERVER", "/v1/notices")
    (create,) = named(trace, "create")
    assert create["parentId"] == root["id"]
    assert {span["parentId"] for span in named(trace, "process to.")} == {create["id"]}
    for receipt in named(trace, "process from."):
        handling = by_id[receipt["parentId"]]
        assert handling["name"].startswith("process to.")
        assert receipt["name"] == f"process from.{office(handling)}.change-security.v1"


def test_a_send_span_tells_how_many_messages_left_together(trace: list[Span]) -> None:
    (send,) = [span for span in named(trace, "send") if office(span) == "pks"]
    # To three cities, and the receipt to whoever filed.
    assert send["tags"]["messaging.batch.message_count"] == "4"


def test_spans_carry_ids_offices_and_counts_and_nothing_of_the_filing(trace: list[Span]) -> None:
    from shared.instruments import SPAN_ATTRIBUTES

    ours = {name for span in trace for name in span["tags"]}
    libraries = {name for name in ours if name.startswith(("otel.", "telemetry.", "service."))}
    assert ours - libraries - {"error"} <= SPAN_ATTRIBUTES
    text = str(trace)
    for word in ("Esimerkki", "2077474", "termination", "työntekijät"):
        assert word not in text


def test_the_ledger_names_the_trace_so_that_it_is_found_from_the_notice(matters: Matters) -> None:
    ledger = matters.complete(matters.file()["notice_id"])
    assert len(ledger["trace_id"]) == 32


def test_a_trace_goes_on_after_the_relay_was_away(matters: Matters, stack: Stack) -> None:
    joint = stack.child("change_security", "pks")
    city = stack.child("change_security", "vantaa")
    city.kill()
    try:
        notice = matters.file(employer={"business_id": "2077474-0", "domicile": "092"}, sites=[])
        joint.kill()  # between the outbox and its receipt
    finally:
        joint.start()
        city.start()
        stack.wait_ready("change_security", "pks")
        stack.wait_ready("change_security", "vantaa")
    ledger = matters.complete(notice["notice_id"], seconds=60)
    assert ledger["trace_id"]

    def whole() -> list[Span] | None:
        spans: list[Span] = spans_of(stack, ledger["trace_id"])
        return spans if named(spans, "process to.") and named(spans, "process from.") else None

    wait_for(whole, "the trace's later part", 20)
