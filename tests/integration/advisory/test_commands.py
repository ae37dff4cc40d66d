"""What the joint office and a city decide, without HTTP and without Kafka: commands on a schema of their own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.stack import JOINT, Stack
from services.advisory import data
from services.advisory.authority.commands import CityContacts
from services.advisory.domain.contact import ContactState, Person
from services.advisory.domain.hand_over import HandOverState
from services.advisory.joint.commands import JointContacts, JointHandOvers, JointResources
from services.advisory.joint.responses_commands import JointResponses
from services.advisory.joint.store import HandOvers
from services.advisory.joint.tables import HandOverRow
from services.advisory.settings import Settings
from shared.calendar import OfficeHours
from shared.clock import SystemClock
from shared.database import engine_for
from shared.errors import ConflictError, UnknownError
from shared.events.v1.advisory import (
    Contact,
    ContactAnswered,
    ContactAssigned,
    ContactChannel,
    ContactReleased,
    ContactTopic,
    HandOverAcknowledged,
    HandOverAnswered,
    HandOverAsked,
    OfficerListed,
)
from shared.identity import Officer
from shared.messaging.transaction import Database
from shared.migrations import migrate

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CITIES = ("helsinki", "espoo", "vantaa")
MIGRATIONS = Path(__file__).parents[3] / "services" / "advisory" / "migrations"
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


@pytest.fixture
async def office(stack: Stack) -> AsyncIterator[Office]:
    """A joint office with nothing in it."""
    schema = f"advisory_{uuid4().hex[:8]}"
    settings = Settings(**{name.lower(): value for name, value in stack.environment(JOINT).items()})  # type: ignore[arg-type]
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


async def test_a_contact_waits_for_room_and_is_given_when_another_is_answered(office: Office) -> None:
    first, second = await office.bring(), await office.bring(minute=1)
    assert await office.read(first) == (ContactState.NEW, None, None)
    await office.list_adviser("v-1", "vantaa")
    assert await office.read(first) == (ContactState.ASSIGNED, "v-1", "vantaa")
    assert (await office.read(second))[0] is ContactState.NEW
    answered = ContactAnswered(contact_id=first, office="vantaa", officer="v-1", answered_at=AT)
    for _ in range(2):
        await office.do(office.contacts.enter_answer, answered)
    assert (await office.read(first))[0] is ContactState.ANSWERED
    assert await office.read(second) == (ContactState.ASSIGNED, "v-1", "vantaa")
    assert await office.published(second) == [("to.vantaa.advisory.v1", ASSIGNED)]


async def test_a_listing_counts_from_the_officers_own_city_and_the_newest_alone(office: Office) -> None:
    await office.list_adviser("v-1", "vantaa", version=2, languages=("sv",))
    await office.list_adviser("v-1", "vantaa")
    await office.list_adviser("v-1", "espoo", version=3)
    contact_id = await office.bring()
    assert (await office.read(contact_id))[0] is ContactState.NEW
    await office.list_adviser("v-1", "vantaa", version=3)
    assert await office.read(contact_id) == (ContactState.ASSIGNED, "v-1", "vantaa")


async def test_a_city_takes_its_own_employers_contact_and_who_had_it_is_told(office: Office) -> None:
    await office.list_adviser("e-1", "espoo")
    contact_id = await office.bring()
    with pytest.raises(ConflictError, match="own employers"):
        await office.do(office.contacts.take, contact_id, Officer("h-1", "helsinki"))
    for _ in range(2):
        await office.do(office.contacts.take, contact_id, Officer("v-1", "vantaa"))
    assert await office.read(contact_id) == (ContactState.ASSIGNED, "v-1", "vantaa")
    assert (await office.published(contact_id))[1:] == [
        ("to.vantaa.advisory.v1", ASSIGNED),
        ("to.espoo.advisory.v1", RELEASED),
    ]
    with pytest.raises(UnknownError):
        await office.do(office.contacts.take, uuid4(), Officer("v-1", "vantaa"))


async def test_who_called_is_told_to_those_concerned_and_every_query_is_logged(office: Office) -> None:
    person = Person(name="Esa Esimerkki")
    row = await office.do(office.contacts.bring, CONTACT, "system:portal", person)
    ask = office.contacts.ask_caller
    assert await office.do(ask, row.contact_id, Officer("h-1", "helsinki"), "curious") is None
    assert await office.do(ask, row.contact_id, Officer("v-1", "vantaa"), "call back") == person
    async with office.engine.connect() as connection:
        logged = await connection.execute(
            text("SELECT authority, purpose, answered FROM caller_query ORDER BY query_id")
        )
        assert [tuple(query) for query in logged] == [("helsinki", "curious", False), ("vantaa", "call back", True)]


async def test_a_hand_over_to_an_authority_is_offered_however_busy_its_officers_are(office: Office) -> None:
    await office.list_adviser("v-1", "vantaa")
    await office.bring()
    await office.list_adviser("e-1", "espoo")
    contact_id = await office.bring()
    hand_over_id = await office.hand_over(contact_id, "espoo", to_authority="vantaa")
    assert await office.read(contact_id) == (ContactState.ASSIGNED, "e-1", "espoo")
    event = HandOverAcknowledged(
        contact_id=contact_id, office="vantaa", hand_over_id=hand_over_id, officer="v-1", acknowledged_at=AT
    )
    with pytest.raises(UnknownError):
        await office.do(office.hand_overs.acknowledge, event.model_copy(update={"office": "helsinki"}))
    for _ in range(2):
        await office.do(office.hand_overs.acknowledge, event)
    assert await office.read(contact_id) == (ContactState.ASSIGNED, "v-1", "vantaa")
    assert (await office.state_of(hand_over_id)).state is HandOverState.ACCEPTED
    assert (await office.published(contact_id))[1:] == [
        ("to.vantaa.advisory.v1", ASSIGNED),  # offered
        ("to.vantaa.advisory.v1", ASSIGNED),  # acknowledged
        ("to.espoo.advisory.v1", RELEASED),
    ]


async def test_a_hand_over_that_nobody_can_take_stays_and_says_why(office: Office) -> None:
    await office.list_adviser("e-1", "espoo")
    contact_id = await office.bring()
    row = await office.state_of(await office.hand_over(contact_id, "espoo", to_authority="vantaa"))
    assert (row.state, row.answer) == (HandOverState.REJECTED, "vantaa: nobody advises on other in fi")
    assert await office.read(contact_id) == (ContactState.ASSIGNED, "e-1", "espoo")
    assert (await office.published(contact_id))[1:] == [("to.espoo.advisory.v1", ASSIGNED)]


async def test_a_service_stores_rejects_and_accepts_and_the_contact_leaves_only_then(office: Office) -> None:
    await office.list_adviser("e-1", "espoo")
    contact_id = await office.bring()
    rejected = await office.hand_over(contact_id, "espoo", to_service="training")
    for state in ("stored", "stored", "rejected", "accepted"):
        await office.answer(rejected, state, reason="wage subsidy" if state == "rejected" else None)
    row = await office.state_of(rejected)
    assert (row.state, row.answer) == (HandOverState.REJECTED, "wage subsidy")
    assert await office.read(contact_id) == (ContactState.ASSIGNED, "e-1", "espoo")
    accepted, matter_id = await office.hand_over(contact_id, "espoo", to_service="training"), uuid4()
    waiting = await office.bring()
    await office.answer(accepted, "accepted", matter_id=matter_id)
    row = await office.state_of(accepted)
    assert (row.state, row.matter_id) == (HandOverState.ACCEPTED, matter_id)
    assert (await office.read(contact_id))[0] is ContactState.HANDED_OVER
    assert await office.read(waiting) == (ContactState.ASSIGNED, "e-1", "espoo")  # there is room now
    assert (await office.published(contact_id))[-1] == ("to.espoo.advisory.v1", RELEASED)
    with pytest.raises(UnknownError):
        await office.answer(uuid4(), "stored")


async def test_both_sides_are_told_once_of_a_hand_over_that_is_overdue(office: Office) -> None:
    await office.list_adviser("e-1", "espoo")
    await office.list_adviser("v-1", "vantaa")
    at_once = replace(office, hand_overs=JointHandOvers(office.contacts, 0))
    contact_id = await office.bring()
    _, _, acting = await office.read(contact_id)
    target = "vantaa" if acting == "espoo" else "espoo"
    await at_once.hand_over(contact_id, acting or "", to_authority=target)
    for _ in range(2):
        await office.do(office.hand_overs.sweep)
    overdue = [topic for topic, kind in await office.published(contact_id) if "overdue" in kind]
    assert sorted(overdue) == ["to.espoo.advisory.v1", "to.vantaa.advisory.v1"]


async def test_a_city_keeps_the_newest_assignment_whatever_comes_after_it(office: Office) -> None:
    city = Database(office.engine, "espoo", SystemClock(), TracerProvider().get_tracer("test"))
    contacts, contact_id = CityContacts(frozenset({"helsinki", "vantaa"})), uuid4()

    def assigned(version: int, hand_over_id: UUID | None = None) -> ContactAssigned:
        return ContactAssigned(
            contact_id=contact_id,
            version=version,
            contact=CONTACT,
            officer=f"e-{version}",
            acting_authority="espoo",
            reason="share",
            hand_over_id=hand_over_id,
        )

    async with city.transaction(uuid4()) as tx:
        for event in (assigned(2), assigned(4, uuid4()), assigned(3)):
            contacts.receive(tx, event)
    async with city.transaction(uuid4()) as tx:
        row = await contacts.get(tx, contact_id)
        assert (row.version, row.officer, row.is_acknowledged) == (4, "e-4", False)
        acknowledged = await contacts.acknowledge(tx, contact_id, "e-4")
        assert acknowledged.is_acknowledged
    assert await office.published(contact_id) == [("from.espoo.advisory.v1", HandOverAcknowledged.type_name())]
