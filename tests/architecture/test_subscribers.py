"""Every process that is built reads Kafka in the one way that loses nothing."""

from importlib import import_module

import pytest
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.events.registry import REGISTRY
from shared.topics import TOPICS

CITIES = ("helsinki", "espoo", "vantaa")


@pytest.mark.parametrize("office", ["pks", "vantaa"])
@pytest.mark.parametrize("service", ["advisory", "change_security", "placement", "training"])
def test_each_process_has_one_subscriber_that_acknowledges_after_its_handler(service: str, office: str) -> None:
    settings = import_module(f"services.{service}.settings").Settings(
        office=office,
        joint_office="pks",
        city_offices=",".join(CITIES),
        database_url="postgresql://127.0.0.1:1/none",
        kafka_bootstrap_servers="127.0.0.1:1",
        kafka_security="plaintext",
        jwks_url="http://127.0.0.1/none",
        token_issuer="none",
        pool_key="a city's own secret",
    )
    broker: KafkaBroker = import_module(f"services.{service}.app").build(settings).state.broker
    (subscriber,) = broker.subscribers
    # FastStream's default is at most once, whatever the broker is told.
    assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR


def test_only_an_office_itself_may_speak_on_its_topic() -> None:
    for topic in TOPICS:
        if topic.name.startswith("from."):
            assert topic.speaker is not None, topic.name
            assert [name for name in topic.types if topic.speaker not in REGISTRY[name].model_fields] == []
