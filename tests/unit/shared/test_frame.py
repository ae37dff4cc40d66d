"""FastStream's frame around the kernel, without a broker: what reaches the kernel, and what is acknowledged."""

import logging
from collections.abc import Sequence
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError
from faststream import AckPolicy
from faststream.kafka import TestKafkaBroker
from opentelemetry.sdk.trace import TracerProvider
from structlog.testing import capture_logs

from shared.clock import SystemClock
from shared.messaging.frame import Fetched, FrameLog
from shared.messaging.inbound import Inbound
from shared.messaging.loop import Consumer, FencedError
from shared.messaging.parking import Record
from shared.messaging.transaction import Database
from shared.settings import ProcessSettings
from shared.topics import CHANGE_SECURITY_TO

TOPIC = "to.vantaa.change-security.v1"
FIRST, SECOND = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)


class Kafka:
    """What the frame does to aiokafka's consumer."""

    def __init__(self, *waiting: Any, error: Exception | None = None) -> None:
        self.waiting = list(waiting)
        self.error = error
        self.committed: list[dict[TopicPartition, int]] = []
        self.sought: list[tuple[TopicPartition, int]] = []

    async def getmany(self, *partitions: TopicPartition, max_records: int | None = None) -> dict[TopicPartition, Any]:
        if partitions:
            return {}
        taken, self.waiting = self.waiting[:max_records], self.waiting[max_records:]
        return {FIRST: taken}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.error:
            raise self.error
        self.committed.append(offsets)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought.append((partition, offset))

    def assignment(self) -> set[TopicPartition]:
        return {FIRST, SECOND}

    async def stop(self) -> None: ...


def consumer(**settings: Any) -> Consumer:
    made = ProcessSettings(
        office="vantaa",
        joint_office="pks",
        database_url="postgresql://127.0.0.1:1/none",
        kafka_bootstrap_servers="127.0.0.1:1",
        kafka_security="plaintext",
        jwks_url="http://127.0.0.1/none",
        token_issuer="none",
        **settings,
    )
    database = Database(cast("Any", None), "vantaa", SystemClock(), TracerProvider().get_tracer("test"))
    inbound = Inbound("change-security.vantaa", {TOPIC: CHANGE_SECURITY_TO}, {}, {})
    return Consumer(inbound, database, made, "change-security")


def record(offset: int, partition: int = 0) -> Any:
    return ConsumerRecord(TOPIC, partition, offset, 1_764_000_000_000, 0, b"k", b"\xff{", None, 1, 2, ())


async def consume(made: Consumer, kafka: Kafka, first: Any) -> list[Record]:
    """Let FastStream consume a record as if Kafka had brought it; return what reached the kernel."""
    handled: list[Record] = []

    async def remember(records: Sequence[Record]) -> bool:
        handled.extend(records)
        return True

    made.processor.handle = remember  # type: ignore[method-assign]
    async with TestKafkaBroker(made.broker):
        (subscriber,) = made.broker.subscribers
        subscriber.consumer = kafka  # type: ignore[attr-defined]
        await subscriber.consume(first)
    return handled


async def test_a_record_reaches_the_kernel_untouched_and_is_acknowledged() -> None:
    kafka = Kafka()
    raw = record(7)
    object.__setattr__(raw, "headers", (("x-from-afar", b"\xff\xfe\x00"), ("ce_id", b"1")))
    (handled,) = await consume(consumer(), kafka, raw)
    assert (handled.topic, handled.partition, handled.offset, handled.key) == (TOPIC, 0, 7, b"k")
    assert handled.value == b"\xff{"
    assert handled.headers == [("x-from-afar", b"\xff\xfe\x00"), ("ce_id", b"1")]
    assert kafka.committed == [{FIRST: 8}]


async def test_a_published_message_reaches_the_kernel() -> None:
    made = consumer()
    handled: list[Record] = []

    async def remember(records: Sequence[Record]) -> bool:
        handled.extend(records)
        return True

    made.processor.handle = remember  # type: ignore[method-assign]
    async with TestKafkaBroker(made.broker) as broker:
        (subscriber,) = broker.subscribers
        subscriber.consumer = Kafka()  # type: ignore[attr-defined]
        await broker.publish(b"{}", TOPIC, key=b"k", headers={"ce_id": "1"})
    assert [(one.value, one.key) for one in handled] == [(b"{}", b"k")]
    assert ("ce_id", b"1") in handled[0].headers


async def test_what_came_with_the_first_record_is_handled_with_it_up_to_the_batch_size() -> None:
    kafka = Kafka(record(8), record(3, partition=1), record(4, partition=1), record(9))
    handled = await consume(consumer(batch_size=4), kafka, record(7))
    assert [(one.partition, one.offset) for one in handled] == [(0, 7), (0, 8), (1, 3), (1, 4)]
    assert kafka.committed == [{FIRST: 9, SECOND: 5}]


async def test_what_is_not_handled_is_given_back_from_the_first_record_of_each_partition() -> None:
    kafka = Kafka(record(8), record(3, partition=1), record(4, partition=1))
    made = consumer()
    await made.stop()
    assert await consume(made, kafka, record(7)) == []
    assert kafka.committed == []
    assert sorted(kafka.sought) == [(FIRST, 7), (SECOND, 3)]


async def test_a_commit_that_a_rebalance_refuses_is_information_and_no_failure() -> None:
    made = consumer()
    with capture_logs() as logs:
        await consume(made, Kafka(error=CommitFailedError("k")), record(7))
    assert [(line["log_level"], line["event"]) for line in logs if line["log_level"] != "debug"] == [
        ("info", "offsets not committed after a rebalance")
    ]
    assert not made._broken.is_set()


async def test_a_commit_that_fails_otherwise_is_no_acknowledgement() -> None:
    fetched = Fetched(record(7), cast("Any", Kafka(error=KafkaError("k"))))
    with pytest.raises(KafkaError):
        await fetched.ack()
    assert fetched.committed is None


async def test_an_error_of_kafka_in_the_frames_log_ends_the_connection() -> None:
    made = consumer()
    made.broker.config.logger._setup(made.broker.config.context)
    made.broker.config.logger.log("KafkaError()", logging.CRITICAL, exc_info=KafkaError("k"))
    assert made._broken.is_set()
    assert not await made.is_ready()


async def test_a_record_is_given_up_by_the_kernel_alone() -> None:
    kafka = Kafka()
    await Fetched(record(7), cast("Any", kafka)).reject()
    assert (kafka.committed, kafka.sought) == ([], [(FIRST, 7)])


def test_the_frames_log_quotes_no_error() -> None:
    told: list[KafkaError] = []
    with capture_logs() as logs:
        log = FrameLog(told.append)
        log.log(logging.ERROR, "ValueError: 131052-308T", exc_info=ValueError("131052-308T"))
        log.log(logging.CRITICAL, "KafkaError: 131052-308T", exc_info=KafkaError("131052-308T"))
        log.log(logging.INFO, "waiting for messages", extra={"topic": TOPIC})
    assert "131052" not in str(logs)
    assert [line["log_level"] for line in logs] == ["error", "debug"]
    assert len(told) == 1


def test_the_acknowledgement_policy_is_the_explicit_one_and_the_instance_has_its_name() -> None:
    made = consumer(instance="b")
    (subscriber,) = made.broker.subscribers
    assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
    connection = cast("Any", subscriber)._connection_args
    assert connection["group_instance_id"] == "change-security.vantaa.b"
    assert connection["enable_auto_commit"] is False


def test_a_membership_that_is_taken_twice_before_it_could_time_out_is_another_process() -> None:
    made = consumer(session_timeout_seconds=10)
    made._watch_membership("a", 0)
    made._watch_membership("", 1)
    made._watch_membership("b", 2)
    with pytest.raises(FencedError):
        made._watch_membership("c", 5)


def test_of_two_processes_the_newcomer_yields() -> None:
    made = consumer(session_timeout_seconds=10)
    for at, member in enumerate("abcd"):
        made._watch_membership(member, 60 + at if at else 0)


def test_a_membership_that_times_out_again_and_again_is_no_other_process() -> None:
    made = consumer(session_timeout_seconds=10)
    for at in range(0, 100, 10):
        made._watch_membership(f"member {at}", at)
