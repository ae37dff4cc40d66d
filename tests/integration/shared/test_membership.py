"""Static membership on the real broker: a process that comes back has its partitions at once."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from structlog.testing import capture_logs

from shared.messaging import loop
from shared.messaging.loop import Consumer
from tests.support.rig import Rig, happened, running, until

SESSION = 45.0


@asynccontextmanager
async def process_of(rig: Rig) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the rig's consumer in a process of its own, with its partitions."""
    settings = rig.settings.model_dump(mode="json") | {
        "database_url": rig.settings.database_url.get_secret_value(),
        "city_offices": "",
    }
    schema = (await rig.rows("SELECT current_schema()"))[0][0]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.member",
        *(json.dumps(settings), schema, rig.topic, rig.second_topic),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while await process.stdout.readline() not in {b"assigned\n", b""}:
                pass  # what it logs
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_process_that_was_killed_has_its_partitions_before_its_session_times_out(rig: Rig) -> None:
    rig.settings = rig.settings.model_copy(update={"session_timeout_seconds": SESSION})
    async with process_of(rig) as process:
        process.send_signal(signal.SIGKILL)
        await process.wait()
        killed = time.monotonic()
        await rig.produce(happened("a", 1))
        consumer = rig.consumer()
        async with running(consumer):
            await rig.settled(1)
            assert await consumer.is_ready()
    assert time.monotonic() - killed < SESSION


async def test_a_restarted_consumer_reads_a_topic_that_it_did_not_read_before(rig: Rig) -> None:
    both = rig.topics
    rig.topics = {rig.topic: both[rig.topic]}
    consumer = rig.consumer(session_timeout_seconds=SESSION)
    async with running(consumer):
        await until(lambda: _assigned(consumer), "it has its partitions")
    rig.topics = both
    await rig.produce(happened("b", 1), topic=rig.second_topic)
    async with running(rig.consumer(session_timeout_seconds=SESSION)):
        await until(lambda: _has(rig, 1), "the new topic is read")


async def test_two_instances_share_the_partitions(rig: Rig) -> None:
    one, other = rig.consumer(instance="0"), rig.consumer(instance="1")
    async with running(one, other):
        await until(lambda: _share(one, other), "each has partitions of its own")


async def test_of_two_processes_with_one_instance_name_the_newcomer_is_not_ready_and_says_why(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_WATCH_SECONDS", 0.1)
    one, other = (rig.consumer(session_timeout_seconds=6) for _ in range(2))
    with capture_logs() as logs:
        async with running(one):
            await until(lambda: _assigned(one), "the first has its partitions")
            await asyncio.sleep(6)  # it has been here for a session timeout
            async with running(other):
                await until(lambda: _logged(logs), "the error is logged", 60)
                assert not await other.is_ready()
                await rig.produce(happened("a", 1))
                await rig.settled(1)
    assert await rig.effects() == [("a", 1)]


async def test_a_commit_that_kafka_refuses_loses_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = AIOKafkaConsumer.commit
    failures = iter([KafkaError("refused"), KafkaError("refused")])

    async def refuse_twice(*what: object) -> None:
        if error := next(failures, None):
            raise error
        await commit(*what)

    monkeypatch.setattr(AIOKafkaConsumer, "commit", refuse_twice)
    await rig.produce(*(happened("a", n) for n in range(20)))
    async with running(rig.consumer()):
        await rig.settled(20)
    assert await rig.effects() == [("a", n) for n in range(20)]


async def test_a_membership_that_has_ended_is_begun_anew(rig: Rig) -> None:
    consumer = rig.consumer()
    async with running(consumer):
        await until(lambda: _assigned(consumer), "it has its partitions")
        kafka = consumer._subscriber.consumer
        assert kafka is not None
        kafka._coordinator._coordination_task.cancel()
        await until(lambda: _replaced(consumer, kafka), "it has a new connection")
        await rig.produce(happened("a", 1))
        await rig.settled(1)


async def _assigned(consumer: Consumer) -> bool:
    return consumer.assigned


async def _replaced(consumer: Consumer, old: object) -> bool:
    return consumer.assigned and consumer._subscriber.consumer is not old


async def _share(one: Consumer, other: Consumer) -> bool:
    first, second = (kafka.assignment() if (kafka := each._subscriber.consumer) else set() for each in (one, other))
    return bool(first) and bool(second) and not first & second and len(first | second) == 5


async def _has(rig: Rig, count: int) -> bool:
    return len(await rig.effects()) >= count


async def _logged(logs: Sequence[object]) -> bool:
    return "another process has this one's instance name" in str(logs)
