"""A rejection, no-show or drop-out that was a mistake is taken back, at the joint office and in the own city."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider

from services.training.authority import commands as city
from services.training.authority.commands import CityApplications
from services.training.authority.tables import OwnApplicationRow
from services.training.domain.course import CatalogueCourse, CourseGroup
from services.training.domain.seats import Actor, Applicant, SeatOfferState
from services.training.joint.commands import seats as joint
from services.training.joint.commands.seats import JointSeats
from services.training.joint.tables import ApplicationRow, SeatOfferRow
from shared.errors import ConflictError
from shared.events.v1.training import (
    Application,
    ApplicationDecided,
    ApplicationState,
    Course,
    CourseKind,
    Group,
    GroupState,
    Labels,
)
from shared.figures import Figures
from shared.messaging.transaction import Database, Transaction

NOW = datetime(2027, 1, 2, 8, 0, tzinfo=UTC)
OFFICER = Actor("officer:x", "helsinki")
COURSE_ID, GROUP_ID, APPLICATION_ID = uuid4(), uuid4(), uuid4()
COURSE = Course(
    kind=CourseKind.LABOUR_MARKET_TRAINING, title=Labels(fi="Kokki"), min_size=1, max_size=4, late_entry_days=5
)
GROUP = Group(seats=1, language="fi", municipality="092", starts_on=date(2027, 1, 1), ends_on=date(2027, 3, 1))


class StandingClock:
    def now(self) -> datetime:
        return NOW


def transaction(office: str) -> Transaction:
    nowhere: Any = None  # nothing here reaches a database
    tx = Transaction(nowhere, Database(nowhere, office, StandingClock(), TracerProvider().get_tracer("test")))
    tx.begin(uuid4())
    return tx


def published(tx: Transaction) -> list[dict[str, Any]]:
    return [json.loads(outgoing.payload) for outgoing in tx._outgoing]


@dataclass
class JointMemory:
    """Stands for the stores of the joint office: one course, one running group with one seat, one application."""

    application: ApplicationRow
    offer_rows: list[SeatOfferRow] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    has_another: bool = False

    async def locked_course(self, _: UUID) -> CatalogueCourse:
        return CatalogueCourse(COURSE_ID, 1, COURSE)

    course = locked_course

    async def group(self, group_id: UUID) -> CourseGroup:
        return CourseGroup(group_id, COURSE_ID, 1, GroupState.RUNNING, GROUP)

    async def groups_of(self, _: UUID) -> list[CourseGroup]:
        return [await self.group(GROUP_ID)]

    async def in_group(self, _: UUID) -> list[object]:
        return []

    async def figures(self) -> Figures:
        return Figures()

    async def get(self, _: UUID) -> ApplicationRow:
        return self.application

    async def has_applied_anew(self, _: ApplicationRow) -> bool:
        return self.has_another

    async def last_offer(self, _: UUID) -> SeatOfferRow | None:
        return self.offer_rows[-1] if self.offer_rows else None

    async def seats(self, _: UUID) -> list[SeatOfferRow]:
        return [row for row in self.offer_rows if row.state in {SeatOfferState.OPEN, SeatOfferState.ACCEPTED}]

    async def turned_down(self, _: UUID) -> set[UUID]:
        return {row.application_id for row in self.offer_rows if row.state is not SeatOfferState.CORRECTED}

    async def waiting(self, _: UUID) -> list[Applicant]:
        row = self.application
        if row.state is not ApplicationState.WAITING:
            return []
        languages, travel = frozenset(row.languages), frozenset(row.travel)
        return [Applicant(row.application_id, row.office, row.points, row.queued_at, languages, travel)]

    async def add_offer(self, offer: SeatOfferRow) -> None:
        self.offer_rows.append(offer)

    def enter(self, _: UUID, act: str, reason: str, *__: object) -> None:
        self.decisions.append(f"{act}: {reason}")


def joint_memory(
    monkeypatch: pytest.MonkeyPatch, state: ApplicationState, offer: SeatOfferState | None = None
) -> JointMemory:
    application = ApplicationRow(
        application_id=APPLICATION_ID,
        course_id=COURSE_ID,
        office="vantaa",
        reference="opaque",
        points=70,
        queued_at=NOW - timedelta(days=60),
        languages=["fi"],
        municipality="092",
        travel=["092"],
        can_start_from=date(2026, 12, 1),
        state=state,
        version=4,
        group_id=GROUP_ID,
        reason="",
    )
    made = JointMemory(application)
    if offer is not None:
        row = SeatOfferRow(
            offer_id=uuid4(),
            group_id=GROUP_ID,
            application_id=APPLICATION_ID,
            state=offer,
            reason="",
            made_at=NOW - timedelta(days=9),
            answer_by=NOW - timedelta(days=7),
        )
        made.offer_rows.append(row)
    for store in ("Queue", "Catalogue", "Decisions", "Participants", "Agreements"):
        monkeypatch.setattr(joint, store, lambda _: made)
    return made


JOINT = JointSeats(("helsinki", "espoo", "vantaa"), (), timedelta(hours=72))


@pytest.mark.parametrize(
    ("state", "offer", "after"),
    [
        (ApplicationState.REJECTED, None, None),
        (ApplicationState.NO_SHOW, SeatOfferState.NO_SHOW, SeatOfferState.CORRECTED),
        (ApplicationState.WITHDRAWN, SeatOfferState.DROPPED_OUT, SeatOfferState.CORRECTED),
    ],
)
async def test_who_is_reinstated_waits_at_the_old_place_and_is_offered_the_free_seat(
    monkeypatch: pytest.MonkeyPatch,
    state: ApplicationState,
    offer: SeatOfferState | None,
    after: SeatOfferState | None,
) -> None:
    memory, tx = joint_memory(monkeypatch, state, offer), transaction("pks")
    queued_at = memory.application.queued_at
    application = await JOINT.reinstate(tx, APPLICATION_ID, OFFICER, "kirjattu väärälle")
    assert (application.state, application.queued_at) == (ApplicationState.OFFERED, queued_at)
    assert [row.state for row in memory.offer_rows] == [*([after] if after else []), SeatOfferState.OPEN]
    assert memory.decisions[0] == "reinstated: reinstated: kirjattu väärälle"
    decided = [event for event in published(tx) if event["type"] == "training.application-decided.v1"]
    assert [(event["version"], event["state"]) for event in decided] == [(5, "waiting"), (6, "offered")]


async def test_a_seat_that_was_turned_down_stays_so_after_a_reinstatement(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = joint_memory(monkeypatch, ApplicationState.WITHDRAWN, SeatOfferState.DECLINED)
    application = await JOINT.reinstate(transaction("pks"), APPLICATION_ID, OFFICER, "peruttu vahingossa")
    assert application.state is ApplicationState.WAITING
    assert [row.state for row in memory.offer_rows] == [SeatOfferState.DECLINED]


@pytest.mark.parametrize(
    ("state", "has_another", "code"),
    [
        (ApplicationState.WAITING, False, "invalid-state"),
        (ApplicationState.ACCEPTED, False, "invalid-state"),
        (ApplicationState.COMPLETED, False, "invalid-state"),
        (ApplicationState.REJECTED, True, "already-applied"),
    ],
)
async def test_nobody_is_reinstated_who_has_not_ended_or_has_applied_anew(
    monkeypatch: pytest.MonkeyPatch, state: ApplicationState, code: str, *, has_another: bool
) -> None:
    memory, tx = joint_memory(monkeypatch, state), transaction("pks")
    memory.has_another = has_another
    with pytest.raises(ConflictError) as refused:
        await JOINT.reinstate(tx, APPLICATION_ID, OFFICER, "kirjattu väärälle")
    assert refused.value.code == code
    assert memory.application.state is state
    assert not published(tx)


# -- in the applicant's own city


@dataclass
class CityMemory:
    """Stands for the store of a city's own applications."""

    application: OwnApplicationRow
    is_anew: bool
    closed: int = 0

    async def lock(self, _: UUID) -> OwnApplicationRow:
        return self.application

    async def has_another(self, _: OwnApplicationRow) -> bool:
        return self.is_anew

    async def close_offers(self, _: UUID) -> None:
        self.closed += 1


@pytest.mark.parametrize(
    ("is_anew", "state", "told"),
    [
        (False, ApplicationState.WAITING, []),
        (True, ApplicationState.WITHDRAWN, ["training.application-withdrawn.v1"]),
    ],
)
async def test_the_city_lets_a_reinstated_application_stand_unless_the_applicant_has_a_newer_one(
    monkeypatch: pytest.MonkeyPatch, state: ApplicationState, told: list[str], *, is_anew: bool
) -> None:
    tx = transaction("vantaa")
    row = OwnApplicationRow(
        application_id=APPLICATION_ID,
        applicant_id="1",
        course_id=COURSE_ID,
        application=Application(
            reference="opaque",
            points=70,
            queued_at=NOW,
            languages=("fi",),
            municipality="092",
            travel=("092",),
            can_start_from=date(2027, 1, 1),
        ),
        assessment={},
        state=ApplicationState.REJECTED,
        version=4,
        reason="",
        received_by="officer:y",
        received_at=NOW,
    )
    memory = CityMemory(row, is_anew)
    monkeypatch.setattr(city, "OwnApplications", lambda _: memory)
    decided = ApplicationDecided(
        application_id=APPLICATION_ID, version=5, state=ApplicationState.WAITING, reason="reinstated: oikaisu"
    )
    applications = CityApplications(frozenset({"helsinki", "espoo", "vantaa"}), b"key")
    for _ in range(2):
        await applications.receive_decision(tx, decided)
    assert (row.state, row.version) == (state, 5)
    assert [event["type"] for event in published(tx)] == told
