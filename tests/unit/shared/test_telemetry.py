"""Traces leave by the exporter that is set, and only with what is allowed."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared.settings import ProcessSettings
from shared.telemetry import context_of, describe, traceparent_of, tracer_provider


def settings(**changes: Any) -> ProcessSettings:
    return ProcessSettings(
        office="vantaa",
        joint_office="pks",
        database_url="postgresql://nowhere",
        kafka_bootstrap_servers="nowhere",
        jwks_url="http://nowhere",
        token_issuer="nobody",
        **changes,
    )


def test_otlp_carries_the_service_the_office_and_allowed_attributes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    provider = tracer_provider("change-security", settings(otel_traces_exporter="otlp"))
    with provider.get_tracer("test").start_as_current_span(
        "process", attributes={"messaging.system": "kafka", "employer": "Esimerkki Oy"}
    ) as span:
        span.record_exception(ValueError("131052-308T"))
    provider.shutdown()
    server.shutdown()
    server.server_close()
    told = ExportTraceServiceRequest.FromString(received[0])
    (resource,) = told.resource_spans
    names = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert names["service.name"] == "change-security.vantaa"
    (sent,) = resource.scope_spans[0].spans
    assert {one.key for one in sent.attributes} == {"messaging.system"}
    assert [one.key for event in sent.events for one in event.attributes] == ["exception.type"]
    assert b"Esimerkki" not in received[0]
    assert b"131052" not in received[0]


@pytest.mark.parametrize(
    "header",
    [None, "", "00-0-0-01", "zz", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", "00-" + "1" * 32 + "-" + "g" * 16 + "-01"],
)
def test_a_malformed_traceparent_is_no_trace_and_no_error(header: str | None) -> None:
    assert context_of(header) is None


def test_a_traceparent_reads_back_as_it_was_written() -> None:
    header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    context = context_of(header)
    assert context is not None
    assert traceparent_of(context) == header


def test_an_error_is_described_by_class_and_place_never_by_its_message() -> None:
    try:
        raise ValueError("131052-308T")  # noqa: TRY301
    except ValueError as error:
        told = describe(error)
    assert told.startswith("ValueError in tests.unit.shared.test_telemetry:")
    assert "131052" not in told
