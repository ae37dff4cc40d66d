"""Tries what each principal can do on a real broker, with the principal's own certificate and Kafka's own client."""

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from deploy.access import Grant, native_client_of
from shared.settings import KafkaSettings

SECONDS = 60.0
REFUSED = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED}
STARTING = {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE}


class Cell(NamedTuple):
    """What is tried, and whether Kafka let it happen. Anything but "yes" and "refused" is no answer."""

    grant: Grant
    allowed: bool | str


def tried(settings: KafkaSettings, grants: Iterable[Grant]) -> list[Cell]:
    """Try what one principal may and may not do."""
    wanted = list(grants)
    native: dict[str, Any] = native_client_of(settings) | {"log_level": "0"}
    return [
        *_written(native, [one for one in wanted if one.operation == "write"]),
        *_read(native, [one for one in wanted if one.resource == "topic" and one.operation == "read"]),
        *_as_groups(native, [one for one in wanted if one.resource == "group"]),
    ]


def _written(native: dict[str, Any], grants: list[Grant]) -> list[Cell]:
    answers: dict[str, bool | str] = {}

    def note(topic: str) -> Callable[[KafkaError | None, Any], None]:
        return lambda error, _: answers.__setitem__(topic, _judged(error))

    producer = Producer(native | {"acks": "all", "message.timeout.ms": int(SECONDS * 1000)})
    for one in grants:
        producer.produce(one.name, b"", key=b"matrix", partition=0, on_delivery=note(one.name))
    producer.flush(SECONDS)
    return [Cell(one, answers.get(one.name, "no answer")) for one in grants]


def _read(native: dict[str, Any], grants: list[Grant]) -> list[Cell]:
    """Fetch from topics. A topic that one may not even see is not asked for: the client would ask without end."""
    admin = AdminClient(native)  # lives until the answers are there
    seen = admin.describe_topics(TopicCollection([one.name for one in grants]), request_timeout=SECONDS)
    answers: dict[str, bool | str] = {}
    for name, described in seen.items():
        try:
            described.result(SECONDS)
        except KafkaException as error:
            answers[name] = _judged(error.args[0])
    consumer = Consumer(native | {"group.id": "none", "enable.auto.commit": False, "enable.partition.eof": True})
    visible = [TopicPartition(one.name, 0, OFFSET_BEGINNING) for one in grants if one.name not in answers]
    consumer.assign(visible)
    deadline = time.monotonic() + SECONDS
    while len(answers) < len(grants) and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.topic() is not None:
            answers.setdefault(str(message.topic()), _judged(message.error()))
    return [Cell(one, answers.get(one.name, "no answer")) for one in grants]


def _as_groups(native: dict[str, Any], grants: list[Grant]) -> list[Cell]:
    """Move a group's place on a topic: who may do that can also read as the group."""
    admin = AdminClient(native)
    return [Cell(one, _moved(admin, one.name)) for one in grants]


def _moved(admin: AdminClient, group: str) -> bool | str:
    place = ConsumerGroupTopicPartitions(group, [TopicPartition("shared.training.v1", 0, 0)])
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            (moved,) = admin.alter_consumer_group_offsets([place], request_timeout=SECONDS).values()
            (partition,) = moved.result(SECONDS).topic_partitions
            error = partition.error
        except KafkaException as exception:
            error = exception.args[0]
        if error is None or error.code() not in STARTING or time.monotonic() > deadline:
            return _as_member(error)
        time.sleep(0.2)


def _as_member(error: KafkaError | None) -> bool | str:
    # The group was let in, and then the topic refused: not everyone may read this one.
    return True if error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED else _judged(error)


def _judged(error: KafkaError | None) -> bool | str:
    if error is None or error.code() == KafkaError._PARTITION_EOF:
        return True
    return False if error.code() in REFUSED else str(error)
