"""Outbox and relay on the real broker and database."""

import asyncio
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text

from deploy.local.processes import free_port
from shared.messaging.relay import Relay
from shared.messaging.transaction import Transaction
from tests.support.rig import Happened, Rig, happened, record_effect, running, until


async def publish(rig: Rig, *events: Happened, pause: float = 0, written: asyncio.Event | None = None) -> None:
    """Publish events in one transaction that may linger, once it has written them, before it commits."""
    async with rig.database.transaction(uuid4()) as tx:
        for event in events:
            tx.publish(event)
        await tx.finish()
        tx._outgoing.clear()
        if written is not None:
            written.set()
        await asyncio.sleep(pause)


async def test_concurrent_writers_lose_none_of_3200_events_and_each_key_keeps_its_order(rig: Rig) -> None:
    async def write(database: int) -> None:
        for n in range(0, 400, 4):
            # Some transactions linger, so that later sequence numbers commit before earlier ones.
            batch = [Happened(subject=f"w{database}", n=n + k) for k in range(4)]
            await publish(rig, *batch, pause=0.01 if (n // 4 + database) % 5 == 0 else 0)

    async with running(rig.relay()):
        await asyncio.gather(*(write(database) for database in range(8)))
        records = await rig.read_topic(3200)
    assert len(records) == 3200
    for database in range(8):
        mine = [Happened.model_validate_json(one.value).n for one in records if one.key == f"w{database}".encode()]
        assert mine == list(range(400))


async def test_a_slow_writer_is_not_stepped_over(rig: Rig) -> None:
    async with running(rig.relay()):
        written = asyncio.Event()
        slow = asyncio.create_task(publish(rig, Happened(subject="slow", n=1), pause=0.8, written=written))
        await written.wait()
        await publish(rig, Happened(subject="fast", n=1))
        await slow
        records = await rig.read_topic(2)
    assert sorted(record.key for record in records) == [b"fast", b"slow"]


async def test_of_two_relays_one_leads_and_nothing_is_sent_twice(rig: Rig) -> None:
    first, second = rig.relay(), rig.relay()
    async with running(first, second):
        for n in range(50):
            await publish(rig, *(Happened(subject="a", n=n * 4 + k) for k in range(4)))
            assert not (first.leading and second.leading)
        records = await rig.read_topic(200)
    assert [Happened.model_validate_json(record.value).n for record in records] == list(range(200))


async def test_the_second_relay_takes_over_when_the_leader_loses_its_connection(rig: Rig) -> None:
    first, second = rig.relay(), rig.relay()
    async with running(first):
        await until(lambda: _leads(first), "the first leads")
        async with running(second):
            await publish(rig, Happened(subject="a", n=1))
            await rig.read_topic(1)
            await rig.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                " AND objid = hashtext(current_schema())::bigint & x'ffffffff'::bigint AND pid <> pg_backend_pid()"
            )
            await publish(rig, Happened(subject="a", n=2))
            records = await rig.read_topic(2)
    assert {Happened.model_validate_json(record.value).n for record in records} == {1, 2}


async def test_a_relay_that_cannot_reach_kafka_does_not_keep_others_from_leading(rig: Rig) -> None:
    reached = rig.settings
    rig.settings = reached.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:{free_port()}"})
    cut_off = rig.relay()
    rig.settings = reached
    async with running(cut_off):
        await until(lambda: _leads(cut_off), "it leads for a moment")
        await publish(rig, Happened(subject="a", n=1))
        async with running(rig.relay()):
            assert len(await rig.read_topic(1)) == 1


async def test_sent_rows_stay_as_the_archive(rig: Rig) -> None:
    async with running(rig.relay()):
        await publish(rig, Happened(subject="a", n=1))
        await rig.read_topic(1)
        await until(lambda: _sent(rig, 1), "the row is marked")
    ((count,),) = await rig.rows("SELECT count(*) FROM outbox")
    assert count == 1


async def test_what_is_committed_while_no_relay_runs_is_sent_by_the_next_one(rig: Rig) -> None:
    await publish(rig, Happened(subject="a", n=1))
    async with running(rig.relay()):
        assert len(await rig.read_topic(1)) == 1


async def test_a_transaction_that_rolls_back_publishes_nothing(rig: Rig) -> None:
    async def change_mind() -> None:
        async with rig.database.transaction(uuid4()) as tx:
            tx.publish(Happened(subject="a", n=1))
            await tx.finish()
            raise KeyError

    with pytest.raises(KeyError):
        await change_mind()
    async with running(rig.relay()):
        await publish(rig, Happened(subject="b", n=1))
        records = await rig.read_topic(1)
    assert [record.key for record in records] == [b"b"]


async def test_handling_the_same_message_again_publishes_the_same_ids(rig: Rig) -> None:
    rig.database.topic_of = lambda _: rig.topics[rig.second_topic]

    async def answer(event: Happened, tx: Transaction) -> None:
        await record_effect(event, tx)
        if event.n < 100:
            tx.publish(Happened(subject=event.subject, n=event.n + 100))

    record = happened("a", 1)
    await rig.produce(record)
    async with running(rig.consumer(answer)):
        await rig.settled(1)
    # The store is rebuilt: its inbox is empty and the same record comes again.
    await rig.execute("TRUNCATE inbox")
    await rig.produce(record)
    async with running(rig.consumer(answer)):
        await rig.settled(2)
    ids = [row.event_id for row in await rig.rows("SELECT event_id FROM outbox")]
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_the_trace_goes_on_through_the_outbox_and_after_a_relay_restart(rig: Rig) -> None:
    spans = InMemorySpanExporter()
    rig.provider.add_span_processor(SimpleSpanProcessor(spans))
    tracer = rig.provider.get_tracer("test")
    with tracer.start_as_current_span("POST /v1/notices") as root:
        await publish(rig, Happened(subject="a", n=1))  # no relay runs yet
    async with running(rig.relay()):
        await rig.read_topic(1)
    async with running(rig.consumer()):
        await rig.settled(1)
    by_name = {span.name.split()[0]: span for span in spans.get_finished_spans()}
    assert {span.context.trace_id for span in spans.get_finished_spans()} == {root.get_span_context().trace_id}
    created = by_name["create"].context
    assert created is not None
    create = created.span_id
    assert _parent(by_name["create"]) == root.get_span_context().span_id
    assert _parent(by_name["send"]) == create
    assert _parent(by_name["process"]) == create
    assert [link.context.span_id for link in by_name["process"].links] == [create]


def _parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


async def test_old_rows_of_outbox_and_inbox_are_pruned_and_unsent_ones_never(rig: Rig) -> None:
    await publish(rig, Happened(subject="a", n=1))
    async with running(rig.relay()):
        await rig.read_topic(1)
        await until(lambda: _sent(rig, 1), "the row is marked")
    await rig.execute("UPDATE outbox SET created_at = now() - interval '121 days'")
    await rig.execute("INSERT INTO inbox VALUES (gen_random_uuid(), now() - interval '121 days')")
    await publish(rig, Happened(subject="a", n=2))
    await rig.execute("UPDATE outbox SET created_at = now() - interval '365 days' WHERE published_at IS NULL")
    async with running(rig.relay()):
        await until(lambda: _empty(rig, "inbox"), "the inbox is pruned")
    assert len(await rig.read_topic(2)) == 2


async def _sent(rig: Rig, count: int) -> bool:
    rows = await rig.rows("SELECT count(*), count(published_at) FROM outbox")
    return tuple(rows[0]) == (count, count)


async def _empty(rig: Rig, table: str) -> bool:
    async with rig.engine.connect() as connection:
        return not (await connection.execute(text(f"SELECT 1 FROM {table}"))).all()


async def _leads(relay: Relay) -> bool:
    return relay.leading
