"""What the commands of both sides decide, write and publish, without HTTP and without a database."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider

from services.placement.authority import commands as city
from services.placement.authority.commands import CityPool, CityReferrals
from services.placement.authority.tables import ContactQueryRow, JobseekerRow, OwnOfferRow, OwnReferralRow
from services.placement.domain import vacancy as lifecycle
from services.placement.domain.matching import Profile
from services.placement.domain.vacancy import Posting
from services.placement.joint import commands as joint
from services.placement.joint.commands import JointAssignments, JointVacancies
from services.placement.joint.store import Assignment, Solicited
from shared.errors import ConflictError, UnknownError, UnprocessableError
from shared.events.v1.change_security import Occupation
from shared.events.v1.placement import (
    CandidatesAnswered,
    CandidatesRequested,
    JobOfferMade,
    OfferState,
    ReferralRequested,
    ReferralState,
    Vacancy,
    VacancyStatus,
    VacancySubmitted,
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

    def add(self, assignment: Assignment) -> None:
        self.assignments.append(assignment)

    async def enter_answer(self, _: CandidatesAnswered) -> Solicited | None:
        return self.solicited


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> JointMemory:
    made = JointMemory()
    store: Callable[[Transaction], JointMemory] = lambda _: made  # noqa: E731 - stands for two classes
    monkeypatch.setattr(joint, "Vacancies", store)
    monkeypatch.setattr(joint, "Assignments", store)
    return made


def reported(memory: JointMemory, filed_by: str, state: VacancyStatus = VacancyStatus.OPEN) -> UUID:
    posting = lifecycle.report(uuid4(), vacancy(), state, filed_by, NOW).posting
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
        await JointVacancies().move(tx, vacancy_id, VacancyStatus.PAUSED, "system:other")
    with pytest.raises(UnknownError):
        await JointVacancies().revise(tx, vacancy_id, vacancy("Muu"), 1, "system:other")
    assert (await JointVacancies().move(tx, vacancy_id, VacancyStatus.PAUSED, "system:jobs")).version == 2
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
    vacancy_id = reported(memory, "system:jobs", VacancyStatus.DRAFT)
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

    async def by_reference(self, reference: str) -> JobseekerRow | None:
        return self.jobseeker if self.jobseeker and self.jobseeker.reference == reference else None

    async def near(self, _: str) -> list[Profile]:
        return self.profiles

    def remember(self, row: object) -> None:
        self.remembered.append(row)

    def add(self, row: OwnReferralRow) -> None:
        self.referrals.setdefault(row.referral_id, row)

    async def lock(self, referral_id: UUID) -> OwnReferralRow | None:
        return self.referrals.get(referral_id)

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
        row = await REFERRALS.consent(tx, request.referral_id, "officer:x", consented=True)
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
    await REFERRALS.consent(tx, request.referral_id, "officer:x", consented=True)
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
