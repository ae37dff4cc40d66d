"""What is written by hand for speed gives the same as the library that it stands for."""

import asyncio
import json
import os
import random
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record import MemoryRecords
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Link, SpanKind, StatusCode, TraceFlags
from sqlalchemy.ext.asyncio import create_async_engine
from stdnum.fi import ytunnus

import shared.events
from shared.clock import SystemClock
from shared.events.envelope import NAMESPACE, derived_id
from shared.events.v1.change_security import NoticeAssigned
from shared.events.values import business_id, is_business_id
from shared.kept import kept_for_same
from shared.messaging.sending import Outgoing, batches_of, partition_hash
from shared.messaging.transaction import Database, Transaction
from shared.telemetry import MessageSpan, as_parent, context_of, start_message_span

CHANCE = random.Random(17)
EXAMPLES = Path(shared.events.__file__).parent / "examples" / "change-security.notice-assigned.v1"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_derived_id_is_the_uuid5_that_is_in_every_store() -> None:
    assert derived_id("parked", "a.v1", 3, 17) == UUID("964f1ae5-56d7-5689-9e6c-4835374527d1")
    for size in range(200):
        parts = (uuid4(), "å" * size, size)
        assert derived_id(*parts) == uuid5(NAMESPACE, "\n".join(map(str, parts)))


@pytest.mark.parametrize("size", range(48))
def test_a_key_has_the_partition_that_kafkas_default_partitioner_gives_it(size: int) -> None:
    partitions = list(range(12))
    for _ in range(20):
        key = os.urandom(size)
        assert partitions[partition_hash(key) % 12] == DefaultPartitioner()(key, partitions, partitions)


def test_a_business_id_is_checked_as_the_library_checks_it() -> None:
    valid = 0
    for _ in range(5000):
        given = CHANCE.choice(("", "FI", " ")) + f"{CHANCE.randrange(10**7):07}{CHANCE.choice(('-', '', ' '))}"
        given += str(CHANCE.randrange(10))
        is_valid = ytunnus.is_valid(given)
        valid += is_valid
        assert business_id(given) == (ytunnus.format(given) if is_valid else given)
        assert is_business_id(given) == (is_valid and ytunnus.format(given) == given)
    assert valid


@pytest.mark.parametrize("given", ["", "-", "2077474-0\n", "２077474-0", "2077474-00", "x077474-0"])
def test_what_only_looks_like_a_business_id_is_none(given: str) -> None:
    assert not is_business_id(given)


def provider(**options: Any) -> tuple[TracerProvider, InMemorySpanExporter]:
    made, kept = TracerProvider(**options), InMemorySpanExporter()
    made.add_span_processor(SimpleSpanProcessor(kept))
    return made, kept


def shown(span: ReadableSpan) -> dict[str, Any]:
    """What an exporter sees, without ids and times that differ from span to span."""
    seen: dict[str, Any] = json.loads(span.to_json())
    seen["context"].pop("span_id")
    assert seen.pop("start_time") <= seen.pop("end_time")
    return seen


def test_a_message_span_is_exported_as_the_sdks_own() -> None:
    created = context_of(TRACEPARENT)
    assert created is not None
    made, kept = provider()
    tracer = made.get_tracer("test")
    attributes: dict[str, Any] = {"messaging.system": "kafka", "messaging.kafka.offset": 3}
    ours = start_message_span(tracer, "process a.v1", SpanKind.CONSUMER, dict(attributes), created)
    own = tracer.start_span("process a.v1", as_parent(created), SpanKind.CONSUMER, attributes, [Link(created)])
    assert isinstance(ours, MessageSpan)
    for span in (ours, own):
        assert span.is_recording()
        span.set_attribute("error.type", "KeyError")
        span.set_status(StatusCode.ERROR)
        span.end()
    first, second = kept.get_finished_spans()
    assert shown(first) == shown(second)
    assert first.context.span_id != second.context.span_id
    assert ours.get_span_context().trace_id == created.trace_id


@pytest.mark.parametrize(("flags", "options"), [(0, {}), (1, {"sampler": ALWAYS_OFF})])
def test_a_message_leaves_no_span_when_its_sender_or_the_process_samples_none(
    flags: int, options: dict[str, Any]
) -> None:
    created = context_of(TRACEPARENT[:-2] + f"{flags:02x}")
    made, kept = provider(**options)
    span = start_message_span(made.get_tracer("test"), "process a.v1", SpanKind.CONSUMER, {}, created)
    span.end()
    assert not kept.get_finished_spans()
    assert span.get_span_context().trace_flags == TraceFlags.DEFAULT


def test_a_replayed_message_starts_a_trace_of_its_own() -> None:
    created = context_of(TRACEPARENT)
    made, kept = provider()
    start_message_span(made.get_tracer("test"), "process a.v1", SpanKind.CONSUMER, {}, created, as_child=False).end()
    (span,) = kept.get_finished_spans()
    assert span.parent is None
    assert [link.context for link in span.links] == [created]


def test_a_filing_that_is_written_once_reads_as_one_that_is_written_each_time() -> None:
    event = NoticeAssigned.model_validate_json(next(iter(sorted(EXAMPLES.glob("*.json")))).read_bytes())
    database = Database(
        create_async_engine("postgresql+asyncpg://"), "pks", SystemClock(), provider()[0].get_tracer("")
    )
    tx = Transaction(None, database)  # type: ignore[arg-type]
    amended = event.model_copy(update={"filing": event.filing.model_copy(update={"language": "sv"})})
    for one in (event, event.model_copy(update={"authority": "espoo"}), amended, event):
        assert json.loads(tx._body(one)) == json.loads(one.model_dump_json(exclude_none=True))


class Producer:
    """Has two topics of four partitions, and batches of 2,000 bytes."""

    async def partitions_for(self, _: str) -> set[int]:
        return {0, 1, 2, 3}

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(2000, 0)


def test_records_of_a_partition_are_sent_in_order_and_batches_stay_within_their_size() -> None:
    keys = [str(uuid4()).encode() for _ in range(5)]
    records: list[Outgoing] = [
        (CHANCE.choice(("a.v1", "b.v1")), CHANCE.choice(keys), b"%06d" % number * 40, []) for number in range(200)
    ]
    records[100] = (*records[100][:2], b"000100" + b"x" * 5000, [])  # more than a batch: it goes alone
    batches = asyncio.run(batches_of(records, Producer()))
    assert len(batches) > len({place for place, _ in batches})
    sent: dict[tuple[str, int], list[int]] = {}
    for place, batch in batches:
        assert batch.closed()
        assert batch.record_count() == 1 or batch.size() <= 2000
        read = MemoryRecords(bytes(batch._build())).next_batch()
        assert read is not None
        sent.setdefault(place, []).extend(int(record.value[:6]) for record in read)
    assert sorted(number for numbers in sent.values() for number in numbers) == list(range(200))
    for (topic, partition), numbers in sent.items():
        assert numbers == sorted(numbers)
        for number in numbers:
            assert records[number][0] == topic
            assert DefaultPartitioner()(records[number][1], [0, 1, 2, 3], [0, 1, 2, 3]) == partition


def test_a_kept_answer_is_given_for_the_same_object_alone() -> None:
    asked: list[str] = []

    @kept_for_same
    def shout(text: str) -> str:
        asked.append(text)
        return text.upper()

    first, equal = "notice", "NOTICE".lower()
    assert first is not equal
    assert [shout(first), shout(first), shout(equal), shout(first)] == ["NOTICE"] * 4
    assert len(asked) == 3
