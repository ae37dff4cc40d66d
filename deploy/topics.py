"""Creates the topics that `shared.topics` names: `python -m deploy.topics --offices a,b,c`.

How to reach Kafka, and as whom, is read from the settings of `shared.settings.KafkaSettings`: the administrator.
Safe to repeat: an existing topic is brought to the table's configuration. Partitions are never changed, since a key
would then move to another partition and lose its order.
"""

import argparse
import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.messaging.security import client_of
from shared.settings import KafkaSettings
from shared.topics import expanded


async def create(client: Mapping[str, Any], offices: Iterable[str], *, replication: int = 1) -> list[str]:
    """Create what is missing and configure the rest; return the names of all topics.

    Args:
        client: what a client of aiokafka needs to come to Kafka as its administrator.
        offices: the city offices.
        replication: copies of each partition; three in production.
    """
    wanted = expanded(offices)
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        await admin.create_topics(
            [
                NewTopic(name, topic.partitions, replication, topic_configs=topic.config)
                for name, topic in wanted.items()
                if name not in there
            ]
        )
        if old := there & wanted.keys():
            await admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, name, wanted[name].config) for name in sorted(old)]
            )
    finally:
        await admin.close()
    return sorted(wanted)


def main() -> None:
    """Read the command line and create the topics."""
    parser = argparse.ArgumentParser(prog="python -m deploy.topics", description=__doc__)
    parser.add_argument("--offices", required=True, help="city offices, comma separated")
    parser.add_argument("--replication", type=int, default=1)
    given = parser.parse_args()
    client = client_of(KafkaSettings())
    names = asyncio.run(create(client, given.offices.split(","), replication=given.replication))
    print("\n".join(names))  # noqa: T201


if __name__ == "__main__":
    main()
