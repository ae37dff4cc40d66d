"""Who called, where a city keeps the caller; whoever must answer reaches every caller; letters that failed."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider

from deploy.local.client import Caller, Callers, wait_for
from deploy.local.observing import records_on
from deploy.local.processes import free_port
from deploy.local.stack import CITIES, JOINT, Stack
from services.advisory.authority.callers_commands import CityCallers
from services.advisory.authority.commands import CityContacts
from services.advisory.domain.contact import ContactState, Person
from services.advisory.domain.letters import LetterKind, LetterState
from services.advisory.domain.letters import answer as answer_letter
from services.advisory.joint.answers_commands import JointAnswers
from services.advisory.joint.callers_commands import JointCallers
from services.advisory.joint.reopening_commands import JointReopening
from services.advisory.models import AnswerIn
from services.advisory.outgoing import EmailDelivery, LetterRow, Letters
from services.advisory.settings import Settings
from shared.calendar import OfficeHours
from shared.errors import ConflictError, ForbiddenError, UnknownError
from shared.events.v1.advisory import (
    CallerAnswered,
    CallerRequested,
    ContactAnswered,
    ContactAssigned,
    ContactRegistered,
    ContactReopened,
    ContactTopic,
)
from shared.identity import Officer
from shared.messaging.transaction import Database
from shared.topics import expanded
from tests.integration.advisory.test_whole import at, with_hours
from tests.support.advisory import Advisory
from tests.support.advisory_office import AT, CONTACT, Office
from tests.support.clock import SettableClock

RECRUITMENT = CONTACT.model_copy(update={"topic": ContactTopic.RECRUITMENT, "business_id": "2077474-0"})
VANTAA, HELSINKI = Officer("v-1", "vantaa"), Officer("h-1", "helsinki")


async def letters(office: Office) -> list[LetterRow]:
    async with office.database.read() as tx:
        return list(await Letters(tx).page(None, None, None, 100))


@pytest.fixture
async def open_office(office: Office) -> Office:
    """An office at ten on a Tuesday with one officer in Vantaa."""
    made = at(with_hours(office, OfficeHours()), AT)
    await made.list_adviser("v-1", "vantaa")
    return made


async def test_a_city_that_keeps_the_caller_is_asked_grants_it_and_may_end_it(open_office: Office) -> None:
    office, cities = open_office, CityContacts(frozenset({"helsinki", "espoo"}))
    city = Database(office.engine, "vantaa", SettableClock(AT), TracerProvider().get_tracer("test"))
    person = Person(phone="+358401234567", email="esa@firma.example")
    async with city.transaction(uuid4()) as tx:
        contact_id = (await cities.register(tx, RECRUITMENT, "v-1", person)).contact_id
    registered = ContactRegistered(contact_id=contact_id, office="vantaa", officer="v-1", contact=RECRUITMENT)
    await office.do(office.contacts.enter_registered, registered)
    callers, own = JointCallers(office.contacts), CityCallers()
    nothing = await office.do(callers.ask, contact_id, HELSINKI, "curious", "training")
    assert (nothing.person, nothing.query.request_id) == (None, None)
    hand_over_id = await office.hand_over(contact_id, "vantaa", to_service="training")
    await office.answer(hand_over_id, "stored")
    asked = (await office.do(callers.ask, contact_id, HELSINKI, "to plan", "training")).query
    assert (asked.asked_of, asked.answered) == ("vantaa", False)
    assert (await office.published(contact_id))[-1] == ("to.vantaa.advisory.v1", CallerRequested.type_name())
    request = CallerRequested(
        contact_id=contact_id, request_id=asked.request_id, asked_by="h-1", authority="helsinki", purpose="to plan"
    )
    for _ in range(2):
        async with city.transaction(uuid4()) as tx:
            await own.receive(tx, request)
    answered = [kind for _, kind in await office.published(contact_id) if kind == CallerAnswered.type_name()]
    assert len(answered) == 1
    async with city.transaction(uuid4()) as tx:
        assert (await own.read(tx, request.request_id, HELSINKI)).person == person
        row = await own.write(tx, request.request_id, "Voimme auttaa.", HELSINKI)
    assert row.readings == 1
    assert [(letter.address, letter.written_by) for letter in await letters(office)] == [
        ("esa@firma.example", "officer:h-1")
    ]
    for other in (VANTAA, Officer("h-2", "helsinki")):
        with pytest.raises(UnknownError):
            async with city.transaction(uuid4()) as tx:
                await own.read(tx, request.request_id, other)
    event = CallerAnswered(
        contact_id=contact_id, office="vantaa", request_id=request.request_id, state="granted", at=AT
    )
    with pytest.raises(UnknownError):
        await office.do(callers.enter_answer, event.model_copy(update={"office": "espoo"}))
    await office.do(callers.enter_answer, event)
    assert (await office.do(callers.read, request.request_id)).answered
    for _ in range(2):
        async with city.transaction(uuid4()) as tx:
            await own.refuse(tx, request.request_id, "soitettu jo", VANTAA)
    with pytest.raises(ForbiddenError):
        async with city.transaction(uuid4()) as tx:
            await own.read(tx, request.request_id, HELSINKI)
    answered = [kind for _, kind in await office.published(contact_id) if kind == CallerAnswered.type_name()]
    assert len(answered) == 2


async def test_an_answer_reaches_each_caller_of_a_joined_matter_and_who_answers_may_know_them(
    open_office: Office,
) -> None:
    office, answers = open_office, JointAnswers(open_office.hand_overs, frozenset(CITIES))
    bring = office.contacts.bring
    elsewhere = RECRUITMENT.model_copy(update={"municipality": "049"})
    first = await office.do(bring, elsewhere, "system:portal", Person(phone="+358401234567"))
    later = elsewhere.model_copy(update={"received_at": AT + timedelta(minutes=5), "municipality": None})
    second = await office.do(bring, later, "system:portal", Person(email="eeva@firma.example"))
    assert second.joined_into == first.contact_id
    ask = JointCallers(office.contacts).ask
    known = await office.do(ask, second.contact_id, VANTAA, "to answer")
    assert known.person == Person(email="eeva@firma.example")
    assert (await office.do(ask, second.contact_id, HELSINKI, "curious")).person is None
    await office.do(answers.answer, first.contact_id, AnswerIn(text="Näin."), VANTAA)
    (letter,) = await letters(office)
    assert (letter.address, letter.about, letter.state) == (
        "eeva@firma.example",
        second.contact_id,
        LetterState.QUEUED,
    )


async def test_what_a_service_gives_back_is_reopened_though_it_was_answered_meanwhile(open_office: Office) -> None:
    office = open_office
    row = await office.do(office.contacts.bring, RECRUITMENT, "system:portal", None)
    hand_over_id = await office.hand_over(row.contact_id, "vantaa", to_service="training")
    await office.answer(hand_over_id, "accepted")
    later = RECRUITMENT.model_copy(update={"received_at": AT + timedelta(minutes=5)})
    await office.do(office.contacts.bring, later, "system:portal", None)
    reopened = await office.read(row.contact_id)
    assert reopened == (ContactState.ASSIGNED, "v-1", "vantaa")
    event = ContactAnswered(contact_id=row.contact_id, office="vantaa", officer="v-1", answered_at=AT)
    await office.do(office.contacts.enter_answer, event)
    assert (await office.read(row.contact_id))[0] is ContactState.ANSWERED
    await office.answer(hand_over_id, "rejected", reason="no course")
    assert await office.read(row.contact_id) == (ContactState.ASSIGNED, "v-1", "vantaa")


async def test_a_letter_is_sent_once_more_to_a_corrected_address_or_discarded_with_a_reason(office: Office) -> None:
    async with at(office, AT).database.transaction(uuid4()) as tx:
        letter_id = Letters(tx).write(
            LetterKind.ANSWER, UUID(int=1), None, "fi", answer_letter("fi", "Hei"), "officer:v-1"
        )
    async with at(office, AT).database.transaction(uuid4()) as tx:
        row = await Letters(tx).retry(letter_id, "a@b.example", "officer:v-1")
        assert (row.state, row.address, row.queued_at) == (LetterState.QUEUED, "a@b.example", AT)
    async with at(office, AT).database.transaction(uuid4()) as tx:
        due = await Letters(tx).take_due()
        assert due is not None
        assert due.letter_id == letter_id
    for _ in range(2):
        async with at(office, AT).database.transaction(uuid4()) as tx:
            row = await Letters(tx).discard(letter_id, "soitettu", "officer:v-1")
            assert (row.state, row.discard_reason) == (LetterState.DISCARDED, "soitettu")
    async with at(office, AT).database.transaction(uuid4()) as tx:
        assert await Letters(tx).take_due() is None


async def test_an_answer_that_no_server_takes_gives_the_contact_back_to_its_officer(
    open_office: Office, stack: Stack
) -> None:
    office, answers = open_office, JointAnswers(open_office.hand_overs, frozenset(CITIES))
    reopening = JointReopening(office.contacts)
    row = await office.do(office.contacts.bring, RECRUITMENT, "system:portal", Person(email="esa@firma.example"))
    await office.do(answers.answer, row.contact_id, AnswerIn(text="Näin."), VANTAA)
    environment = {name.lower(): value for name, value in stack.environment(JOINT).items()}
    mail: dict[str, Any] = {"mail_host": "127.0.0.1", "mail_port": free_port(), "mail_starttls": False}
    later = at(office, AT + timedelta(days=6))
    await EmailDelivery(later.database, Settings(**{**environment, **mail}), reopening.undelivered).send_due()
    assert [letter.state for letter in await letters(office)] == [LetterState.FAILED]
    assert await office.read(row.contact_id) == (ContactState.ASSIGNED, "v-1", "vantaa")
    assert (await office.published(row.contact_id))[-1][1] == ContactAssigned.type_name()


async def test_an_answer_is_taken_back_at_either_office_and_both_know(open_office: Office) -> None:
    office, reopening = open_office, JointReopening(open_office.contacts)
    row = await office.do(office.contacts.bring, RECRUITMENT, "system:portal", None)
    answered = ContactAnswered(contact_id=row.contact_id, office="vantaa", officer="v-1", answered_at=AT)
    await office.do(office.contacts.enter_answer, answered)
    with pytest.raises(ConflictError, match="Another authority"):
        await office.do(reopening.reopen, row.contact_id, "by mistake", HELSINKI)
    for _ in range(2):
        await office.do(reopening.reopen, row.contact_id, "by mistake", VANTAA)
    assert await office.read(row.contact_id) == (ContactState.ASSIGNED, "v-1", "vantaa")
    assert [kind for _, kind in await office.published(row.contact_id)] == [ContactAssigned.type_name()] * 2
    await office.do(office.contacts.enter_answer, answered)
    event = ContactReopened(contact_id=row.contact_id, office="vantaa", officer="v-2", reason="by mistake", at=AT)
    with pytest.raises(UnknownError):
        await office.do(reopening.enter, event.model_copy(update={"office": "espoo"}))
    for _ in range(2):
        await office.do(reopening.enter, event)
    assert await office.read(row.contact_id) == (ContactState.ASSIGNED, "v-2", "vantaa")
    assert [kind for _, kind in await office.published(row.contact_id)] == [ContactAssigned.type_name()] * 3


# -- over HTTP


def test_an_officer_takes_back_a_closing_in_the_city(advisory: Advisory) -> None:
    contact_id = advisory.bring()["contact_id"]
    city = advisory.wait_joint(contact_id, state="assigned")["acting_authority"]
    advisory.wait_in_city(city, contact_id, state="assigned")
    officer, path = advisory.callers.officer[city], f"/v1/contacts/{contact_id}"
    officer.send(f"{path}/closing")
    advisory.wait_joint(contact_id, state="closed")
    assert officer.post(f"{path}/reopening", json={"reason": ""}).status_code == 422
    assert officer.send(f"{path}/reopening", {"reason": "suljettu erehdyksessä"})["state"] == "assigned"
    advisory.wait_joint(contact_id, state="assigned")
    advisory.wait_in_city(city, contact_id, reason="to be answered: suljettu erehdyksessä")
    advisory.answer(city, contact_id)
    advisory.wait_joint(contact_id, state="answered")


def test_a_service_reads_the_caller_in_the_city_that_took_the_call(advisory: Advisory, stack: Stack) -> None:
    canary = f"kanaria{uuid4().hex[:10]}"
    call = {
        "topic": "recruitment",
        "minutes": 4,
        "business_id": advisory.business_id,
        "person": {"name": canary, "email": f"{canary}@example.org"},
        "hand_over": {"to_service": "placement", "reason": "hakee kokkeja"},
    }
    officer = advisory.callers.officer["vantaa"]
    contact_id = officer.send("/v1/calls", call)["contact_id"]

    def stored() -> bool:
        answer = advisory.joint.get(f"/v1/contacts/{contact_id}")
        return answer.is_success and any(one["draft_id"] for one in answer.json()["hand_overs"])

    wait_for(stored, "the draft", 60)
    asked = {"purpose": "täydentää luonnoksen", "service": "placement"}
    answer = advisory.joint.post(f"/v1/contacts/{contact_id}/caller-queries", json=asked)
    assert (answer.status_code, answer.json()["asked_of"]) == (202, "vantaa")
    place, request_id = answer.headers["Location"], answer.json()["request_id"]
    wait_for(lambda: advisory.joint.read(place)["answered"], "the city's answer", 60)
    in_vantaa = Caller(stack.url("advisory", "vantaa"), stack.issuer.officer("helsinki", "coordinator", "officer"))
    path = f"/v1/caller-queries/{request_id}"
    assert in_vantaa.send(f"{path}/reading")["name"] == canary
    assert in_vantaa.send(f"{path}/letter", {"text": "Soitamme."})["readings"] == 1
    letter = officer.read(f"/v1/letters?about={contact_id}")["items"][0]
    assert letter["kind"] == "answer"
    assert officer.post(f"{path}/reading").status_code == 404
    listed = officer.read(f"/v1/caller-queries?contact_id={contact_id}")["items"]
    assert [(one["service"], one["state"]) for one in listed] == [("placement", "granted")]
    assert in_vantaa.get("/v1/caller-queries").status_code == 403
    officer.send(f"{path}/refusal", {"reason": "työnantaja pyysi"})
    wait_for(lambda: advisory.joint.read(place)["refusal"] == "työnantaja pyysi", "the refusal", 60)
    assert in_vantaa.post(f"{path}/reading").status_code == 403

    async def on_topics() -> list[str]:
        records = await records_on(stack, *expanded(CITIES))
        return [record.topic for record in records if canary.encode() in (record.value or b"") + (record.key or b"")]

    assert asyncio.run(on_topics()) == []
    assert not any(canary in path.read_text() for path in stack.logs.iterdir())


def test_letters_are_looked_after_by_officers_and_operators(advisory: Advisory) -> None:
    contact = advisory.bring(person={"phone": "+358401234567"})
    officer = advisory.callers.of(JOINT, contact["acting_authority"], "officer")
    officer.send(f"/v1/contacts/{contact['contact_id']}/answer", {"text": "Vastaus"})
    operator = advisory.callers.operator
    (letter,) = operator.read(f"/v1/letters?state=no_address&about={contact['contact_id']}")["items"]
    path = f"/v1/letters/{letter['letter_id']}"
    for body, status in (({}, 409), ({"address": "not an address"}, 422), ({"address": "a@b.example"}, 200)):
        assert operator.post(f"{path}/retry", json=body).status_code == status
    assert officer.post(f"{path}/discard", json={}).status_code == 422
    assert officer.send(f"{path}/discard", {"reason": "soitettu"})["state"] == "discarded"
    assert operator.post(f"{path}/retry", json={}).status_code == 409
    group = advisory.callers.of(JOINT, "vantaa", "management_group")
    assert group.get("/v1/letters").status_code == 403
    asked = f"/v1/contacts/{contact['contact_id']}/caller-queries"
    assert group.post(asked, json={"purpose": "curious"}).status_code == 403


def test_a_draft_is_saved_half_filled_and_completed_by_another(advisory: Advisory, stack: Stack) -> None:
    contact_id = advisory.bring()["contact_id"]
    city = advisory.wait_joint(contact_id, state="assigned")["acting_authority"]
    advisory.wait_in_city(city, contact_id, state="assigned")
    target = {"to_service": "placement", "reason": "työnantajan toive"}
    advisory.callers.officer[city].send(f"/v1/contacts/{contact_id}/hand-overs", target)

    def drafted() -> str | None:
        found = [one["draft_id"] for one in advisory.at_joint(contact_id)["hand_overs"] if one["draft_id"]]
        return str(found[0]) if found else None

    path = f"/v1/drafts/{wait_for(drafted, 'the draft', 60)}"
    placement = Callers(stack, "placement")
    first, second = placement.coordinator, placement.of(JOINT, "espoo", "officer")
    read = first.get(path)
    tag, content = read.headers["ETag"], read.json()["content"]
    half = {"vacancy": content["vacancy"] | {"title": "Kokki"}}
    saved = first.http.put(path, json={"content": half}, headers={"If-Match": tag})
    assert (saved.status_code, saved.json()["saved_by"]) == (200, "officer:officer-of-helsinki")
    lost = second.http.put(path, json={"content": {}}, headers={"If-Match": tag})
    assert (lost.status_code, lost.json()["type"]) == (412, "urn:problem:changed-meanwhile")
    refused = second.post(f"{path}/completion")
    assert refused.status_code == 422
    assert "/vacancy/occupation" in {field["pointer"] for field in refused.json()["errors"]}
    assert second.read(path)["content"] == half
    whole = {"vacancy": half["vacancy"] | {"occupation": {"scheme": "ISCO-08", "code": "5120"}}}
    second.send(path, {"content": whole}, "PUT")
    done = second.send(f"{path}/completion")
    assert placement.coordinator.read(f"/v1/vacancies/{done['matter_id']}")["vacancy"]["title"] == "Kokki"
    assert second.http.put(path, json={"content": {}}).status_code == 409
