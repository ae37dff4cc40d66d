"""A joint advisory office without HTTP and without Kafka: its commands on a schema of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

from opentelemetry.sdk.trace import TracerProvider
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.stack import JOINT, Stack
from services.advisory import data
from services.advisory.domain.contact import ContactState
from services.advisory.joint.commands import JointContacts, JointHandOvers, JointResources
from services.advisory.joint.responses_commands import JointResponses
from services.advisory.joint.store import HandOvers
from services.advisory.joint.tables import HandOverRow
from services.advisory.settings import Settings
from shared.calendar import OfficeHours
from shared.clock import SystemClock
from shared.database import engine_for
from shared.events.v1.advisory import (
    Contact,
    ContactAssigned,
    ContactChannel,
    ContactReleased,
    ContactTopic,
    HandOverAnswered,
    HandOverAsked,
    OfficerListed,
)
from shared.messaging.transaction import Database
from shared.migrations import migrate
from tests.support.settings import settings_of

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CITIES = ("helsinki", "espoo", "vantaa")
MIGRATIONS = Path(__file__).parents[2] / "services" / "advisory" / "migrations"
CONTACT = Contact(channel=ContactChannel.FORM, municipality="092", received_at=AT)
ASSIGNED, RELEASED = ContactAssigned.type_name(), ContactReleased.type_name()


@dataclass(frozen=True)
class Office:
    """An office whose commands a test calls."""

    engine: AsyncEngine
    database: Database
    contacts: JointContacts
    hand_overs: JointHandOvers

    async def do(self, command: Any, *arguments: Any) -> Any:
        """Carry a command out in a transaction of its own."""
        async with self.database.transaction(uuid4()) as tx:
            return await command(tx, *arguments)

    async def list_adviser(self, officer: str, city: str, **changes: Any) -> None:
        """List an officer who advises on everything in Finnish."""
        values: dict[str, Any] = {"version": 1, "topics": tuple(ContactTopic), "languages": ("fi",), "person_years": 1}
        listed = OfficerListed(**{"officer": officer, "office": city} | values | changes)
        await self.do(self.contacts.list_adviser, listed)

    async def bring(self, minute: int = 0) -> UUID:
        """Bring a contact of an employer of Vantaa that was received at a minute."""
        contact = CONTACT.model_copy(update={"received_at": AT + timedelta(minutes=minute)})
        row = await self.do(self.contacts.bring, contact, "system:portal", None)
        assert isinstance(row.contact_id, UUID)
        return row.contact_id

    async def read(self, contact_id: UUID) -> tuple[ContactState, str | None, str | None]:
        """Return a contact's state, who has it, and where."""
        async with self.database.read() as tx:
            row = await self.contacts.get(tx, contact_id)
        return row.state, row.officer, row.acting_authority

    async def hand_over(self, contact_id: UUID, office: str, **target: Any) -> UUID:
        """Ask to hand a contact over."""
        event = HandOverAsked(contact_id=contact_id, office=office, hand_over_id=uuid4(), reason="wish", **target)
        await self.do(self.hand_overs.ask, event)
        return event.hand_over_id

    async def state_of(self, hand_over_id: UUID) -> HandOverRow:
        """Return a hand-over."""
        async with self.database.read() as tx:
            row = await HandOvers(tx).get(hand_over_id)
        assert row is not None
        return row

    async def answer(
        self, hand_over_id: UUID, state: Literal["stored", "accepted", "rejected"], **changes: Any
    ) -> None:
        """Let training answer a hand-over."""
        event = HandOverAnswered(hand_over_id=hand_over_id, service="training", state=state, at=AT, **changes)
        await self.do(self.hand_overs.enter_answer, event)

    async def published(self, key: UUID) -> list[tuple[str, str]]:
        """Return what was published under a key: topic and type, in order."""
        sql = text("SELECT topic, type FROM outbox WHERE key = :key ORDER BY seq")
        async with self.engine.connect() as connection:
            return [(row.topic, row.type) for row in await connection.execute(sql, {"key": str(key)})]


@asynccontextmanager
async def made_office(stack: Stack) -> AsyncIterator[Office]:
    """A joint office with nothing in it."""
    schema = f"advisory_{uuid4().hex[:8]}"
    settings = settings_of(Settings, stack, JOINT)
    engine = engine_for(settings, schema)
    await migrate(engine, MIGRATIONS, schema)
    database = Database(engine, JOINT, SystemClock(), TracerProvider().get_tracer("test"))
    responses = JointResponses(data.response_times(), OfficeHours(always_open=True))
    resources = JointResources(data.agreed(), frozenset(CITIES))
    contacts = JointContacts(data.authority_of(), resources, 1, responses)
    yield Office(engine, database, contacts, JointHandOvers(contacts, 24))
    async with engine.begin() as connection:
        await connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    await engine.dispose()
