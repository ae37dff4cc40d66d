"""Own staff, attendance, drop-out and statements of used seats, on a real database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.local.stack import CITIES, JOINT, Stack
from services.training import data
from services.training.app import TRAINING
from services.training.domain.attendance import Attended, Participant
from services.training.domain.contracts import ContractTerms, Option
from services.training.domain.procurement import Proposal, Size, StatementState
from services.training.domain.seats import Actor
from services.training.joint.commands.catalogue import JointCatalogue
from services.training.joint.commands.contracts import JointContracts
from services.training.joint.commands.participants import JointParticipants
from services.training.joint.commands.procurement import JointProcurement
from services.training.joint.commands.seats import JointSeats
from services.training.joint.commands.statements import JointStatements
from services.training.joint.contract_store import Contracts
from services.training.joint.procurement_store import Accounts
from services.training.joint.statement_document import csv_of, pdf
from services.training.joint.store import Queue
from services.training.settings import Settings
from shared.errors import ConflictError, RefusedError
from shared.events.v1.training import (
    Application,
    ApplicationReceived,
    ApplicationState,
    CourseKind,
    Group,
    GroupState,
    Labels,
    SeatAnswer,
    SeatAnswered,
)
from shared.messaging.transaction import Database
from shared.process import Service, writing

OFFICER = Actor("officer:test", "helsinki")
SEATS = JointSeats(CITIES, data.shares(), timedelta(hours=72))
CATALOGUE = JointCatalogue(SEATS)
PROCUREMENT = JointProcurement(CATALOGUE, data.procurement_rules())
STAFF = JointParticipants(SEATS)
STATEMENTS = JointStatements(PROCUREMENT)
DAY = date(2027, 2, 1)
UNTIL_RUNNING = (GroupState.OPEN, GroupState.SELECTION, GroupState.CONFIRMED, GroupState.RUNNING)


@dataclass
class Training:
    """One procured training and its group."""

    database: Database
    kind: CourseKind = CourseKind.TASMA
    seats: int = 4
    proposal_id: UUID = field(default_factory=uuid4)
    group_id: UUID = field(default_factory=uuid4)
    course_id: UUID = field(default_factory=uuid4)

    async def plan(self) -> None:
        """Propose the training and plan its group."""
        proposal = Proposal(
            kind=self.kind,
            title=Labels(fi="Hitsaus"),
            business_id="2077474-0",
            employer_size=Size.LARGE,
            municipality="092",
            seats=self.seats,
            training_days=12,
            price_eur=Decimal("30000.00"),
            starts_on=DAY,
        )
        group = Group(
            seats=self.seats, language="fi", municipality="092", starts_on=DAY, ends_on=DAY + timedelta(days=27)
        )
        async with self.database.transaction(uuid4()) as tx:
            self.proposal_id = await PROCUREMENT.propose(tx, proposal, "system:test")
        async with self.database.transaction(uuid4()) as tx:
            made = await PROCUREMENT.plan(tx, self.proposal_id, group, OFFICER)
        self.group_id, self.course_id = made.group_id, made.course_id

    async def move(self, *states: GroupState) -> None:
        """Move the group through states."""
        async with self.database.transaction(uuid4()) as tx:
            for state in states:
                await CATALOGUE.move_group(tx, self.group_id, state, OFFICER, "")

    async def staff(self, authority: str, people: int = 1) -> UUID:
        """Let own staff take part."""
        async with self.database.transaction(uuid4()) as tx:
            row = await STAFF.add(tx, self.proposal_id, Participant(authority=authority, people=people), OFFICER)
            return row.participant_id

    async def apply(self, office: str, points: int) -> UUID:
        """Put an application into the queue."""
        application = Application(
            reference=uuid4().hex,
            points=points,
            queued_at=datetime.now(UTC),
            languages=("fi",),
            municipality="092",
            travel=("092",),
            can_start_from=date(2026, 12, 1),
        )
        event = ApplicationReceived(
            application_id=uuid4(), office=office, course_id=self.course_id, application=application
        )
        async with self.database.transaction(uuid4()) as tx:
            await SEATS.receive(tx, event)
        return event.application_id

    async def accept(self, office: str, points: int) -> UUID:
        """Let somebody apply who is offered a seat and accepts it; return the offer."""
        application_id = await self.apply(office, points)
        async with self.database.transaction(uuid4()) as tx:
            offer = await Queue(tx).held_offer(application_id)
            assert offer is not None
            event = SeatAnswered(
                application_id=application_id,
                office=office,
                offer_id=offer.offer_id,
                answer=SeatAnswer.ACCEPTED,
                answered_at=datetime.now(UTC),
            )
            await SEATS.answer(tx, event)
        return offer.offer_id

    async def attend(self, holder_id: UUID, days: int) -> None:
        """Enter how long somebody has attended."""
        async with self.database.transaction(uuid4()) as tx:
            await STAFF.attend(tx, self.group_id, [Attended(holder_id=holder_id, days=days)], OFFICER)

    async def accounted(self) -> list[tuple[str, int, int, int, int | None, Decimal | None]]:
        """Return what the used seats come to."""
        async with self.database.read() as tx:
            return [
                (row.authority, row.offered, row.seats, row.dropped_out, row.days, row.eur)
                for row in await PROCUREMENT.account(tx, DAY, DAY)
            ]


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    """An empty database of the joint office's training."""
    settings: dict[str, Any] = {name.lower(): value for name, value in stack.environment(JOINT).items()}
    service = Service(TRAINING.name, f"training_{uuid4().hex[:8]}", TRAINING.migrations)
    async with writing(service, Settings(**settings)) as opened:
        yield opened


async def test_own_staff_has_seats_that_applicants_do_not_get_until_they_are_taken_out(database: Database) -> None:
    training = Training(database)
    await training.plan()
    staff = await training.staff("vantaa", 3)
    await training.move(GroupState.OPEN, GroupState.SELECTION)
    first, second = await training.apply("vantaa", 90), await training.apply("vantaa", 80)

    async def offered() -> set[UUID]:
        async with database.read() as tx:
            return {seat.application_id for seat in await Queue(tx).seats(training.group_id)}

    assert await offered() == {first}
    with pytest.raises(ConflictError, match="Every seat"):
        await training.staff("vantaa")
    async with database.transaction(uuid4()) as tx:
        with pytest.raises(ConflictError, match="Every seat"):
            await SEATS.choose(tx, training.group_id, second, OFFICER, "sattuma")
    async with database.transaction(uuid4()) as tx:
        await STAFF.remove(tx, staff, OFFICER, "jäi pois")
    assert await offered() == {first, second}
    async with database.transaction(uuid4()) as tx:
        with pytest.raises(ConflictError):
            await STAFF.remove(tx, staff, OFFICER, "jäi pois")


async def test_a_group_of_own_staff_alone_is_confirmed_and_accounted_for_by_home_authority(
    database: Database,
) -> None:
    training = Training(database)
    await training.plan()
    own, _ = await training.staff("vantaa", 3), await training.staff("outside")
    await training.move(*UNTIL_RUNNING)
    await training.attend(own, 10)
    # Half of the price is the employer's.
    assert await training.accounted() == [
        ("outside", 1, 1, 0, None, Decimal("3750.00")),
        ("vantaa", 3, 3, 0, 30, Decimal("11250.00")),
    ]


async def test_used_seats_differ_from_offered_ones_after_attendance_and_drop_out(database: Database) -> None:
    training = Training(database, CourseKind.REKRY, seats=3)
    await training.plan()
    await training.move(GroupState.OPEN, GroupState.SELECTION)
    stays = await training.accept("vantaa", 90)
    leaves, absent = await training.accept("espoo", 80), await training.accept("helsinki", 70)
    async with database.transaction(uuid4()) as tx:
        with pytest.raises(ConflictError):
            await SEATS.drop_out(tx, leaves, OFFICER, "ei alkanut")
    await training.move(GroupState.CONFIRMED, GroupState.RUNNING)
    assert [row[1:3] for row in await training.accounted()] == [(1, 1), (1, 1), (1, 1)]
    for holder_id, days in ((stays, 3), (stays, 12), (leaves, 2), (absent, 0)):
        await training.attend(holder_id, days)
    async with database.transaction(uuid4()) as tx:
        await SEATS.drop_out(tx, leaves, OFFICER, "sai työpaikan")
    async with database.read() as tx:
        seat = await Queue(tx).seat(leaves)
        assert seat is not None
        application = await Queue(tx).get(seat.application_id)
        assert application is not None
        assert (application.state, application.reason) == (ApplicationState.WITHDRAWN, "dropped out: sai työpaikan")
    assert await training.accounted() == [
        ("espoo", 1, 1, 1, 2, Decimal("10500.00")),
        ("helsinki", 1, 0, 0, 0, Decimal("0.00")),
        ("vantaa", 1, 1, 0, 12, Decimal("10500.00")),
    ]
    with pytest.raises(RefusedError):
        await training.attend(uuid4(), 1)


async def test_an_approved_statement_stays_as_it_was_until_a_corrected_one_is_approved(database: Database) -> None:
    training = Training(database)
    await training.plan()
    staff = await training.staff("vantaa", 2)
    await training.move(*UNTIL_RUNNING)
    await training.attend(staff, 10)

    async def keep(replaces: UUID | None = None) -> UUID:
        async with database.transaction(uuid4()) as tx:
            return (await STATEMENTS.keep(tx, DAY, DAY, replaces, OFFICER)).statement_id

    async def approve(statement_id: UUID) -> None:
        async with database.transaction(uuid4()) as tx:
            await STATEMENTS.approve(tx, statement_id, OFFICER, "tarkastettu")

    first = await keep()
    with pytest.raises(ConflictError):
        await keep(first)
    await approve(first)
    with pytest.raises(ConflictError):
        await approve(first)
    await training.attend(staff, 12)
    second = await keep(first)
    await approve(second)
    async with database.read() as tx:
        old, new = await Accounts(tx).statement(first), await Accounts(tx).statement(second)
        assert (old.state, old.lines[0].days) == (StatementState.REPLACED, 20)
        assert (new.state, new.lines[0].days) == (StatementState.APPROVED, 24)
        assert [row.statement_id for row in await Accounts(tx).statements(StatementState.APPROVED, None, 9)] == [second]
    line = csv_of(new).decode("utf-8-sig").splitlines()[1]
    assert line == f"{training.group_id},2027-02-01,vantaa,2,2,0,0,24,15000.00,true"
    for lang in ("fi", "sv", "en"):
        assert pdf(new, lang) == pdf(new, lang)


async def test_seats_are_called_off_from_a_contract_and_come_back_when_a_call_off_is_cancelled(
    database: Database,
) -> None:
    contracts = JointContracts(frozenset(CITIES))
    terms = ContractTerms(
        provider="Esimerkkikoulutus Oy",
        business_id="2077474-0",
        title="Hitsaus",
        reference="VAN 1",
        valid_from=date(2026, 1, 1),
        valid_to=date(2199, 12, 31),
        seat_price_eur=Decimal(3000),
        volume={"vantaa": 2},
        options=(Option(name="lisä", volume={"espoo": 3}, until=date(2199, 12, 31)),),
    )
    async with database.transaction(uuid4()) as tx:
        contract_id = contracts.record(tx, terms, OFFICER).contract_id

    async def order(volume: dict[str, int]) -> UUID:
        async with database.transaction(uuid4()) as tx:
            return (await contracts.call_off(tx, contract_id, volume, None, OFFICER)).call_off_id

    async def left() -> dict[str, int]:
        async with database.read() as tx:
            return await contracts.left(tx, await Contracts(tx).get(contract_id))

    first = await order({"vantaa": 2})
    with pytest.raises(ConflictError):
        await order({"vantaa": 1})
    async with database.transaction(uuid4()) as tx:
        await contracts.take_option(tx, contract_id, "lisä", OFFICER, "jono kasvaa")
        await contracts.cancel(tx, first, OFFICER, "ryhmä peruttiin")
    assert await left() == {"espoo": 3, "vantaa": 2}
    await order({"espoo": 3})
    async with database.transaction(uuid4()) as tx:
        await contracts.end(tx, contract_id, OFFICER, "sopimus päättyi")
        start = await Contracts(tx).call_offs(contract_id, None, 1)
        rest = await Contracts(tx).call_offs(contract_id, (start[0].ordered_at, start[0].call_off_id), 9)
        assert [(row.volume, row.cancelled_at is None) for row in (*start, *rest)] == [
            ({"espoo": 3}, True),
            ({"vantaa": 2}, False),
        ]
        with pytest.raises(ConflictError, match="The contract has ended"):
            await contracts.call_off(tx, contract_id, {"vantaa": 1}, None, OFFICER)
