"""A city's commands on a real database, without HTTP and without the joint office."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from deploy.local.stack import CITIES, Stack
from services.training.app import TRAINING
from services.training.authority.commands import CityApplications
from services.training.authority.models import OwnApplicationOut
from services.training.authority.store import OwnApplications
from services.training.catalogue import Catalogue
from services.training.domain.own_application import ApplicationForm, OwnOfferState
from services.training.settings import Settings
from shared.errors import ConflictError, UnknownError
from shared.events.v1.training import (
    Application,
    ApplicationDecided,
    ApplicationHandedOver,
    ApplicationState,
    Course,
    CourseKind,
    CoursePublished,
    Labels,
    QueuePlace,
    QueuePlacesChanged,
    SeatOffered,
)
from shared.messaging.transaction import Database
from shared.process import Service, writing
from tests.support.clock import SettableClock

OFFICER = "officer:test"
COURSE_ID = UUID(int=1)


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    """An empty database of Vantaa's training, with one course in its catalogue."""
    settings: dict[str, Any] = {name.lower(): value for name, value in stack.environment("vantaa").items()}
    service = Service(TRAINING.name, f"training_{uuid4().hex[:8]}", TRAINING.migrations)
    async with writing(service, Settings(**settings)) as opened:
        async with opened.transaction(uuid4()) as tx:
            course = Course(kind=CourseKind.JOB_COACHING, title=Labels(fi="Valmennus"))
            Catalogue(tx).save_course(CoursePublished(course_id=COURSE_ID, version=1, course=course))
        yield opened


@pytest.fixture
def city() -> CityApplications:
    return CityApplications(frozenset(CITIES), b"a city's secret")


def form(applicant_id: str) -> ApplicationForm:
    return ApplicationForm(
        applicant_id=applicant_id,
        course_id=COURSE_ID,
        languages=("fi",),
        municipality="092",
        can_start_from=date(2027, 1, 1),
    )


def offered(application_id: UUID, answer_in: timedelta) -> SeatOffered:
    return SeatOffered(
        application_id=application_id,
        offer_id=uuid4(),
        group_id=uuid4(),
        starts_on=date(2027, 2, 1),
        answer_by=datetime.now(UTC) + answer_in,
        reason="by points and queue time",
    )


async def applied(city: CityApplications, database: Database, applicant_id: str) -> UUID:
    async with database.transaction(uuid4()) as tx:
        return (await city.apply(tx, form(applicant_id), OFFICER)).application_id


async def published(database: Database, application_id: UUID) -> list[str]:
    """The types of the events about an application, oldest first."""
    async with database.read() as tx:
        sql = text("SELECT type FROM outbox WHERE key = :key ORDER BY seq")
        return list((await tx.connection.execute(sql, {"key": str(application_id)})).scalars())


async def test_an_applicant_has_one_application_to_a_course_until_it_is_withdrawn(
    city: CityApplications, database: Database
) -> None:
    first = await applied(city, database, "own-1")
    with pytest.raises(ConflictError) as refused:
        await applied(city, database, "own-1")
    assert refused.value.code == "already-applied"
    for _ in range(2):
        async with database.transaction(uuid4()) as tx:
            assert (await city.withdraw(tx, first)).state is ApplicationState.WITHDRAWN
    assert await published(database, first) == ["training.application-received.v1", "training.application-withdrawn.v1"]
    assert await applied(city, database, "own-1") != first


async def test_an_offer_expires_once_and_at_once_when_it_comes_too_late(
    city: CityApplications, database: Database
) -> None:
    application_id = await applied(city, database, "own-1")
    late, soon = offered(application_id, timedelta(seconds=-1)), offered(application_id, timedelta(minutes=1))
    async with database.transaction(uuid4()) as tx:
        await city.receive_offer(tx, late)
        await city.receive_offer(tx, late)
        await city.receive_offer(tx, soon)
    clock = SettableClock(database.clock.now() + timedelta(minutes=2))
    later = Database(database.engine, database.office, clock, database.tracer)
    for _ in range(2):
        await city.expire_offers(later)
    async with database.read() as tx:
        offers = await OwnApplications(tx).offers([application_id])
    assert [(offer.offer_id, offer.state) for offer in offers] == [
        (late.offer_id, OwnOfferState.EXPIRED),
        (soon.offer_id, OwnOfferState.EXPIRED),
    ]
    assert (await published(database, application_id)).count("training.seat-answered.v1") == 2


async def test_an_older_decision_changes_nothing_and_a_newer_one_closes_the_offer(
    city: CityApplications, database: Database
) -> None:
    application_id = await applied(city, database, "own-1")
    offer = offered(application_id, timedelta(hours=1))

    def decided(version: int, state: ApplicationState) -> ApplicationDecided:
        return ApplicationDecided(application_id=application_id, version=version, state=state, reason="by the rule")

    async with database.transaction(uuid4()) as tx:
        await city.receive_offer(tx, offer)
        await city.receive_decision(tx, decided(3, ApplicationState.OFFERED))
        await city.receive_decision(tx, decided(2, ApplicationState.REJECTED))
    async with database.transaction(uuid4()) as tx:
        kept = await OwnApplications(tx).lock_offer(offer.offer_id)
        assert kept is not None
        assert kept.state is OwnOfferState.OPEN
        await city.receive_decision(tx, decided(4, ApplicationState.WAITING))
    async with database.transaction(uuid4()) as tx:
        application = await OwnApplications(tx).get(application_id)
        assert application is not None
        assert (application.state, application.version) == (ApplicationState.WAITING, 4)
        with pytest.raises(ConflictError):
            await city.answer(tx, offer.offer_id, is_accepted=True)


async def test_who_has_moved_here_is_identified_once_and_not_as_somebody_who_has_applied(
    city: CityApplications, database: Database
) -> None:
    await applied(city, database, "own-1")
    event = ApplicationHandedOver(
        application_id=uuid4(),
        from_office="espoo",
        course_id=COURSE_ID,
        application=Application(
            reference="opaque",
            points=50,
            queued_at=datetime.now(UTC),
            languages=("fi",),
            municipality="049",
            travel=("049",),
            can_start_from=date(2027, 1, 1),
        ),
        state=ApplicationState.WAITING,
        version=4,
    )
    async with database.transaction(uuid4()) as tx:
        await city.take_over(tx, event)

    async def identified(applicant_id: str) -> str | None:
        async with database.transaction(uuid4()) as tx:
            return (await city.identify(tx, event.application_id, applicant_id)).applicant_id

    with pytest.raises(ConflictError, match="the applicant has applied"):
        await identified("own-1")
    assert [await identified("own-2") for _ in range(2)] == ["own-2", "own-2"]
    with pytest.raises(ConflictError, match="The application has an applicant"):
        await identified("own-3")
    assert await published(database, event.application_id) == ["training.application-identified.v1"]


async def test_a_message_about_an_application_that_is_not_here_is_unknown(
    city: CityApplications, database: Database
) -> None:
    async with database.transaction(uuid4()) as tx:
        with pytest.raises(UnknownError) as refused:
            await city.receive_offer(tx, offered(uuid4(), timedelta(hours=1)))
        assert refused.value.code == "unknown-application"


async def test_the_newest_place_in_the_queue_counts_and_only_while_the_application_waits(
    city: CityApplications, database: Database
) -> None:
    application_id = await applied(city, database, "own-1")

    async def told(minute: int, position: int, starts_on: date | None = None) -> OwnApplicationOut:
        place = QueuePlace(application_id=application_id, position=position, estimated_start=starts_on)
        stranger = QueuePlace(application_id=uuid4(), position=1)
        as_of = datetime(2026, 11, 25, 8, minute, tzinfo=UTC)
        async with database.transaction(uuid4()) as tx:
            event = QueuePlacesChanged(course_id=COURSE_ID, as_of=as_of, places=(place, stranger))
            await city.receive_places(tx, event)
        return await shown()

    async def shown() -> OwnApplicationOut:
        async with database.read() as tx:
            application = await OwnApplications(tx).get(application_id)
        assert application is not None
        return OwnApplicationOut.of(application, ())

    assert (await shown()).position is None
    newest = await told(10, 3, date(2027, 2, 1))
    assert (newest.position, newest.estimated_start) == (3, date(2027, 2, 1))
    assert (await told(9, 7)).position == 3
    without = await told(11, 2)
    assert (without.position, without.estimated_start) == (2, None)
    decided = ApplicationDecided(
        application_id=application_id, version=2, state=ApplicationState.ACCEPTED, reason="accepted"
    )
    async with database.transaction(uuid4()) as tx:
        await city.receive_decision(tx, decided)
    assert (await shown()).position is None
