"""What Kafka refuses: said apart from a broker that is away, seen by operators, and gone on from when it is granted."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from deploy.access import Cluster, Grant
from deploy.local.stack import Stack
from shared.clock import SystemClock
from shared.messaging.transaction import Database
from tests.support.rig import Happened, Rig, happened, running, until

SOON = 0.5
"""Seconds until what was refused is tried again, here."""


def refused(what: str, name: str) -> float | None:
    """The gauge that the alert looks at."""
    labels = {"office": "test", "service": "rig", "what": what, "name": name}
    return REGISTRY.get_sample_value("messaging_refused", labels)


@pytest.fixture
def cluster(stack: Stack) -> Cluster:
    return Cluster(stack.kafka_settings())


@pytest.fixture
def own(rig: Rig, stack: Stack, cluster: Cluster) -> Iterator[str]:
    """A principal of the test's own, and the rig comes as it: what it is granted concerns nobody else."""
    principal = f"p{uuid4().hex[:8]}.tests"
    settings = stack.kafka_settings(principal).model_dump() | {"kafka_refused_seconds": SOON}
    rig.settings = rig.settings.model_copy(update=settings)
    cluster.allow(grants(rig, principal))
    yield principal
    cluster.take_away({one for one in cluster.grants() if one.principal == principal})


def grants(rig: Rig, principal: str) -> set[Grant]:
    return {
        *(Grant(principal, "topic", topic, "read") for topic in rig.topics),
        *(Grant(principal, "topic", topic, "write") for topic in rig.topics),
        Grant(principal, "group", rig.group, "read"),
    }


async def publish(rig: Rig, subject: str, n: int, topic: str) -> None:
    tracer = rig.provider.get_tracer("test")
    database = Database(rig.engine, "test", SystemClock(), tracer, lambda _: replace(rig.topics[topic], name=topic))
    async with database.transaction(uuid4()) as tx:
        tx.publish(Happened(subject=subject, n=n))


@pytest.mark.parametrize("resource", ["topic", "group"])
async def test_a_right_that_is_taken_stops_a_consumer_visibly_and_it_goes_on_when_it_returns(
    rig: Rig, own: str, cluster: Cluster, resource: str
) -> None:
    name = rig.topic if resource == "topic" else rig.group
    taken = {Grant(own, resource, name, "read")}  # type: ignore[arg-type]
    if resource == "topic":
        taken.add(Grant(own, "topic", name, "write"))  # who may write it, sees it
    consumer = rig.consumer()
    async with running(consumer):
        await until(consumer.is_ready, "it is ready")
        await asyncio.to_thread(cluster.take_away, taken)

        async def stopped() -> bool:
            return not await consumer.is_ready() and refused(resource, name) == 1

        await until(stopped, f"the {resource} is refused", 60)
        await rig.produce(happened("a", 1))
        if resource == "topic":
            assert await rig.effects() == []  # what is refused as a group may have been fetched before
        await asyncio.to_thread(cluster.allow, taken)

        async def goes_on() -> bool:
            return await rig.effects() == [("a", 1)] and await consumer.is_ready()

        await until(goes_on, "it goes on", 60)
        assert refused(resource, name) is None


async def test_one_refused_topic_does_not_stop_the_relays_others(rig: Rig, own: str, cluster: Cluster) -> None:
    first = {Grant(own, "topic", rig.topic, "write"), Grant(own, "topic", rig.topic, "read")}
    await asyncio.to_thread(cluster.take_away, first)
    relay = rig.relay()
    async with running(relay):
        await publish(rig, "a", 1, rig.topic)
        await publish(rig, "b", 1, rig.second_topic)
        await publish(rig, "a", 2, rig.topic)
        await publish(rig, "b", 2, rig.second_topic)

        async def waiting(count: int) -> bool:
            return (await relay.backlog())[0] == count

        await until(lambda: waiting(2), "the other topic's records are sent")
        await until(lambda: _is(refused("topic", rig.topic), 1), "the refusal is seen")
        assert not await relay.is_ready()
        assert refused("topic", rig.second_topic) is None
        await asyncio.to_thread(cluster.allow, first)
        await until(lambda: waiting(0), "the rest is sent", 60)
        assert await relay.is_ready()
        assert refused("topic", rig.topic) is None
    records = await rig.read_topic(2)
    assert [Happened.model_validate_json(one.value).n for one in records] == [1, 2]


async def test_a_principal_that_is_denied_is_shut_out_while_it_sends(rig: Rig, own: str, cluster: Cluster) -> None:
    relay = rig.relay()
    async with running(relay):
        await publish(rig, "a", 1, rig.topic)
        await until(lambda: _backlog(relay, 0), "the first is sent")
        await asyncio.to_thread(cluster.deny, own)
        await publish(rig, "a", 2, rig.topic)
        await until(lambda: _is(refused("topic", rig.topic), 1), "it is refused")
        assert await _backlog(relay, 1)
        await asyncio.to_thread(cluster.admit, own)
        await until(lambda: _backlog(relay, 0), "the second is sent", 60)


async def _backlog(relay: Any, count: int) -> bool:
    return bool((await relay.backlog())[0] == count)


async def _is(value: float | None, wanted: float) -> bool:
    return value == wanted


async def test_consumer_and_relay_take_up_a_new_certificate_while_they_run(rig: Rig, own: str, stack: Stack) -> None:
    consumer, relay = rig.consumer(), rig.relay()
    async with running(consumer, relay):
        await until(consumer.is_ready, "it is ready")
        before = consumer.certificate_expires
        assert before is not None
        stack.identities.authority.issue(own, lifetime=timedelta(days=500))

        async def renewed() -> bool:
            shown = (consumer.certificate_expires, relay._security.expires)
            return all(one is not None and one > before for one in shown)

        await until(renewed, "both have the new one")


async def test_a_connection_that_is_refused_is_not_a_broker_that_is_away(rig: Rig, own: str, stack: Stack) -> None:
    files = stack.identities.authority.issue(own, lifetime=timedelta(hours=-1), folder=f"{own}-expired")
    place = stack.identities.certificate(own).own
    good = place.read_bytes()
    place.write_bytes(files.own.read_bytes())
    consumer = rig.consumer()
    async with running(consumer):
        await until(lambda: _is(refused("connection", "certificate-expired"), 1), "the reason is seen")
        assert not await consumer.is_ready()
        place.write_bytes(good)
        await until(consumer.is_ready, "it goes on with a good one", 60)
        assert refused("connection", "certificate-expired") is None
