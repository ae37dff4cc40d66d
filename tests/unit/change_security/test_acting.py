"""Acting for another: asked, consented to or delegated, ended by either side, alike whatever order it is heard in."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest

from services.change_security import data
from services.change_security.domain import acting as acting_for
from services.change_security.domain.agreed import NOTHING_AGREED, Agreed, read_delegations
from shared.errors import ConflictError, ForbiddenError, RefusedError
from shared.events.v1.change_security import Acting, ActingState, LegalGround
from tests.support.filings import ARRIVED

NETWORK = frozenset({"espoo", "helsinki", "vantaa"})
LATER = ARRIVED + timedelta(hours=2)
HEADER = "competent_authority,acting_authority,valid_from,valid_to,certainty,source"


def asked(by: str = "helsinki", competent: str = "vantaa", acting: str = "helsinki") -> Acting:
    return acting_for.ask(UUID(int=1), by, competent, acting, "a deputy", ARRIVED, NETWORK, data.rules())


def answered(acting: Acting, by: str = "vantaa", *, accepted: bool = True) -> Acting:
    return acting_for.answer(acting, by, "officer-1", LATER, reason=None, accepted=accepted)


def test_the_competent_authority_consents_and_either_side_ends_it_with_a_reason() -> None:
    in_force = answered(asked())
    assert (in_force.state, in_force.legal_ground) == (ActingState.IN_FORCE, LegalGround.CONSENT)
    assert answered(in_force) == in_force
    for side in ("vantaa", "helsinki"):
        ended = acting_for.end(in_force, side, "done", LATER)
        assert (ended.state, ended.ended_by, ended.end_reason) == (ActingState.ENDED, side, "done")
        assert acting_for.end(ended, "vantaa", "again", LATER) == ended
        with pytest.raises(ConflictError):
            answered(ended)


def test_who_asked_cannot_answer_and_a_third_can_do_neither() -> None:
    acts: tuple[Callable[[], Acting], ...] = (
        lambda: answered(asked(), "helsinki"),
        lambda: answered(asked(), "espoo"),
        lambda: acting_for.end(asked(), "espoo", "no", LATER),
    )
    for act in acts:
        with pytest.raises(ForbiddenError):
            act()


def test_an_offer_is_accepted_by_whom_it_is_made_to() -> None:
    offer = asked(by="vantaa")
    with pytest.raises(ForbiddenError):
        answered(offer, "vantaa")
    assert answered(offer, "helsinki").state is ActingState.IN_FORCE


def test_a_refusal_says_why_and_stands() -> None:
    refused = acting_for.answer(asked(), "vantaa", "officer-1", LATER, reason="we have time", accepted=False)
    assert (refused.state, refused.end_reason) == (ActingState.REFUSED, "we have time")
    with pytest.raises(ConflictError):
        acting_for.end(refused, "helsinki", "then not", LATER)
    with pytest.raises(ConflictError):
        answered(refused)


@pytest.mark.parametrize(
    ("by", "competent", "acting"),
    [("helsinki", "helsinki", "helsinki"), ("helsinki", "vantaa", "espoo"), ("helsinki", "turku", "helsinki")],
)
def test_it_is_between_the_own_authority_and_one_other_of_the_region(by: str, competent: str, acting: str) -> None:
    with pytest.raises(RefusedError) as refused:
        asked(by, competent, acting)
    assert refused.value.code == "own-and-one-other"


def test_both_sides_end_alike_whatever_order_they_hear_it_in() -> None:
    request = asked()
    heard = [request, answered(request), acting_for.end(answered(request), "vantaa", "done", LATER), request]
    ends = set()
    for order in permutations(heard):
        known: Acting | None = None
        for word in order:
            known = acting_for.merge(known, word)
        ends.add(known)
    assert ends == {heard[2]}


def test_a_standing_delegation_of_the_day_stands_for_the_consent() -> None:
    delegations = read_delegations([HEADER, "vantaa,helsinki,2025-01-01,2030-12-31,read,a decision of the board"])
    agreed = Agreed(delegations=delegations)
    in_force = acting_for.report(None, asked(), "helsinki", agreed, ARRIVED)
    assert (in_force.state, in_force.legal_ground) == (ActingState.IN_FORCE, LegalGround.DELEGATION)
    assert in_force.ground_source == "a decision of the board"
    after = ARRIVED.replace(year=2031)
    assert acting_for.report(None, asked(), "helsinki", agreed, after).state is ActingState.ASKED
    other_way = asked(by="vantaa", competent="helsinki", acting="vantaa")
    assert acting_for.report(None, other_way, "vantaa", agreed, ARRIVED).state is ActingState.ASKED


def test_the_joint_office_takes_no_authoritys_word_for_anothers() -> None:
    request, consent = asked(), answered(asked())
    words: tuple[tuple[Acting | None, Acting, str], ...] = (
        (None, request, "vantaa"),
        (None, request, "espoo"),
        (request, consent, "helsinki"),
        (None, consent, "helsinki"),
        (request, request.model_copy(update={"acting_authority": "espoo", "asked_by": "espoo"}), "espoo"),
    )
    for known, heard, speaker in words:
        with pytest.raises(ForbiddenError):
            acting_for.report(known, heard, speaker, NOTHING_AGREED, ARRIVED)
    assert acting_for.report(request, consent, "vantaa", NOTHING_AGREED, ARRIVED) == consent
