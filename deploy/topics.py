"""Creates the topics that `shared.topics` names: `python -m deploy.topics --bootstrap host:9092 --offices a,b,c`.

Safe to repeat: an existing topic is brought to the table's configuration. Partitions are never changed, since a key
would then move to another partition and lose its order. With `--diff` it changes nothing, prints how the cluster
differs from the table, and exits with 1 if it does.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.topics import TOPICS, Topic, expanded

_FAMILIES: Final = tuple(sorted({topic.name.partition(".")[0] + "." for topic in TOPICS}))
"""How the names of our topics begin: others on the cluster are none of our business."""


@dataclass(frozen=True)
class OnCluster:
    """A topic as the cluster has it: `config` has every value that is in force."""

    partitions: int
    replication: int
    config: Mapping[str, str]


def differences(wanted: Mapping[str, Topic], there: Mapping[str, OnCluster], replication: int) -> list[str]:
    """Return how the topics of a cluster differ from the table, a line each; empty when they do not.

    Args:
        wanted: the table's topics by name.
        there: the cluster's topics by name.
        replication: the copies of each partition that there should be.
    """
    found = [f"{name}: missing" for name in sorted(wanted.keys() - there.keys())]
    found += [f"{name}: surplus" for name in sorted(there.keys() - wanted.keys()) if name.startswith(_FAMILIES)]
    for name in sorted(wanted.keys() & there.keys()):
        topic, actual = wanted[name], there[name]
        pairs = {
            "partitions": (str(topic.partitions), str(actual.partitions)),
            "replication": (str(replication), str(actual.replication)),
            **{key: (value, actual.config.get(key, "unset")) for key, value in topic.config.items()},
        }
        found += [f"{name}: {key} is {has}, not {should}" for key, (should, has) in pairs.items() if has != should]
    return found


async def drift(bootstrap: str, offices: Iterable[str], *, replication: int = 1) -> list[str]:
    """Return how a cluster's topics differ from the table; see `differences`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.startswith(_FAMILIES)]
        described = await admin.describe_topics(names) if names else []
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    finally:
        await admin.close()
    configs = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    there = {
        one["topic"]: OnCluster(
            len(one["partitions"]),
            min(len(partition["replicas"]) for partition in one["partitions"]),
            configs[one["topic"]],
        )
        for one in described
    }
    return differences(expanded(offices), there, replication)


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
    parser.add_argument("--diff", action="store_true", help="change nothing; print what differs")
    given = parser.parse_args()
    offices = given.offices.split(",")
    if given.diff:
        found = asyncio.run(drift(given.bootstrap, offices, replication=given.replication))
        print("\n".join(found) or "no difference")  # noqa: T201
        sys.exit(bool(found))
    names = asyncio.run(create(given.bootstrap, offices, replication=given.replication))
    print("\n".join(names))  # noqa: T201


if __name__ == "__main__":
    main()
