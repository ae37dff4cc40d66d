"""Routing, the lifecycle of a notice, and the ledger."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.change_security import data
from services.change_security.domain import notice as lifecycle
from services.change_security.domain.ledger import Awaited, Entry, EntryState, Standing
from services.change_security.domain.notice import Channel, Notice, NoticeState, Receipt, Rulebook, arrival
from services.change_security.domain.routing import Unrouted, route
from services.change_security.joint.lists_store import _LATE, _READY_TO_CLOSE
from services.change_security.joint.store import DUE
from shared.errors import ConflictError, RefusedError, UnknownError
from shared.events.envelope import Event
from shared.events.v1.change_security import (
    DeclineReason,
    Filing,
    HandlingChanged,
    HandlingMode,
    NoticeAmended,
    NoticeAssigned,
    NoticeReleased,
    NoticeWithdrawn,
    Outcome,
    Reason,
    ReasonKind,
)
from tests.support.filings import ARRIVED, proposal
from tests.support.needs import national_classification

BOOK = Rulebook(data.authorities(), data.rules(), data.agreed())
DAY = date(2026, 11, 24)


def receipt() -> Receipt:
    return Receipt(Channel.HTTP, "system:test", ARRIVED, ARRIVED)


def filed(filing: Filing | None = None) -> Notice:
    return lifecycle.file(uuid4(), filing or proposal(), receipt(), BOOK).notice


def heard(change: lifecycle.Change) -> list[tuple[str, type[Event]]]:
    return [(office, type(event)) for office, event in change.events]


# -- routing


def test_each_affected_authority_hears_once_with_every_reason() -> None:
    filing = proposal(
        sites=[{"municipality": "091"}, {"municipality": "049"}, {"municipality": "235"}],
        residences=[{"municipality": "092", "count": 12}, {"municipality": "049", "count": 0}],
    )
    routing = route(filing, DAY, BOOK.authorities)
    reasons = {
        one.authority: [(reason.kind.value, reason.municipality) for reason in one.reasons]
        for one in routing.recipients
    }
    assert reasons == {
        "espoo": [("workplace", "049"), ("workplace", "235")],
        "helsinki": [("domicile", "091"), ("workplace", "091")],
        "vantaa": [("residence", "092")],
    }


def test_kauniainen_belongs_to_the_authority_of_espoo() -> None:
    routing = route(proposal(sites=[{"municipality": "235"}]), DAY, BOOK.authorities)
    assert "espoo" in routing.authorities()


def test_an_unknown_municipality_is_unrouted_and_never_given_to_a_default() -> None:
    routing = route(proposal(sites=[{"municipality": "999"}]), DAY, BOOK.authorities)
    assert routing.authorities() == {"helsinki"}
    assert [(one.municipality, one.why) for one in routing.unrouted] == [("999", "unknown_municipality")]


def test_a_filing_that_names_no_municipality_is_unrouted() -> None:
    filing = proposal(employer={"business_id": "2077474-0"}, sites=[])
    routing = route(filing, DAY, BOOK.authorities)
    assert routing.recipients == ()
    assert [one.why for one in routing.unrouted] == ["no_municipality_given"]


def test_a_municipality_belongs_to_no_authority_before_its_first_day() -> None:
    routing = route(proposal(), date(2024, 12, 31), BOOK.authorities)
    assert routing.recipients == ()


def test_the_national_classification_gives_every_municipality_an_authority() -> None:
    municipalities, authorities = data.read_national(
        national_classification().read_text(encoding="utf-8").splitlines(), date(2025, 1, 1), data.authorities()
    )
    table = BOOK.authorities.with_others(municipalities, authorities)
    assert len(municipalities) == 304
    turku = table.authority_of("853", DAY)
    assert turku is not None
    assert turku.office is None
    assert table.authority_of("049", DAY) == BOOK.authorities.authorities["espoo"]
    filing = proposal(sites=[{"municipality": "853"}, {"municipality": "035"}])
    routing = route(filing, DAY, table)
    assert {one.authority: one.office for one in routing.recipients}[turku.code] is None
    assert [(one.municipality, one.why) for one in routing.unrouted] == [("035", "outside_act")]  # Brändö, Åland


@pytest.mark.parametrize("lines", [["code,name"], ["municipality_code,municipality_fi"]])
def test_a_classification_without_the_needed_columns_is_refused(lines: list[str]) -> None:
    with pytest.raises(ValueError, match="columns are missing"):
        data.read_national(lines, DAY, BOOK.authorities)


# -- the lifecycle


def test_a_revision_that_drops_a_city_and_adds_another_assigns_amends_and_releases() -> None:
    notice = filed(proposal(sites=[{"municipality": "092"}]))
    change = lifecycle.revise(notice, proposal(sites=[{"municipality": "049"}]), 1, ARRIVED, BOOK)
    assert heard(change) == [("espoo", NoticeAssigned), ("helsinki", NoticeAmended), ("vantaa", NoticeReleased)]
    assert change.notice.revision == 2
    assert change.notice.version == 2
    vantaa = change.notice.entry("vantaa")
    assert vantaa is not None
    assert vantaa.state is EntryState.RELEASED


def test_an_authority_that_was_released_is_assigned_again() -> None:
    notice = filed(proposal(sites=[{"municipality": "092"}]))
    without = lifecycle.revise(notice, proposal(sites=[]), 1, ARRIVED, BOOK).notice
    again = lifecycle.revise(without, proposal(sites=[{"municipality": "092"}]), 2, ARRIVED, BOOK)
    assert ("vantaa", NoticeAssigned) in heard(again)


def test_a_revision_must_follow_the_newest_one() -> None:
    notice = lifecycle.revise(filed(), proposal(), 1, ARRIVED, BOOK).notice
    with pytest.raises(ConflictError, match="newest revision is 2"):
        lifecycle.revise(notice, proposal(), 1, ARRIVED, BOOK)


def test_the_time_of_arrival_is_never_moved() -> None:
    notice = filed()
    later = ARRIVED + timedelta(days=3)
    for changed in (
        lifecycle.revise(notice, proposal(), 1, later, BOOK),
        lifecycle.add_authority(notice, "espoo", later, BOOK),
        lifecycle.withdraw(notice, later),
    ):
        assert changed.notice.receipt.arrived_at == ARRIVED


def test_withdrawing_tells_every_active_authority_and_repeating_it_nobody() -> None:
    change = lifecycle.withdraw(filed(), ARRIVED)
    assert heard(change) == [(city, NoticeWithdrawn) for city in ("espoo", "helsinki", "vantaa")]
    assert lifecycle.withdraw(change.notice, ARRIVED).events == ()


def test_a_notice_that_has_ended_changes_no_more() -> None:
    ended = lifecycle.close(filed(), Outcome.NO_TERMINATIONS, ARRIVED).notice
    assert ended.state is NoticeState.CLOSED
    acts: tuple[Callable[[], lifecycle.Change], ...] = (
        lambda: lifecycle.revise(ended, proposal(), 1, ARRIVED, BOOK),
        lambda: lifecycle.withdraw(ended, ARRIVED),
        lambda: lifecycle.close(ended, Outcome.TERMINATIONS, ARRIVED),
        lambda: lifecycle.add_authority(ended, "espoo", ARRIVED, BOOK),
    )
    for act in acts:
        with pytest.raises(ConflictError):
            act()


def test_an_authority_added_by_hand_stays_through_revisions() -> None:
    notice = filed(proposal(sites=[]))
    added = lifecycle.add_authority(notice, "vantaa", ARRIVED, BOOK).notice
    revised = lifecycle.revise(added, proposal(sites=[]), 1, ARRIVED, BOOK).notice
    entry = revised.entry("vantaa")
    assert entry is not None
    assert entry.reasons == (Reason(kind=ReasonKind.MANUAL),)


def test_a_city_that_registered_a_notice_not_its_own_is_told_so_and_its_receipt_awaited() -> None:
    change = lifecycle.file(uuid4(), proposal(sites=[]), receipt(), BOOK, registered_by="vantaa")
    assert ("vantaa", NoticeReleased) in heard(change)
    entry = change.notice.entry("vantaa")
    assert entry is not None
    assert not entry.is_confirmed_stored
    assert entry.stored(1, 1, ARRIVED).is_confirmed_stored


def test_taking_the_own_part_tells_its_office_and_repeating_it_nobody() -> None:
    change = lifecycle.take(filed(), "espoo", ARRIVED)
    espoo, vantaa = change.notice.entry("espoo"), change.notice.entry("vantaa")
    assert espoo is not None
    assert vantaa is not None
    assert (espoo.acting_authority, espoo.state, espoo.acknowledged_by) == ("espoo", EntryState.TAKEN_BY, "espoo")
    assert vantaa.state is EntryState.SENT
    assert heard(change) == [("espoo", HandlingChanged)]
    assert lifecycle.take(change.notice, "espoo", ARRIVED).events == ()
    assert lifecycle.take(change.notice, "turku", ARRIVED).events == ()


@given(st.lists(st.sampled_from(["091", "092", "049", "235"]), max_size=4), st.integers(1, 4))
def test_versions_only_grow_and_every_active_entry_is_told_the_newest(places: list[str], times: int) -> None:
    notice = filed()
    for _ in range(times):
        sites = [{"municipality": place} for place in places]
        change = lifecycle.revise(notice, proposal(sites=sites), notice.revision, ARRIVED, BOOK)
        assert change.notice.version == notice.version + 1
        assert all(entry.version_sent == change.notice.version for entry in change.notice.active)
        notice = change.notice


def test_an_authority_that_nobody_knows_cannot_be_added() -> None:
    with pytest.raises(UnknownError, match="authority"):
        lifecycle.add_authority(filed(), "atlantis", ARRIVED, BOOK)


def test_only_an_authority_outside_the_region_is_acknowledged_for() -> None:
    notice = filed()
    outside = replace(
        entry(),
        authority="turku",
        acting_authority="turku",
        office=None,
        mode=HandlingMode.EXTERNAL,
        version_sent=3,
    )
    change = lifecycle.acknowledge_outside(replace(notice, entries=(*notice.entries, outside)), "turku", ARRIVED)
    confirmed = change.notice.entry("turku")
    assert confirmed is not None
    assert (confirmed.state, confirmed.is_confirmed_stored) == (EntryState.ACKNOWLEDGED, True)
    assert change.events == ()
    for authority in ("vantaa", "oulu"):
        with pytest.raises(UnknownError):
            lifecycle.acknowledge_outside(notice, authority, ARRIVED)


@pytest.mark.parametrize(("by_officer", "days"), [(True, 1), (False, -1)])
def test_an_arrival_in_the_future_or_given_by_a_system_is_refused(*, by_officer: bool, days: int) -> None:
    with pytest.raises(RefusedError) as refused:
        arrival(ARRIVED + timedelta(days=days), ARRIVED, by_officer=by_officer)
    assert (refused.value.pointer, refused.value.code) == ("/arrived_at", "wrong-arrival")


def test_an_officer_gives_an_earlier_arrival() -> None:
    earlier = ARRIVED - timedelta(days=1)
    assert arrival(earlier, ARRIVED, by_officer=True) == earlier
    assert arrival(None, ARRIVED, by_officer=False) == ARRIVED


# -- the ledger


def entry() -> Entry:
    return entry_of(filed())


def entry_of(notice: Notice) -> Entry:
    found = notice.entry("vantaa")
    assert found is not None
    return found


def test_a_state_only_moves_forward_whatever_the_order_of_receipts() -> None:
    at = ARRIVED
    steps: tuple[Callable[[Entry], Entry], ...] = (
        lambda one: one.stored(1, 1, at),
        lambda one: one.acknowledged("vantaa", at),
        lambda one: one.stored(1, 1, at),
    )
    ends = set()
    for order in permutations(steps):
        one = entry()
        for step in order:
            one = step(one)
        ends.add((one.state, one.is_confirmed_stored))
    assert ends == {(EntryState.ACKNOWLEDGED, True)}


def test_an_older_receipt_arriving_late_changes_nothing() -> None:
    newest = entry().stored(3, 2, ARRIVED)
    assert newest.stored(2, 1, ARRIVED + timedelta(hours=1)) == newest


def test_a_receipt_is_overdue_after_its_deadline_and_not_before() -> None:
    one = entry()
    assert one.overdue(one.store_by) is None
    assert one.overdue(one.store_by + timedelta(seconds=1)) == "stored"
    stored = one.stored(1, 1, ARRIVED)
    assert stored.overdue(one.acknowledge_by) is None
    assert stored.overdue(one.acknowledge_by + timedelta(seconds=1)) == "acknowledged"
    assert stored.acknowledged("vantaa", ARRIVED).overdue(datetime.max.replace(tzinfo=UTC)) is None


def test_what_is_late_is_escalated_once_for_each_receipt() -> None:
    late = datetime.max.replace(tzinfo=UTC)
    first = entry().escalate(late)
    assert first is not None
    escalated, event = first
    assert (event.awaiting, event.due_at, event.authority) == ("stored", entry().store_by, "vantaa")
    assert escalated.escalate(late) is None
    second = escalated.stored(1, 1, ARRIVED).escalate(late)
    assert second is not None
    assert (second[1].awaiting, second[1].due_at) == ("acknowledged", entry().acknowledge_by)
    assert entry().escalate(ARRIVED) is None


def test_a_new_deadline_of_a_store_that_is_down_is_escalated_again() -> None:
    late = ARRIVED + timedelta(days=1)
    notice = filed()
    first = entry_of(notice).escalate(late)
    assert first is not None
    notice = replace(notice, entries=tuple(first[0] if one.authority == "vantaa" else one for one in notice.entries))
    part = entry_of(lifecycle.revise(notice, proposal(), 1, late, BOOK).notice)
    assert part.escalate(part.store_by) is None
    again = part.escalate(part.store_by + timedelta(seconds=1))
    assert again is not None
    assert (again[1].awaiting, again[1].due_at) == ("stored", part.store_by)


@given(
    st.sampled_from(NoticeState),
    st.sampled_from(EntryState),
    st.sampled_from((None, "vantaa")),
    st.integers(0, 2),
    st.integers(-1, 1),
    st.integers(-1, 1),
    st.sampled_from((None, "stored", "acknowledged")),
)
def test_the_sweep_selects_what_it_changes_and_the_list_says_the_same(
    notice_state: NoticeState,
    state: EntryState,
    office: str | None,
    version_stored: int,
    store_by: int,
    acknowledge_by: int,
    escalated: Awaited | None,
) -> None:
    part = replace(
        entry(),
        state=state,
        office=office,
        version_sent=2,
        version_stored=version_stored,
        store_by=ARRIVED + timedelta(hours=store_by),
        acknowledge_by=ARRIVED + timedelta(hours=acknowledge_by),
        escalated=escalated,
    )
    is_open = notice_state is NoticeState.OPEN
    assert _holds(DUE, part, notice_state) == (is_open and part.escalate(ARRIVED) is not None)
    late = f"ledger_entry.state <> 'released' AND {_LATE}"
    assert _holds(late, part, notice_state) == (part.overdue(ARRIVED, is_open=is_open) is not None)


def _holds(condition: str, part: Entry, notice_state: NoticeState) -> bool:
    """Evaluate a condition on a part and its notice, as a database does."""
    values = {
        name: value.isoformat() if isinstance(value := getattr(part, name), datetime) else value
        for name in ("state", "office", "version_sent", "version_stored", "store_by", "acknowledge_by", "escalated")
    }
    with closing(sqlite3.connect(":memory:")) as database:
        (found,) = database.execute(
            f"SELECT count(*) FROM (SELECT {', '.join(f':{name} AS {name}' for name in values)}) AS ledger_entry,"
            f" (SELECT :notice_state AS state) AS notice WHERE {condition}",
            values | {"notice_state": notice_state, "now": ARRIVED.isoformat()},
        ).fetchone()
    return bool(found)


@given(
    st.sampled_from(NoticeState),
    st.lists(
        st.tuples(st.sampled_from(EntryState), st.sampled_from((None, "vantaa")), st.sampled_from((None, *Outcome))),
        max_size=3,
    ),
    st.sampled_from(((), (Unrouted(ReasonKind.WORKPLACE, "999", "unknown_municipality"),))),
)
def test_a_notice_whose_parts_are_all_closed_is_listed_for_a_coordinator(
    state: NoticeState, parts: list[tuple[EntryState, str | None, Outcome | None]], places: tuple[Unrouted, ...]
) -> None:
    entries = tuple(
        replace(entry(), state=part, office=office, case_outcome=outcome) for part, office, outcome in parts
    )
    notice = replace(filed(), state=state, entries=entries, unrouted=places)
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE notice AS SELECT 1 AS notice_id, ? AS state", (state,))
        database.execute("CREATE TABLE ledger_entry (notice_id, state, office, case_outcome)")
        database.executemany("INSERT INTO ledger_entry VALUES (1, ?, ?, ?)", parts)
        database.execute("CREATE TABLE unrouted AS SELECT 1 AS notice_id, ? AS resolved_at", (None if places else 1,))
        (found,) = database.execute(f"SELECT count(*) FROM notice WHERE {_READY_TO_CLOSE}").fetchone()
    assert bool(found) == notice.is_ready_to_close
    if notice.is_ready_to_close:
        standing = {part.standing(is_ready_to_close=True) for part in notice.active}
        assert standing == {Standing.COORDINATOR}


def test_a_notice_is_ready_to_close_when_its_last_part_is_closed() -> None:
    notice = filed()
    for city in ("espoo", "helsinki", "vantaa"):
        assert not notice.is_ready_to_close
        closed = tuple(
            part.case_closed(Outcome.TERMINATIONS, ARRIVED, city) if part.authority == city else part
            for part in notice.entries
        )
        notice = replace(notice, entries=closed)
    assert notice.is_ready_to_close
    assert not lifecycle.close(notice, Outcome.TERMINATIONS, ARRIVED).notice.is_ready_to_close


def test_a_declined_part_waits_for_a_coordinator_not_for_the_authority() -> None:
    declined = entry().stored(1, 1, ARRIVED).not_ours(DeclineReason.NO_SITE_HERE, ARRIVED)
    assert declined.state is EntryState.NOT_OURS
    assert declined.overdue(datetime.max.replace(tzinfo=UTC)) is None


def test_ids_derived_from_the_same_event_are_the_same() -> None:
    from shared.events.envelope import derived_id

    assert derived_id("file", UUID(int=1)) == derived_id("file", UUID(int=1))
    assert derived_id("file", UUID(int=1)) != derived_id("file", UUID(int=2))
