"""To whom an answer goes, and what becomes of a letter that has not gone out."""

from uuid import UUID

import pytest
from pydantic import ValidationError

from services.advisory.domain.letters import (
    LetterKind,
    LetterState,
    Reader,
    readers,
    require_discard,
    require_retry,
)
from services.advisory.models import CallIn
from shared.errors import ConflictError, RefusedError

FIRST = Reader(UUID(int=1), "a@firma.example")
LATER = Reader(UUID(int=2), "b@firma.example")
BY_PHONE = Reader(UUID(int=3), None)
ANSWER, MAILED = LetterKind.ANSWER, LetterKind.ANNOUNCEMENT
STATES = set(LetterState)


def test_an_answer_goes_to_every_caller_of_the_matter_once() -> None:
    assert readers(FIRST) == [FIRST]
    assert readers(FIRST, LATER) == [FIRST, LATER]
    assert readers(BY_PHONE, LATER) == [LATER]
    assert readers(FIRST, Reader(UUID(int=4), FIRST.address)) == [FIRST]
    # Nobody left an address: it is kept, and shown as not sent.
    assert readers(BY_PHONE, Reader(UUID(int=5), None)) == [BY_PHONE]


def test_who_was_written_to_before_is_not_written_to_for_another() -> None:
    written = Reader(FIRST.contact_id, FIRST.address, is_written=True)
    assert readers(written, LATER) == [LATER]
    # Unless nobody else can be reached: then a second answer goes to the first.
    assert readers(written, BY_PHONE) == [written]
    assert readers(written) == [written]


@pytest.mark.parametrize("state", STATES)
def test_a_letter_that_has_not_gone_out_is_sent_once_more_or_discarded(state: LetterState) -> None:
    if state in {LetterState.SENT, LetterState.DISCARDED}:
        with pytest.raises(ConflictError) as refused:
            require_retry(state, ANSWER, "a@b.example", None)
        assert refused.value.code == "invalid-state"
    else:
        assert require_retry(state, ANSWER, "a@b.example", None) == "a@b.example"
        assert require_retry(state, ANSWER, None, "c@b.example") == "c@b.example"
        with pytest.raises(ConflictError) as refused:
            require_retry(state, ANSWER, None, None)
        assert refused.value.code == "no-address"
    if state is LetterState.SENT:
        with pytest.raises(ConflictError):
            require_discard(state)
    else:
        require_discard(state)


def test_a_mailing_lists_letter_goes_to_no_other_address_than_the_confirmed_one() -> None:
    assert require_retry(LetterState.FAILED, MAILED, "a@b.example", None) == "a@b.example"
    with pytest.raises(RefusedError) as refused:
        require_retry(LetterState.FAILED, MAILED, "a@b.example", "c@b.example")
    assert (refused.value.pointer, refused.value.code) == ("/address", "not-its-reader")


@pytest.mark.parametrize("more", [{"text": "Hei"}, {"guidance": [{"article_id": str(UUID(int=6)), "version": 1}]}])
def test_a_call_is_answered_or_handed_over(more: dict[str, object]) -> None:
    call = {"topic": "training", "minutes": 4}
    CallIn.model_validate(call | more)
    handed = call | {"hand_over": {"to_service": "training", "reason": "wants a course"}}
    CallIn.model_validate(handed)
    with pytest.raises(ValidationError, match="answered, or handed over"):
        CallIn.model_validate(handed | more)
