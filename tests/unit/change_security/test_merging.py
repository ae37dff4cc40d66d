"""Two notices that are one, and a notice of terminations with its proposal."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.change_security import data
from services.change_security.domain import merging, resolution
from services.change_security.domain import notice as lifecycle
from services.change_security.domain.ledger import Entry
from services.change_security.domain.merging import Filed, may_be_one, may_follow
from services.change_security.domain.notice import Channel, Notice, NoticeState, Receipt, Rulebook
from services.change_security.joint.resolution_store import _FOLLOWS, _RELATED
from shared.errors import ConflictError, RefusedError
from shared.events.envelope import Event
from shared.events.v1.change_security import (
    AskedBecause,
    Filing,
    NoticeAmended,
    NoticeAskedAgain,
    NoticeAssigned,
    NoticeMerged,
    NoticeReleased,
)
from tests.support.filings import ARRIVED, proposal, termination_notice

BOOK = Rulebook(data.authorities(), data.rules())
LATER = ARRIVED + timedelta(days=1)
VANTAA = {"municipality": "092", "affected": 50}
ESPOO = {"municipality": "049", "affected": 14}
OTHER_EMPLOYER = {"business_id": "0112038-9", "domicile": "091"}


def filed(filing: Filing, at: Any = ARRIVED) -> Notice:
    return lifecycle.file(uuid4(), filing, Receipt(Channel.HTTP, "system:test", at, at), BOOK).notice


def part(notice: Notice, authority: str) -> Entry:
    entry = notice.entry(authority)
    assert entry is not None
    return entry


def heard(change: lifecycle.Change) -> list[tuple[str, type[Event]]]:
    return [(office, type(event)) for office, event in change.events]


# -- what is suggested


@pytest.mark.parametrize(
    ("other", "days", "suggested"),
    [
        (proposal(sites=[ESPOO]), 1, True),  # mailed to another authority, with its site
        (proposal(measures=list(reversed(proposal().model_dump(mode="json")["measures"]))), 1, True),
        (proposal(), 31, False),
        (proposal(measures=[{"measure": "layoff", "count": 9}]), 1, False),
        (proposal(employer=OTHER_EMPLOYER), 1, False),
        (proposal(negotiations=None), 1, False),
        (termination_notice(), 1, False),
    ],
)
def test_the_same_employer_measures_and_dates_may_be_one_notice(other: Filing, days: int, *, suggested: bool) -> None:
    first, second = Filed(proposal(), ARRIVED), Filed(other, ARRIVED + timedelta(days=days))
    assert may_be_one(first, second) is suggested
    assert may_be_one(second, first) is suggested


@pytest.mark.parametrize(("days", "suggested"), [(0, True), (60, True), (366, False), (-1, False)])
def test_a_notice_of_terminations_may_follow_an_earlier_proposal(days: int, *, suggested: bool) -> None:
    notice = Filed(termination_notice(), ARRIVED + timedelta(days=days))
    earlier = Filed(proposal(employer=termination_notice().employer.model_dump(mode="json")), ARRIVED)
    assert may_follow(notice, earlier) is suggested
    assert not may_follow(earlier, notice)
    assert not may_follow(notice, Filed(proposal(employer=OTHER_EMPLOYER), ARRIVED))


# -- merged


def mailed_twice() -> tuple[Notice, Notice]:
    """Helsinki, and Vantaa by its site; Helsinki, and Espoo by its site, an hour earlier."""
    return filed(proposal(sites=[VANTAA])), filed(proposal(sites=[ESPOO]), ARRIVED - timedelta(hours=1))


def test_merged_notices_have_one_ledger_and_the_cities_hear_where_their_case_continues() -> None:
    kept, absorbed = mailed_twice()
    both = merging.merge(kept, absorbed, LATER, BOOK)
    assert heard(both.kept) == [("espoo", NoticeAssigned), ("helsinki", NoticeAmended), ("vantaa", NoticeAmended)]
    assert heard(both.absorbed) == [("espoo", NoticeMerged), ("helsinki", NoticeMerged)]
    assert [entry.authority for entry in both.kept.notice.active] == ["espoo", "helsinki", "vantaa"]
    gone = both.absorbed.notice
    assert (gone.state, gone.merged_into, gone.merge_added) == (NoticeState.MERGED, kept.notice_id, ("espoo",))
    assert {getattr(event, "into", None) for _, event in both.absorbed.events} == {kept.notice_id}


def test_the_united_ledger_keeps_the_earliest_receipts() -> None:
    kept, absorbed = mailed_twice()
    early, late = ARRIVED + timedelta(minutes=1), ARRIVED + timedelta(minutes=9)
    kept = replace(kept, entries=tuple(one.stored(1, 1, late) for one in kept.entries))
    absorbed = replace(
        absorbed, entries=tuple(one.stored(1, 1, early).acknowledged(one.authority, early) for one in absorbed.entries)
    )
    helsinki = part(merging.merge(kept, absorbed, LATER, BOOK).kept.notice, "helsinki")
    assert (helsinki.stored_at, helsinki.acknowledged_at) == (early, early)
    assert helsinki.awaits_acknowledgement  # what continues, nobody there has acknowledged yet


def test_an_authority_that_the_merge_added_stays_through_revisions() -> None:
    kept, absorbed = mailed_twice()
    merged = merging.merge(kept, absorbed, LATER, BOOK).kept.notice
    revised = lifecycle.revise(merged, proposal(sites=[VANTAA], language="sv"), 1, LATER, BOOK)
    assert ("espoo", NoticeAmended) in heard(revised)


@pytest.mark.parametrize(
    ("other", "code"),
    [(proposal(employer=OTHER_EMPLOYER), "other-employer"), (termination_notice(), "other-kind")],
)
def test_two_employers_or_two_filings_are_never_one(other: Filing, code: str) -> None:
    kept = filed(proposal(employer=termination_notice().employer.model_dump(mode="json")))
    with pytest.raises(RefusedError) as refused:
        merging.merge(kept, filed(other), LATER, BOOK)
    assert refused.value.code == code
    with pytest.raises(RefusedError):
        merging.merge(kept, kept, LATER, BOOK)


def test_a_notice_whose_places_wait_or_that_has_ended_is_not_merged_away() -> None:
    kept, _ = mailed_twice()
    for absorbed in (
        filed(proposal(sites=[{"municipality": "999"}])),
        lifecycle.withdraw(filed(proposal()), LATER).notice,
    ):
        with pytest.raises(ConflictError):
            merging.merge(kept, absorbed, LATER, BOOK)


def test_unmerging_restores_both() -> None:
    kept, absorbed = mailed_twice()
    merged = merging.merge(kept, absorbed, LATER, BOOK)
    both = merging.unmerge(merged.kept.notice, merged.absorbed.notice, "two plants", LATER, BOOK)
    assert heard(both.kept) == [("helsinki", NoticeAmended), ("vantaa", NoticeAmended), ("espoo", NoticeReleased)]
    assert heard(both.absorbed) == [("espoo", NoticeAskedAgain), ("helsinki", NoticeAskedAgain)]
    back = both.absorbed.notice
    assert (back.state, back.merged_into, back.merge_added) == (NoticeState.OPEN, None, ())
    assert {entry.asked_because for entry in back.entries} == {AskedBecause.UNMERGED}
    assert all(entry.awaits_acknowledgement for entry in back.entries)
    with pytest.raises(ConflictError) as refused:
        merging.unmerge(both.kept.notice, back, "again", LATER, BOOK)
    assert refused.value.code == "not-merged"


def test_a_merged_notice_is_unmerged_and_not_reopened() -> None:
    kept, absorbed = mailed_twice()
    gone = merging.merge(kept, absorbed, LATER, BOOK).absorbed.notice
    with pytest.raises(ConflictError) as refused:
        resolution.reopen(gone, "because", LATER, BOOK)
    assert refused.value.code == "merged"


def test_a_revision_of_the_absorbed_notice_becomes_the_next_one_of_both() -> None:
    kept, absorbed = mailed_twice()
    merged = merging.merge(kept, absorbed, LATER, BOOK)
    filing = proposal(sites=[ESPOO | {"affected": 20}])
    both = merging.revise_absorbed(merged.kept.notice, merged.absorbed.notice, filing, LATER, BOOK)
    assert (both.kept.notice.revision, both.kept.notice.filing) == (2, filing)
    assert (both.absorbed.notice.revision, both.absorbed.notice.filing, both.absorbed.events) == (2, filing, ())


# -- linked


def test_a_notice_of_terminations_is_linked_to_a_proposal_of_its_employer_and_nothing_else() -> None:
    notice = filed(termination_notice())
    same = filed(proposal(employer=termination_notice().employer.model_dump(mode="json")))
    assert merging.link(notice, same).notice.relates_to == same.notice_id
    for first, second, code in (
        (same, notice, "not-a-termination-notice"),
        (notice, notice, "not-a-proposal"),
        (notice, filed(proposal(employer=OTHER_EMPLOYER)), "other-employer"),
    ):
        with pytest.raises(RefusedError) as refused:
            merging.link(first, second)
        assert refused.value.code == code


def test_a_link_is_undone_once() -> None:
    notice = filed(termination_notice(relates_to=str(uuid4())))
    assert notice.relates_to is not None
    unlinked = merging.unlink(notice).notice
    assert unlinked.relates_to is None
    with pytest.raises(ConflictError):
        merging.unlink(unlinked)


# -- what is linked and suggested, as the store reads it


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE TABLE notice (notice_id, business_id DEFAULT 'employer', kind, state DEFAULT 'open', outcome,"
            " arrived_at DEFAULT 1, relates_to, merged_into)"
        )
        connection.execute("CREATE TABLE notice_act (notice_id, other_id, act)")
        yield connection


def kept(database: sqlite3.Connection, notice_id: str, kind: str, **values: str) -> None:
    row = {"notice_id": notice_id, "kind": kind} | values
    names = ", ".join(row)
    database.execute(f"INSERT INTO notice ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


def related(database: sqlite3.Connection, notice_id: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in database.execute(_RELATED, {"id": notice_id})]


def test_a_link_follows_either_notice_into_the_one_that_continues(database: sqlite3.Connection) -> None:
    kept(database, "proposal", "negotiation_proposal")
    kept(database, "proposal-gone", "negotiation_proposal", merged_into="proposal")
    kept(database, "notice", "termination_notice")
    kept(database, "notice-gone", "termination_notice", relates_to="proposal-gone", merged_into="notice")
    assert related(database, "notice") == [("notice-gone", "merged"), ("proposal", "proposal")]
    assert related(database, "proposal") == [("notice", "termination_notice"), ("proposal-gone", "merged")]


def test_a_link_to_another_employers_proposal_holds_nothing(database: sqlite3.Connection) -> None:
    kept(database, "proposal", "negotiation_proposal", business_id="other")
    kept(database, "notice", "termination_notice", relates_to="proposal")
    assert related(database, "notice") == related(database, "proposal") == []


@pytest.mark.parametrize(
    ("relates_to", "suggested"), [("nothing", True), ("others", True), ("proposal", False), ("proposal-gone", False)]
)
def test_only_a_link_that_holds_ends_the_suggestion_of_one(
    database: sqlite3.Connection, relates_to: str, *, suggested: bool
) -> None:
    kept(database, "proposal", "negotiation_proposal")
    kept(database, "proposal-gone", "negotiation_proposal", merged_into="proposal", state="merged")
    kept(database, "others", "negotiation_proposal", business_id="other")
    kept(database, "notice", "termination_notice", relates_to=relates_to)
    nothing = dict.fromkeys(("business_id", "after_at", "after_key"))
    pairs = database.execute(_FOLLOWS.replace("SELECT FROM", "SELECT 1 FROM"), nothing | {"limit": 9}).fetchall()
    assert [pair[:2] for pair in pairs] == ([("notice", "proposal")] if suggested else [])
