"""What the commands of both sides decide, write and publish, without HTTP and without a database."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider

from services.placement import data
from services.placement.authority import commands as city
from services.placement.authority import vacancy_commands
from services.placement.authority.commands import CityPool, CityReferrals
from services.placement.authority.store import Nearest
from services.placement.authority.tables import (
    ConsentRow,
    ContactQueryRow,
    JobseekerRow,
    OwnAssignmentRow,
    OwnOfferRow,
    OwnReferralRow,
    OwnVacancyRow,
)
from services.placement.authority.vacancy_commands import CityVacancies
from services.placement.domain import vacancy as lifecycle
from services.placement.domain.matching import Profile, Scorer
from services.placement.domain.referral import Stay
from services.placement.domain.vacancy import Posting
from services.placement.joint import commands as joint
from services.placement.joint import referral_commands
from services.placement.joint.commands import JointAssignments, JointVacancies
from services.placement.joint.referral_commands import JointReferrals
from services.placement.joint.store import Assignment, Solicited, WithdrawnOffer
from services.placement.joint.tables import OfferRow, ReferralRow
from shared.errors import ConflictError, RefusedError, UnknownError, UnprocessableError
from shared.events.v1.change_security import Occupation
from shared.events.v1.placement import (
    CandidatesAnswered,
    CandidatesRequested,
    ConsentChannel,
    JobOfferAnswered,
    JobOfferConsequence,
    JobOfferMade,
    JobOfferWithdrawn,
    OfferState,
    OwnPoolAsked,
    ReferralEnded,
    ReferralOutcome,
    ReferralRequested,
    ReferralState,
    Vacancy,
    VacancyRegistered,
    VacancyState,
    VacancySubmitted,
    VacancyTaken,
    Wanted,
)
from shared.identity import Officer
from shared.messaging.transaction import Database, Transaction

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CITIES = ("helsinki", "espoo", "vantaa")
COOK = Occupation(scheme="ISCO-08", code="5120")
WANTED = Wanted(occupation=COOK, municipality="091")


class StandingClock:
    def now(self) -> datetime:
        return NOW


def transaction(office: str) -> Transaction:
    engine: Any = None  # nothing here reaches a database
    database = Database(engine, office, StandingClock(), TracerProvider().get_tracer("test"))
    connection: Any = None
    tx = Transaction(connection, database)
    tx.begin(uuid4())
    return tx


def published(tx: Transaction) -> list[tuple[str, dict[str, Any]]]:
    """The topics and bodies of what is published, in order."""
    return [(outgoing.topic, json.loads(outgoing.payload)) for outgoing in tx._outgoing]


def vacancy(title: str = "Kokki") -> Vacancy:
    return Vacancy.model_validate(
        {"title": title, "employer": {"business_id": "2077474-0"}, "occupation": COOK, "municipality": "091"}
    )


# -- the joint office


@dataclass
class JointMemory:
    """Stands for the stores of the joint side."""

    postings: dict[UUID, Posting] = field(default_factory=dict)
    assignments: list[Assignment] = field(default_factory=list)
    solicited: Solicited | None = None
    referrals: dict[UUID, ReferralRow] = field(default_factory=dict)
    offers: dict[UUID, OfferRow] = field(default_factory=dict)

    async def lock(self, vacancy_id: UUID) -> Posting | None:
        return self.postings.get(vacancy_id)

    async def read(self, vacancy_id: UUID) -> Posting | None:
        return self.postings.get(vacancy_id)

    async def save(self, posting: Posting) -> bool:
        before = self.postings.get(posting.vacancy_id)
        if before is not None and before.version >= posting.version:
            return False
        self.postings[posting.vacancy_id] = posting
        return True

    async def enter_answer(self, _: CandidatesAnswered) -> Solicited | None:
        return self.solicited

    def referred(self, vacancy_id: UUID) -> ReferralRow:
        row = ReferralRow(
            referral_id=uuid4(),
            assignment_id=uuid4(),
            vacancy_id=vacancy_id,
            office="vantaa",
            reference="opaque",
            purpose="esittely",
            requested_by="officer:x",
            requesting_authority="helsinki",
            state=ReferralState.CONSENTED,
            requested_at=NOW,
        )
        self.referrals[row.referral_id] = row
        return row

    def offered(self, referral: ReferralRow, *, binding: bool) -> OfferRow:
        row = OfferRow(
            offer_id=uuid4(),
            referral_id=referral.referral_id,
            binding=binding,
            answer_by=NOW,
            state=OfferState.OPEN,
            made_at=NOW,
        )
        self.offers[row.offer_id] = row
        return row


@dataclass
class ReferralMemory:
    """Stands for the store of referrals of the joint side."""

    memory: JointMemory

    async def lock(self, referral_id: UUID) -> ReferralRow | None:
        return self.memory.referrals.get(referral_id)

    async def lock_offer(self, offer_id: UUID, office: str) -> OfferRow | None:
        row = self.memory.offers.get(offer_id)
        return row if row and self.memory.referrals[row.referral_id].office == office else None

    def add_offer(self, row: OfferRow) -> None:
        self.memory.offers[row.offer_id] = row

    async def withdraw_offers(self, referral_id: UUID, at: datetime) -> None:
        for row in await self.offers(referral_id):
            if row.state is OfferState.OPEN:
                row.state, row.answered_at = OfferState.WITHDRAWN, at

    async def withdraw_offers_for(self, vacancy_id: UUID, at: datetime) -> list[WithdrawnOffer]:
        closed = []
        for row in self.memory.offers.values():
            referral = self.memory.referrals[row.referral_id]
            if referral.vacancy_id == vacancy_id and row.state is OfferState.OPEN:
                row.state, row.answered_at = OfferState.WITHDRAWN, at
                closed.append(WithdrawnOffer(row.offer_id, row.referral_id, referral.office))
        return closed

    async def offers(self, referral_id: UUID) -> list[OfferRow]:
        return [row for row in self.memory.offers.values() if row.referral_id == referral_id]


@dataclass
class AssignmentMemory:
    """Stands for the store of assignments of the joint side."""

    memory: JointMemory

    def add(self, assignment: Assignment) -> None:
        self.memory.assignments.append(assignment)

    async def read(self, assignment_id: UUID) -> Assignment | None:
        made = (one for one in self.memory.assignments if one.row.assignment_id == assignment_id)
        return next(made, None)

    async def enter_answer(self, answer: CandidatesAnswered) -> Solicited | None:
        return await self.memory.enter_answer(answer)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> JointMemory:
    made = JointMemory()
    monkeypatch.setattr(joint, "Vacancies", lambda _: made)
    monkeypatch.setattr(joint, "Assignments", lambda _: AssignmentMemory(made))
    monkeypatch.setattr(joint, "Referrals", lambda _: ReferralMemory(made))
    monkeypatch.setattr(referral_commands, "Vacancies", lambda _: made)
    monkeypatch.setattr(referral_commands, "Referrals", lambda _: ReferralMemory(made))
    return made


def reported(memory: JointMemory, filed_by: str, state: VacancyState = VacancyState.OPEN) -> UUID:
    posting = lifecycle.report(uuid4(), vacancy(), "5120", state, filed_by, NOW).posting
    memory.postings[posting.vacancy_id] = posting
    return posting.vacancy_id


async def test_a_vacancy_belongs_to_the_system_that_submitted_it(memory: JointMemory) -> None:
    vacancy_id = reported(memory, "topic:/systems/jobs")
    tx = transaction("pks")
    revision = VacancySubmitted(vacancy_id=vacancy_id, revision=2, vacancy=vacancy("Muu"))
    with pytest.raises(UnprocessableError) as refusal:
        await JointVacancies().submit(tx, revision, "topic:/systems/other")
    assert refusal.value.code == "not-the-submitter"
    assert published(tx) == []
    await JointVacancies().submit(tx, revision, "topic:/systems/jobs")
    assert [body["version"] for _, body in published(tx)] == [2]


async def test_what_is_submitted_again_is_not_published_again(memory: JointMemory) -> None:
    vacancy_id = reported(memory, "topic:/systems/jobs")
    tx = transaction("pks")
    await JointVacancies().submit(tx, VacancySubmitted(vacancy_id=vacancy_id, vacancy=vacancy()), "topic:/systems/jobs")
    assert published(tx) == []
    assert memory.postings[vacancy_id].version == 1


async def test_a_system_changes_its_own_vacancies_alone_and_an_officer_any(memory: JointMemory) -> None:
    vacancy_id = reported(memory, "system:jobs")
    tx = transaction("pks")
    with pytest.raises(UnknownError):
        await JointVacancies().move(tx, vacancy_id, VacancyState.PAUSED, "system:other")
    with pytest.raises(UnknownError):
        await JointVacancies().revise(tx, vacancy_id, vacancy("Muu"), 1, "system:other")
    assert (await JointVacancies().move(tx, vacancy_id, VacancyState.PAUSED, "system:jobs")).version == 2
    assert (await JointVacancies().revise(tx, vacancy_id, vacancy("Muu"), 1, None)).version == 3


async def test_an_assignment_asks_every_city_once_and_shows_whom_it_waits_for(memory: JointMemory) -> None:
    vacancy_id = reported(memory, "system:jobs")
    tx = transaction("pks")
    assignments = JointAssignments(CITIES, timedelta(seconds=5))
    assignment = await assignments.ask(tx, vacancy_id, at_most=3, asked_by="officer", answer_within=None)
    assert memory.assignments == [assignment]
    assert {answer.office: answer.received_at for answer in assignment.answers} == dict.fromkeys(CITIES)
    assert assignment.row.answer_by == NOW + timedelta(seconds=5)
    assert [topic for topic, _ in published(tx)] == [f"to.{office}.placement.v1" for office in CITIES]
    assert all("employer" not in str(body) for _, body in published(tx))


async def test_no_pool_is_asked_for_a_vacancy_that_is_not_open(memory: JointMemory) -> None:
    vacancy_id = reported(memory, "system:jobs", VacancyState.DRAFT)
    tx = transaction("pks")
    assignments = JointAssignments(CITIES, timedelta(seconds=5))
    with pytest.raises(ConflictError):
        await assignments.ask(tx, vacancy_id, at_most=3, asked_by="officer", answer_within=None)
    with pytest.raises(UnknownError):
        await assignments.ask(tx, uuid4(), at_most=3, asked_by="officer", answer_within=None)
    assert (published(tx), memory.assignments) == ([], [])


async def test_a_pools_first_answer_for_a_training_group_goes_on_to_it(memory: JointMemory) -> None:
    answer = CandidatesAnswered(assignment_id=uuid4(), office="espoo", considered=7, candidates=(), answered_at=NOW)
    assignments = JointAssignments(CITIES, timedelta(seconds=5))
    tx = transaction("pks")
    with pytest.raises(UnprocessableError) as refusal:
        await assignments.enter_answer(tx, answer)
    assert refusal.value.code == "unsolicited-answer"
    memory.solicited = Solicited(is_first=True, group_id=None, request_id=None)
    await assignments.enter_answer(tx, answer)
    memory.solicited = Solicited(is_first=False, group_id=uuid4(), request_id=uuid4())
    await assignments.enter_answer(tx, answer)
    assert published(tx) == []
    memory.solicited = Solicited(is_first=True, group_id=uuid4(), request_id=uuid4())
    await assignments.enter_answer(tx, answer)
    ((topic, body),) = published(tx)
    assert topic == "between.placement.training.v1"
    assert (body["request_id"], body["considered"]) == (str(memory.solicited.request_id), 7)


# -- a city


@dataclass
class CityMemory:
    """Stands for the stores of a city's side."""

    jobseeker: JobseekerRow | None = None
    referrals: dict[UUID, OwnReferralRow] = field(default_factory=dict)
    offers: dict[UUID, OwnOfferRow] = field(default_factory=dict)
    queries: list[ContactQueryRow] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    remembered: list[object] = field(default_factory=list)
    consents: list[ConsentRow] = field(default_factory=list)
    active: dict[str, bool] = field(default_factory=dict)

    async def by_reference(self, reference: str) -> JobseekerRow | None:
        return self.jobseeker if self.jobseeker and self.jobseeker.reference == reference else None

    async def nearest(self, _: Scorer, __: int) -> Nearest:
        return Nearest(self.profiles, len(self.profiles))

    def remember(self, row: object) -> None:
        self.remembered.append(row)

    def add(self, row: OwnReferralRow) -> None:
        self.referrals.setdefault(row.referral_id, row)

    async def lock(self, referral_id: UUID) -> OwnReferralRow | None:
        return self.referrals.get(referral_id)

    async def read(self, referral_id: UUID) -> OwnReferralRow | None:
        return self.referrals.get(referral_id)

    async def current(self, reference: str) -> list[OwnReferralRow]:
        states = {ReferralState.REQUESTED, ReferralState.CONSENTED}
        return [row for row in self.referrals.values() if row.reference == reference and row.state in states]

    async def remove(self, jobseeker_id: str) -> bool:
        was_there = self.jobseeker is not None and self.jobseeker.jobseeker_id == jobseeker_id
        self.jobseeker = None if was_there else self.jobseeker
        return was_there

    async def size(self) -> int:
        return len(self.profiles)

    async def set_active(self, reference: str, *, active: bool) -> None:
        self.active[reference] = active

    def add_consent(self, row: ConsentRow) -> None:
        self.consents.append(row)

    async def end_consent(self, referral_id: UUID, at: datetime, how: ConsentChannel | None, by: str | None) -> None:
        for row in self.consents:
            if row.referral_id == referral_id and row.ended_at is None:
                row.ended_at, row.ended_how, row.ended_by = at, how, by

    async def consents_past(self, today: date) -> list[OwnReferralRow]:
        consented = [row for row in self.referrals.values() if row.state is ReferralState.CONSENTED]
        return [row for row in consented if row.consent_until is not None and row.consent_until < today]

    async def withdraw_offers(self, referral_id: UUID, at: datetime) -> None:
        for row in self.offers.values():
            if row.referral_id == referral_id and row.state is OfferState.OPEN:
                row.state, row.answered_at = OfferState.WITHDRAWN, at

    def add_offer(self, row: OwnOfferRow) -> None:
        self.offers.setdefault(row.offer_id, row)

    async def lock_offer(self, offer_id: UUID) -> OwnOfferRow | None:
        return self.offers.get(offer_id)

    async def offers_past(self, now: datetime) -> list[OwnOfferRow]:
        return [row for row in self.offers.values() if row.state is OfferState.OPEN and row.answer_by < now]

    def log_query(self, row: ContactQueryRow) -> None:
        self.queries.append(row)


@pytest.fixture
def vantaa(monkeypatch: pytest.MonkeyPatch) -> CityMemory:
    made = CityMemory(
        jobseeker=JobseekerRow(
            jobseeker_id="1",
            reference="opaque",
            name="Aino Esimerkki",
            municipality="092",
            occupations=["5120"],
            groups=["51", "512", "5120"],
            skills=[],
            languages=["fi"],
            commuting=["091"],
            updated_at=NOW,
        )
    )
    store: Callable[[Transaction], CityMemory] = lambda _: made  # noqa: E731 - stands for two classes
    monkeypatch.setattr(city, "Pool", store)
    monkeypatch.setattr(city, "OwnReferrals", store)
    return made


PHONE = ConsentChannel.PHONE
REFERRALS = CityReferrals(frozenset(CITIES))


def requested(reference: str = "opaque") -> ReferralRequested:
    return ReferralRequested(
        referral_id=uuid4(),
        assignment_id=uuid4(),
        vacancy_id=uuid4(),
        reference=reference,
        purpose="esittely",
        requesting_authority="helsinki",
    )


def officer(authority: str) -> Officer:
    return Officer("x", authority, frozenset({"officer"}))


async def test_a_pool_answers_with_its_best_by_reference_and_remembers_what_it_was_asked(vantaa: CityMemory) -> None:
    vantaa.profiles = [
        Profile("b", ["5120"], [], ["sv", "fi", "fi"], ["091"], date(2026, 11, 1)),
        Profile("a", ["5131"], [], [], [], None),
        Profile("c", ["2512"], [], [], [], None),
    ]
    tx = transaction("vantaa")
    request = CandidatesRequested(
        assignment_id=uuid4(), wanted=WANTED, at_most=5, answer_by=NOW, as_of=date(2026, 11, 24)
    )
    await CityPool(b"key").answer(tx, request)
    ((topic, body),) = published(tx)
    assert (topic, body["office"], body["considered"]) == ("from.vantaa.placement.v1", "vantaa", 3)
    assert [candidate["reference"] for candidate in body["candidates"]] == ["b", "a"]
    assert body["candidates"][0]["languages"] == ["fi", "sv"]
    assert len(vantaa.remembered) == 1


async def test_a_reference_that_is_not_known_is_answered_at_once(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    known, unknown = requested(), requested("stranger")
    await REFERRALS.receive(tx, known)
    assert published(tx) == []
    await REFERRALS.receive(tx, unknown)
    ((_, body),) = published(tx)
    assert (body["referral_id"], body["state"]) == (str(unknown.referral_id), "unknown_reference")
    assert vantaa.referrals[known.referral_id].state is ReferralState.REQUESTED


async def test_consent_is_published_once(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    request = requested()
    await REFERRALS.receive(tx, request)
    for _ in range(2):
        row = await REFERRALS.consent(tx, request.referral_id, "officer:x", consented=True, how=PHONE)
    assert (row.state, row.answered_by) == (ReferralState.CONSENTED, "officer:x")
    assert [body["state"] for _, body in published(tx)] == ["consented"]
    with pytest.raises(ConflictError):
        await REFERRALS.consent(tx, request.referral_id, "officer:x", consented=False)
    with pytest.raises(UnknownError):
        await REFERRALS.consent(tx, uuid4(), "officer:x", consented=False)
    assert vantaa.referrals[request.referral_id].state is ReferralState.CONSENTED


async def test_every_query_for_a_contact_of_an_authority_concerned_is_logged(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    request = requested()
    await REFERRALS.receive(tx, request)
    with pytest.raises(UnknownError):
        await REFERRALS.ask_contact(tx, request.referral_id, officer("espoo"), "uteliaisuus")
    assert vantaa.queries == []
    assert await REFERRALS.ask_contact(tx, request.referral_id, officer("helsinki"), "yhteydenotto") is None
    await REFERRALS.consent(tx, request.referral_id, "officer:x", consented=True, how=PHONE)
    for authority in ("helsinki", "vantaa"):
        assert await REFERRALS.ask_contact(tx, request.referral_id, officer(authority), "yhteydenotto") is not None
    vantaa.jobseeker = None  # the profile is removed
    assert await REFERRALS.ask_contact(tx, request.referral_id, officer("helsinki"), "yhteydenotto") is None
    logged = [(query.authority, query.answered) for query in vantaa.queries]
    assert logged == [("helsinki", False), ("helsinki", True), ("vantaa", True), ("helsinki", False)]


def made(answer_by: datetime) -> JobOfferMade:
    return JobOfferMade(referral_id=uuid4(), offer_id=uuid4(), binding=True, answer_by=answer_by)


async def test_an_offer_that_comes_after_its_deadline_expires_once(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    offer = made(NOW)
    for _ in range(2):
        await REFERRALS.receive_offer(tx, offer)
    assert vantaa.offers[offer.offer_id].state is OfferState.EXPIRED
    assert [body["state"] for _, body in published(tx)] == ["expired"]


async def test_an_offer_is_answered_or_expires_and_the_joint_office_learns_it(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    answered, forgotten = made(NOW + timedelta(hours=1)), made(NOW + timedelta(hours=1))
    for offer in (answered, forgotten):
        await REFERRALS.receive_offer(tx, offer)
    for _ in range(2):
        await REFERRALS.answer_offer(tx, answered.offer_id, accepted=True)
    with pytest.raises(ConflictError):
        await REFERRALS.answer_offer(tx, answered.offer_id, accepted=False)
    assert await REFERRALS.expire_offers(tx) == 0
    vantaa.offers[forgotten.offer_id].answer_by = NOW - timedelta(seconds=1)
    assert await REFERRALS.expire_offers(tx) == 1
    assert [body["state"] for _, body in published(tx)] == ["accepted", "expired"]
    assert vantaa.offers[answered.offer_id].answered_at == NOW


async def test_a_consent_is_withdrawn_as_it_was_given_and_access_and_open_offers_end_at_once(
    vantaa: CityMemory,
) -> None:
    tx = transaction("vantaa")
    request = requested()
    await REFERRALS.receive(tx, request)
    until = date(2027, 1, 31)
    await REFERRALS.consent(tx, request.referral_id, "officer:x", consented=True, how=PHONE, until=until)
    offer = made(NOW + timedelta(days=1)).model_copy(update={"referral_id": request.referral_id})
    await REFERRALS.receive_offer(tx, offer)
    assert await REFERRALS.ask_contact(tx, request.referral_id, officer("helsinki"), "yhteydenotto") is not None
    for _ in range(2):
        row = await REFERRALS.withdraw_consent(tx, request.referral_id, "officer:y", ConsentChannel.IN_PERSON)
    assert row.state is ReferralState.CONSENT_WITHDRAWN
    (consent,) = vantaa.consents
    assert (consent.given_at, consent.how, consent.purpose, consent.until) == (NOW, PHONE, "esittely", until)
    assert (consent.ended_at, consent.ended_how, consent.ended_by) == (NOW, ConsentChannel.IN_PERSON, "officer:y")
    assert await REFERRALS.ask_contact(tx, request.referral_id, officer("helsinki"), "yhteydenotto") is None
    assert [query.answered for query in vantaa.queries] == [True, False]
    assert vantaa.offers[offer.offer_id].state is OfferState.WITHDRAWN
    with pytest.raises(ConflictError):
        await REFERRALS.answer_offer(tx, offer.offer_id, accepted=True)
    events = [body for _, body in published(tx)]
    assert [(body["type"].split(".")[1], body.get("why")) for body in events] == [
        ("referral-answered", None),
        ("consent-ended", "withdrawn"),
    ]
    again = await REFERRALS.consent(tx, request.referral_id, "officer:x", consented=True, how=PHONE)
    assert again.state is ReferralState.CONSENTED
    assert len(vantaa.consents) == 2


async def test_a_consent_says_how_and_lapses_after_its_last_day(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    request = requested()
    await REFERRALS.receive(tx, request)
    with pytest.raises(RefusedError) as refusal:
        await REFERRALS.consent(tx, request.referral_id, "officer:x", consented=True)
    assert (refusal.value.pointer, refusal.value.code) == ("/how", "missing")
    yesterday, today = date(2026, 11, 23), date(2026, 11, 24)
    with pytest.raises(RefusedError):
        await REFERRALS.consent(tx, request.referral_id, "o", consented=True, how=PHONE, until=yesterday)
    row = await REFERRALS.consent(tx, request.referral_id, "o", consented=True, how=PHONE, until=today)
    assert await REFERRALS.lapse_consents(tx) == 0
    row.consent_until = yesterday  # a day later
    assert await REFERRALS.ask_contact(tx, request.referral_id, officer("helsinki"), "yhteydenotto") is None
    assert await REFERRALS.lapse_consents(tx) == 1
    assert row.state is ReferralState.CONSENT_LAPSED
    assert published(tx)[-1][1]["why"] == "lapsed"


async def test_an_offer_that_comes_after_the_consent_has_ended_asks_nobody(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    request = requested()
    await REFERRALS.receive(tx, request)
    await REFERRALS.consent(tx, request.referral_id, "o", consented=True, how=PHONE)
    await REFERRALS.withdraw_consent(tx, request.referral_id, "o", PHONE)
    offer = made(NOW + timedelta(days=1)).model_copy(update={"referral_id": request.referral_id})
    await REFERRALS.receive_offer(tx, offer)
    assert vantaa.offers[offer.offer_id].state is OfferState.WITHDRAWN


async def test_there_is_no_consent_to_withdraw_before_one_is_given(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    request = requested()
    await REFERRALS.receive(tx, request)
    with pytest.raises(ConflictError):
        await REFERRALS.withdraw_consent(tx, request.referral_id, "o", PHONE)
    with pytest.raises(UnknownError):
        await REFERRALS.withdraw_consent(tx, uuid4(), "o", PHONE)
    assert published(tx) == []


async def test_of_who_is_hired_the_pool_asks_whether_they_stay(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    request = requested()
    await REFERRALS.receive(tx, request)
    row = vantaa.referrals[request.referral_id]
    with pytest.raises(ConflictError):
        await REFERRALS.stay(tx, request.referral_id, "o", stays=False)
    hired = ReferralEnded(referral_id=request.referral_id, outcome=ReferralOutcome.HIRED, ended_at=NOW)
    await REFERRALS.end(tx, hired)
    assert (row.stay, vantaa.active) == (Stay.ASKED, {})
    await REFERRALS.stay(tx, request.referral_id, "o", stays=False)
    assert (row.stay, vantaa.active) == (Stay.LEAVES, {"opaque": False})
    await REFERRALS.end(tx, hired)  # again
    assert row.stay is Stay.LEAVES
    await REFERRALS.end(tx, hired.model_copy(update={"outcome": ReferralOutcome.NOT_HIRED}))
    assert vantaa.referrals[request.referral_id].stay is None
    assert vantaa.active == {"opaque": True}


async def test_what_a_binding_answer_leads_to_is_handled_by_the_owning_city(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    offer = made(NOW + timedelta(hours=1))
    await REFERRALS.receive_offer(tx, offer)
    with pytest.raises(ConflictError):
        await REFERRALS.handle_consequence(tx, offer.offer_id, "o", handled=True)
    event = JobOfferConsequence(
        referral_id=offer.referral_id,
        offer_id=offer.offer_id,
        answer=OfferState.DECLINED,
        consequence="assess_unemployment_security",
        rule_valid_from=date(2026, 9, 1),
        source="x",
        certainty="to_be_checked",
    )
    await REFERRALS.receive_consequence(tx, event)
    row = await REFERRALS.handle_consequence(tx, offer.offer_id, "o", handled=True)
    assert (row.consequence, row.rule_certainty, row.handled_by) == (
        "assess_unemployment_security",
        "to_be_checked",
        "o",
    )
    row = await REFERRALS.handle_consequence(tx, offer.offer_id, "o", handled=False)
    assert row.handled_at is None


async def test_a_pool_that_has_nobody_says_at_which_stage(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    request = CandidatesRequested(
        assignment_id=uuid4(), wanted=WANTED, at_most=5, answer_by=NOW, as_of=date(2026, 11, 24)
    )
    await CityPool(b"key").answer(tx, request)
    vantaa.profiles = [Profile("b", ["5120"], [], [], [], None)]
    await CityPool(b"key").answer(tx, request)
    nobody, somebody = (body for _, body in published(tx))
    assert nobody["stages"] == {"profiles": 0, "near_occupation": 0, "answered": 0}
    assert "stages" not in somebody


async def test_the_own_city_resolves_a_reference_and_the_log_has_it_also_when_there_is_nobody(
    vantaa: CityMemory,
) -> None:
    tx = transaction("vantaa")
    pool = CityPool(b"key")
    who = await pool.resolve(tx, "opaque", officer("vantaa"), "kutsu koulutukseen")
    assert who is not None
    assert who.name == "Aino Esimerkki"
    assert await pool.resolve(tx, "stranger", officer("vantaa"), "kutsu koulutukseen") is None
    assert [(query.reference, query.answered) for query in vantaa.queries] == [("opaque", True), ("stranger", False)]


# -- the joint office: positions, offers, refreshing


async def test_a_binding_offers_answer_is_told_back_with_its_dated_consequence(memory: JointMemory) -> None:
    tx = transaction("pks")
    referral = memory.referred(reported(memory, "system:jobs"))
    offer = memory.offered(referral, binding=True)
    referrals = JointReferrals(JointVacancies(), data.offer_rules())
    answer = JobOfferAnswered(
        referral_id=referral.referral_id,
        offer_id=offer.offer_id,
        office="vantaa",
        state=OfferState.DECLINED,
        answered_at=NOW,
    )
    await referrals.enter_offer_answer(tx, answer)
    ((topic, body),) = published(tx)
    assert topic == "to.vantaa.placement.v1"
    assert (body["consequence"], body["certainty"]) == ("assess_unemployment_security", "to_be_checked")
    assert offer.state is OfferState.DECLINED
    other = memory.offered(referral, binding=False)
    await referrals.enter_offer_answer(tx, answer.model_copy(update={"offer_id": other.offer_id}))
    assert len(published(tx)) == 1
    with pytest.raises(UnprocessableError):
        await referrals.enter_offer_answer(tx, answer.model_copy(update={"office": "espoo"}))


async def test_hiring_fills_positions_and_the_last_one_the_vacancy(memory: JointMemory) -> None:
    tx = transaction("pks")
    posting = lifecycle.report(
        uuid4(), vacancy().model_copy(update={"positions": 2}), "5120", VacancyState.OPEN, "system:jobs", NOW
    ).posting
    memory.postings[posting.vacancy_id] = posting
    referrals = JointReferrals(JointVacancies(), ())
    first, second, third = (memory.referred(posting.vacancy_id) for _ in range(3))
    hired, not_hired = ReferralOutcome.HIRED, ReferralOutcome.NOT_HIRED
    for _ in range(2):
        await referrals.end(tx, first.referral_id, hired, None)
    assert memory.postings[posting.vacancy_id].filled == 1
    assert memory.postings[posting.vacancy_id].state is VacancyState.OPEN
    await referrals.end(tx, second.referral_id, hired, None)
    assert memory.postings[posting.vacancy_id].state is VacancyState.FILLED
    with pytest.raises(ConflictError) as conflict:
        await referrals.end(tx, third.referral_id, hired, None)
    assert conflict.value.code == "positions-filled"
    with pytest.raises(ConflictError) as conflict:
        await referrals.offer(tx, third.referral_id, binding=False, answer_by=NOW + timedelta(days=1))
    assert conflict.value.code == "positions-filled"
    await referrals.end(tx, third.referral_id, not_hired, None)
    with pytest.raises(ConflictError):
        await referrals.end(tx, second.referral_id, not_hired, None)
    await referrals.end(tx, second.referral_id, not_hired, hired)
    reopened = memory.postings[posting.vacancy_id]
    assert (reopened.filled, reopened.state) == (1, VacancyState.OPEN)


@pytest.mark.parametrize("before", [VacancyState.PAUSED, VacancyState.EXPIRED])
async def test_a_hiring_fills_also_a_vacancy_that_is_not_shown_and_a_correction_advertises_nothing(
    memory: JointMemory, before: VacancyState
) -> None:
    tx = transaction("pks")
    vacancy_id = reported(memory, "system:jobs")
    vacancies = JointVacancies()
    referrals = JointReferrals(vacancies, ())
    hired, waiting, late = (memory.referred(vacancy_id) for _ in range(3))
    await vacancies.move(tx, vacancy_id, before, None)
    offer = memory.offered(waiting, binding=True)
    await referrals.end(tx, hired.referral_id, ReferralOutcome.HIRED, None)
    assert memory.postings[vacancy_id].state is VacancyState.FILLED
    assert offer.state is OfferState.WITHDRAWN
    withdrawn = [body["why"] for _, body in published(tx) if body["type"] == "placement.job-offer-withdrawn.v1"]
    assert withdrawn == ["vacancy_filled"]
    with pytest.raises(ConflictError) as conflict:
        await referrals.offer(tx, late.referral_id, binding=True, answer_by=NOW + timedelta(days=1))
    assert conflict.value.code == "positions-filled"
    await referrals.end(tx, hired.referral_id, ReferralOutcome.NOT_HIRED, ReferralOutcome.HIRED)
    again = memory.postings[vacancy_id]
    assert (again.state, again.filled, again.resumes) == (before, 0, None)
    await referrals.offer(tx, late.referral_id, binding=True, answer_by=NOW + timedelta(days=1))


async def test_an_assignment_is_refreshed_by_another_one_that_says_so(memory: JointMemory) -> None:
    vacancy_id = reported(memory, "system:jobs")
    tx = transaction("pks")
    assignments = JointAssignments(CITIES, timedelta(seconds=5))
    first = await assignments.ask(tx, vacancy_id, at_most=3, asked_by="officer", answer_within=timedelta(seconds=9))
    tx.begin(uuid4())
    second = await assignments.refresh(tx, first.row.assignment_id, asked_by="other")
    assert second.row.assignment_id != first.row.assignment_id
    assert (second.row.refreshes, second.row.at_most, second.row.asked_by) == (first.row.assignment_id, 3, "other")
    assert second.row.answer_by == NOW + timedelta(seconds=9)
    assert len(published(tx)) == 6


async def test_an_occupation_that_is_not_understood_is_refused_at_intake(memory: JointMemory) -> None:
    tx = transaction("pks")
    for code, refused in (
        ({"scheme": "TK10", "code": "5120"}, "unknown-occupation-scheme"),
        ({"scheme": "ISCO-08", "code": "7799"}, "unknown-occupation"),
        ({"scheme": "ISCO-08", "code": "kokki"}, "unknown-occupation"),
        ({"scheme": "ISCO-08", "code": "5"}, "occupation-too-broad"),
    ):
        wrong = vacancy().model_copy(update={"occupation": Occupation.model_validate(code)})
        with pytest.raises(RefusedError) as refusal:
            await JointVacancies().report(tx, wrong, VacancyState.OPEN, "system:jobs")
        assert refusal.value.code == refused
    assert (memory.postings, published(tx)) == ({}, [])


# -- a vacancy that a city takes in itself


@dataclass
class OwnVacancyMemory:
    """Stands for the store of the city's own vacancies."""

    vacancies: dict[UUID, OwnVacancyRow] = field(default_factory=dict)
    assignments: list[OwnAssignmentRow] = field(default_factory=list)

    def add(self, row: OwnVacancyRow) -> None:
        self.vacancies[row.vacancy_id] = row

    async def read(self, vacancy_id: UUID) -> OwnVacancyRow | None:
        return self.vacancies.get(vacancy_id)

    async def lock(self, vacancy_id: UUID) -> OwnVacancyRow | None:
        return self.vacancies.get(vacancy_id)

    def add_assignment(self, row: OwnAssignmentRow) -> None:
        self.assignments.append(row)


async def test_a_city_takes_a_vacancy_and_asks_its_own_pool_and_the_joint_office_goes_on_from_there(
    vantaa: CityMemory, memory: JointMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = OwnVacancyMemory()
    monkeypatch.setattr(vacancy_commands, "OwnVacancies", lambda _: own)
    vantaa.profiles = [Profile("opaque", ["5120"], [], ["fi"], ["091"], date(2026, 11, 1))]
    at_city = transaction("vantaa")
    vacancies = CityVacancies(CityPool(b"key"))
    row = await vacancies.take(at_city, vacancy(), "officer:x")
    assignment = await vacancies.ask(at_city, row.vacancy_id, 5, "officer:x")
    assert [candidate.reference for candidate in assignment.candidates] == ["opaque"]
    with pytest.raises(UnknownError):
        await vacancies.ask(at_city, uuid4(), 5, "officer:x")
    (topic, taken), (_, asked) = published(at_city)
    assert topic == "from.vantaa.placement.v1"
    assert taken["vacancy_id"] == asked["vacancy_id"]  # one key: they keep their order

    at_joint = transaction("pks")
    assignments = JointAssignments(CITIES, timedelta(seconds=5))
    with pytest.raises(UnknownError):
        await assignments.complete(at_joint, OwnPoolAsked.model_validate(asked))
    for _ in range(2):
        await JointVacancies().register(at_joint, VacancyTaken.model_validate(taken))
        await assignments.complete(at_joint, OwnPoolAsked.model_validate(asked))
    assert [(topic, body["type"].split(".")[1]) for topic, body in published(at_joint)] == [
        ("shared.placement.vacancies.v1", "vacancy-published"),
        ("to.vantaa.placement.v1", "vacancy-registered"),
        ("to.helsinki.placement.v1", "candidates-requested"),
        ("to.espoo.placement.v1", "candidates-requested"),
    ]
    (whole,) = memory.assignments
    assert {one.office: one.received_at for one in whole.answers} == {"vantaa": NOW, "helsinki": None, "espoo": None}
    assert memory.postings[row.vacancy_id].filed_by == "office:vantaa"
    await vacancies.register(at_city, VacancyRegistered(vacancy_id=row.vacancy_id, registered_at=NOW))
    assert own.vacancies[row.vacancy_id].registered_at == NOW


async def test_a_city_refuses_what_the_joint_office_would_refuse(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    wrong = vacancy().model_copy(update={"occupation": Occupation(scheme="TK10", code="5120")})
    with pytest.raises(RefusedError):
        await CityVacancies(CityPool(b"key")).take(tx, wrong, "officer:x")
    assert published(tx) == []
    assert vantaa.remembered == []


# -- what ends with a referral, a vacancy, a profile


@pytest.mark.parametrize(
    ("state", "why"), [(VacancyState.FILLED, "vacancy_filled"), (VacancyState.WITHDRAWN, "vacancy_withdrawn")]
)
async def test_a_vacancy_that_ends_takes_its_open_offers_back(
    memory: JointMemory, state: VacancyState, why: str
) -> None:
    tx = transaction("pks")
    vacancy_id = reported(memory, "system:jobs")
    referral, other = memory.referred(vacancy_id), memory.referred(reported(memory, "system:jobs"))
    accepted, open_one = memory.offered(referral, binding=True), memory.offered(referral, binding=True)
    accepted.state = OfferState.ACCEPTED
    elsewhere = memory.offered(other, binding=True)
    vacancies = JointVacancies()
    for _ in range(2):
        await vacancies.move(tx, vacancy_id, state, None)
    told = [body for topic, body in published(tx) if topic == "to.vantaa.placement.v1"]
    assert [(body["offer_id"], body["why"]) for body in told] == [(str(open_one.offer_id), why)]
    assert (accepted.state, open_one.state) == (OfferState.ACCEPTED, OfferState.WITHDRAWN)
    assert elsewhere.state is OfferState.OPEN
    referrals = JointReferrals(vacancies, data.offer_rules())
    with pytest.raises(ConflictError):
        await referrals.offer(tx, referral.referral_id, binding=False, answer_by=NOW + timedelta(days=1))
    declined_on_the_way = JobOfferAnswered(
        referral_id=referral.referral_id,
        offer_id=open_one.offer_id,
        office="vantaa",
        state=OfferState.EXPIRED,
        answered_at=NOW,
    )
    await referrals.enter_offer_answer(tx, declined_on_the_way)
    assert open_one.state is OfferState.EXPIRED
    assert not [body for _, body in published(tx) if body["type"] == "placement.job-offer-consequence.v1"]


async def test_an_offer_made_by_mistake_is_taken_back_once_and_an_answered_one_is_not(memory: JointMemory) -> None:
    tx = transaction("pks")
    referral = memory.referred(reported(memory, "system:jobs"))
    stranger = memory.referred(referral.vacancy_id)
    offer = memory.offered(referral, binding=True)
    referrals = JointReferrals(JointVacancies(), data.offer_rules())
    with pytest.raises(UnknownError):
        await referrals.withdraw_offer(tx, stranger.referral_id, offer.offer_id)
    for _ in range(2):
        await referrals.withdraw_offer(tx, referral.referral_id, offer.offer_id)
    ((topic, body),) = published(tx)
    assert (topic, body["why"]) == ("to.vantaa.placement.v1", "by_officer")
    again = await referrals.offer(tx, referral.referral_id, binding=True, answer_by=NOW + timedelta(days=1))
    again.offers[-1].state = OfferState.DECLINED
    with pytest.raises(ConflictError):
        await referrals.withdraw_offer(tx, referral.referral_id, again.offers[-1].offer_id)


async def test_nobody_is_hired_of_whom_the_pool_does_not_know(memory: JointMemory) -> None:
    tx = transaction("pks")
    referral = memory.referred(reported(memory, "system:jobs"))
    referral.state = ReferralState.UNKNOWN_REFERENCE
    referrals = JointReferrals(JointVacancies(), ())
    with pytest.raises(ConflictError):
        await referrals.end(tx, referral.referral_id, ReferralOutcome.HIRED, None)
    await referrals.end(tx, referral.referral_id, ReferralOutcome.WITHDRAWN, None)
    assert memory.postings[referral.vacancy_id].filled == 0


async def consented(memory: CityMemory, tx: Transaction) -> ReferralRequested:
    request = requested()
    await REFERRALS.receive(tx, request)
    await REFERRALS.consent(tx, request.referral_id, "officer:x", consented=True, how=PHONE)
    return request


async def test_consent_and_open_offers_end_with_the_referral_and_nothing_follows(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    request = await consented(vantaa, tx)
    offer = made(NOW + timedelta(days=1)).model_copy(update={"referral_id": request.referral_id, "binding": True})
    await REFERRALS.receive_offer(tx, offer)
    before = len(published(tx))
    ended = ReferralEnded(referral_id=request.referral_id, outcome=ReferralOutcome.NOT_HIRED, ended_at=NOW)
    await REFERRALS.end(tx, ended)
    assert vantaa.offers[offer.offer_id].state is OfferState.WITHDRAWN
    assert [consent.ended_at for consent in vantaa.consents] == [NOW]
    assert await REFERRALS.expire_offers(tx) == 0
    assert len(published(tx)) == before


async def test_an_offer_that_is_taken_back_asks_nobody_and_an_answer_that_came_first_stands(vantaa: CityMemory) -> None:
    tx = transaction("vantaa")
    request = await consented(vantaa, tx)
    for answered in (False, True):
        offer = made(NOW + timedelta(days=1)).model_copy(update={"referral_id": request.referral_id})
        await REFERRALS.receive_offer(tx, offer)
        if answered:
            await REFERRALS.answer_offer(tx, offer.offer_id, accepted=True)
        taken_back = JobOfferWithdrawn(
            referral_id=request.referral_id, offer_id=offer.offer_id, why="by_officer", withdrawn_at=NOW
        )
        await REFERRALS.close_offer(tx, taken_back)
        expected = OfferState.ACCEPTED if answered else OfferState.WITHDRAWN
        assert vantaa.offers[offer.offer_id].state is expected
    with pytest.raises(UnknownError):
        await REFERRALS.close_offer(tx, taken_back.model_copy(update={"offer_id": uuid4()}))


async def test_who_is_removed_from_the_pool_has_no_consent_left_and_the_joint_office_learns_it(
    vantaa: CityMemory,
) -> None:
    tx = transaction("vantaa")
    pool = CityPool(b"key")
    reference = pool.reference("1")
    assert vantaa.jobseeker is not None
    vantaa.jobseeker.reference = reference
    for _ in range(2):
        await REFERRALS.receive(tx, requested(reference))
    first, second = vantaa.referrals.values()
    await REFERRALS.consent(tx, first.referral_id, "officer:x", consented=True, how=PHONE)
    await pool.remove(tx, "1", "officer:y")
    assert (first.state, second.state) == (ReferralState.CONSENT_WITHDRAWN, ReferralState.UNKNOWN_REFERENCE)
    assert [(one.ended_at, one.ended_by) for one in vantaa.consents] == [(NOW, "officer:y")]
    types = [body["type"] for _, body in published(tx)][-2:]
    assert types == ["placement.consent-ended.v1", "placement.referral-answered.v1"]
    with pytest.raises(UnknownError):
        await pool.remove(tx, "1", "officer:y")


async def test_a_city_registers_a_vacancy_by_a_classification_that_the_joint_office_lacks(
    memory: JointMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(_: Transaction, __: Occupation) -> str:
        return ""

    monkeypatch.setattr(joint, "group_of", unknown)
    tx = transaction("pks")
    uri = Occupation(scheme="ESCO", code="http://data.europa.eu/esco/occupation/1")
    taken = VacancyTaken(
        vacancy_id=uuid4(),
        office="vantaa",
        vacancy=vacancy().model_copy(update={"occupation": uri}),
        taken_at=NOW,
        isco="5120",
    )
    await JointVacancies().register(tx, taken)
    assert memory.postings[taken.vacancy_id].isco == "5120"
    with pytest.raises(RefusedError):
        await JointVacancies().register(tx, taken.model_copy(update={"vacancy_id": uuid4(), "isco": None}))
