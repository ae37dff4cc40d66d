"""What a city's officers decide in a case."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.change_security.domain import own_case
from services.change_security.domain.case import CaseState
from services.change_security.domain.own_case import Case, CaseChange
from shared.errors import ConflictError, RefusedError
from shared.events.envelope import Event
from shared.events.v1.change_security import (
    CaseClosed,
    DeclineReason,
    Handling,
    HandlingMode,
    HandlingReason,
    NoticeAcknowledged,
    NoticeDeclined,
    NoticeFiled,
    NoticeTaken,
    NoticeWithdrawalFiled,
    Outcome,
    PartReturned,
)
from tests.support.filings import ARRIVED, BAD_BUSINESS_ID, proposal

LATER = ARRIVED + timedelta(hours=3)
CASE = Case(
    notice_id=UUID(int=7),
    competent_authority="vantaa",
    state=CaseState.OPEN,
    revision=2,
    handling_mode=HandlingMode.JOINT,
    overdue="acknowledged",
)


def heard(change: CaseChange) -> list[type[Event]]:
    return [type(event) for event in change.events]


def test_an_acknowledgement_counts_once_and_ends_what_is_overdue() -> None:
    change = own_case.acknowledge(CASE, "vantaa", ARRIVED)
    assert heard(change) == [NoticeAcknowledged]
    assert (change.case.acknowledged_at, change.case.overdue) == (ARRIVED, None)
    assert own_case.acknowledge(change.case, "vantaa", LATER) == CaseChange(change.case)


def test_a_revision_follows_the_newest_one_and_lists_what_is_missing() -> None:
    filing = proposal(measures=[])
    change = own_case.revise(CASE, filing, 2, ARRIVED)
    assert (change.case.revision, change.case.missing, change.filing) == (3, ("/measures",), filing)
    (event,) = change.events
    assert isinstance(event, NoticeFiled)
    assert (event.revision, event.arrived_at, event.authority) == (3, ARRIVED, "vantaa")
    assert own_case.revise(CASE, filing, 2, LATER, ARRIVED).filing_arrived_at == ARRIVED
    with pytest.raises(ConflictError, match="newest revision is 2") as stale:
        own_case.revise(CASE, filing, 1, ARRIVED)
    assert stale.value.code == "stale-predecessor"


def test_a_wrong_business_id_is_refused_when_registering_and_when_revising() -> None:
    filing = proposal(employer={"business_id": BAD_BUSINESS_ID})
    acts: tuple[Callable[[], object], ...] = (
        lambda: own_case.revise(CASE, filing, 2, ARRIVED),
        lambda: own_case.register(UUID(int=7), "vantaa", filing, ARRIVED, ARRIVED, None),
    )
    for act in acts:
        with pytest.raises(RefusedError) as refused:
            act()
        assert (refused.value.pointer, refused.value.code) == ("/filing/employer/business_id", "wrong-business-id")


def test_a_registered_notice_is_older_than_any_version_of_the_joint_office() -> None:
    case, event = own_case.register(UUID(int=7), "vantaa", proposal(), ARRIVED, LATER, "trace")
    assert (case.version, case.revision, case.handling_mode, case.stored_at) == (0, 1, HandlingMode.OWN, LATER)
    assert (event.arrived_at, event.registered_at, event.revision) == (ARRIVED, LATER, 1)
    assert (case.revision_arrived_at, event.filer_reference) == (ARRIVED, None)
    named, told = own_case.register(UUID(int=7), "vantaa", proposal(), ARRIVED, LATER, None, "D-17")
    assert (named.filer_reference, told.filer_reference) == ("D-17", "D-17")


def test_taking_the_own_part_is_an_acknowledgement_and_own_handling() -> None:
    change = own_case.take(CASE, ["vantaa"], ARRIVED)
    assert heard(change) == [NoticeTaken]
    assert change.case == replace(
        CASE, handling_mode=HandlingMode.OWN, acknowledged_at=ARRIVED, acknowledged_revision=2, overdue=None
    )


@pytest.mark.parametrize("parts", [["espoo"], ["vantaa", "espoo"], ["turku"]])
def test_anothers_part_is_not_taken_but_asked_for(parts: list[str]) -> None:
    with pytest.raises(RefusedError) as refused:
        own_case.take(CASE, parts, ARRIVED)
    assert (refused.value.pointer, refused.value.code) == ("/parts", "ask-for-others-parts")


def test_only_a_part_that_was_taken_is_returned() -> None:
    handling = Handling(
        mode=HandlingMode.JOINT,
        reason=HandlingReason.SMALLER_AND_SHARED,
        authorities=("helsinki", "vantaa"),
        affected_at_least=12,
        limit=50,
        limit_to_be_checked=True,
    )
    for known in (None, handling):
        with pytest.raises(ConflictError) as conflict:
            own_case.give_back(CASE, known, ARRIVED)
        assert conflict.value.code == "not-taken"
    just_taken = own_case.take(CASE, [], ARRIVED).case
    heard_of_it = handling.model_copy(update={"mode": HandlingMode.OWN, "authorities": ("helsinki",)})
    for case, known in ((just_taken, handling), (just_taken, heard_of_it)):
        assert heard(own_case.give_back(case, known, LATER)) == [PartReturned]


def test_declining_keeps_the_case_open_and_says_why() -> None:
    change = own_case.decline(CASE, DeclineReason.NO_SITE_HERE, ARRIVED)
    assert change.case == replace(CASE, declined_at=ARRIVED, decline_reason=DeclineReason.NO_SITE_HERE, overdue=None)
    assert own_case.acknowledge(change.case, "vantaa", LATER).case.declined_at is None
    (event,) = change.events
    assert isinstance(event, NoticeDeclined)
    assert event.reason is DeclineReason.NO_SITE_HERE


def test_an_answer_says_to_which_version_and_revision_it_was_given() -> None:
    case = replace(CASE, version=4)
    acts = (
        own_case.acknowledge(case, "vantaa", ARRIVED),
        own_case.decline(case, DeclineReason.OTHER, ARRIVED),
        own_case.take(case, (), ARRIVED),
        own_case.close(case, Outcome.TERMINATIONS, "vantaa", ARRIVED),
    )
    for change in acts:
        (event,) = change.events
        assert isinstance(event, NoticeAcknowledged | NoticeDeclined | NoticeTaken | CaseClosed)
        assert (event.version, event.revision) == (4, 2)
    (registered,) = own_case.acknowledge(replace(case, version=0), "vantaa", ARRIVED).events
    assert isinstance(registered, NoticeAcknowledged)
    assert registered.version is None


def test_a_declined_case_can_be_acknowledged_after_all_and_an_acknowledged_one_declined() -> None:
    declined = own_case.decline(CASE, DeclineReason.OTHER, ARRIVED).case
    acknowledged = own_case.acknowledge(declined, "vantaa", LATER).case
    assert (acknowledged.acknowledged_at, acknowledged.acknowledged_revision) == (LATER, 2)
    assert (acknowledged.declined_at, acknowledged.decline_reason) == (None, None)
    again = own_case.decline(acknowledged, DeclineReason.OTHER, LATER).case
    assert (again.acknowledged_at, again.acknowledged_revision, again.declined_at) == (None, 2, LATER)


def test_who_closes_a_case_has_taken_notice_of_it() -> None:
    closed = own_case.close(CASE, Outcome.TERMINATIONS, "vantaa", ARRIVED).case
    assert (closed.acknowledged_at, closed.overdue) == (ARRIVED, None)


def test_a_case_ends_by_withdrawal_or_with_an_outcome() -> None:
    withdrawn = own_case.withdraw(CASE)
    assert (withdrawn.case.state, heard(withdrawn)) == (CaseState.WITHDRAWN, [NoticeWithdrawalFiled])
    closed = own_case.close(CASE, Outcome.TERMINATIONS, "helsinki", ARRIVED)
    assert (closed.case.state, closed.case.outcome) == (CaseState.CLOSED, Outcome.TERMINATIONS)
    (event,) = closed.events
    assert isinstance(event, CaseClosed)
    assert (event.authority, event.acting_authority) == ("vantaa", "helsinki")


def test_naming_a_specialist_is_no_news_to_the_joint_office() -> None:
    assert own_case.name_specialist(CASE, "officer-17") == CaseChange(replace(CASE, specialist="officer-17"))


@pytest.mark.parametrize("state", [CaseState.RELEASED, CaseState.WITHDRAWN, CaseState.CLOSED])
def test_a_case_that_is_not_open_changes_no_more(state: CaseState) -> None:
    ended = replace(CASE, state=state)
    acts: tuple[Callable[[], CaseChange], ...] = (
        lambda: own_case.revise(ended, proposal(), 2, ARRIVED),
        lambda: own_case.withdraw(ended),
        lambda: own_case.name_specialist(ended, "officer-17"),
        lambda: own_case.acknowledge(ended, "vantaa", ARRIVED),
        lambda: own_case.decline(ended, DeclineReason.OTHER, ARRIVED),
        lambda: own_case.take(ended, [], ARRIVED),
        lambda: own_case.give_back(ended, None, ARRIVED),
        lambda: own_case.close(ended, Outcome.TERMINATIONS, "vantaa", ARRIVED),
    )
    for act in acts:
        with pytest.raises(ConflictError) as conflict:
            act()
        assert conflict.value.code == "not-open"
