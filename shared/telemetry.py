"""Traces and logs. The one place that talks to the OpenTelemetry SDK and to structlog."""

import logging
import re
import sys
import time
from collections.abc import Sequence

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, Tracer
from opentelemetry.trace.propagation import set_span_in_context
from opentelemetry.util import types

from shared.instruments import OFFICE, SPAN_ATTRIBUTES
from shared.settings import ProcessSettings

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")


class AllowListExporter(SpanExporter):
    """Removes every span attribute that `shared.instruments` does not name, then hands the spans on.

    Guards what libraries add on their own: an address with a query string, an exception's message.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans with allowed attributes only."""
        return self._exporter.export([_allowed(span) for span in spans])

    def shutdown(self) -> None:
        """Shut the inner exporter down."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the inner exporter."""
        return self._exporter.force_flush(timeout_millis)


def _allowed(span: ReadableSpan) -> ReadableSpan:
    if not span.events and (not span.attributes or span.attributes.keys() <= SPAN_ATTRIBUTES):
        return span
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_only_allowed(span.attributes),
        events=[Event(event.name, _only_allowed(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=trace.Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
    )


def _only_allowed(attributes: types.Attributes) -> dict[str, types.AttributeValue]:
    return {name: value for name, value in (attributes or {}).items() if name in SPAN_ATTRIBUTES}


def tracer_provider(service: str, settings: ProcessSettings, exporter: SpanExporter | None = None) -> TracerProvider:
    """Make the process's tracer provider. `exporter` replaces the one that the settings choose.

    The service name carries the office, so that a trace viewer shows the offices side by side.
    """
    resource = Resource.create(
        {
            "service.name": f"{service}.{settings.office}",
            "service.namespace": "employment-services",
            OFFICE: settings.office,
        }
    )
    provider = TracerProvider(resource=resource)
    chosen = exporter or _exporter(settings)
    if chosen is not None:
        provider.add_span_processor(
            BatchSpanProcessor(AllowListExporter(chosen), max_queue_size=65_536, schedule_delay_millis=500)
        )
    return provider


def _exporter(settings: ProcessSettings) -> SpanExporter | None:
    match settings.otel_traces_exporter:
        case "otlp":
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - a process has one
                OTLPSpanExporter,
            )

            return OTLPSpanExporter()
        case "zipkin":
            from opentelemetry.exporter.zipkin.json import ZipkinExporter  # noqa: PLC0415 - as above

            return ZipkinExporter()
        case "none":
            return None


def traceparent_of(context: SpanContext) -> str:
    """Write a span context as a W3C `traceparent` header."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def context_of(traceparent: str | None) -> SpanContext | None:
    """Read a W3C `traceparent` header; None for a missing or malformed one (a bad trace never loses a message)."""
    match = _TRACEPARENT.match(traceparent) if traceparent else None
    if match is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in match.groups())
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return context if context.is_valid else None


def as_parent(context: SpanContext | None) -> Context:
    """Return the OpenTelemetry context in which a new span becomes this span's child; None starts a new trace."""
    return set_span_in_context(NonRecordingSpan(context)) if context else Context()


class MessageSpan(NonRecordingSpan):
    """The span of handling one message, with attributes that `shared.instruments` names.

    The SDK's own span checks and copies every attribute and link, keeps a lock, and asks the sampler about a message
    that its sender has decided about already: 38 µs of processor time, against 8. It is exported as the SDK's are.
    """

    def __init__(
        self,
        tracer: sdk.Tracer,
        name: str,
        kind: trace.SpanKind,
        parent: SpanContext,
        attributes: dict[str, types.AttributeValue],
        links: Sequence[trace.Link],
    ) -> None:
        super().__init__(
            SpanContext(parent.trace_id, tracer.id_generator.generate_span_id(), is_remote=False, trace_flags=_SAMPLED)
        )
        self._of = (tracer, name, kind, parent, links)
        self._attributes = attributes
        self._status = trace.Status()
        self._started = time.time_ns()

    def is_recording(self) -> bool:
        """A span that is not recorded is never made."""
        return True

    def set_attribute(self, key: str, value: types.AttributeValue) -> None:
        """Set an attribute."""
        self._attributes[key] = value

    def set_status(self, status: trace.Status | trace.StatusCode, description: str | None = None) -> None:
        """Set the status."""
        self._status = status if isinstance(status, trace.Status) else trace.Status(status, description)

    def end(self, end_time: int | None = None) -> None:
        """Hand the span to the exporter."""
        tracer, name, kind, parent, links = self._of
        tracer.span_processor.on_end(
            ReadableSpan(
                name,
                self.get_span_context(),
                parent,
                tracer.resource,
                self._attributes,
                (),
                links,
                kind,
                status=self._status,
                start_time=self._started,
                end_time=end_time or time.time_ns(),
                instrumentation_scope=tracer._instrumentation_scope,  # noqa: SLF001 - given to spans in no other way
            )
        )


def start_message_span(
    tracer: Tracer,
    name: str,
    kind: trace.SpanKind,
    attributes: dict[str, types.AttributeValue],
    created: SpanContext | None,
    *,
    as_child: bool = True,
) -> Span:
    """Start the span of a message, linked to the span that created it, and its child unless a new trace is wanted."""
    links = (trace.Link(created, {}),) if created else ()
    if (
        created is not None
        and as_child
        and created.trace_flags.sampled
        and isinstance(tracer, sdk.Tracer)
        and isinstance(tracer.sampler, ParentBased)  # then the sender has decided
    ):
        return MessageSpan(tracer, name, kind, created, attributes, links)
    parent = as_parent(created if as_child else None)
    return tracer.start_span(name, context=parent, kind=kind, attributes=attributes, links=links)


def current_trace_id() -> str | None:
    """Return the trace id of the span in progress, 32 hexadecimal digits."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def configure_logging(service: str, settings: ProcessSettings) -> None:
    """Write one JSON object a line to standard error, each with service, office and trace id."""

    def add_trace(_: object, __: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if trace_id := current_trace_id():
            entry["trace_id"] = trace_id
        return entry

    def add_process(_: object, __: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"service": service, "office": settings.office} | dict(entry)

    shared_steps: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_trace,
        add_process,
    ]
    structlog.configure(
        processors=[*shared_steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_steps,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _class_and_place_of_exception,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for noisy in ("httpx", "httpcore", "alembic", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # A restarting broker makes aiokafka repeat itself at ERROR; what matters is told by readiness and by metrics.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _class_and_place_of_exception(_: object, __: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace an exception by its class and place: its message may quote a row or a body."""
    info = entry.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else None
    if isinstance(error, BaseException):
        entry["error"] = describe(error)
    entry.pop("exc_text", None)
    return entry


def describe(error: BaseException) -> str:
    """Name an exception's class and the place that raised it, without its message, which may quote personal data."""
    name = type(error).__name__
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return name
    return f"{name} in {frame.tb_frame.f_globals.get('__name__', '?')}:{frame.tb_lineno}"
