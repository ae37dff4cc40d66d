"""The kernel on the real broker: what only the real broker shows."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.database import Bulk
from shared.errors import UnprocessableError
from shared.messaging import loop
from shared.messaging.codec import MAX_EVENT_BYTES, Rejection
from shared.messaging.inbound import Parked
from shared.messaging.replay import NotOpenError
from shared.messaging.transaction import Transaction
from shared.screening import ERASE_ON_DISCARD, PERSONAL_IDENTITY_CODE
from shared.topics import Topic
from tests.support.rig import EFFECT, Happened, Other, Raw, Rig, happened, headers, record_effect, running, until


async def test_a_redelivered_record_has_one_effect(rig: Rig) -> None:
    record = happened("a", 1)
    await rig.produce(record, record, happened("a", 2))
    async with running(rig.consumer()):
        await rig.settled(3)
    assert await rig.effects() == [("a", 1), ("a", 2)]


async def test_the_same_event_by_two_topics_has_one_effect(rig: Rig) -> None:
    record = happened("a", 1)
    await rig.produce(record)
    await rig.produce(record, topic=rig.second_topic)
    await rig.produce(happened("b", 1), topic=rig.second_topic)
    async with running(rig.consumer()):
        await until(lambda: _has(rig, 2), "both are handled")
    assert sorted(await rig.effects()) == [("a", 1), ("b", 1)]


async def test_a_crash_between_the_transaction_and_the_offset_redelivers_without_a_second_effect(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.produce(*(happened("a", n) for n in range(20)))

    async def crash(*_: Any) -> None:
        raise IllegalStateError

    with monkeypatch.context() as patched:
        patched.setattr(AIOKafkaConsumer, "commit", crash)
        async with running(rig.consumer()):
            await until(lambda: _has(rig, 20), "all have their effect")
        assert await rig.committed() <= 0
    async with running(rig.consumer()):
        await rig.settled(20)
    assert await rig.effects() == [("a", n) for n in range(20)]


async def test_the_offset_is_committed_after_the_transaction_never_before(rig: Rig) -> None:
    committed_during: list[int] = []

    async def look(event: Happened, tx: Transaction) -> None:
        committed_during.append(await rig.committed())
        await record_effect(event, tx)

    await rig.produce(happened("a", 1))
    async with running(rig.consumer(look)):
        await rig.settled(1)
    assert max(committed_during) <= 0


BAD_RECORDS = {
    "bad-json": (Raw(b"k", b"{not json", headers()), "invalid-body"),
    "not-an-object": (Raw(b"k", b"[1, 2]", headers()), "invalid-body"),
    "unknown-type": (Raw(b"k", b"{}", headers(event_type="test.tomorrow.v9")), "unknown-type"),
    "unknown-enum-member": (happened("k", 1, colour="green"), "invalid-body"),
    "tombstone": (Raw(b"k", None, headers()), "tombstone"),
    "no-headers": (Raw(b"k", b"{}", []), "missing-header"),
    "id-not-utf-8": (
        Raw(b"k", b"{}", [("ce_id", b"\xff\xfe"), ("ce_type", b"test.happened.v1"), ("ce_source", b"/x")]),
        "unreadable-header",
    ),
    "nul-in-type": (Raw(b"k", b"{}", headers(event_type="test\0.v1")), "unknown-type"),
    "body-not-utf-8": (Raw(b"k", b'{"subject": "\xff"}', headers()), "invalid-body"),
}


@pytest.mark.parametrize("name", BAD_RECORDS)
async def test_a_bad_record_is_parked_and_the_next_one_handled(rig: Rig, name: str) -> None:
    bad, code = BAD_RECORDS[name]
    await rig.produce(bad, happened("other", 1))
    async with running(rig.consumer()):
        await until(lambda: _has(rig, 1), "the good one is handled")
        await rig.settled(2)
    (parked,) = await rig.parked()
    assert (parked.code, parked.state) == (code, "parked")
    ((payload, key),) = await rig.rows("SELECT payload, key FROM parked")
    assert (payload, key) == (bad.value, bad.key)


async def test_a_header_that_is_not_utf_8_does_not_lose_its_message(rig: Rig) -> None:
    record = happened("a", 1)
    record.headers += [("x-from-afar", b"\xff\xfe\x00"), ("traceparent", b"\xff")]
    await rig.produce(record)
    async with running(rig.consumer()):
        await rig.settled(1)
    assert await rig.effects() == [("a", 1)]


async def test_a_body_of_two_megabytes_is_parked_whole(rig: Rig) -> None:
    large = happened("a", 1, note="x" * 2_000_000)

    def screen(record: Any) -> Rejection | None:
        return Rejection("body-too-large", "too large") if len(record.value or b"") > 262_144 else None

    await rig.produce(large, happened("b", 1))
    async with running(rig.consumer(screen=screen)):
        await rig.settled(2)
    assert await rig.effects() == [("b", 1)]
    ((size,),) = await rig.rows("SELECT octet_length(payload) FROM parked")
    assert large.value is not None
    assert size == len(large.value)


async def test_a_reason_quotes_nothing_from_the_record(rig: Rig) -> None:
    await rig.produce(happened("k", 1, colour="131052-308T"))
    async with running(rig.consumer()):
        await rig.settled(1)
    (parked,) = await rig.parked()
    assert parked.detail == "colour: literal_error"


async def test_a_known_type_without_a_handler_is_passed_over(rig: Rig) -> None:
    other = Raw(b"a", b'{"type": "test.other.v1", "subject": "a"}', headers(event_type=Other.type_name()))
    await rig.produce(other, happened("a", 1))
    async with running(rig.consumer()):
        await rig.settled(2)
    assert await rig.effects() == [("a", 1)]
    assert await rig.parked() == []


async def test_a_fact_of_an_unknown_type_on_a_shared_topic_is_passed_over(rig: Rig) -> None:
    shared = Topic(name=rig.topic, key="subject", writes="", reads="", types=frozenset(), unknown_types="ignore")
    rig.topics[rig.topic] = shared
    await rig.produce(Raw(b"a", b"{}", headers(event_type="test.tomorrow.v9")))
    async with running(rig.consumer()):
        await rig.settled(1)
    assert await rig.parked() == []


async def test_one_failing_record_in_a_batch_of_500_is_parked_alone(rig: Rig) -> None:
    async def fail_on_250(event: Happened, tx: Transaction) -> None:
        if event.n == 250:
            raise UnprocessableError("the 250th never succeeds")
        await record_effect(event, tx)

    await rig.produce(*(happened(f"s{n}", n) for n in range(500)))
    async with running(rig.consumer(fail_on_250)):
        await rig.settled(500)
    assert sorted(n for _, n in await rig.effects()) == [n for n in range(500) if n != 250]
    (parked,) = await rig.parked()
    assert (parked.detail, parked.attempts) == ("the 250th never succeeds", 1)


async def test_a_passing_failure_is_tried_again_and_the_order_kept(rig: Rig) -> None:
    failures = iter([True, True, False])

    async def fail_twice(event: Happened, tx: Transaction) -> None:
        if event.n == 1 and next(failures, False):
            raise RuntimeError
        await record_effect(event, tx)

    await rig.produce(*(happened("a", n) for n in range(4)))
    async with running(rig.consumer(fail_twice)):
        await rig.settled(4)
    assert await rig.effects() == [("a", n) for n in range(4)]
    assert await rig.parked() == []


@pytest.mark.parametrize("value", [2**40, -(2**70)])
async def test_a_value_that_the_database_cannot_hold_is_parked_and_not_waited_for(rig: Rig, value: int) -> None:
    await rig.produce(happened("a", value), happened("b", 1))
    async with running(rig.consumer(max_attempts=2)):
        await rig.settled(2)
    assert await rig.effects() == [("b", 1)]
    (parked,) = await rig.parked()
    assert parked.code == "attempts-exhausted"


async def test_a_failure_in_the_database_is_the_records_own_and_leaves_the_others(rig: Rig) -> None:
    broken = Bulk[Happened](
        "INSERT INTO effect (subject, n) SELECT subject, n / 0 FROM {rows}", {"subject": "text", "n": "integer"}
    )

    async def divide(event: Happened, tx: Transaction) -> None:
        tx.stage(broken, event) if event.n == 2 else await record_effect(event, tx)

    await rig.produce(*(happened(f"s{n}", n) for n in range(5)))
    async with running(rig.consumer(divide, max_attempts=3)):
        await rig.settled(5)
    assert sorted(n for _, n in await rig.effects()) == [0, 1, 3, 4]
    (parked,) = await rig.parked()
    assert (parked.code, parked.attempts) == ("attempts-exhausted", 3)
    assert "s2" not in parked.detail


async def test_a_parked_record_holds_back_later_ones_of_its_key_and_no_others(rig: Rig) -> None:
    async def refuse_first(event: Happened, tx: Transaction) -> None:
        if (event.subject, event.n) == ("a", 1):
            raise UnprocessableError("the first never succeeds")
        await record_effect(event, tx)

    consumer = rig.consumer(refuse_first)
    await rig.produce(happened("a", 1), happened("a", 2), happened("b", 1))
    async with running(consumer):
        await rig.settled(3)
        await rig.produce(happened("a", 3), happened("b", 2))
        await rig.produce(happened("a", 9), topic=rig.second_topic)
        await rig.settled(5)
        await until(lambda: _has(rig, 3), "the other topic's record is handled")
    assert sorted(await rig.effects()) == [("a", 9), ("b", 1), ("b", 2)]
    assert [record.state for record in await rig.parked()] == ["parked", "held", "held"]


async def test_the_sender_of_each_record_that_is_judged_and_parked_is_answered_once(rig: Rig) -> None:
    async def refuse_odd(event: Happened, tx: Transaction) -> None:
        if event.n % 2:
            raise UnprocessableError("odd", "odd")
        await record_effect(event, tx)

    async def answer(parked: Parked, tx: Transaction) -> None:
        tx.stage(EFFECT, Happened(subject=f"{parked.code} {parked.record.key!r}", n=parked.record.offset))

    consumer = rig.consumer(refuse_odd, on_parked=answer)
    await rig.produce(happened("a", 1), happened("a", 2), happened("a", 3), Raw(b"b", b"{", headers()))
    async with running(consumer):
        await rig.settled(4)
        answered = {subject for subject, _ in await rig.effects()}
        assert answered == {"odd b'a'", "invalid-body b'b'"}  # what is held has not been judged
        first = next(record for record in await rig.parked("parked") if record.code == "odd")
        assert await consumer.parked.replay(first.id, actor="officer-1", reason="too early") == 0
        assert len(await rig.effects()) == 2  # the same answer again would say nothing
        assert await consumer.parked.discard(first.id, actor="officer-1", reason="odd for ever") == 1
        assert len([subject for subject, _ in await rig.effects() if subject == "odd b'a'"]) == 2
    assert ("a", 2) in await rig.effects()


async def test_a_replay_handles_the_record_and_then_what_it_held_back_in_order(rig: Rig) -> None:
    broken = True

    async def refuse_while_broken(event: Happened, tx: Transaction) -> None:
        if broken and event.n == 1:
            raise UnprocessableError("not yet")
        await record_effect(event, tx)

    consumer = rig.consumer(refuse_while_broken)
    await rig.produce(*(happened("a", n) for n in range(1, 5)))
    async with running(consumer):
        await rig.settled(4)
        first = (await rig.parked("parked"))[0]
        assert await consumer.parked.replay(first.id, actor="officer-1", reason="tried too early") == 0
        broken = False
        assert await consumer.parked.replay(first.id, actor="officer-1", reason="fixed") == 4
        await rig.produce(happened("a", 5))
        await rig.settled(5)
    assert await rig.effects() == [("a", n) for n in range(1, 6)]
    assert {record.state for record in await rig.parked()} == {"replayed"}
    acts = await rig.rows(
        "SELECT act, outcome, actor, reason FROM parking_act WHERE parked_id = :id ORDER BY id", id=first.id
    )
    assert [tuple(act) for act in acts] == [
        ("replay", "failed: unprocessable", "officer-1", "tried too early"),
        ("replay", "replayed", "officer-1", "fixed"),
    ]
    with pytest.raises(NotOpenError):
        await consumer.parked.replay(first.id, actor="officer-1", reason="again")


async def test_a_discard_has_a_reason_and_lets_the_held_ones_go_on(rig: Rig) -> None:
    consumer = rig.consumer()
    await rig.produce(Raw(b"a", b"{", headers()), happened("a", 2), happened("a", 3))
    async with running(consumer):
        await rig.settled(3)
        first = (await rig.parked("parked"))[0]
        assert await consumer.parked.discard(first.id, actor="officer-1", reason="sender will send it again") == 2
    assert await rig.effects() == [("a", 2), ("a", 3)]
    ((act, reason),) = await rig.rows("SELECT act, reason FROM parking_act WHERE parked_id = :id", id=first.id)
    assert (act, reason) == ("discard", "sender will send it again")


async def test_the_payload_of_a_record_with_an_identity_code_is_erased_on_discard(rig: Rig) -> None:
    consumer = rig.consumer(
        screen=lambda _: Rejection(PERSONAL_IDENTITY_CODE, "it contains one"), erase_on_discard=ERASE_ON_DISCARD
    )
    await rig.produce(happened("a", 1))
    async with running(consumer):
        await rig.settled(1)
        (parked,) = await rig.parked()
        await consumer.parked.discard(parked.id, actor="officer-1", reason="sender told")
    ((payload,),) = await rig.rows("SELECT payload FROM parked")
    assert payload is None


async def test_a_replay_starts_a_new_trace_linked_to_the_old_one(rig: Rig) -> None:
    spans = InMemorySpanExporter()
    rig.provider.add_span_processor(SimpleSpanProcessor(spans))
    broken = True

    async def refuse_while_broken(event: Happened, tx: Transaction) -> None:
        if broken:
            raise UnprocessableError("not yet")

    record = happened("a", 1)
    record.headers.append(("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
    consumer = rig.consumer(refuse_while_broken)
    await rig.produce(record)
    async with running(consumer):
        await rig.settled(1)
        broken = False
        await consumer.parked.replay((await rig.parked())[0].id, actor="officer-1", reason="fixed")
    failed, replayed = [span for span in spans.get_finished_spans() if span.name.startswith("process")]
    old = int("0af7651916cd43dd8448eb211c80319c", 16)
    assert failed.context.trace_id == old
    assert failed.status.status_code.name == "ERROR"
    assert replayed.parent is None
    assert replayed.context.trace_id != old
    assert [link.context.trace_id for link in replayed.links] == [old]


async def test_a_batch_run_again_record_by_record_leaves_one_process_span_for_each(rig: Rig) -> None:
    spans = InMemorySpanExporter()
    rig.provider.add_span_processor(SimpleSpanProcessor(spans))

    async def refuse_third(event: Happened, tx: Transaction) -> None:
        if event.n == 3:
            raise UnprocessableError("never")

    await rig.produce(*(happened("a", n) for n in range(3)), happened("b", 3))
    async with running(rig.consumer(refuse_third)):
        await rig.settled(4)
    assert len([span for span in spans.get_finished_spans() if span.name.startswith("process")]) == 4


def held_up(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once a consumer has a record in hand that it may not handle: it then polls for nothing."""
    waiting = asyncio.Event()
    getmany = AIOKafkaConsumer.getmany

    async def watched(kafka: AIOKafkaConsumer, *partitions: TopicPartition, **options: Any) -> Any:
        if partitions == (loop._NO_PARTITION,):
            waiting.set()
        return await getmany(kafka, *partitions, **options)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", watched)
    return waiting


async def test_parking_has_a_limit_at_which_nothing_more_is_read(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = held_up(monkeypatch)
    consumer = rig.consumer(parking_limit=3, batch_size=1)
    await rig.produce(*(Raw(f"k{n}".encode(), b"{", headers()) for n in range(6)))
    async with running(consumer):
        await asyncio.wait_for(waiting.wait(), 30)
        assert len(await rig.parked()) == 3
        assert not await consumer.is_ready()
        for record in await rig.parked():
            await consumer.parked.discard(record.id, actor="officer-1", reason="makes room")
        await until(lambda: _parked(rig, 6), "the rest is read")


async def test_a_paused_consumer_takes_nothing_and_a_resumed_one_everything(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = held_up(monkeypatch)
    consumer = rig.consumer()
    consumer.pause()
    await rig.produce(happened("a", 1))
    async with running(consumer):
        await asyncio.wait_for(waiting.wait(), 30)
        assert await rig.effects() == []
        consumer.resume()
        await rig.settled(1)
    assert await rig.effects() == [("a", 1)]


async def test_a_batch_in_progress_is_finished_when_told_to_stop(rig: Rig) -> None:
    begun = asyncio.Event()

    async def slowly(event: Happened, tx: Transaction) -> None:
        begun.set()
        await asyncio.sleep(0.05)
        await record_effect(event, tx)

    await rig.produce(*(happened("a", n) for n in range(10)))
    consumer = rig.consumer(slowly)
    consumer.start()
    await begun.wait()
    await consumer.stop()
    done = len(await rig.effects())
    assert done > 0
    assert await rig.committed() == done


async def test_two_consumers_share_the_work_and_every_record_has_one_effect(rig: Rig) -> None:
    await rig.produce(*(happened(f"s{n % 40}", n) for n in range(400)))
    async with running(rig.consumer(batch_size=20)):
        await until(lambda: _has(rig, 20), "work has begun")
        async with running(rig.consumer(batch_size=20, instance="1")):
            await rig.produce(*(happened(f"s{n % 40}", n) for n in range(400, 800)))
            await rig.settled(800)
    effects = await rig.effects()
    assert sorted(n for _, n in effects) == list(range(800))
    for subject in {subject for subject, _ in effects}:
        mine = [n for one, n in effects if one == subject]
        assert mine == sorted(mine)


async def test_an_event_larger_than_kafka_takes_is_refused_before_it_reaches_the_outbox(rig: Rig) -> None:
    async def publish_large(event: Happened, tx: Transaction) -> None:
        tx.publish(Happened(subject="x" * MAX_EVENT_BYTES, n=1))

    await rig.produce(happened("a", 1))
    async with running(rig.consumer(publish_large, max_attempts=1)):
        await rig.settled(1)
    assert len(await rig.parked()) == 1
    assert await rig.rows("SELECT 1 FROM outbox") == []


async def _has(rig: Rig, count: int) -> bool:
    return len(await rig.effects()) >= count


async def _parked(rig: Rig, count: int) -> bool:
    return len(await rig.parked()) >= count


async def test_a_parked_record_does_not_make_the_process_seem_full_until_the_next_one_comes(rig: Rig) -> None:
    consumer = rig.consumer()
    await rig.produce(Raw(b"a", b"{", headers()))
    async with running(consumer):
        await rig.settled(1)
        assert len(await rig.parked("parked")) == 1
        assert not consumer.full
