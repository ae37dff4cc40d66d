"""Recorded quotas, places told to the cities, declines of one group, kept plans: on a real database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from deploy.local.stack import CITIES, JOINT, Stack
from services.training import data
from services.training.app import TRAINING
from services.training.domain.plans import GroupOfPlan, PlanState
from services.training.domain.quotas import QuotaDecision
from services.training.domain.seats import Actor
from services.training.joint.commands.catalogue import JointCatalogue
from services.training.joint.commands.places import JointPlaces
from services.training.joint.commands.plans import JointPlans
from services.training.joint.commands.quotas import JointQuotas
from services.training.joint.commands.seats import JointSeats
from services.training.joint.plan_store import Plans
from services.training.joint.quota_store import Quotas
from services.training.joint.store import Queue
from services.training.settings import Settings
from shared.errors import ConflictError
from shared.events.v1.change_security import Occupation
from shared.events.v1.training import (
    AfterDecline,
    Application,
    ApplicationReceived,
    ApplicationState,
    Course,
    CourseKind,
    Group,
    GroupState,
    Labels,
    QueuePlacesChanged,
    SeatAnswer,
    SeatAnswered,
)
from shared.messaging.transaction import Database
from shared.process import Service, writing
from tests.support.clock import SettableClock

OFFICER = Actor("officer:test", "helsinki")
SEATS = JointSeats(CITIES, data.shares(), timedelta(hours=72))
CATALOGUE = JointCatalogue(SEATS)
NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)


@dataclass
class Office:
    """The joint office's training, with a clock that is set."""

    database: Database
    clock: SettableClock

    async def course(self, **changes: Any) -> UUID:
        """Put a course of cooks into the catalogue."""
        occupation = Occupation(scheme="ISCO-08", code="5120")
        given = {
            "kind": CourseKind.REKRY,
            "title": Labels(fi="Kokki"),
            "occupation": occupation,
            "min_size": 1,
        } | changes
        course_id = uuid4()
        async with self.database.transaction(uuid4()) as tx:
            await CATALOGUE.publish_course(tx, course_id, Course(**given), 0)
        return course_id

    async def group(self, course_id: UUID, seats: int, starts_on: date, *states: GroupState) -> UUID:
        """Plan a group and move it through states."""
        group_id = uuid4()
        details = Group(
            seats=seats, language="fi", municipality="092", starts_on=starts_on, ends_on=starts_on + timedelta(days=90)
        )
        async with self.database.transaction(uuid4()) as tx:
            await CATALOGUE.add_group(tx, group_id, course_id, details)
            for state in states:
                await CATALOGUE.move_group(tx, group_id, state, OFFICER, "")
        return group_id

    async def apply(self, course_id: UUID, points: int, office: str = "vantaa") -> UUID:
        """Put an application into the queue."""
        application = Application(
            reference=uuid4().hex,
            points=points,
            queued_at=NOW,
            languages=("fi",),
            municipality="092",
            travel=("092",),
            can_start_from=date(2026, 12, 1),
        )
        event = ApplicationReceived(application_id=uuid4(), office=office, course_id=course_id, application=application)
        async with self.database.transaction(uuid4()) as tx:
            await SEATS.receive(tx, event)
        return event.application_id

    async def answer(self, application_id: UUID, answer: SeatAnswer, office: str = "vantaa") -> None:
        """Answer the open offer of an application."""
        async with self.database.transaction(uuid4()) as tx:
            offer = await Queue(tx).held_offer(application_id)
            assert offer is not None
            event = SeatAnswered(
                application_id=application_id,
                office=office,
                offer_id=offer.offer_id,
                answer=answer,
                answered_at=self.clock.now(),
            )
            await SEATS.answer(tx, event)

    async def standing(self, application_id: UUID) -> tuple[ApplicationState, str]:
        """Return where an application stands, and why."""
        async with self.database.read() as tx:
            application = await Queue(tx).get(application_id)
            assert application is not None
            return application.state, application.reason

    async def told(self) -> list[tuple[str, QueuePlacesChanged]]:
        """Tell changed places; return what is published for whom."""
        await JointPlaces(SEATS).tell_all(self.database)
        async with self.database.transaction(uuid4()) as tx:
            sql = "DELETE FROM outbox WHERE type = 'training.queue-places-changed.v1' RETURNING topic, payload"
            rows = (await tx.connection.execute(text(sql))).all()
        return sorted(
            ((row.topic.split(".")[1], QueuePlacesChanged.model_validate_json(row.payload)) for row in rows),
            key=lambda told: told[0],
        )


@pytest.fixture
async def office(stack: Stack) -> AsyncIterator[Office]:
    """An empty database of the joint office's training."""
    settings: dict[str, Any] = {name.lower(): value for name, value in stack.environment(JOINT).items()}
    service = Service(TRAINING.name, f"training_{uuid4().hex[:8]}", TRAINING.migrations)
    clock = SettableClock(NOW)
    async with writing(service, Settings(**settings)) as opened:
        opened.clock = clock
        yield Office(opened, clock)


async def test_a_decline_is_one_groups_and_the_next_group_offers_a_seat_again(office: Office) -> None:
    course_id = await office.course()
    states = (GroupState.OPEN, GroupState.SELECTION)
    first = await office.group(course_id, 1, date(2027, 2, 1), *states)
    applicant = await office.apply(course_id, 50)
    await office.answer(applicant, SeatAnswer.DECLINED)
    assert await office.standing(applicant) == (
        ApplicationState.WAITING,
        "the applicant has declined; the application waits for other groups",
    )
    async with office.database.read() as tx:
        assert await Queue(tx).seats(first) == []
    second = await office.group(course_id, 1, date(2027, 3, 1), *states)
    async with office.database.read() as tx:
        assert [seat.application_id for seat in await Queue(tx).seats(second)] == [applicant]


async def test_a_course_may_end_an_application_after_a_decline(office: Office) -> None:
    course_id = await office.course(after_decline=(AfterDecline(valid_from=date(2026, 1, 1), application="ends"),))
    await office.group(course_id, 1, date(2027, 2, 1), GroupState.OPEN, GroupState.SELECTION)
    applicant = await office.apply(course_id, 50)
    await office.answer(applicant, SeatAnswer.EXPIRED)
    assert (await office.standing(applicant))[0] is ApplicationState.DECLINED


async def test_no_seat_is_offered_or_selected_after_the_late_entry_days(office: Office) -> None:
    course_id = await office.course(late_entry_days=2)
    starts_on = date(2027, 2, 1)
    group_id = await office.group(course_id, 2, starts_on, GroupState.OPEN, GroupState.SELECTION)
    office.clock.instant = datetime(2027, 2, 3, 20, tzinfo=UTC)
    in_time = await office.apply(course_id, 50)
    async with office.database.read() as tx:
        (seat,) = await Queue(tx).seats(group_id)
        assert seat.application_id == in_time
        assert seat.answer_by == datetime(2027, 2, 3, 22, tzinfo=UTC)  # the end of the last entry day
    office.clock.instant = datetime(2027, 2, 3, 22, 30, tzinfo=UTC)
    late = await office.apply(course_id, 90)
    assert (await office.standing(late))[0] is ApplicationState.WAITING
    async with office.database.transaction(uuid4()) as tx:
        with pytest.raises(ConflictError) as refused:
            await SEATS.choose(tx, group_id, late, OFFICER, "sattuma")
        assert refused.value.code == "too-late"


async def test_a_recorded_quota_decides_the_seats_that_are_offered_after_it(office: Office) -> None:
    quotas = JointQuotas(frozenset(CITIES))

    async def record(percents: dict[str, int], reference: str) -> None:
        decision = QuotaDecision(
            percents=percents,
            valid_from=date(2026, 1, 1),
            decided_by="koordinaatioryhmä",
            decided_on=date(2025, 12, 1),
            reference=reference,
        )
        async with office.database.transaction(uuid4()) as tx:
            quotas.record(tx, decision, OFFICER)
        office.clock.advance(timedelta(hours=1))

    async def offered() -> list[str]:
        course_id = await office.course()
        await office.apply(course_id, 90, "helsinki")
        espoo = await office.apply(course_id, 10, "espoo")
        await office.group(course_id, 1, date(2027, 2, 1), GroupState.OPEN, GroupState.SELECTION)
        state, reason = await office.standing(espoo)
        return [state, reason]

    assert (await offered())[0] == "waiting"  # a quarter of one seat is none
    await record({"espoo": 100}, "1/2026")
    assert await offered() == [
        "offered",
        "the quota decided: within the 1 seats of espoo, by points and queue time",
    ]
    await record({}, "2/2026")
    assert (await offered())[0] == "waiting"
    async with office.database.read() as tx:
        assert [quota.decision.reference for quota in await Quotas(tx).page(None, 10)] == ["2/2026", "1/2026"]
        last = (await Quotas(tx).page(None, 1))[0]
        assert len(await Quotas(tx).page((last.recorded_at, last.quota_id), 10)) == 1


async def test_each_city_is_told_the_places_of_its_applicants_that_have_changed(office: Office) -> None:
    course_id = await office.course()
    starts_on = date(2027, 2, 1)
    await office.group(course_id, 1, starts_on)
    first = await office.apply(course_id, 90)
    second = await office.apply(course_id, 50, "espoo")

    def shown(told: list[tuple[str, QueuePlacesChanged]]) -> list[tuple[str, UUID, int, date | None]]:
        return [
            (city, place.application_id, place.position, place.estimated_start)
            for city, event in told
            for place in event.places
        ]

    assert shown(await office.told()) == [("espoo", second, 2, None), ("vantaa", first, 1, starts_on)]
    assert await office.told() == []
    async with office.database.transaction(uuid4()) as tx:
        await SEATS.withdraw(tx, first, "vantaa")
    assert shown(await office.told()) == [("espoo", second, 1, starts_on)]
    async with office.database.transaction(uuid4()) as tx:
        await SEATS.hand_over(tx, second, "espoo", "helsinki")
    assert shown(await office.told()) == [("helsinki", second, 1, starts_on)]


async def test_a_kept_plan_is_approved_and_becomes_planned_groups_once(office: Office) -> None:
    plans = JointPlans(CATALOGUE)
    course_id = await office.course(min_size=2, max_size=3)
    for points in range(5):
        await office.apply(course_id, points)
    async with office.database.transaction(uuid4()) as tx:
        plan_id = (await plans.keep(tx, 0.0, 3, OFFICER)).plan_id
    details = Group(seats=3, language="fi", municipality="092", starts_on=date(2027, 2, 1), ends_on=date(2027, 5, 1))
    groups = [GroupOfPlan(occupation="512", course_id=course_id, group=details)]
    async with office.database.transaction(uuid4()) as tx:
        plan = await Plans(tx).get(plan_id)
        assert [(line.occupation, line.groups >= 2) for line in plan.planned] == [("512", True)]
        with pytest.raises(ConflictError, match="The plan is kept"):
            await plans.adopt(tx, plan_id, groups, OFFICER)
    async with office.database.transaction(uuid4()) as tx:
        await plans.decide(tx, plan_id, PlanState.REJECTED, OFFICER, "ei määrärahaa")
        await plans.decide(tx, plan_id, PlanState.APPROVED, OFFICER, "määräraha löytyi")
    async with office.database.transaction(uuid4()) as tx:
        made = await plans.adopt(tx, plan_id, groups * 2, OFFICER)
    assert [group.state for group in made] == [GroupState.PLANNED, GroupState.PLANNED]
    async with office.database.transaction(uuid4()) as tx:
        (plan,) = await Plans(tx).page(PlanState.ADOPTED, None, 10)
        assert plan.group_ids == tuple(group.group_id for group in made)
        with pytest.raises(ConflictError):
            await plans.adopt(tx, plan_id, groups, OFFICER)
