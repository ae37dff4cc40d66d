"""What a city's commands decide, write and publish, without HTTP and without a database."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.change_security import data
from services.change_security.authority.commands import CityCases
from services.change_security.authority.tables import (
    CaseActRow,
    CaseCheckRow,
    CaseNoteRow,
    CaseRevisionRow,
    CaseRow,
    CaseStepRow,
)
from services.change_security.domain.acting import CaseOfficer
from services.change_security.domain.case import CaseAct, CaseState, CheckItem, Step, StepState, employee_groups
from shared.errors import ConflictError, RefusedError, UnknownError
from shared.events.v1.change_security import (
    AskedBecause,
    DeclineReason,
    Handling,
    HandlingMode,
    HandlingReason,
    LegalGround,
    Outcome,
)
from shared.messaging.transaction import Transaction
from tests.support.clock import SettableClock
from tests.support.filings import ARRIVED, BAD_BUSINESS_ID, proposal
from tests.support.rows import Rows, transaction_on

ID = UUID(int=7)
LATER = ARRIVED + timedelta(hours=3)
CASES = CityCases("vantaa", data.rules())
OWN = CaseOfficer("officer-17", "vantaa")
OF_ANOTHER = CaseOfficer("officer-9", "espoo", LegalGround.CONSENT, UUID(int=3))
JOINT = Handling(
    mode=HandlingMode.JOINT,
    reason=HandlingReason.SMALLER_AND_SHARED,
    authorities=("helsinki", "vantaa"),
    affected_at_least=20,
    limit=100,
    limit_to_be_checked=True,
)


def case(**changes: Any) -> CaseRow:
    known: dict[str, Any] = {
        "notice_id": ID,
        "state": CaseState.OPEN,
        "version": 4,
        "revision": 2,
        "competent_authority": "vantaa",
        "acting_authority": "vantaa",
        "handling_mode": HandlingMode.JOINT,
        "reasons": (),
        "missing": (),
        "arrived_at": ARRIVED,
        "stored_at": ARRIVED,
        "handling": JOINT,
        "overdue": "acknowledged",
        "asked_because": AskedBecause.ASSIGNED,
    }
    return CaseRow(**(known | changes))


def on(*rows: Any) -> tuple[Rows, Transaction]:
    kept = Rows(*rows)
    return kept, transaction_on(kept, "vantaa", SettableClock(LATER))


def published(tx: Transaction) -> list[dict[str, Any]]:
    return [json.loads(event.payload) for event in tx._outgoing]


def acts(rows: Rows) -> list[tuple[CaseAct, str, str | None]]:
    return [(act.act, act.officer, act.detail) for act in rows.of(CaseActRow)]


async def test_an_acknowledgement_is_kept_told_once_and_says_whose_officer_gave_it() -> None:
    row = case()
    rows, tx = on(row)
    await CASES.acknowledge(tx, ID, OF_ANOTHER)
    assert (row.acknowledged_at, row.acknowledged_revision, row.overdue) == (LATER, 2, None)
    (event,) = published(tx)
    assert (event["type"], event["acting_authority"]) == ("change-security.notice-acknowledged.v1", "espoo")
    assert (event["version"], event["revision"]) == (4, 2)
    (act,) = rows.of(CaseActRow)
    assert (act.act, act.competent_authority, act.acting_authority, act.legal_ground) == (
        CaseAct.ACKNOWLEDGED,
        "vantaa",
        "espoo",
        LegalGround.CONSENT,
    )
    await CASES.acknowledge(tx, ID, OWN)
    assert len(published(tx)) == 1
    assert row.acknowledged_at == LATER


async def test_a_declined_case_stays_open_and_no_longer_awaits_acknowledgement() -> None:
    row = case()
    rows, tx = on(row)
    await CASES.decline(tx, ID, DeclineReason.NO_SITE_HERE, OWN)
    assert (row.state, row.declined_at, row.decline_reason) == (CaseState.OPEN, LATER, DeclineReason.NO_SITE_HERE)
    assert [event["type"] for event in published(tx)] == ["change-security.notice-declined.v1"]
    assert acts(rows) == [(CaseAct.DECLINED, "officer-17", "no_site_here")]


async def test_a_part_is_taken_and_returned() -> None:
    row = case()
    _, tx = on(row)
    await CASES.take(tx, ID, (), OWN)
    assert (row.handling_mode, row.acknowledged_at) == (HandlingMode.OWN, LATER)
    await CASES.give_back(tx, ID, OWN)
    assert [event["type"] for event in published(tx)] == [
        "change-security.notice-taken.v1",
        "change-security.part-returned.v1",
    ]


async def test_anothers_part_is_not_taken_and_nothing_follows() -> None:
    rows, tx = on(case())
    with pytest.raises(RefusedError) as refused:
        await CASES.take(tx, ID, ("espoo",), OWN)
    assert (refused.value.pointer, refused.value.code) == ("/parts", "ask-for-others-parts")
    assert (published(tx), acts(rows)) == ([], [])


async def test_closing_says_the_outcome_and_by_whose_officer() -> None:
    row = case()
    rows, tx = on(row)
    await CASES.close(tx, ID, Outcome.NO_TERMINATIONS, OF_ANOTHER)
    assert (row.state, row.outcome, row.acknowledged_at) == (CaseState.CLOSED, Outcome.NO_TERMINATIONS, LATER)
    (event,) = published(tx)
    assert (event["outcome"], event["authority"], event["acting_authority"]) == ("no_terminations", "vantaa", "espoo")
    assert acts(rows) == [(CaseAct.CLOSED, "officer-9", "no_terminations")]


async def test_a_revision_keeps_the_filing_and_what_the_lists_say_of_it() -> None:
    row = case()
    _, tx = on(row)
    filing = proposal(sites=[{"municipality": "092", "affected": 20}])
    await CASES.revise(tx, ID, filing, 2, ARRIVED, OWN)
    assert (row.revision, row.business_id) == (3, filing.employer.business_id)
    assert row.municipalities is not None
    assert "092" in row.municipalities
    (event,) = published(tx)
    assert (event["type"], event["revision"]) == ("change-security.notice-filed.v1", 3)
    assert datetime.fromisoformat(event["arrived_at"]) == ARRIVED


async def test_a_revision_that_follows_none_of_the_newest_is_refused() -> None:
    rows, tx = on(case())
    with pytest.raises(ConflictError) as refused:
        await CASES.revise(tx, ID, proposal(), 1, ARRIVED, OWN)
    assert refused.value.code == "stale-predecessor"
    with pytest.raises(RefusedError):
        await CASES.revise(tx, ID, proposal(employer={"business_id": BAD_BUSINESS_ID}), 2, ARRIVED, OWN)
    assert (published(tx), acts(rows)) == ([], [])


async def test_a_system_registers_a_notice_without_an_officers_act() -> None:
    rows, tx = on()
    await CASES.register(tx, ID, proposal(), ARRIVED, None, "D-17")
    (event,) = published(tx)
    assert (event["type"], event["filer_reference"]) == ("change-security.notice-filed.v1", "D-17")
    assert acts(rows) == []
    await CASES.register(tx, uuid4(), proposal(), ARRIVED, OWN)
    assert acts(rows) == [(CaseAct.REGISTERED, "officer-17", None)]


async def test_naming_a_specialist_does_the_step() -> None:
    row = case()
    rows, tx = on(row)
    await CASES.name_specialist(tx, ID, "officer-20", OWN)
    assert row.specialist == "officer-20"
    assert [(step.step, step.state) for step in rows.of(CaseStepRow)] == [(Step.SPECIALIST_NAMED, StepState.DONE)]


@pytest.mark.parametrize("state", [CaseState.CLOSED, CaseState.WITHDRAWN, CaseState.RELEASED, CaseState.MERGED])
async def test_in_a_case_that_has_ended_nothing_is_decided(state: CaseState) -> None:
    rows, tx = on(case(state=state))
    for act in (
        CASES.acknowledge(tx, ID, OWN),
        CASES.decline(tx, ID, DeclineReason.OTHER, OWN),
        CASES.take(tx, ID, (), OWN),
        CASES.give_back(tx, ID, OWN),
        CASES.withdraw(tx, ID, OWN),
        CASES.close(tx, ID, Outcome.TERMINATIONS, OWN),
        CASES.name_specialist(tx, ID, "officer-20", OWN),
    ):
        with pytest.raises(ConflictError) as refused:
            await act
        assert refused.value.code == "not-open"
    assert (published(tx), acts(rows)) == ([], [])


@pytest.mark.parametrize("state", [CaseState.WITHDRAWN, CaseState.RELEASED, CaseState.MERGED])
async def test_a_case_that_the_authority_no_longer_handles_is_not_worked_on(state: CaseState) -> None:
    rows, tx = on(case(state=state))
    for act in (
        CASES.set_step(tx, ID, Step.FOLLOW_UP, StepState.DONE, OWN),
        CASES.set_check(tx, ID, uuid4(), CheckItem.AGED_55, None, OWN),
        CASES.add_note(tx, ID, "the employer called", OWN, shared=True),
    ):
        with pytest.raises(ConflictError) as refused:
            await act
        assert refused.value.code == "not-open"
    assert (acts(rows), rows.of(CaseStepRow), rows.of(CaseNoteRow)) == ([], [], [])


async def test_in_a_closed_case_what_is_left_is_still_done() -> None:
    rows, tx = on(case(state=CaseState.CLOSED))
    await CASES.set_step(tx, ID, Step.FOLLOW_UP, StepState.DONE, OWN)
    await CASES.add_note(tx, ID, "the employer called", OWN, shared=True)
    assert [act for act, _, _ in acts(rows)] == [CaseAct.STEP_SET, CaseAct.NOTE_ADDED]


async def test_a_case_that_is_not_here_is_unknown() -> None:
    _, tx = on()
    with pytest.raises(UnknownError):
        await CASES.acknowledge(tx, ID, OWN)


async def test_the_checklist_takes_no_more_than_the_group_has_and_only_its_groups() -> None:
    filing = proposal()
    group = employee_groups(filing)[0]
    revision = CaseRevisionRow(notice_id=ID, revision=2, filing=filing, stored_at=ARRIVED)
    rows, tx = on(case(), revision)
    await CASES.set_check(tx, ID, group.id, CheckItem.AGED_55, group.terminations, OWN)
    with pytest.raises(RefusedError) as refused:
        await CASES.set_check(tx, ID, group.id, CheckItem.AGED_55, group.terminations + 1, OWN)
    assert refused.value.code == "more-than-in-group"
    with pytest.raises(UnknownError):
        await CASES.set_check(tx, ID, uuid4(), CheckItem.AGED_55, 0, OWN)
    assert [check.count for check in rows.of(CaseCheckRow)] == [group.terminations]
    await CASES.set_check(tx, ID, group.id, CheckItem.AGED_55, None, OWN)
    assert rows.of(CaseCheckRow) == []


async def test_another_authoritys_officer_writes_shared_notes_alone() -> None:
    rows, tx = on(case())
    with pytest.raises(RefusedError) as refused:
        await CASES.add_note(tx, ID, "secret", OF_ANOTHER, shared=False)
    assert refused.value.code == "shared-only"
    await CASES.add_note(tx, ID, "the employer called", OF_ANOTHER, shared=True)
    await CASES.add_note(tx, ID, "our own", OWN, shared=False)
    assert [(note.authority, note.shared) for note in rows.of(CaseNoteRow)] == [("espoo", True), ("vantaa", False)]
    assert published(tx) == []
