"""What the joint office and a city decide, without HTTP and without Kafka: commands on a schema of their own."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider
from sqlalchemy import text

from deploy.local.stack import JOINT
from services.advisory.authority.commands import CityContacts
from services.advisory.domain.contact import ContactState, Person
from services.advisory.domain.hand_over import HandOverState
from services.advisory.joint.callers_commands import JointCallers
from services.advisory.joint.commands import JointHandOvers
from services.advisory.joint.reopening_commands import JointReopening
from services.advisory.joint.responses_store import ResponseTimes
from shared.clock import SystemClock
from shared.errors import ConflictError, UnknownError
from shared.events.v1.advisory import (
    ContactAnswered,
    ContactAssigned,
    ContactReopened,
    HandOverAcknowledged,
)
from shared.identity import Officer
from shared.messaging.transaction import Database
from tests.support.advisory_office import ASSIGNED, AT, CITIES, CONTACT, RELEASED, Office
from tests.support.clock import SettableClock


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


async def test_any_city_takes_a_contact_that_waits_and_whose_authority_is_not_known(office: Office) -> None:
    row = await office.do(
        office.contacts.bring, CONTACT.model_copy(update={"municipality": None}), "system:portal", None
    )
    assert await office.read(row.contact_id) == (ContactState.NEW, None, None)
    for _ in range(2):
        await office.do(office.contacts.take, row.contact_id, Officer("h-1", "helsinki"))
    assert await office.read(row.contact_id) == (ContactState.ASSIGNED, "h-1", "helsinki")
    with pytest.raises(ConflictError, match="own employers"):
        await office.do(office.contacts.take, row.contact_id, Officer("v-1", "vantaa"))


async def test_a_late_contact_that_waits_is_late_for_the_competent_authority(office: Office) -> None:
    contact_id = await office.bring()
    database = Database(
        office.engine, JOINT, SettableClock(AT + timedelta(days=400)), TracerProvider().get_tracer("test")
    )
    async with database.read() as tx:
        late = {city: await ResponseTimes(tx).late(city, None, 50) for city in CITIES}
    assert {city: [row.contact_id for row in rows] for city, rows in late.items()} == {
        "helsinki": [],
        "espoo": [],
        "vantaa": [contact_id],
    }


async def test_who_called_is_told_to_those_concerned_and_every_query_is_logged(office: Office) -> None:
    person = Person(name="Esa Esimerkki")
    row = await office.do(office.contacts.bring, CONTACT, "system:portal", person)
    ask = JointCallers(office.contacts).ask
    assert (await office.do(ask, row.contact_id, Officer("h-1", "helsinki"), "curious")).person is None
    assert (await office.do(ask, row.contact_id, Officer("v-1", "vantaa"), "call back")).person == person
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


async def acknowledge(office: Office, contact_id: UUID, hand_over_id: UUID, city: str) -> None:
    """Let a city's officer take a contact over that was offered."""
    event = HandOverAcknowledged(
        contact_id=contact_id, office=city, hand_over_id=hand_over_id, officer=f"{city[0]}-1", acknowledged_at=AT
    )
    await office.do(office.hand_overs.acknowledge, event)


async def last_by_city(office: Office, contact_id: UUID) -> dict[str, str]:
    """Return the type of what each city was sent last of a contact."""
    return {topic.split(".")[1]: kind for topic, kind in await office.published(contact_id)}


async def test_a_second_hand_over_ends_the_first_and_one_city_alone_has_the_contact(office: Office) -> None:
    await office.list_adviser("h-1", "helsinki")
    contact_id = await office.bring()
    await office.list_adviser("e-1", "espoo")
    await office.list_adviser("v-1", "vantaa")
    to_espoo = await office.hand_over(contact_id, "helsinki", to_authority="espoo")
    to_vantaa = await office.hand_over(contact_id, "helsinki", to_authority="vantaa")
    first = await office.state_of(to_espoo)
    assert (first.state, first.answer) == (HandOverState.WITHDRAWN, "handed over to vantaa instead")
    assert (await last_by_city(office, contact_id))["espoo"] == RELEASED
    await acknowledge(office, contact_id, to_espoo, "espoo")
    assert await office.read(contact_id) == (ContactState.ASSIGNED, "h-1", "helsinki")
    await acknowledge(office, contact_id, to_vantaa, "vantaa")
    assert await office.read(contact_id) == (ContactState.ASSIGNED, "v-1", "vantaa")
    assert await last_by_city(office, contact_id) == {"helsinki": RELEASED, "espoo": RELEASED, "vantaa": ASSIGNED}


async def test_taking_a_contact_ends_its_hand_over_and_a_late_acknowledgement_changes_nothing(office: Office) -> None:
    await office.list_adviser("h-1", "helsinki")
    contact_id = await office.bring()
    await office.list_adviser("e-1", "espoo")
    hand_over_id = await office.hand_over(contact_id, "helsinki", to_authority="espoo")
    await office.do(office.contacts.take, contact_id, Officer("v-1", "vantaa"))
    assert (await office.state_of(hand_over_id)).state is HandOverState.WITHDRAWN
    await acknowledge(office, contact_id, hand_over_id, "espoo")
    assert await office.read(contact_id) == (ContactState.ASSIGNED, "v-1", "vantaa")
    assert await last_by_city(office, contact_id) == {"helsinki": RELEASED, "espoo": RELEASED, "vantaa": ASSIGNED}


async def test_the_answer_that_a_city_gives_after_its_own_reopening_ends_the_contact(office: Office) -> None:
    await office.list_adviser("v-1", "vantaa")
    contact_id, seen = await office.bring(), 2
    answered = ContactAnswered(contact_id=contact_id, office="vantaa", officer="v-1", answered_at=AT, version=seen)
    await office.do(office.contacts.enter_answer, answered)
    reopened = ContactReopened(
        contact_id=contact_id, office="vantaa", officer="v-1", reason="by mistake", at=AT, version=seen
    )
    await office.do(JointReopening(office.contacts).enter, reopened)
    assert (await office.read(contact_id))[0] is ContactState.ASSIGNED
    await office.do(office.contacts.enter_answer, answered)
    assert (await office.read(contact_id))[0] is ContactState.ANSWERED


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
