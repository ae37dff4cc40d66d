"""What the table of topics says of a process."""

import pytest

from shared.topics import TOPICS, written_by

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


def test_no_record_outlives_its_retention_by_more_than_a_day() -> None:
    day = 24 * 3600 * 1000
    kept = [topic.config for topic in TOPICS if topic.retention is not None]
    assert kept
    assert all(int(config["segment.ms"]) <= day for config in kept)
