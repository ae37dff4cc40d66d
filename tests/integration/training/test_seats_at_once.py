"""Acts on one course's seats from many transactions at once, on a real database."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from deploy.local.stack import CITIES, JOINT, Stack
from faults.seat_invariants import broken_invariants
from services.training import data
from services.training.app import TRAINING
from services.training.domain.seats import Actor
from services.training.joint.commands.catalogue import JointCatalogue
from services.training.joint.commands.seats import JointSeats
from services.training.joint.store import Queue
from services.training.settings import Settings
from shared.errors import ConflictError, UnknownError
from shared.events.v1.training import (
    Application,
    ApplicationReceived,
    Course,
    CourseKind,
    Group,
    GroupState,
    Labels,
    SeatAnswer,
    SeatAnswered,
)
from shared.messaging.transaction import Database, Transaction
from shared.process import Service, writing
from tests.support.settings import settings_of

OFFICER = Actor("officer:test", "helsinki")


def received(course_id: UUID, city: str, points: int) -> ApplicationReceived:
    return ApplicationReceived(
        application_id=uuid4(),
        office=city,
        course_id=course_id,
        application=Application(
            reference=uuid4().hex,
            points=points,
            queued_at=datetime.now(UTC),
            languages=("fi",),
            municipality="092",
            travel=("092",),
            can_start_from=date(2027, 1, 1),
        ),
    )


class OneCourse:
    """One course with two groups, and acts on it, each in a transaction of its own."""

    def __init__(self, database: Database, seats: JointSeats) -> None:
        self.database = database
        self.seats = seats
        self.catalogue = JointCatalogue(seats)
        self.course_id = uuid4()
        self.groups: list[UUID] = []

    async def act(self, work: Callable[[Transaction], Awaitable[object]]) -> None:
        try:
            async with self.database.transaction(uuid4()) as tx:
                await work(tx)
        except (ConflictError, UnknownError):
            pass  # refused: nothing has changed

    async def open(self, *seats: int) -> None:
        course = Course(kind=CourseKind.JOB_COACHING, title=Labels(fi="Valmennus"), min_size=1)
        await self.act(lambda tx: self.catalogue.publish_course(tx, self.course_id, course, 0))
        for count in seats:
            group_id = uuid4()
            self.groups.append(group_id)
            group = Group(
                seats=count, language="fi", municipality="092", starts_on=date(2027, 2, 1), ends_on=date(2027, 3, 1)
            )

            async def plan(tx: Transaction, group_id: UUID = group_id, group: Group = group) -> None:
                await self.catalogue.add_group(tx, group_id, self.course_id, group)
                for state in ("open", "selection"):
                    await self.catalogue.move_group(tx, group_id, GroupState(state), OFFICER, "")

            await self.act(plan)

    async def live(self, seed: int) -> None:
        """One applicant comes, is perhaps selected, answers, moves or withdraws."""
        chance = random.Random(seed)
        city = chance.choice(CITIES)
        told = received(self.course_id, city, chance.randint(0, 100))
        one = told.application_id
        await self.act(lambda tx: self.seats.receive(tx, told))
        await asyncio.sleep(chance.random() * 0.05)
        if chance.random() < 0.3:
            await self.act(lambda tx: self.seats.choose(tx, chance.choice(self.groups), one, OFFICER, "sattuma"))
        async with self.database.read() as tx:
            offer = await Queue(tx).held_offer(one)
        if offer is not None:
            answer = chance.choice([SeatAnswer.ACCEPTED, SeatAnswer.ACCEPTED, SeatAnswer.DECLINED, SeatAnswer.EXPIRED])
            event = SeatAnswered(
                application_id=one, office=city, offer_id=offer.offer_id, answer=answer, answered_at=datetime.now(UTC)
            )
            await self.act(lambda tx: self.seats.answer(tx, event))
        if chance.random() < 0.3:
            await self.act(lambda tx: self.seats.change_seat(tx, one, chance.choice(self.groups), OFFICER, "sattuma"))
        if chance.random() < 0.2:
            await self.act(lambda tx: self.seats.withdraw(tx, one, city))


@pytest.mark.parametrize("seed", range(3))
async def test_no_seat_is_given_twice_and_none_stays_empty_under_concurrent_offers(stack: Stack, seed: int) -> None:
    schema = f"training_{uuid4().hex[:8]}"
    service = Service(TRAINING.name, schema, TRAINING.migrations)
    seats = JointSeats(CITIES, data.shares(), timedelta(hours=72))
    async with writing(service, settings_of(Settings, stack, JOINT)) as database:
        course = OneCourse(database, seats)
        await course.open(6, 9)
        await asyncio.gather(*(course.live(seed * 1000 + number) for number in range(60)))
        # Somebody who fits comes last: if a seat is still free, it is offered to that one.
        await course.act(lambda tx: seats.receive(tx, received(course.course_id, "espoo", 1)))
    assert await broken_invariants(stack.databases[JOINT].url, schema) == []
