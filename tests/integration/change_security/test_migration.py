"""What was stored before the lists could be searched is found by them, and nobody's evidence is lost."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.postgres import EmbeddedPostgres
from deploy.local.sample_data import proposal_json
from services.change_security.app import CHANGE_SECURITY
from shared.database import engine_for
from shared.settings import ProcessSettings
from tests.support.filings import ARRIVED, termination_notice

PROPOSED, NOTIFIED, ENDED = UUID(int=1), UUID(int=2), UUID(int=3)
LATER = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[AsyncEngine]:
    """An empty database of the joint office."""
    server = EmbeddedPostgres(tmp_path / "postgres", short_lived=True)
    server.start()
    settings = ProcessSettings(
        office="pks",
        joint_office="pks",
        database_url=server.url,
        kafka_bootstrap_servers="none:9092",
        jwks_url="http://none",
        token_issuer="none",
    )
    yield engine_for(settings, "change_security")
    server.stop()


def upgraded(connection: Connection, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(CHANGE_SECURITY.migrations))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


_BEFORE = (
    """
    INSERT INTO notice (notice_id, state, version, revision, channel, filed_by, arrived_at, registered_at,
                        routing_version, manual, revised_at)
    VALUES (:proposed, 'open', 2, 2, 'topic', 'topic:/systems/portal', :arrived, :arrived, 'v', '[]', :later),
           (:notified, 'open', 1, 1, 'authority', 'authority:vantaa', :arrived, :arrived, 'v', '[]', NULL)
    """,
    """
    INSERT INTO notice_revision (notice_id, revision, waiting, filing, filed_by, recorded_at)
    VALUES (:proposed, 1, false, CAST(:proposal AS jsonb), 'topic:/systems/portal', :later),
           (:proposed, 2, false, CAST(:proposal AS jsonb), 'officer:7', :later),
           (:notified, 1, false, CAST(:notice AS jsonb), 'authority:vantaa', :later),
           (:notified, 3, true, CAST(:notice AS jsonb), 'topic:/systems/stranger', :later)
    """,
    """
    INSERT INTO authority_case (notice_id, state, version, revision, competent_authority, acting_authority,
                                handling_mode, reasons, missing, arrived_at, stored_at)
    VALUES (:proposed, 'open', 1, 1, 'vantaa', 'vantaa', 'own', '[]', '[]', :arrived, :later),
           (:ended, 'withdrawn', 1, 1, 'vantaa', 'vantaa', 'own', '[]', '[]', NULL, :later)
    """,
    "INSERT INTO case_revision VALUES (:proposed, 1, CAST(:proposal AS jsonb), :later)",
    "INSERT INTO case_check (notice_id, item, at, by) VALUES (:proposed, 'aged_55', :later, 'officer-17')",
)


async def test_what_was_stored_before_is_searched_and_shown_like_the_rest(engine: AsyncEngine) -> None:
    old = proposal_json()
    old["negotiations"]["starts_at"] = "9999-01-01T00:00:00Z"  # was accepted once; no migration may fail for it
    values = {
        "proposed": PROPOSED,
        "notified": NOTIFIED,
        "ended": ENDED,
        "arrived": ARRIVED,
        "later": LATER,
        "proposal": json.dumps(old),
        "notice": termination_notice(40, 3).model_dump_json(exclude_none=True),
    }

    async def rows(sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in (await connection.execute(text(sql))).mappings()]

    async with engine.connect() as connection:
        await connection.execute(text("CREATE SCHEMA change_security"))
        await connection.run_sync(upgraded, "0003")
        for statement in _BEFORE:
            await connection.execute(text(statement).bindparams(**_used(values, statement)))
        await connection.run_sync(upgraded, "0009")
        proposed, notified = await rows("SELECT * FROM notice ORDER BY notice_id")
        arrivals = await rows("SELECT arrival FROM notice_revision ORDER BY notice_id, revision")
        cases = await rows("SELECT * FROM authority_case ORDER BY notice_id")
        (revision,) = await rows("SELECT arrived_at FROM case_revision")
        notes = await rows("SELECT text, by FROM case_note")
    await engine.dispose()

    assert (proposed["employer_key"], proposed["business_id"], proposed["kind"]) == (
        old["employer"]["name"].casefold(),
        old["employer"]["business_id"],
        "negotiation_proposal",
    )
    assert proposed["affected"] == sum(measure["count"] for measure in old["measures"])
    assert "091" in proposed["municipalities"]
    assert (proposed["revision_arrived_at"], notified["revision_arrived_at"]) == (LATER, ARRIVED)
    assert (notified["terminations"], notified["rules_of"], notified["measures"]) == (
        43,
        date(2026, 11, 24),
        ["termination"],
    )
    kept = [row["arrival"]["receipts"][0] for row in arrivals]
    assert [(one["authority"], one["channel"], datetime.fromisoformat(one["arrived_at"])) for one in kept] == [
        ("pks", "topic", ARRIVED),
        ("pks", "officer", LATER),
        ("vantaa", "authority", ARRIVED),
        ("pks", "topic", LATER),
    ]
    assert [case["business_id"] for case in cases] == [old["employer"]["business_id"], None]
    assert revision["arrived_at"] == ARRIVED
    assert notes == [{"text": "55+: aged_55", "by": "officer-17"}]


def _used(values: dict[str, Any], statement: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in statement}
