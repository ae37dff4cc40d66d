"""What the table of topics says of a process."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest

from deploy.topics import OnCluster, differences
from shared.events.registry import REGISTRY
from shared.messaging.batch import BatchProcessor
from shared.messaging.inbound import Inbound
from shared.messaging.parking import Record
from shared.settings import ProcessSettings
from shared.topics import CHANGE_NOTICES_INBOUND, CHANGE_SECURITY_SHARED, TOPICS, expanded, written_by

CITIES = ("helsinki", "espoo", "vantaa")


@pytest.mark.parametrize(
    ("service", "office", "topics"),
    [
        ("change-security", "vantaa", {"from.vantaa.change-security.v1"}),
        (
            "change-security",
            "pks",
            {
                "to.helsinki.change-security.v1",
                "to.espoo.change-security.v1",
                "to.vantaa.change-security.v1",
                "shared.change-security.v1",
                "receipts.change-notices.v1",
                "between.services.advisory.v1",
            },
        ),
        ("training", "espoo", {"from.espoo.training.v1"}),
        ("unknown", "pks", set()),
    ],
)
def test_a_process_writes_what_the_table_says(service: str, office: str, topics: set[str]) -> None:
    assert set(written_by(service, office, CITIES)) == topics


def test_an_office_remembers_longer_than_any_topic() -> None:
    # A record that is read again is then known to the inbox, and one that a topic has lost can be sent again.
    days = ProcessSettings.model_fields["archive_days"].default
    longest = max(topic.retention for topic in TOPICS if topic.retention is not None)
    assert timedelta(days=days) > longest


def cluster() -> dict[str, OnCluster]:
    return {name: OnCluster(topic.partitions, 1, topic.config) for name, topic in expanded(CITIES).items()}


def test_a_cluster_that_has_what_the_table_says_differs_in_nothing() -> None:
    assert differences(expanded(CITIES), cluster() | {"of-somebody-else": OnCluster(1, 1, {})}, 1) == []


def test_each_way_in_which_a_cluster_differs_is_shown() -> None:
    there = cluster()
    name = CHANGE_SECURITY_SHARED.name
    del there["to.vantaa.training.v1"]
    there["to.turku.training.v1"] = there["to.espoo.training.v1"]
    config = {"cleanup.policy": "compact", "retention.ms": "1", "max.message.bytes": "1048588"}
    there[name] = OnCluster(8, 1, config)
    there["inbound.contacts.v1"] = replace(there["inbound.contacts.v1"], config={})
    assert differences(expanded(CITIES), there, 1) == [
        "to.vantaa.training.v1: missing",
        "to.turku.training.v1: surplus",
        "inbound.contacts.v1: cleanup.policy is unset, not delete",
        "inbound.contacts.v1: retention.ms is unset, not 1209600000",
        "inbound.contacts.v1: segment.ms is unset, not 86400000",
        "inbound.contacts.v1: message.timestamp.type is unset, not LogAppendTime",
        "inbound.contacts.v1: max.message.bytes is unset, not 4194304",
        "shared.change-security.v1: partitions is 8, not 4",
        "shared.change-security.v1: cleanup.policy is compact, not delete",
        "shared.change-security.v1: retention.ms is 1, not 7776000000",
        "shared.change-security.v1: segment.ms is unset, not 86400000",
    ]
    assert len(differences(expanded(CITIES), cluster(), 3)) == len(cluster())


def test_no_record_outlives_its_retention_by_more_than_a_day() -> None:
    day = 24 * 3600 * 1000
    kept = [topic.config for topic in TOPICS if topic.retention is not None]
    assert kept
    assert all(int(config["segment.ms"]) <= day for config in kept)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("/systems/portal", None),
        ("/systems/jobs", "sender-mismatch"),
        ("/systems/x", "sender-mismatch"),
        ("portal", "sender-mismatch"),
        ("/offices/portal", "sender-mismatch"),
    ],
)
def test_an_inbound_topic_takes_only_what_its_own_systems_bring(source: str, code: str | None) -> None:
    settings = ProcessSettings(
        office="pks",
        joint_office="pks",
        database_url="postgresql://nowhere",
        kafka_bootstrap_servers="nowhere",
        jwks_url="http://nowhere",
        token_issuer="nobody",
        systems='{"portal": ["files-notices"], "jobs": ["offers-vacancies"]}',
    )
    name = CHANGE_NOTICES_INBOUND.name
    kind = "change-security.notice-withdrawal-submitted.v1"
    body = json.dumps({"type": kind, "notice_id": str(uuid4())}).encode()
    sent = {"ce_specversion": "1.0", "ce_id": str(uuid4()), "ce_type": kind, "ce_source": source}
    record = Record(name, 0, 0, b"k", [(key, value.encode()) for key, value in sent.items()], body, datetime.now(UTC))
    inbound = Inbound("change-security.pks", {name: CHANGE_NOTICES_INBOUND}, REGISTRY, {})
    item = BatchProcessor(inbound, cast("Any", None), settings, "change-security").read(record)
    assert (item.rejection.code if item.rejection else None) == code
