"""What both sides do with messages: what they publish and refuse, on what a transaction has read already."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider

from services.change_security import data
from services.change_security.authority import handlers as city
from services.change_security.authority.acting_commands import CityActing
from services.change_security.authority.plan_commands import CityPlans
from services.change_security.domain import notice as lifecycle
from services.change_security.domain.ledger import Entry, EntryState
from services.change_security.domain.notice import Channel, Notice, Receipt, Rulebook
from services.change_security.joint import handlers as joint
from services.change_security.joint.acting_commands import JointActing
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.store import Notices
from shared.clock import SystemClock
from shared.errors import ConflictError, RefusedError, UnknownError, UnprocessableError
from shared.events.envelope import Envelope, Event
from shared.events.v1.change_security import (
    Filing,
    FilingAccepted,
    FilingRevised,
    HandlingChanged,
    HandlingMode,
    NoticeAcknowledged,
    NoticeAmended,
    NoticeAssigned,
    NoticeFiled,
    NoticeReleased,
    NoticeStored,
    NoticeSubmitted,
    NoticeTaken,
    NoticeWithdrawalFiled,
    NoticeWithdrawalSubmitted,
    NoticeWithdrawn,
    PartReturned,
    PlanStep,
    PlanStepReported,
)
from shared.messaging.transaction import Database, Transaction
from tests.support.filings import ARRIVED, BAD_BUSINESS_ID, proposal

ID = UUID(int=7)
BOOK = Rulebook(data.authorities(), data.rules(), data.agreed())
NETWORK = frozenset({"espoo", "helsinki", "vantaa"})
HANDLERS = joint.handlers_of(JointOffice(BOOK, shipped=BOOK.authorities), JointActing(BOOK, NETWORK))
CITY_HANDLERS = city.handlers_of(CityPlans("vantaa"), CityActing("vantaa", NETWORK, BOOK.rules))
PORTAL = "/systems/portal"


def filed(filing: Filing | None = None, by: str = f"topic:{PORTAL}") -> Notice:
    receipt = Receipt(Channel.TOPIC, by, ARRIVED, ARRIVED)
    return lifecycle.file(ID, filing or proposal(), receipt, BOOK).notice


def transaction(
    notice: Notice | None = None, office: str = "pks", source: str = PORTAL, received_at: datetime | None = None
) -> Transaction:
    """A transaction that has read this notice, or that there is none."""
    database = Database(cast("Any", None), office, SystemClock(), TracerProvider().get_tracer("test"))
    tx = Transaction(cast("Any", None), database)
    tx.begin(uuid4(), Envelope(id="1", source=source, type="test", received_at=received_at))
    tx.identity_map["notices"] = {ID: replace(notice, entries=()) if notice else None}
    tx.identity_map["entries"] = {ID: {entry.authority: entry for entry in (notice.entries if notice else ())}}
    return tx


def handled(event: Event, tx: Transaction) -> Awaitable[None]:
    return HANDLERS[event.type](event, tx)


def published(tx: Transaction) -> list[tuple[str, str]]:
    return [(event.topic, event.type) for event in tx._outgoing]


def to(city: str, event: type[Event]) -> tuple[str, str]:
    return (f"to.{city}.change-security.v1", event.type_name())


def to_filer(event: type[Event]) -> tuple[str, str]:
    return ("receipts.change-notices.v1", event.type_name())


async def test_a_submission_is_sent_to_every_authority_and_repeated_changes_nothing() -> None:
    tx = transaction()
    await handled(NoticeSubmitted(notice_id=ID, filing=proposal()), tx)
    sent = [*(to(name, NoticeAssigned) for name in ("espoo", "helsinki", "vantaa")), to_filer(FilingAccepted)]
    assert published(tx) == sent
    await handled(NoticeSubmitted(notice_id=ID, filing=proposal()), tx)
    assert published(tx) == sent


async def _arrived(stated: timedelta, receiving_systems: dict[str, str]) -> tuple[Notice, datetime]:
    """File a notice by topic that arrived at `ARRIVED`, with the arrival that the system states."""
    tx = transaction(received_at=ARRIVED)
    office = JointOffice(BOOK, shipped=BOOK.authorities)
    handlers = joint.handlers_of(office, JointActing(BOOK, NETWORK), receiving_systems)
    event = NoticeSubmitted(notice_id=ID, filing=proposal(), arrived_at=ARRIVED + stated)
    await handlers[event.type](event, tx)
    notice = await Notices(tx).get(ID)
    assert notice is not None
    return notice, ARRIVED + stated


async def test_an_arrival_that_a_system_states_is_kept_as_claimed_and_moves_no_clock() -> None:
    notice, stated = await _arrived(-timedelta(days=2), {"/systems/vantaa": "vantaa"})
    assert (notice.receipt.arrived_at, notice.receipt.arrived_at_claimed) == (ARRIVED, stated)


async def test_the_word_of_a_receiving_authoritys_system_is_its_own_receipt() -> None:
    notice, stated = await _arrived(-timedelta(days=2), {PORTAL: "vantaa"})
    assert (notice.receipt.arrived_at, notice.receipt.arrived_at_claimed) == (stated, None)


@pytest.mark.parametrize("systems", [{}, {PORTAL: "vantaa"}])
async def test_an_arrival_after_the_record_came_says_nothing(systems: dict[str, str]) -> None:
    notice, _ = await _arrived(timedelta(days=2), systems)
    assert (notice.receipt.arrived_at, notice.receipt.arrived_at_claimed) == (ARRIVED, None)


async def test_every_office_hears_the_filers_reference_and_when_the_revision_arrived() -> None:
    tx = transaction(received_at=ARRIVED)
    await handled(NoticeSubmitted(notice_id=ID, filing=proposal(), filer_reference="D-17"), tx)
    later = ARRIVED + timedelta(days=3)
    tx.begin(uuid4(), Envelope(id="2", source=PORTAL, type="test", received_at=later))
    await handled(NoticeSubmitted(notice_id=ID, revision=2, filing=proposal(measures=[])), tx)
    sent, amended = (
        [kind.model_validate_json(event.payload) for event in tx._outgoing if event.type == kind.type_name()]
        for kind in (NoticeAssigned, NoticeAmended)
    )
    assert {event.filer_reference for event in (*sent, *amended)} == {"D-17"}
    assert {event.revision_arrived_at for event in sent} == {ARRIVED}
    assert {(event.arrived_at, event.revision_arrived_at) for event in amended} == {(ARRIVED, later)}


@pytest.mark.parametrize(
    "event",
    [NoticeSubmitted(notice_id=ID, revision=2, filing=proposal(sites=[])), NoticeWithdrawalSubmitted(notice_id=ID)],
    ids=["revision", "withdrawal"],
)
async def test_a_system_may_not_change_what_another_submitted(event: Event) -> None:
    tx = transaction(filed(), source="/systems/stranger")
    with pytest.raises(UnprocessableError) as refused:
        await handled(event, tx)
    assert refused.value.code == "not-the-submitter"
    assert published(tx) == []


async def test_a_revision_before_its_predecessor_waits_and_a_second_of_that_number_conflicts() -> None:
    tx = transaction(filed())
    await handled(NoticeSubmitted(notice_id=ID, revision=3, filing=proposal(sites=[])), tx)
    assert Notices(tx).waits(ID, 3)
    assert published(tx) == []
    with pytest.raises(ConflictError) as conflict:
        await handled(NoticeSubmitted(notice_id=ID, revision=3, filing=proposal()), tx)
    assert conflict.value.code == "stale-predecessor"


@pytest.mark.parametrize("revision", [1, 2, 3])
async def test_a_wrong_business_id_is_refused_in_whatever_revision(revision: int) -> None:
    tx = transaction(filed() if revision > 1 else None)
    filing = proposal(employer={"business_id": BAD_BUSINESS_ID})
    with pytest.raises(RefusedError) as refused:
        await handled(NoticeSubmitted(notice_id=ID, revision=revision, filing=filing), tx)
    assert refused.value.code == "wrong-business-id"
    assert published(tx) == []


async def test_what_two_cities_revised_apart_becomes_two_revisions() -> None:
    notice = lifecycle.revise(filed(), proposal(sites=[{"municipality": "092"}]), 1, ARRIVED, BOOK).notice
    tx = transaction(notice)
    other = NoticeFiled(
        notice_id=ID,
        authority="espoo",
        revision=2,
        arrived_at=ARRIVED,
        registered_at=ARRIVED,
        filing=proposal(sites=[{"municipality": "049"}]),
    )
    await handled(other, tx)
    changed = await Notices(tx).get(ID)
    assert changed is not None
    assert (changed.revision, changed.version) == (3, 3)
    assert set(published(tx)) == {
        to("espoo", NoticeAssigned),
        to("helsinki", NoticeAmended),
        to("vantaa", NoticeReleased),
        to_filer(FilingRevised),
    }


@pytest.mark.parametrize(
    "event",
    [
        NoticeWithdrawalFiled(notice_id=ID, authority="vantaa"),
        NoticeTaken(notice_id=ID, authority="vantaa", parts=("vantaa",), taken_at=ARRIVED),
    ],
    ids=["withdrawal", "taking"],
)
async def test_what_a_city_says_of_no_notice_is_unknown(event: Event) -> None:
    with pytest.raises(UnknownError) as unknown:
        await handled(event, transaction())
    assert unknown.value.code == "unknown-notice"


async def test_an_acknowledgement_and_a_receipt_in_one_batch_both_stand() -> None:
    tx = transaction(filed())
    acknowledged = NoticeAcknowledged(
        notice_id=ID, authority="vantaa", acting_authority="vantaa", acknowledged_at=ARRIVED
    )
    await handled(acknowledged, tx)
    await handled(NoticeStored(notice_id=ID, authority="vantaa", version=1, revision=1, stored_at=ARRIVED), tx)
    entry = await Notices(tx).entry(ID, "vantaa")
    assert entry is not None
    assert (entry.state, entry.is_confirmed_stored, entry.acknowledged_at) == (EntryState.ACKNOWLEDGED, True, ARRIVED)


async def test_an_answer_of_an_authority_without_a_part_is_unprocessable() -> None:
    tx = transaction(filed(proposal(sites=[])))
    entries: dict[str, Entry | None] = tx.identity_map["entries"][ID]
    entries["vantaa"] = None
    event = NoticeAcknowledged(notice_id=ID, authority="vantaa", acting_authority="vantaa", acknowledged_at=ARRIVED)
    with pytest.raises(UnprocessableError) as refused:
        await handled(event, tx)
    assert refused.value.code == "not-a-recipient"


async def test_a_step_of_an_authority_without_a_part_or_of_no_course_is_refused() -> None:
    tx = transaction(filed(proposal(sites=[])))
    step = PlanStep(
        step_id=UUID(int=9),
        authority="vantaa",
        step="follow_up",
        change=1,
        changed_at=ARRIVED,
        changed_by="officer-1",
        changed_authority="vantaa",
    )
    with pytest.raises(UnprocessableError) as refused:
        await handled(PlanStepReported(notice_id=ID, authority="vantaa", step=step), tx)
    assert refused.value.code == "not-a-recipient"
    party = step.model_copy(update={"step": "party"})
    with pytest.raises(RefusedError) as unknown:
        await handled(PlanStepReported(notice_id=ID, authority="vantaa", step=party), tx)
    assert unknown.value.code == "unknown-step"
    assert published(tx) == []


async def test_a_taken_part_is_told_to_its_office_and_returned_again() -> None:
    tx = transaction(filed())
    await handled(NoticeTaken(notice_id=ID, authority="vantaa", parts=("vantaa",), taken_at=ARRIVED), tx)
    await handled(NoticeTaken(notice_id=ID, authority="vantaa", parts=("vantaa",), taken_at=ARRIVED), tx)
    entry = await Notices(tx).entry(ID, "vantaa")
    assert entry is not None
    assert entry.state is EntryState.TAKEN_BY
    await handled(PartReturned(notice_id=ID, authority="vantaa", returned_at=ARRIVED), tx)
    entry = await Notices(tx).entry(ID, "vantaa")
    assert entry is not None
    assert entry.state is EntryState.ACKNOWLEDGED
    assert [sent for sent in published(tx) if sent[0].startswith("to.")] == [to("vantaa", HandlingChanged)] * 2


async def test_a_city_confirms_every_version_that_it_is_sent() -> None:
    tx = transaction(office="vantaa")
    about = {"notice_id": ID, "version": 4, "revision": 2, "authority": "vantaa"}
    assigned = next(
        event
        for office, event in lifecycle.file(
            ID, proposal(), Receipt(Channel.HTTP, "system:test", ARRIVED, ARRIVED), BOOK
        ).events
        if office == "vantaa"
    )
    events: list[Event] = [
        assigned,
        HandlingChanged.model_validate(about | {"handling_mode": HandlingMode.OWN, "acting_authority": "espoo"}),
        NoticeReleased.model_validate(about),
        NoticeWithdrawn.model_validate(about),
    ]
    for event in events:
        await CITY_HANDLERS[event.type](event, tx)
    receipts = [NoticeStored.model_validate_json(event.payload) for event in tx._outgoing]
    assert {event.topic for event in tx._outgoing} == {"from.vantaa.change-security.v1"}
    assert [(receipt.version, receipt.revision) for receipt in receipts] == [(1, 1), (4, 2), (4, 2), (4, 2)]
