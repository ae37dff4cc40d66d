"""A guarded broker alone, with the suite's topics and access lists: what is tried on it disturbs nobody."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from deploy import access, topics
from deploy.local.identities import Identities
from deploy.local.kafka import Kafka, on_java
from deploy.local.postgres import temporary_folder
from deploy.local.stack import ADMINISTRATOR, CITIES, JOINT, PARTIES
from shared.messaging.security import client_of
from shared.settings import KafkaSettings


@dataclass
class GuardedBus:
    """The broker, and everyone who may come to it."""

    kafka: Kafka
    identities: Identities

    def settings(self, principal: str = ADMINISTRATOR, **changes: Any) -> KafkaSettings:
        """How a principal comes to the broker."""
        return self.identities.settings(principal, self.kafka.bootstrap).model_copy(update=changes)

    def client(self, principal: str = ADMINISTRATOR) -> dict[str, Any]:
        """The same for aiokafka."""
        return client_of(self.settings(principal))

    @property
    def access(self) -> access.Cluster:
        """Its access lists."""
        return access.Cluster(self.settings())


@contextmanager
def guarded_bus() -> Iterator[GuardedBus]:
    """Start the broker, and stop it."""
    folder = temporary_folder()
    identities = Identities(folder / "certificates", JOINT)
    kafka = Kafka(folder / "kafka", on_java, guard=identities.guard, short_lived=True)
    bus = GuardedBus(kafka, identities)
    try:
        kafka.start()
        kafka.wait()
        asyncio.run(topics.create(bus.client(), CITIES))
        access.apply(bus.access, PARTIES)
        yield bus
    finally:
        kafka.stop()
        shutil.rmtree(folder, ignore_errors=True)
