"""A notice is handled by the agreement's figures of its own day, from the day on which a decision holds."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider
from sqlalchemy import text

from deploy.local.stack import JOINT, Stack
from services.change_security import data
from services.change_security.domain.evidence import arrived_by_http
from services.change_security.domain.handling import Staffing
from services.change_security.domain.notice import Channel, Notice, Receipt, Rulebook
from services.change_security.joint.commands import JointOffice
from services.change_security.settings import Settings
from shared.agreement import keep_agreement
from shared.database import engine_for
from shared.events.v1.agreement import AgreementPublished, Figure, FigureName
from shared.events.v1.change_security import HandlingMode
from shared.messaging.transaction import Database
from shared.migrations import migrate
from tests.support.agreement import decided, with_figures
from tests.support.clock import SettableClock
from tests.support.filings import proposal

MIGRATIONS = Path(__file__).parents[3] / "services" / "change_security" / "migrations"
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 24, 8, tzinfo=UTC)
WEDNESDAY = datetime(2026, 11, 25, 8, tzinfo=UTC)
SIXTY: dict[str, Any] = {
    "reductions": [{"measure": "termination", "personnel_group": "x", "count": 60}],
    "sites": [{"municipality": "092"}, {"municipality": "049"}],
}
BOOK = Rulebook(data.authorities(), data.rules(), data.agreed())
OFFICE = JointOffice(BOOK, shipped=data.authorities())


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    """A joint office with nothing in it, on a Monday."""
    schema = f"change_security_{uuid4().hex[:8]}"
    environment: dict[str, Any] = {name.lower(): value for name, value in stack.environment(JOINT).items()}
    settings = Settings(**environment)
    engine = engine_for(settings, schema)
    await migrate(engine, MIGRATIONS, schema)
    yield Database(engine, JOINT, SettableClock(MONDAY), TracerProvider().get_tracer("test"))
    async with engine.begin() as connection:
        await connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    await engine.dispose()


async def filed(database: Database, at: datetime) -> Notice:
    database.clock.instant = at  # type: ignore[attr-defined]
    receipt = Receipt(Channel.HTTP, "system:portal", at, at)
    async with database.transaction(uuid4()) as tx:
        arrival = arrived_by_http(JOINT, at, Channel.HTTP)
        return await OFFICE.file(tx, uuid4(), proposal(**SIXTY), receipt, arrival=arrival)


async def staffing(database: Database, at: datetime) -> Staffing:
    database.clock.instant = at  # type: ignore[attr-defined]
    async with database.read() as tx:
        return await OFFICE.staffing(tx)


async def publish(database: Database, published: AgreementPublished) -> None:
    async with database.transaction(uuid4()) as tx:
        await keep_agreement(published, tx)


def days_to_acknowledge(notice: Notice) -> set[date]:
    return {entry.acknowledge_by.date() for entry in notice.entries if entry.acknowledge_by is not None}


async def test_limit_service_level_and_shares_follow_a_decision_from_its_day_on_and_back(database: Database) -> None:
    def limit(value: float, day: datetime) -> Figure:
        return decided(FigureName.JOINT_HANDLING_BELOW, day.date(), value=value)

    years = {"helsinki": 1.0, "espoo": 1.0, "vantaa": 2.0}
    figures = (
        limit(80, TUESDAY),
        decided(FigureName.ACKNOWLEDGE_WITHIN, TUESDAY.date(), value=5),
        decided(FigureName.PERSON_YEARS, TUESDAY.date(), scope="change_security", by_authority=years),
    )
    await publish(database, with_figures(2, *figures))
    monday, tuesday = await filed(database, MONDAY), await filed(database, TUESDAY)
    assert monday.handling is not None
    assert tuesday.handling is not None
    assert (monday.handling.limit, monday.handling.mode) == (50, HandlingMode.OWN)
    assert (tuesday.handling.limit, tuesday.handling.mode) == (80, HandlingMode.JOINT)
    assert (monday.handling.limit_to_be_checked, tuesday.handling.limit_to_be_checked) == (True, False)
    assert days_to_acknowledge(monday) == {date(2026, 11, 25)}
    assert days_to_acknowledge(tuesday) == {date(2026, 12, 1)}
    assert (await staffing(database, TUESDAY)).agreed == years
    # The decision is taken back from Wednesday on; what came on Tuesday keeps the limit of its day.
    await publish(database, with_figures(3, *figures, limit(50, WEDNESDAY)))
    wednesday = await filed(database, WEDNESDAY)
    assert wednesday.handling is not None
    assert (wednesday.handling.limit, wednesday.handling.mode) == (50, HandlingMode.OWN)
