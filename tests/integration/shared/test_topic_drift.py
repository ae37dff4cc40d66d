"""How the topics of a real cluster differ from the table."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.local.stack import CITIES, Stack
from deploy.topics import create, drift


async def test_what_was_changed_by_hand_on_a_cluster_is_shown_and_brought_back(stack: Stack) -> None:
    client = stack.client()
    assert await drift(client, CITIES) == []
    assert "shared.advisory.v1: replication is 1, not 3" in await drift(client, CITIES, replication=3)
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        changed = {"cleanup.policy": "delete", "retention.ms": "86400000"}
        topic = ConfigResource(ConfigResourceType.TOPIC, "receipts.change-notices.v1", changed)
        await admin.alter_configs([topic])
        await admin.create_topics([NewTopic("to.turku.training.v1", 4, 1)])
        assert await drift(client, (*CITIES, "lahti")) == [
            *(f"{kind}.lahti.{service}.v1: missing" for kind in ("from", "to") for service in SERVICES),
            "to.turku.training.v1: surplus",
            "receipts.change-notices.v1: retention.ms is 86400000, not 1209600000",
            "receipts.change-notices.v1: segment.ms is 604800000, not 86400000",
        ]
    finally:
        await admin.delete_topics(["to.turku.training.v1"])
        await admin.close()
        await create(client, CITIES)
    assert await drift(client, CITIES) == []


SERVICES = ("advisory", "change-security", "placement", "training")
