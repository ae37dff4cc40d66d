"""Nobody vanishes: reopened contacts, absent officers, calls, answers, drafts, mailing lists - as commands decide."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from opentelemetry.sdk.trace import TracerProvider
from sqlalchemy import text

from deploy.local.processes import free_port
from deploy.local.stack import JOINT, Stack
from services.advisory import data
from services.advisory.authority.commands import CityAnnouncements, CityContacts
from services.advisory.domain.agreement import NewFigure
from services.advisory.domain.contact import ContactState, Person
from services.advisory.domain.letters import LetterKind, LetterState
from services.advisory.domain.letters import answer as answer_letter
from services.advisory.domain.response import Channel
from services.advisory.joint.answers_commands import JointAnswers
from services.advisory.joint.callers_commands import Answer, JointCallers
from services.advisory.joint.commands import JointContacts, JointHandOvers
from services.advisory.joint.deputies_commands import JointDeputies
from services.advisory.joint.joining_commands import JointJoining
from services.advisory.joint.mailing_commands import ASK_AGAIN_AFTER, UNCONFIRMED_FOR, JointMailing
from services.advisory.joint.mailing_store import Publications, Subscriptions
from services.advisory.joint.publications import JointAnnouncements
from services.advisory.joint.reopening_commands import JointReopening
from services.advisory.joint.responses_commands import JointResponses
from services.advisory.joint.responses_store import ResponseTimes
from services.advisory.joint.tables import ContactRow
from services.advisory.models import AnswerIn, CallIn, HandOverIn
from services.advisory.outgoing import EmailDelivery, LetterRow, Letters
from services.advisory.settings import Settings
from shared.calendar import OfficeHours
from shared.errors import ConflictError
from shared.events.v1.advisory import (
    AnnouncementMade,
    AnnouncementReceived,
    AnswerEntered,
    Audience,
    ContactAnswered,
    ContactAssigned,
    ContactTopic,
    MatterHandedOver,
    Progress,
    Texts,
    Trilingual,
)
from shared.events.v1.agreement import FigureName
from shared.events.values import Absence
from shared.identity import Officer
from shared.messaging.transaction import Database
from tests.support.advisory_office import ASSIGNED, AT, CITIES, CONTACT, RELEASED, Office, decide, list_members
from tests.support.clock import SettableClock

RECRUITMENT = CONTACT.model_copy(update={"topic": ContactTopic.RECRUITMENT, "business_id": "2077474-0"})
ANSWERED, HANDED_OVER, CLOSED = ContactState.ANSWERED, ContactState.HANDED_OVER, ContactState.CLOSED
VANTAA = Officer("v-1", "vantaa")


def at(office: Office, instant: datetime) -> Office:
    """Return the office at another time."""
    tracer = TracerProvider().get_tracer("test")
    return replace(office, database=Database(office.engine, office.database.office, SettableClock(instant), tracer))


def with_hours(office: Office, hours: OfficeHours) -> Office:
    """Return the office with other hours and room for everything."""
    responses = JointResponses(data.response_times(), hours)
    contacts: JointContacts = replace(office.contacts, responses=responses, open_limit=100)
    return replace(office, contacts=contacts, hand_overs=JointHandOvers(contacts, 8))


async def bring(office: Office, minute: int, **changes: Any) -> UUID:
    contact = RECRUITMENT.model_copy(update={"received_at": AT + timedelta(minutes=minute), **changes})
    row = await office.do(office.contacts.bring, contact, "system:portal", Person(email="esa@firma.example"))
    assert isinstance(row.contact_id, UUID)
    return row.contact_id


async def row_of(office: Office, contact_id: UUID) -> ContactRow:
    async with office.database.read() as tx:
        return await office.contacts.get(tx, contact_id)


async def answer(office: Office, contact_id: UUID, officer: str = "v-1", version: int | None = None) -> None:
    event = ContactAnswered(contact_id=contact_id, office="vantaa", officer=officer, answered_at=AT, version=version)
    await office.do(office.contacts.enter_answer, event)


async def letters(office: Office) -> list[LetterRow]:
    async with office.database.read() as tx:
        return list(await Letters(tx).page(None, None, None, 100))


@pytest.fixture
async def open_office(office: Office) -> Office:
    """An office at ten on a Tuesday with one officer in Vantaa who has room."""
    made = at(with_hours(office, OfficeHours()), AT)
    await made.list_adviser("v-1", "vantaa")
    return made


# -- joining


@pytest.mark.parametrize("state", [ANSWERED, HANDED_OVER])
async def test_who_writes_again_after_the_answer_is_heard_by_the_same_officer(
    open_office: Office, state: ContactState
) -> None:
    office = open_office
    first = await bring(office, 0)
    if state is ANSWERED:
        await answer(office, first)
    else:
        hand_over_id = await office.hand_over(first, "vantaa", to_service="training")
        await office.answer(hand_over_id, "accepted")
    assert (await office.read(first))[0] is state
    second = await bring(office, 5)
    row, joined = await row_of(office, first), await row_of(office, second)
    assert (joined.state, joined.joined_into) == (CLOSED, first)
    assert (row.state, row.officer, row.joined) == (ContactState.ASSIGNED, "v-1", [second])
    assert row.reopened_version == row.version
    assert row.answered_at is None
    assert row.due_at == joined.due_at
    assert (await office.published(first))[-1] == ("to.vantaa.advisory.v1", ASSIGNED)
    await answer(office, first, version=row.version)
    assert (await office.read(first))[0] is ANSWERED


async def test_an_answer_that_crosses_a_later_contact_does_not_end_the_matter(open_office: Office) -> None:
    first = await bring(open_office, 0)
    seen = (await row_of(open_office, first)).version
    await bring(open_office, 5)
    await answer(open_office, first, version=seen)
    assert (await open_office.read(first))[0] is ContactState.ASSIGNED
    await answer(open_office, first, version=(await row_of(open_office, first)).version)
    assert (await open_office.read(first))[0] is ANSWERED


async def test_a_city_shows_a_reopened_contact_as_open_and_keeps_an_answer_that_is_newer(office: Office) -> None:
    city = Database(office.engine, "espoo", SettableClock(AT), TracerProvider().get_tracer("test"))
    contacts, contact_id = CityContacts(frozenset({"helsinki", "vantaa"})), uuid4()

    async def assigned(version: int, officer: str, reopened: int | None = None) -> tuple[ContactState, str, bool]:
        event = ContactAssigned(
            contact_id=contact_id,
            version=version,
            contact=CONTACT,
            officer=officer,
            acting_authority="espoo",
            reason="share",
            reopened_version=reopened,
            joined=(uuid4(),) if reopened else None,
        )
        async with city.transaction(uuid4()) as tx:
            contacts.receive(tx, event)
        async with city.read() as tx:
            row = await contacts.get(tx, contact_id)
            return row.state, row.officer, row.reopened_at is not None

    await assigned(2, "e-1")
    async with city.transaction(uuid4()) as tx:
        await contacts.answer(tx, contact_id, "e-1", AnswerIn())
    # Given to another officer before the joint office had the answer: it is answered all the same.
    assert await assigned(3, "e-2") == (ANSWERED, "e-2", False)
    assert await assigned(4, "e-2", reopened=4) == (ContactState.ASSIGNED, "e-2", True)
    async with city.transaction(uuid4()) as tx:
        await contacts.answer(tx, contact_id, "e-2", AnswerIn())
    assert await assigned(5, "e-2", reopened=4) == (ANSWERED, "e-2", True)


async def test_officers_join_and_separate_and_each_officer_is_told(open_office: Office) -> None:
    office, joining = open_office, JointJoining(open_office.contacts)
    first = await bring(office, 0, topic=ContactTopic.OTHER)
    second = await bring(office, 5, topic=ContactTopic.OTHER)
    assert (await row_of(office, second)).joined_into is None
    for _ in range(2):
        await office.do(joining.join, second, first, "the same matter", VANTAA)
    assert (await row_of(office, first)).joined == [second]
    assert (await office.published(second))[-1] == ("to.vantaa.advisory.v1", RELEASED)
    await office.do(joining.separate, second, "two matters after all", VANTAA)
    separated, earlier = await row_of(office, second), await row_of(office, first)
    assert (separated.state, separated.joined_into, separated.officer) == (ContactState.ASSIGNED, None, "v-1")
    assert earlier.joined == []
    assert (await office.published(second))[-1] == ("to.vantaa.advisory.v1", ASSIGNED)
    with pytest.raises(ConflictError, match="not joined"):
        await office.do(joining.separate, second, "again", VANTAA)
    await answer(office, second)
    with pytest.raises(ConflictError, match="answered"):
        await office.do(joining.join, second, first, "too late", VANTAA)


# -- holidays, absence, time-outs


async def test_nobody_is_given_a_contact_on_a_closed_day(open_office: Office) -> None:
    saturday = at(open_office, datetime(2026, 11, 28, 9, 0, tzinfo=UTC))
    contact_id = await bring(saturday, 0)
    row = await row_of(saturday, contact_id)
    assert (row.state, row.reason) == (
        ContactState.NEW,
        "the offices are closed today: it is given on 2026-11-30",
    )
    monday = at(open_office, datetime(2026, 11, 30, 7, 0, tzinfo=UTC))
    await monday.do(monday.hand_overs.sweep)
    assert await monday.read(contact_id) == (ContactState.ASSIGNED, "v-1", "vantaa")


async def test_an_absent_officers_open_contacts_are_given_to_another_of_the_same_city(open_office: Office) -> None:
    office, deputies = open_office, JointDeputies(open_office.contacts)
    kept, moved = await bring(office, 0), await bring(office, 1, topic=ContactTopic.TRAINING)
    await answer(office, kept)
    away = {"absences": (Absence(since=AT.date(), until=AT.date()),)}
    await office.list_adviser("v-1", "vantaa", version=2, **away)
    await office.list_adviser("e-1", "espoo")
    assert await office.do(deputies.sweep) == 0
    assert "nobody" in (await row_of(office, moved)).reason
    await office.list_adviser("v-2", "vantaa")
    assert await office.do(deputies.sweep) == 1
    assert await office.do(deputies.sweep) == 0
    row = await row_of(office, moved)
    assert (row.officer, row.reason) == ("v-2", "the officer who had it is absent; given to another of vantaa")
    assert (await office.read(kept))[1] == "v-1"
    assert (await office.published(moved))[-1] == ("to.vantaa.advisory.v1", ASSIGNED)


async def test_a_hand_over_is_due_by_office_hours(open_office: Office) -> None:
    friday = at(open_office, datetime(2026, 11, 27, 13, 0, tzinfo=UTC))
    contact_id = await bring(friday, 0)
    hand_over_id = await friday.hand_over(contact_id, "vantaa", to_service="placement")
    assert (await friday.state_of(hand_over_id)).due_at == datetime(2026, 11, 30, 13, 0, tzinfo=UTC)


# -- calls, answers, response times


async def test_a_call_is_logged_and_answered_in_one_act_and_its_summary_goes_out(open_office: Office) -> None:
    office, answers = open_office, JointAnswers(open_office.hand_overs, frozenset(CITIES))
    person = Person(phone="040 1234567", email="esa@firma.example")
    call = CallIn(topic=ContactTopic.WAGE_SUBSIDY, language="sv", minutes=6, person=person, text="Som vi talade om…")
    row = await office.do(answers.log_call, call, VANTAA)
    assert (row.state, row.officer, row.acting_authority, row.minutes) == (ANSWERED, "v-1", "vantaa", 6)
    assert [kind for _, kind in await office.published(row.contact_id)] == [ASSIGNED, AnswerEntered.type_name()]
    (letter,) = await letters(office)
    assert (letter.kind, letter.about, letter.address) == (LetterKind.ANSWER, row.contact_id, "esa@firma.example")
    assert (letter.language, letter.subject, letter.state) == ("sv", "Svar på er kontakt", LetterState.QUEUED)
    async with office.database.read() as tx:
        reached = {one.channel: one for one in await office.contacts.responses.reached(tx, AT.date(), AT.date())}
    assert (reached[Channel.PHONE].received, reached[Channel.PHONE].in_time) == (1, 1)


async def test_a_call_is_handed_over_in_one_act_with_its_reason(open_office: Office) -> None:
    office, answers = open_office, JointAnswers(open_office.hand_overs, frozenset(CITIES))
    target = HandOverIn(to_service="placement", reason="ten cooks")
    call = CallIn(topic=ContactTopic.RECRUITMENT, minutes=3, business_id="2077474-0", hand_over=target)
    row = await office.do(answers.log_call, call, VANTAA)
    assert row.state is ContactState.ASSIGNED
    async with office.engine.connect() as connection:
        sql = text("SELECT convert_from(payload, 'UTF8') FROM outbox WHERE type = :type")
        payload = (await connection.execute(sql, {"type": MatterHandedOver.type_name()})).scalar_one()
    assert MatterHandedOver.model_validate_json(payload).reason == "ten cooks"


async def test_an_answer_in_writing_is_the_acting_authoritys_and_goes_out_once(open_office: Office) -> None:
    office, answers = open_office, JointAnswers(open_office.hand_overs, frozenset(CITIES))
    contact_id = await bring(office, 0)
    with pytest.raises(ConflictError, match="Another authority"):
        await office.do(answers.answer, contact_id, AnswerIn(text="…"), Officer("e-1", "espoo"))
    for _ in range(2):
        await office.do(answers.answer, contact_id, AnswerIn(text="Näin se tehdään."), VANTAA)
    (letter,) = await letters(office)
    assert "Näin se tehdään." in letter.body
    assert letter.about == contact_id
    published = [kind for topic, kind in await office.published(contact_id) if topic == "to.vantaa.advisory.v1"]
    assert published == [ASSIGNED, AnswerEntered.type_name()]


async def test_a_city_answers_in_writing_whom_it_has_and_hears_of_the_joint_offices_answer(office: Office) -> None:
    city = Database(office.engine, "espoo", SettableClock(AT), TracerProvider().get_tracer("test"))
    contacts = CityContacts(frozenset({"helsinki", "vantaa"}))
    async with city.transaction(uuid4()) as tx:
        call = CallIn(topic=ContactTopic.TRAINING, minutes=4, person=Person(email="a@b.example"), text="Hei")
        row = await contacts.log_call(tx, call, "e-1")
    assert row.state is ANSWERED
    assert [(letter.address, letter.about) for letter in await letters(office)] == [("a@b.example", row.contact_id)]
    contact_id = uuid4()
    assigned = ContactAssigned(
        contact_id=contact_id, version=2, contact=CONTACT, officer="e-1", acting_authority="espoo", reason="share"
    )
    async with city.transaction(uuid4()) as tx:
        contacts.receive(tx, assigned)
    with pytest.raises(ConflictError, match="joint office has the caller"):
        async with city.transaction(uuid4()) as tx:
            await contacts.answer(tx, contact_id, "e-1", AnswerIn(text="Hei"))
    async with city.transaction(uuid4()) as tx:
        await contacts.enter_answer(tx, AnswerEntered(contact_id=contact_id, version=3, answered_at=AT))
    async with city.read() as tx:
        assert (await contacts.get(tx, contact_id)).state is ANSWERED


async def test_late_contacts_are_listed_by_the_decided_time_of_their_channel(open_office: Office) -> None:
    office = open_office
    await list_members(office, AT.date())
    await decide(office, AT.date(), NewFigure(name=FigureName.RESPONSE_HOURS, scope="form", value=1))
    first = await bring(office, 0)
    await bring(office, 60, business_id="0737546-2", topic=ContactTopic.TRAINING)
    assert (await row_of(office, first)).due_at == AT + timedelta(hours=1)
    later = at(office, AT + timedelta(minutes=90))
    async with later.database.read() as tx:
        late = await ResponseTimes(tx).late(None, None, 10)
        assert [row.contact_id for row in late] == [first]
        assert await ResponseTimes(tx).late("espoo", None, 10) == []
        reached = {one.channel: one for one in await later.contacts.responses.reached(tx, AT.date(), AT.date())}
    assert (reached[Channel.FORM].late, reached[Channel.FORM].open, reached[Channel.FORM].hours) == (1, 1, 1)


async def test_a_service_that_has_the_contact_may_ask_who_called_and_another_may_not(open_office: Office) -> None:
    office = open_office
    contact_id = await bring(office, 0)
    helsinki, callers = Officer("h-1", "helsinki"), JointCallers(office.contacts)

    async def ask(*purpose: str) -> Person | None:
        answer: Answer = await office.do(callers.ask, contact_id, helsinki, *purpose)
        return answer.person

    hand_over_id = await office.hand_over(contact_id, "vantaa", to_service="training")
    assert await ask("to plan", "training") is None
    await office.answer(hand_over_id, "stored", draft_id=UUID(int=5))
    assert (await office.state_of(hand_over_id)).draft_id == UUID(int=5)
    assert await ask("to plan", "training") == Person(email="esa@firma.example")
    assert await ask("to plan", "placement") is None
    assert await ask("to plan") is None
    await office.answer(hand_over_id, "accepted")
    await office.answer(hand_over_id, "rejected", reason="no course")
    row = await row_of(office, contact_id)
    assert (row.state, row.officer, row.reason) == (
        ContactState.ASSIGNED,
        "v-1",
        "given back by training: no course",
    )
    assert await ask("to plan", "training") is None


# -- announcements

TEXTS = Trilingual(**{one: Texts(title=f"title {one}", body=f"body {one}") for one in ("fi", "sv", "en")})


async def test_an_announcement_goes_on_its_day_to_those_who_confirmed_once_each(office: Office) -> None:
    mailing, announcements = JointMailing("https://x.example"), JointAnnouncements(CITIES)
    office = at(office, AT)
    address = "esa@firma.example"
    for audience in (Audience.EMPLOYERS, Audience.PROVIDERS, Audience.EMPLOYERS):
        assert await office.do(mailing.subscribe, address, audience, "sv")
    asked = await letters(office)
    assert [letter.kind for letter in asked] == [LetterKind.CONFIRMATION] * 2
    assert await office.do(mailing.subscribe, "vain@kysyi.example", Audience.EMPLOYERS, "fi")
    for audience in (Audience.EMPLOYERS, Audience.PROVIDERS):
        async with office.database.transaction(uuid4()) as tx:
            subscribed = await Subscriptions(tx).of(address, audience)
            assert subscribed is not None
            await mailing.confirm(tx, subscribed.subscription_id)
    both = [Audience.EMPLOYERS, Audience.PROVIDERS]
    tomorrow = AT.date() + timedelta(days=1)
    await office.do(announcements.make, TEXTS, both, tomorrow, "officer:c-1")
    assert await office.do(mailing.publish) == 0
    async with office.database.read() as tx:
        assert await Publications(tx).shown(Audience.EMPLOYERS, AT.date()) == []
    day_after = at(office, AT + timedelta(days=1))
    assert await day_after.do(mailing.publish) == 1
    assert await day_after.do(mailing.publish) == 0
    async with day_after.database.read() as tx:
        assert len(await Publications(tx).shown(Audience.EMPLOYERS, tomorrow)) == 1
        assert await Publications(tx).shown(Audience.JOBSEEKERS, tomorrow) == []
    (letter,) = [one for one in await letters(day_after) if one.kind is LetterKind.ANNOUNCEMENT]
    assert (letter.address, letter.subject) == (address, "title sv")
    assert str(letter.unsubscribe_url).startswith("https://x.example/v1/subscriptions/")
    async with day_after.database.transaction(uuid4()) as tx:
        await mailing.unsubscribe(tx, UUID(str(letter.unsubscribe_url).split("/")[-2]))
    assert not [one for one in await letters(day_after) if one.kind is LetterKind.ANNOUNCEMENT]
    # The other list's letters stay, and so do others' letters.
    assert sorted(str(one.address) for one in await letters(day_after)) == [address, "vain@kysyi.example"]


async def test_who_does_not_confirm_is_asked_once_a_day_and_then_erased(office: Office) -> None:
    mailing = JointMailing("https://x.example")
    office = at(office, AT)
    for hours, count in ((0, 1), (1, 1), (25, 2)):
        later = at(office, AT + timedelta(hours=hours))
        assert await later.do(mailing.subscribe, "a@b.example", Audience.EMPLOYERS, "fi")
        assert len(await letters(later)) == count
    assert timedelta(hours=25) > ASK_AGAIN_AFTER
    much_later = at(office, AT + UNCONFIRMED_FOR + timedelta(hours=26))
    await much_later.do(mailing.publish)
    async with much_later.database.read() as tx:
        assert await Subscriptions(tx).of("a@b.example", Audience.EMPLOYERS) is None


async def test_late_receipts_are_listed_and_nothing_is_published_before_its_day(office: Office) -> None:
    office, announcements = at(office, AT), JointAnnouncements(("espoo", "vantaa"))
    row = await office.do(announcements.make, TEXTS, [Audience.EMPLOYERS], AT.date(), "officer:c-1")
    stored = AnnouncementReceived(announcement_id=row.announcement_id, office="espoo", state=Progress.STORED, at=AT)
    await office.do(announcements.enter_receipt, stored)
    next_day = at(office, AT + timedelta(days=1))
    async with next_day.database.read() as tx:
        args = (date(2026, 11, 25), datetime(2026, 11, 24, 22, tzinfo=UTC))
        late = await Publications(tx).late_receipts(*args, None, 10)
        assert [(one.office, one.missing) for one in late] == [("espoo", "published"), ("vantaa", "stored")]
        place = (late[0].since, f"{late[0].announcement_id} {late[0].office}")
        following = await Publications(tx).late_receipts(*args, place, 10)
        assert [one.office for one in following] == ["vantaa"]
    city = CityAnnouncements()
    made = AnnouncementMade(
        announcement_id=uuid4(), texts=TEXTS, audiences=(Audience.EMPLOYERS,), publish_on=date(2026, 11, 26)
    )
    espoo = Database(office.engine, "espoo", SettableClock(AT), TracerProvider().get_tracer("test"))
    async with espoo.transaction(uuid4()) as tx:
        await city.receive(tx, made)
    with pytest.raises(ConflictError, match="2026-11-26"):
        async with espoo.transaction(uuid4()) as tx:
            await city.publish(tx, made.announcement_id)


class Inbox:
    """Takes e-mail over SMTP."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Take one."""
        self.messages.append((envelope.original_content or b"").decode())
        return "250 OK"


async def test_a_letter_waits_for_the_server_goes_out_once_and_is_given_up_after_five_days(
    office: Office, stack: Stack
) -> None:
    port = free_port()
    environment = {name.lower(): value for name, value in stack.environment(JOINT).items()}
    mail: dict[str, Any] = {"mail_host": "127.0.0.1", "mail_port": port, "mail_starttls": False}
    settings = Settings(**{**environment, **mail})

    async def write(moment: Office) -> None:
        async with moment.database.transaction(uuid4()) as tx:
            Letters(tx).write(LetterKind.ANSWER, uuid4(), "a@b.example", "fi", answer_letter("fi", "Hei"), "v-1")

    async def send(moment: Office) -> tuple[int, LetterState, bool]:
        sent = await EmailDelivery(moment.database, settings, JointReopening(moment.contacts).undelivered).send_due()
        letter = (await letters(moment))[-1]
        return sent, letter.state, letter.problem is not None

    now = at(office, AT)
    await write(now)
    assert await send(now) == (0, LetterState.QUEUED, True)
    assert await send(at(office, AT + timedelta(days=6))) == (0, LetterState.FAILED, True)
    later = at(office, AT + timedelta(days=7))
    await write(later)
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        assert await send(later) == (1, LetterState.SENT, False)
        assert await send(later) == (0, LetterState.SENT, False)
    finally:
        server.stop()
    assert len(inbox.messages) == 1
    assert "Content-Language: fi" in inbox.messages[0]
