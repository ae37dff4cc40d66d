"""What whoever filed is answered."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.change_security import data
from services.change_security.domain import notice as lifecycle
from services.change_security.domain.notice import Channel, Notice, Receipt, Rulebook
from services.change_security.domain.receipt import receipt_of, refusal_of
from services.change_security.joint import handlers
from shared.events.envelope import Envelope
from shared.events.v1.change_security import (
    Filing,
    FilingAccepted,
    FilingClosed,
    FilingReassigned,
    FilingRevised,
    FilingWithdrawn,
    Outcome,
)
from shared.messaging.inbound import Parked
from shared.messaging.parking import Record
from tests.support.filings import ARRIVED, TEST_IDENTITY_CODE, proposal
from tests.unit.change_security.test_messages import published, transaction

ID = UUID(int=7)
BOOK = Rulebook(data.authorities(), data.rules())
LATER = ARRIVED + timedelta(hours=1)
INCOMPLETE = Filing.model_validate({"kind": "negotiation_proposal", "employer": {"business_id": "2077474-0"}})


def filed(filing: Filing | None = None, channel: Channel = Channel.HTTP) -> Notice:
    return lifecycle.file(ID, filing or proposal(), Receipt(channel, "system:portal", ARRIVED, ARRIVED), BOOK).notice


def place(notice: Notice) -> tuple[int, int]:
    return notice.version, notice.revision


def test_an_accepted_filing_is_answered_with_who_handles_it_what_is_missing_and_the_days() -> None:
    incomplete = proposal(negotiations={"starts_at": "2026-11-30T09:00:00+02:00"})
    receipt = receipt_of(None, filed(incomplete), BOOK.rules)
    assert isinstance(receipt, FilingAccepted)
    assert {one.authority for one in receipt.authorities} == {"helsinki", "espoo", "vantaa"}
    assert "/negotiations/place" in receipt.missing
    assert {clock.name for clock in receipt.clocks} == {"earliest_end_of_negotiations", "earliest_end_of_employment"}
    assert all(clock.to_be_checked for clock in receipt.clocks)


def test_a_receipt_says_nothing_of_the_employer_or_its_measures() -> None:
    text = receipt_of(None, filed(), BOOK.rules).model_dump_json()  # type: ignore[union-attr]
    for word in ("Esimerkki", "2077474", "termination", "toimihenkil", "Tilauskannan"):
        assert word not in text


def test_each_change_has_its_own_receipt_and_no_change_has_none() -> None:
    notice = filed()
    revised = lifecycle.revise(notice, proposal(sites=[{"municipality": "092"}]), 1, LATER, BOOK).notice
    taken = lifecycle.take(revised, "helsinki", LATER).notice
    withdrawn = lifecycle.withdraw(taken, LATER).notice
    closed = lifecycle.close(taken, Outcome.NO_TERMINATIONS, LATER).notice
    told = receipt_of(place(notice), revised, BOOK.rules)
    assert isinstance(told, FilingRevised)
    assert {one.authority for one in told.authorities} == {"helsinki", "vantaa"}
    told = receipt_of(place(revised), taken, BOOK.rules)
    assert isinstance(told, FilingReassigned)
    assert ("helsinki", "own") in {(one.authority, one.handling_mode) for one in told.authorities}
    assert isinstance(receipt_of(place(taken), withdrawn, BOOK.rules), FilingWithdrawn)
    told = receipt_of(place(taken), closed, BOOK.rules)
    assert isinstance(told, FilingClosed)
    assert told.outcome is Outcome.NO_TERMINATIONS
    for same in (notice, withdrawn, closed):
        assert receipt_of(place(same), same, BOOK.rules) is None


@pytest.mark.parametrize(
    ("channel", "asked"),
    [(Channel.HTTP, True), (Channel.TOPIC, True), (Channel.OFFICER, False), (Channel.AUTHORITY, False)],
)
def test_completion_is_asked_by_a_receipt_that_somebody_reads_or_not_at_all(
    channel: Channel,
    asked: bool,  # noqa: FBT001
) -> None:
    notice = filed(INCOMPLETE, channel)
    assert notice.completion_asked_at == (ARRIVED if asked else None)
    again = lifecycle.revise(notice, INCOMPLETE, 1, LATER, BOOK).notice
    assert again.completion_asked_at == (LATER if asked else None)
    assert lifecycle.revise(again, proposal(), 2, LATER, BOOK).notice.completion_asked_at is None


def test_what_a_letter_asked_for_stays_asked_until_it_is_complete() -> None:
    by_letter = replace(filed(INCOMPLETE, Channel.OFFICER), completion_asked_at=ARRIVED)
    assert lifecycle.revise(by_letter, INCOMPLETE, 1, LATER, BOOK).notice.completion_asked_at == ARRIVED


def test_a_refusal_names_what_its_sender_can_recognise_and_nothing_else() -> None:
    envelope = Envelope(id="portal-1", source="/systems/portal", type="x")
    refusal = refusal_of(ID, str(ID).encode(), envelope, "invalid-body", ARRIVED)
    assert (refusal.notice_id, refusal.event_id, refusal.source) == (ID, "portal-1", "/systems/portal")
    assert refusal.key == str(ID)
    for key, unreadable in ((b"\xff", None), (None, Envelope(id="x" * 201, source="a\nb", type="x"))):
        refusal = refusal_of(ID, key, unreadable, "missing-header", ARRIVED)
        assert (refusal.notice_id, refusal.event_id, refusal.source, refusal.key) == (None, None, None, str(ID))


def parked(topic: str, **envelope: Any) -> Parked:
    record = Record(topic, 0, 5, b"key", [], b"{}", ARRIVED)
    return Parked(record, Envelope(**({"id": "1", "source": "/s", "type": "x"} | envelope)), "invalid-body")


async def test_a_parked_record_of_another_system_is_answered_and_no_other() -> None:
    tx = transaction()
    await handlers.refuse_submission(parked("from.vantaa.change-security.v1"), tx)
    assert published(tx) == []
    await handlers.refuse_submission(parked("inbound.change-notices.v1"), tx)
    assert published(tx) == [("receipts.change-notices.v1", "change-security.filing-refused.v1")]


async def test_a_personal_identity_code_in_a_header_is_not_passed_on() -> None:
    tx = transaction()
    await handlers.refuse_submission(parked("inbound.change-notices.v1", id=TEST_IDENTITY_CODE), tx)
    assert TEST_IDENTITY_CODE not in str(tx._outgoing)
