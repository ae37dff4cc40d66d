"""Candidates, supply planning and what advisory sees, on a real database, without the services that they come from."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.local.stack import CITIES, JOINT, Stack
from services.training import data
from services.training.app import TRAINING
from services.training.domain.procurement import Proposal
from services.training.domain.seats import Actor
from services.training.joint.advisory_view import ForAdvisory
from services.training.joint.commands.candidates import JointCandidates
from services.training.joint.commands.catalogue import JointCatalogue
from services.training.joint.commands.procurement import JointProcurement
from services.training.joint.commands.seats import JointSeats
from services.training.joint.commands.supply import planned_groups, queue_lines
from services.training.joint.handlers import JointHandlers, plan_release, plan_vacancy
from services.training.joint.store import Candidates
from services.training.settings import Settings
from shared.errors import ConflictError, UnknownError, UnprocessableError
from shared.events.v1.change_security import Occupation, WorkforceRelease, WorkforceReleased
from shared.events.v1.placement import (
    Candidate,
    CandidatesGathered,
    Vacancy,
    VacancyEmployer,
    VacancyPublished,
    VacancyState,
    Wanted,
)
from shared.events.v1.training import Application, ApplicationReceived, Course, CourseKind, Group, Labels
from shared.messaging.transaction import Database
from shared.process import Service, writing

OFFICER = Actor("officer:test", "helsinki")
COOK = Occupation(scheme="ISCO-08", code="5120")
SEATS = JointSeats(CITIES, data.shares(), timedelta(hours=72))
CATALOGUE = JointCatalogue(SEATS)
CANDIDATES = JointCandidates(CITIES)
PROCUREMENT = JointProcurement(CATALOGUE, data.procurement_rules())
GROUP = Group(seats=4, language="fi", municipality="092", starts_on=date(2027, 2, 1), ends_on=date(2027, 3, 1))


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    """An empty database of the joint office's training."""
    settings: dict[str, Any] = {name.lower(): value for name, value in stack.environment(JOINT).items()}
    service = Service(TRAINING.name, f"training_{uuid4().hex[:8]}", TRAINING.migrations)
    async with writing(service, Settings(**settings)) as opened:
        yield opened


async def group_of_cooks(database: Database) -> tuple[UUID, UUID]:
    """Plan a group of a course for cooks; return the ids of the course and of the group."""
    course = Course(kind=CourseKind.REKRY, title=Labels(fi="Kokki"), occupation=COOK, min_size=2, max_size=5)
    course_id, group_id = uuid4(), uuid4()
    async with database.transaction(uuid4()) as tx:
        await CATALOGUE.publish_course(tx, course_id, course, 0)
        await CATALOGUE.add_group(tx, group_id, course_id, GROUP)
    return course_id, group_id


def gathered(request_id: UUID, group_id: UUID, office: str, *references: str) -> CandidatesGathered:
    candidates = [
        Candidate(reference=reference, score=70, occupations=(), languages=("fi",), commuting=(), reasons=())
        for reference in references
    ]
    return CandidatesGathered(
        group_id=group_id, request_id=request_id, office=office, considered=300, candidates=tuple(candidates)
    )


async def test_each_pools_first_answer_counts_and_only_its_own_candidates_are_invited(database: Database) -> None:
    _, group_id = await group_of_cooks(database)
    handlers = JointHandlers(SEATS, CANDIDATES)
    async with database.transaction(uuid4()) as tx:
        request_id = await CANDIDATES.ask(tx, group_id, Wanted(occupation=COOK, municipality="092"), 5)
    async with database.transaction(uuid4()) as tx:
        await handlers.enter_candidates(gathered(request_id, group_id, "vantaa", "first"), tx)
        await handlers.enter_candidates(gathered(request_id, group_id, "vantaa", "second"), tx)
        await handlers.enter_candidates(gathered(request_id, group_id, "espoo"), tx)
    async with database.transaction(uuid4()) as tx:
        with pytest.raises(UnprocessableError) as refused:
            await handlers.enter_candidates(gathered(uuid4(), group_id, "vantaa", "first"), tx)
        assert refused.value.code == "unsolicited-answer"
        start = await Candidates(tx).page(group_id, None, 2)
        rest = await Candidates(tx).page(group_id, (start[-1].request_id, start[-1].office), 2)
        assert [
            (pool.office, [candidate.reference for candidate in pool.candidates or ()], pool.received_at is not None)
            for pool in (*start, *rest)
        ] == [("espoo", [], True), ("helsinki", [], False), ("vantaa", ["first"], True)]
        assert rest[0].candidates == gathered(request_id, group_id, "vantaa", "first").candidates
        await CANDIDATES.invite(tx, group_id, "vantaa", "first")
        with pytest.raises(ConflictError, match="invited already"):
            await CANDIDATES.invite(tx, group_id, "vantaa", "first")
        for office, reference in (("vantaa", "second"), ("espoo", "first")):
            with pytest.raises(UnknownError):
                await CANDIDATES.invite(tx, group_id, office, reference)


async def test_the_newest_releases_and_vacancies_become_lines_and_planned_groups(database: Database) -> None:
    course_id, _ = await group_of_cooks(database)
    notice_id, vacancy_id = uuid4(), uuid4()

    def released(version: int, count: int) -> WorkforceReleased:
        known = WorkforceRelease(occupation=COOK, municipality="092", count=count)
        masked = WorkforceRelease(occupation=COOK, municipality="092", masked=True)
        return WorkforceReleased(notice_id=notice_id, version=version, releases=(known, masked))

    def vacancy(version: int, status: VacancyState) -> VacancyPublished:
        wanted = Vacancy(
            employer=VacancyEmployer(business_id="2077474-0"),
            title="Kokki",
            occupation=COOK,
            municipality="092",
            positions=7,
        )
        return VacancyPublished(vacancy_id=vacancy_id, version=version, status=status, vacancy=wanted)

    async with database.transaction(uuid4()) as tx:
        for version, count in ((2, 40), (1, 90)):
            await plan_release(released(version, count), tx)
        await plan_vacancy(vacancy(1, VacancyState.OPEN), tx)
        for points in range(3):
            await SEATS.receive(tx, received(course_id, points))
    async with database.read() as tx:
        (line,) = await queue_lines(tx)
        assert (line.occupation, line.municipality, line.waiting, line.released, line.vacancies) == (
            "512",
            "092",
            3,
            40,
            7,
        )
        (planned,) = await planned_groups(tx, [line], 0.5)
        assert (planned.free_seats, planned.seats_each) == (4, 5)
    async with database.transaction(uuid4()) as tx:
        await plan_vacancy(vacancy(2, VacancyState.FILLED), tx)
        await plan_vacancy(vacancy(1, VacancyState.OPEN), tx)
    async with database.read() as tx:
        assert [line.vacancies for line in await queue_lines(tx)] == [0]


def received(course_id: UUID, points: int) -> ApplicationReceived:
    application = Application(
        reference=uuid4().hex,
        points=points,
        queued_at=datetime.now(UTC),
        languages=("fi",),
        municipality="092",
        travel=("092",),
        can_start_from=date(2027, 1, 1),
    )
    return ApplicationReceived(application_id=uuid4(), office="vantaa", course_id=course_id, application=application)


async def test_advisory_sees_an_employers_proposals_and_counts_officers_decisions(database: Database) -> None:
    proposal = Proposal(
        kind=CourseKind.REKRY,
        title=Labels(fi="Kokkeja"),
        business_id="2077474-0",
        municipality="092",
        seats=4,
        training_days=60,
        price_eur=Decimal("30000.00"),
        starts_on=date(2027, 2, 1),
    )
    begun = datetime.now(UTC)
    async with database.transaction(uuid4()) as tx:
        first = await PROCUREMENT.propose(tx, proposal, "system:test")
    async with database.transaction(uuid4()) as tx:
        second = await PROCUREMENT.propose(tx, proposal, "system:test")
        await PROCUREMENT.reject(tx, second, OFFICER, "ei määrärahaa")
    async with database.transaction(uuid4()) as tx:
        await PROCUREMENT.plan(tx, first, GROUP, OFFICER)
        with pytest.raises(ConflictError, match="The proposal is planned"):
            await PROCUREMENT.reject(tx, first, OFFICER, "myöhäistä")
    async with database.read() as tx:
        view = ForAdvisory(tx)
        facts, withheld = await view.facts("2077474-0", "espoo")
        assert [(fact.matter_id, fact.what, fact.state) for fact in facts] == [
            (first, "rekry", "planned"),
            (second, "rekry", "rejected"),
        ]
        assert withheld == []
        assert [(done.task, done.authority, done.acts) for done in await view.work(begun, datetime.now(UTC))] == [
            ("training", "helsinki", 2)
        ]
        assert await view.work(begun - timedelta(days=1), begun) == []
