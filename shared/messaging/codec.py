"""CloudEvents 1.0, binary mode: attributes in Kafka headers, the body as it is.

Reading is tolerant: one bad header never costs a message. What cannot be read comes back as a `Rejection`, to be
parked.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from shared.events.envelope import Envelope, Event

HEARTBEAT: Final = "messaging.heartbeat.v1"
"""The type of a record that says nothing but that its topic works. Readers pass over it."""
MAX_EVENT_BYTES: Final = 900_000
"""What we write ourselves stays under Kafka's default record limit of 1 MiB, so the relay never meets a row it
cannot send."""

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a record cannot be handled: a code to group by and a text that quotes nothing from the record."""

    code: str
    detail: str


def headers_of(envelope: Envelope) -> Headers:
    """Write the envelope as Kafka headers."""
    headers = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", envelope.id.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_source", envelope.source.encode()),
    ]
    if envelope.time is not None:
        headers.append(("ce_time", envelope.time.isoformat().encode()))
    if envelope.traceparent is not None:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return headers


def read_envelope(
    headers: Iterable[tuple[str, bytes | None]], topic: str | None = None, received_at: datetime | None = None
) -> Envelope | Rejection:
    """Read the envelope from Kafka headers. Headers we do not know, in whatever encoding, are passed over."""
    found = {name: value for name, value in headers if name.startswith("ce_") or name == "traceparent"}
    required: dict[str, str] = {}
    for name in ("ce_id", "ce_type", "ce_source"):
        try:
            required[name] = (found.get(name) or b"").decode()
        except UnicodeDecodeError:
            return Rejection("unreadable-header", f"header {name} is not UTF-8")
        if not required[name]:
            return Rejection("missing-header", f"header {name} is missing")
    return Envelope(
        id=required["ce_id"],
        source=required["ce_source"],
        type=required["ce_type"],
        time=_time(found.get("ce_time")),
        traceparent=(found.get("traceparent") or b"").decode("ascii", "replace") or None,
        topic=topic,
        received_at=received_at,
    )


def _time(value: bytes | None) -> datetime | None:
    try:
        return datetime.fromisoformat(value.decode()) if value else None
    except ValueError:
        return None


def read_event(
    envelope: Envelope, body: bytes | None, types: Mapping[str, type[Event]], allowed: Collection[str]
) -> Event | Rejection:
    """Read the body as the event that the envelope's type names.

    A type not allowed on its topic is as good as unknown.
    """
    kind = types.get(envelope.type)
    if kind is None or envelope.type not in allowed:
        return Rejection("unknown-type", "the event type is not known on this topic")
    if body is None:
        return Rejection("tombstone", "the record has no body")
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        return Rejection("invalid-body", describe_validation(error))


def describe_validation(error: ValidationError, limit: int = 5) -> str:
    """Say which fields are wrong and how, without quoting a value: the value may be personal data."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{'/'.join(map(str, problem['loc'])) or 'body'}: {problem['type']}" for problem in problems[:limit]]
    more = len(problems) - limit
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")
