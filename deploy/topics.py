"""Creates the topics that `shared.topics` names: `python -m deploy.topics --bootstrap host:9092 --offices a,b,c`.

Safe to repeat: an existing topic is brought to the table's configuration. Partitions are never changed, since a key
would then move to another partition and lose its order.
"""

import argparse
import asyncio
from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.topics import expanded


async def create(bootstrap: str, offices: Iterable[str], *, replication: int = 1) -> list[str]:
    """Create what is missing and configure the rest; return the names of all topics.

    Args:
        bootstrap: Kafka's `host:port`, comma separated.
        offices: the city offices.
        replication: copies of each partition; three in production.
    """
    wanted = expanded(offices)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
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
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--offices", required=True, help="city offices, comma separated")
    parser.add_argument("--replication", type=int, default=1)
    given = parser.parse_args()
    names = asyncio.run(create(given.bootstrap, given.offices.split(","), replication=given.replication))
    print("\n".join(names))  # noqa: T201


if __name__ == "__main__":
    main()
