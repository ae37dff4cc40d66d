"""What an answer to a hand-over changes, and what a city's officer may do with a contact."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.advisory.domain import own_contact
from services.advisory.domain.contact import ContactState, can_become, reason_of_taking, require
from services.advisory.domain.hand_over import (
    OPEN,
    Change,
    Effect,
    HandOverState,
    acknowledge,
    answer,
    check_target,
    refuse,
)
from services.advisory.domain.own_contact import By, OwnContact
from shared.errors import ConflictError, RefusedError
from shared.events.v1.advisory import ContactAnswered, ContactClosed, ContactReopened, Given, HandOverAcknowledged

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ASKED, STORED, ACCEPTED, REJECTED, WITHDRAWN = HandOverState
NEW, ASSIGNED, ANSWERED, HANDED_OVER, CLOSED = ContactState
BY = By("espoo", "e-1", NOW)
CONTACT = OwnContact(UUID(int=1), ASSIGNED)
OFFERED = OwnContact(UUID(int=1), ASSIGNED, UUID(int=2), is_acknowledged=False)


# -- hand-overs


def test_a_service_stores_a_matter_and_then_accepts_it() -> None:
    assert answer(ASKED, ASSIGNED, "placement", STORED, None) == Change(STORED)
    accepted = answer(STORED, ASSIGNED, "placement", ACCEPTED, None)
    assert accepted == Change(ACCEPTED, Effect.LEAVE, "placement has it now")
    # What confirms that it is stored may come later than the answer itself, or not at all.
    assert answer(ASKED, ASSIGNED, "placement", ACCEPTED, None) == accepted


def test_a_service_that_rejects_a_matter_gives_it_back_with_the_reason() -> None:
    rejected = answer(STORED, ASSIGNED, "training", REJECTED, "wage subsidy")
    assert rejected == Change(REJECTED, Effect.STAY, "not taken by training: wage subsidy", "wage subsidy")
    # One that was answered meanwhile was answered as handed over: without this nobody would act.
    meanwhile = answer(STORED, ANSWERED, "training", REJECTED, "wage subsidy")
    assert meanwhile is not None
    assert meanwhile.effect is Effect.RETURN
    for state in (CLOSED, HANDED_OVER):
        elsewhere = answer(STORED, state, "training", REJECTED, "wage subsidy")
        assert elsewhere is not None
        assert elsewhere.effect is Effect.NONE


def test_a_service_may_give_back_what_it_took() -> None:
    back = answer(ACCEPTED, HANDED_OVER, "training", REJECTED, "wage subsidy")
    assert back == Change(REJECTED, Effect.RETURN, "given back by training: wage subsidy", "wage subsidy")
    assert answer(REJECTED, HANDED_OVER, "training", REJECTED, "again") is None


@pytest.mark.parametrize(
    ("contact", "effect"),
    [(ANSWERED, Effect.RETURN), (ASSIGNED, Effect.STAY), (CLOSED, Effect.NONE)],
)
def test_what_a_service_gives_back_has_somebody_who_must_act_though_the_employer_wrote_again(
    contact: ContactState, effect: Effect
) -> None:
    back = answer(ACCEPTED, contact, "training", REJECTED, "no course")
    assert back == Change(REJECTED, effect, "given back by training: no course", "no course")


def test_a_closed_contact_stays_closed_when_a_service_takes_the_matter() -> None:
    assert answer(STORED, CLOSED, "training", ACCEPTED, None) == Change(ACCEPTED, Effect.NONE, "training has it now")


@pytest.mark.parametrize("state", HandOverState)
@pytest.mark.parametrize("to", [STORED, ACCEPTED, REJECTED])
def test_only_an_open_hand_over_is_answered_and_only_once(state: HandOverState, to: HandOverState) -> None:
    changed = answer(state, ASSIGNED, "placement", to, "no") is not None
    given_back = (state, to) == (ACCEPTED, REJECTED)
    assert changed == (given_back or (state in OPEN and (state, to) != (STORED, STORED)))
    assert (acknowledge(state, ASSIGNED, "espoo", "espoo", "v-1") is not None) == (state in OPEN)


def test_an_acknowledged_contact_moves_to_the_officer_unless_its_course_went_on() -> None:
    moved = acknowledge(ASKED, ASSIGNED, "espoo", "espoo", "v-1")
    assert moved == Change(ACCEPTED, Effect.MOVE, "handed over by espoo, and acknowledged", officer="v-1")
    late = acknowledge(ASKED, ANSWERED, "espoo", "espoo", "v-1")
    assert late == Change(WITHDRAWN, Effect.WITHDRAW, "it was answered meanwhile", "it was answered meanwhile")


def test_an_acknowledged_contact_does_not_move_from_an_authority_that_has_it_since() -> None:
    late = acknowledge(ASKED, ASSIGNED, "helsinki", "vantaa", "e-1")
    assert late == Change(WITHDRAWN, Effect.WITHDRAW, "vantaa has it meanwhile", "vantaa has it meanwhile")


def test_a_hand_over_that_nobody_can_take_is_rejected_at_once() -> None:
    why = "vantaa: nobody advises on other in sv"
    assert refuse(ASSIGNED, why) == Change(REJECTED, Effect.STAY, f"not handed over: {why}", why)
    assert refuse(CLOSED, "the contact is closed").effect is Effect.NONE


@pytest.mark.parametrize(
    ("to_authority", "to_service", "code"),
    [
        (None, None, "either-authority-or-service"),
        ("vantaa", "placement", "either-authority-or-service"),
        ("espoo", None, "no-other-authority"),
        ("turku", None, "no-other-authority"),
    ],
)
def test_a_hand_over_is_to_one_other_authority_or_one_service(
    to_authority: str | None, to_service: str | None, code: str
) -> None:
    others = {"helsinki", "vantaa"}
    check_target("vantaa", None, others)
    check_target(None, "placement", others)
    with pytest.raises(RefusedError) as refused:
        check_target(to_authority, to_service, others)
    assert (refused.value.pointer, refused.value.code) == ("/to_authority", code)


# -- a contact's course


@pytest.mark.parametrize(
    ("to", "from_states"),
    [
        (NEW, set()),
        (ASSIGNED, {NEW, ASSIGNED}),
        (ANSWERED, {ASSIGNED}),
        (HANDED_OVER, {ASSIGNED}),
        (CLOSED, {ASSIGNED, ANSWERED}),
    ],
)
def test_an_act_needs_a_state_that_allows_it(to: ContactState, from_states: set[ContactState]) -> None:
    assert {state for state in ContactState if can_become(state, to)} == from_states
    for state in set(ContactState) - from_states:
        with pytest.raises(ConflictError, match=f"The contact is {state}") as refused:
            require(state, to)
        assert refused.value.code == "invalid-state"


def test_a_city_takes_its_own_employers_contacts_and_what_waits_without_a_known_authority() -> None:
    for state in (NEW, ASSIGNED):
        assert reason_of_taking(state, "vantaa", "vantaa") == "taken by vantaa, whose employer it is"
        with pytest.raises(ConflictError, match="own employers"):
            reason_of_taking(state, "espoo", "vantaa")
    assert reason_of_taking(NEW, None, "vantaa").startswith("taken by vantaa: it waited")
    for state in (ASSIGNED, ANSWERED, HANDED_OVER, CLOSED):
        with pytest.raises(ConflictError, match="own employers"):
            reason_of_taking(state, None, "vantaa")
    with pytest.raises(ConflictError, match="The contact is closed"):
        reason_of_taking(CLOSED, "vantaa", "vantaa")


def test_an_officer_answers_and_closes_a_contact_once() -> None:
    given = (Given(article_id=UUID(int=3), version=2),)
    answered = own_contact.answer(CONTACT, BY, 12, given)
    assert answered is not None
    assert answered.contact.state is ANSWERED
    assert answered.event == ContactAnswered(
        contact_id=UUID(int=1), office="espoo", officer="e-1", answered_at=NOW, minutes=12, guidance=given
    )
    assert own_contact.answer(answered.contact, BY, 1, ()) is None
    closed = own_contact.close(answered.contact, BY)
    assert closed is not None
    assert closed.event == ContactClosed(contact_id=UUID(int=1), office="espoo", closed_at=NOW)
    assert own_contact.close(closed.contact, BY) is None
    with pytest.raises(ConflictError, match="closed"):
        own_contact.answer(closed.contact, BY, 1, ())


def test_an_answer_or_a_closing_is_taken_back_and_the_contact_has_an_officer_again() -> None:
    for state in (ANSWERED, CLOSED):
        change = own_contact.reopen(OwnContact(UUID(int=1), state, version=4), BY, "e-2", "answered by mistake")
        assert change is not None
        assert change.contact.state is ASSIGNED
        assert change.event == ContactReopened(
            contact_id=UUID(int=1), office="espoo", officer="e-2", reason="answered by mistake", at=NOW, version=4
        )
    assert own_contact.reopen(CONTACT, BY, "e-1", "once more") is None
    with pytest.raises(ConflictError, match="handed_over"):
        own_contact.reopen(OwnContact(UUID(int=1), HANDED_OVER), BY, "e-1", "another has it")


def test_an_officer_acknowledges_a_contact_once_and_only_while_it_is_offered() -> None:
    taken = own_contact.acknowledge(OFFERED, BY)
    assert taken is not None
    assert taken.contact == OwnContact(UUID(int=1), ASSIGNED, UUID(int=2), is_acknowledged=True)
    assert taken.event == HandOverAcknowledged(
        contact_id=UUID(int=1), office="espoo", hand_over_id=UUID(int=2), officer="e-1", acknowledged_at=NOW
    )
    assert own_contact.acknowledge(taken.contact, BY) is None
    released = OwnContact(UUID(int=1), HANDED_OVER, UUID(int=2), is_acknowledged=False)
    with pytest.raises(ConflictError, match="handed_over"):
        own_contact.acknowledge(released, BY)
