"""No dead end: what a coordinator decides, who is asked again, and who must act on each part."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.change_security import data
from services.change_security.domain import notice as lifecycle
from services.change_security.domain import resolution
from services.change_security.domain.handling import decide
from services.change_security.domain.ledger import Entry, EntryState, Standing
from services.change_security.domain.notice import Change, Channel, Notice, NoticeState, Receipt, Rulebook
from services.change_security.domain.routing import part_of, route
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import Event
from shared.events.v1.change_security import (
    AskedBecause,
    DeclineReason,
    Filing,
    HandlingMode,
    NoticeAmended,
    NoticeAskedAgain,
    NoticeAssigned,
    NoticeReleased,
    Outcome,
)
from tests.support.filings import ARRIVED, proposal

BOOK = Rulebook(data.authorities(), data.rules())
LATER = ARRIVED + timedelta(days=1)
EVER = datetime.max.replace(tzinfo=UTC)
DAY = date(2026, 11, 24)
VANTAA = {"municipality": "092", "affected": 50}
ESPOO = {"municipality": "049", "affected": 14}


def filed(filing: Filing | None = None, **changes: Any) -> Notice:
    receipt = Receipt(Channel.HTTP, "system:test", ARRIVED, ARRIVED)
    return lifecycle.file(uuid4(), filing or proposal(**changes), receipt, BOOK).notice


def heard(change: Change) -> list[tuple[str, type[Event]]]:
    return [(office, type(event)) for office, event in change.events]


def part(notice: Notice, authority: str) -> Entry:
    entry = notice.entry(authority)
    assert entry is not None
    return entry


def answered(notice: Notice, authority: str, answer: Callable[[Entry], Entry]) -> Notice:
    return replace(notice, entries=tuple(answer(one) if one.authority == authority else one for one in notice.entries))


def declined(notice: Notice, authority: str) -> Notice:
    return answered(notice, authority, lambda one: one.not_ours(DeclineReason.NO_SITE_HERE, ARRIVED))


def acknowledged(notice: Notice, authority: str) -> Notice:
    version, revision = notice.version, notice.revision
    return answered(
        notice,
        authority,
        lambda one: one.stored(version, revision, ARRIVED).acknowledged(
            authority, ARRIVED, version=version, revision=revision
        ),
    )


def two_cities() -> Notice:
    return filed(sites=[VANTAA])  # Helsinki by its domicile, Vantaa by its site


# -- a declined part


def test_a_released_authority_hears_so_and_its_part_is_finished() -> None:
    change = resolution.release(declined(two_cities(), "vantaa"), "vantaa", LATER)
    assert heard(change) == [("vantaa", NoticeReleased)]
    vantaa = part(change.notice, "vantaa")
    assert (vantaa.state, vantaa.standing()) == (EntryState.RELEASED, Standing.FINISHED)
    assert change.notice.version == 2


def test_an_authority_released_by_hand_stays_so_until_a_revision_changes_what_is_its_own() -> None:
    notice = resolution.release(two_cities(), "vantaa", LATER).notice
    elsewhere = proposal(sites=[VANTAA], employer={"business_id": "2077474-0", "domicile": "091", "name": "Uusi Oy"})
    same = lifecycle.revise(notice, elsewhere, 1, LATER, BOOK)
    assert "vantaa" not in {office for office, _ in same.events}
    changed = lifecycle.revise(same.notice, proposal(sites=[VANTAA | {"affected": 51}]), 2, LATER, BOOK)
    assert ("vantaa", NoticeAssigned) in heard(changed)
    assert changed.notice.excluded == ()


def test_a_coordinator_adds_again_whom_one_has_released() -> None:
    notice = resolution.release(two_cities(), "vantaa", LATER).notice
    again = lifecycle.add_authority(notice, "vantaa", LATER, BOOK)
    assert ("vantaa", NoticeAssigned) in heard(again)
    assert part(again.notice, "vantaa").awaits_acknowledgement


def test_nobody_is_released_who_alone_has_the_notice() -> None:
    notice = filed(sites=[])
    with pytest.raises(ConflictError) as refused:
        resolution.release(notice, "helsinki", LATER)
    assert refused.value.code == "last-authority"


def test_a_coordinator_insists_and_the_authority_must_answer_anew() -> None:
    before = declined(two_cities(), "vantaa")
    change = resolution.insist(before, "vantaa", "the site is in Vantaa", LATER, BOOK)
    ((office, event),) = change.events
    assert isinstance(event, NoticeAskedAgain)
    assert (office, event.reason, event.asked_because) == ("vantaa", "the site is in Vantaa", AskedBecause.INSISTED)
    assert (event.version, event.asked_version) == (2, 2)
    vantaa = part(change.notice, "vantaa")
    assert (vantaa.state, vantaa.decline_reason, vantaa.awaits_acknowledgement) == (EntryState.SENT, None, True)
    assert vantaa.acknowledge_by > part(before, "vantaa").acknowledge_by
    late = vantaa.not_ours(DeclineReason.OTHER, LATER, version=1, revision=1)
    assert late == vantaa  # an answer to the earlier question
    again = vantaa.not_ours(DeclineReason.OTHER, LATER, version=2, revision=1)
    assert again.standing() is Standing.COORDINATOR


@pytest.mark.parametrize(("authority", "error"), [("helsinki", ConflictError), ("espoo", UnknownError)])
def test_only_who_has_declined_is_insisted_on(authority: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        resolution.insist(two_cities(), authority, "because", LATER, BOOK)


# -- a revision asks again


@pytest.mark.parametrize("answer", [acknowledged, declined])
def test_a_revision_that_changes_its_numbers_asks_an_authority_again(answer: Callable[[Notice, str], Notice]) -> None:
    before = answer(answer(two_cities(), "vantaa"), "helsinki")
    change = lifecycle.revise(before, proposal(sites=[VANTAA | {"affected": 20}]), 1, LATER, BOOK)
    vantaa, helsinki = part(change.notice, "vantaa"), part(change.notice, "helsinki")
    assert vantaa.awaits_acknowledgement
    assert (vantaa.revision_asked, vantaa.asked_because) == (2, AskedBecause.REVISED)
    assert helsinki.state is part(before, "helsinki").state
    assert helsinki.revision_asked == 1
    events = dict(change.events)
    assert isinstance(events["vantaa"], NoticeAmended)
    assert isinstance(events["helsinki"], NoticeAmended)
    assert (events["vantaa"].asked_version, events["helsinki"].asked_version) == (2, 1)


def test_an_acknowledgement_is_of_a_revision_and_stays_on_record() -> None:
    before = acknowledged(two_cities(), "vantaa")
    notice = lifecycle.revise(before, proposal(sites=[VANTAA | {"affected": 20}]), 1, LATER, BOOK).notice
    vantaa = part(notice, "vantaa")
    assert (vantaa.acknowledged_revision, vantaa.acknowledged_at) == (1, ARRIVED)
    crossing = vantaa.acknowledged("vantaa", LATER, version=1, revision=1)
    assert crossing.awaits_acknowledgement
    done = crossing.stored(2, 2, LATER).acknowledged("vantaa", LATER, version=2, revision=2)
    assert (done.state, done.acknowledged_revision, done.acknowledged_at) == (EntryState.ACKNOWLEDGED, 2, ARRIVED)


def test_a_city_that_registers_a_revision_itself_has_taken_notice_of_it() -> None:
    before = acknowledged(two_cities(), "vantaa")
    filing = proposal(sites=[VANTAA | {"affected": 20}])
    vantaa = part(lifecycle.revise(before, filing, 1, LATER, BOOK, registered_by="vantaa").notice, "vantaa")
    assert (vantaa.state, vantaa.acknowledged_revision, vantaa.revision_asked) == (EntryState.ACKNOWLEDGED, 2, 1)
    unanswered = lifecycle.revise(two_cities(), filing, 1, LATER, BOOK, registered_by="vantaa").notice
    assert part(unanswered, "vantaa").awaits_acknowledgement


def test_a_part_taken_out_of_joint_handling_is_asked_again_and_stays_out_of_it() -> None:
    taken = lifecycle.take(two_cities(), "vantaa", ARRIVED, version=1, revision=1).notice
    assert part(taken, "vantaa").state is EntryState.TAKEN_BY
    notice = lifecycle.revise(taken, proposal(sites=[VANTAA | {"affected": 20}]), 1, LATER, BOOK).notice
    vantaa = part(notice, "vantaa")
    assert (vantaa.awaits_acknowledgement, vantaa.is_taken) == (True, True)
    assert "vantaa" not in decide(notice, BOOK).authorities
    done = vantaa.acknowledged("vantaa", LATER, version=3, revision=2)
    assert done.state is EntryState.TAKEN_BY
    returned = part(lifecycle.give_back(notice, "vantaa").notice, "vantaa")
    assert (returned.awaits_acknowledgement, returned.is_taken) == (True, False)


def test_a_taking_that_crosses_a_newer_question_does_not_answer_it() -> None:
    notice = lifecycle.revise(two_cities(), proposal(sites=[VANTAA | {"affected": 20}]), 1, LATER, BOOK).notice
    vantaa = part(lifecycle.take(notice, "vantaa", LATER, version=1, revision=1).notice, "vantaa")
    assert (vantaa.awaits_acknowledgement, vantaa.is_taken, vantaa.acknowledged_revision) == (True, True, 1)


@pytest.mark.parametrize(
    ("changes", "touched"),
    [
        ({"sites": [VANTAA, ESPOO | {"affected": 15}]}, {"espoo"}),
        ({"sites": [ESPOO, VANTAA]}, set()),
        ({"sites": [VANTAA, ESPOO], "language": "sv"}, set()),
        ({"sites": [VANTAA]}, {"espoo"}),
        ({"sites": [VANTAA, ESPOO], "residences": [{"municipality": "092", "count": 3}]}, {"vantaa"}),
        ({"sites": [VANTAA, ESPOO], "measures": [{"measure": "layoff", "count": 9}]}, {"helsinki"}),
        ({"sites": [VANTAA, {"municipality": "049"}]}, {"espoo"}),
    ],
)
def test_what_of_a_filing_is_an_authoritys_own(changes: dict[str, Any], touched: set[str]) -> None:
    before, after = proposal(sites=[VANTAA, ESPOO]), proposal(**changes)
    assert {
        authority
        for authority in ("espoo", "helsinki", "vantaa")
        if part_of(before, authority, DAY, BOOK.authorities) != part_of(after, authority, DAY, BOOK.authorities)
    } == touched


def test_a_site_where_nobody_is_affected_routes_nowhere() -> None:
    filing = proposal(sites=[{"municipality": "092", "affected": 0}, {"municipality": "049"}])
    assert route(filing, DAY, BOOK.authorities).authorities() == {"espoo", "helsinki"}


def test_whom_a_coordinator_has_released_is_assigned_again_when_nobody_else_is_left() -> None:
    notice = resolution.release(two_cities(), "helsinki", LATER).notice
    change = lifecycle.revise(notice, proposal(sites=[]), 1, LATER, BOOK)
    assert heard(change) == [("helsinki", NoticeAssigned), ("vantaa", NoticeReleased)]


# -- unrouted places


def unrouted() -> Notice:
    return filed(sites=[{"municipality": "999"}])


def test_a_dismissed_place_stays_out_of_the_queue_and_can_be_put_back() -> None:
    notice = unrouted()
    (place,) = notice.unrouted
    dismissed = resolution.dismiss(notice, place).notice
    assert (dismissed.unrouted, dismissed.settled) == ((), (place,))
    revised = lifecycle.revise(dismissed, proposal(sites=[{"municipality": "999"}], language="sv"), 1, LATER, BOOK)
    assert revised.notice.unrouted == ()
    back = resolution.restore(revised.notice, place).notice
    assert (back.unrouted, back.settled) == ((place,), ())
    with pytest.raises(UnknownError):
        resolution.restore(back, place)


def test_a_place_that_is_the_notices_only_one_is_not_dismissed() -> None:
    notice = filed(employer={"business_id": "2077474-0"}, sites=[{"municipality": "999"}])
    with pytest.raises(ConflictError) as refused:
        resolution.dismiss(notice, notice.unrouted[0])
    assert refused.value.code == "last-authority"


def test_a_place_assigned_by_hand_does_not_come_back_with_a_revision() -> None:
    notice = lifecycle.add_authority(unrouted(), "vantaa", LATER, BOOK, municipality="999").notice
    assert notice.unrouted == ()
    revised = lifecycle.revise(notice, proposal(sites=[{"municipality": "999"}], language="sv"), 1, LATER, BOOK)
    assert revised.notice.unrouted == ()


def test_a_dismissed_place_waits_again_when_nobody_else_has_the_notice() -> None:
    notice = unrouted()
    dismissed = resolution.dismiss(notice, notice.unrouted[0]).notice
    filing = proposal(sites=[{"municipality": "999"}], employer={"business_id": "2077474-0"})
    change = lifecycle.revise(dismissed, filing, 1, LATER, BOOK)
    assert heard(change) == [("helsinki", NoticeReleased)]
    assert [place.municipality for place in change.notice.unrouted] == ["999"]


# -- opened again


@pytest.mark.parametrize(
    "end",
    [lambda one: lifecycle.withdraw(one, LATER), lambda one: lifecycle.close(one, Outcome.NO_TERMINATIONS, LATER)],
)
def test_what_ended_by_mistake_is_opened_again_and_must_be_acknowledged_again(end: Callable[[Notice], Change]) -> None:
    ended = end(acknowledged(two_cities(), "vantaa")).notice
    change = resolution.reopen(ended, "the employer still negotiates", LATER, BOOK)
    assert (change.notice.state, change.notice.outcome, change.notice.version) == (NoticeState.OPEN, None, 3)
    assert heard(change) == [("helsinki", NoticeAskedAgain), ("vantaa", NoticeAskedAgain)]
    assert all(entry.awaits_acknowledgement for entry in change.notice.entries)
    with pytest.raises(ConflictError):
        resolution.reopen(change.notice, "again", LATER, BOOK)


# -- the ledger tells the truth


def outside(**changes: Any) -> Entry:
    entry = part(two_cities(), "vantaa")
    return replace(
        entry, authority="turku", acting_authority="turku", office=None, mode=HandlingMode.EXTERNAL, **changes
    )


def test_an_authority_outside_the_region_counts_until_it_has_confirmed() -> None:
    entry = outside()
    assert not entry.is_confirmed
    assert entry.overdue(entry.store_by + timedelta(minutes=1)) is None  # no store answers by itself
    assert entry.overdue(entry.acknowledge_by + timedelta(minutes=1)) == "acknowledged"
    assert entry.standing() is Standing.OUTSIDE
    notice = replace(two_cities(), entries=(entry,))
    confirmed = part(lifecycle.acknowledge_outside(notice, "turku", LATER).notice, "turku")
    assert confirmed.is_confirmed
    assert confirmed.resent(2, 2).is_confirmed  # a revision that is not its own needs no new confirmation
    assert entry.released(2, 2, LATER).is_confirmed


@pytest.mark.parametrize("state", list(EntryState))
def test_nothing_is_overdue_after_the_notice_has_ended_or_the_authority_is_released(state: EntryState) -> None:
    entry = replace(part(two_cities(), "vantaa"), state=state)
    assert entry.overdue(EVER, is_open=False) is None
    assert entry.released(2, 1, LATER).overdue(EVER) is None
    assert entry.standing(is_open=False) is Standing.FINISHED


def test_closing_the_own_case_is_an_acknowledgement_unless_it_was_asked_again() -> None:
    entry = part(two_cities(), "vantaa").stored(1, 1, ARRIVED)
    closed = entry.case_closed(Outcome.TERMINATIONS, ARRIVED, "vantaa", version=1, revision=1)
    assert (closed.state, closed.standing(), closed.overdue(EVER)) == (
        EntryState.ACKNOWLEDGED,
        Standing.FINISHED,
        None,
    )
    asked = entry.asked(2, 2, LATER, LATER, AskedBecause.REVISED)
    assert asked.case_closed(Outcome.TERMINATIONS, ARRIVED, "vantaa", version=1, revision=1) == asked


# -- no part without somebody who must act

PLACES = st.lists(
    st.fixed_dictionaries(
        {"municipality": st.sampled_from(["091", "049", "092", "999"]), "affected": st.sampled_from([0, 3, 20])}
    ),
    max_size=3,
)
CITIES = st.sampled_from(["espoo", "helsinki", "vantaa"])
DOMICILE = st.sampled_from([{}, {"domicile": "091"}, {"domicile": "999"}])
FILINGS = st.builds(
    lambda sites, domicile: proposal(sites=sites, employer={"business_id": "2077474-0"} | domicile), PLACES, DOMICILE
)
VERSIONS = st.integers(0, 2)
ACTS: st.SearchStrategy[Callable[[Notice], Notice]] = st.one_of(
    st.builds(lambda filing: lambda one: lifecycle.revise(one, filing, one.revision, LATER, BOOK).notice, FILINGS),
    st.builds(lambda city: lambda one: resolution.release(one, city, LATER).notice, CITIES),
    st.builds(lambda city: lambda one: resolution.insist(one, city, "because", LATER, BOOK).notice, CITIES),
    st.builds(lambda city: lambda one: lifecycle.add_authority(one, city, LATER, BOOK).notice, CITIES),
    st.builds(
        lambda city: lambda one: lifecycle.add_authority(one, city, LATER, BOOK, municipality="999").notice, CITIES
    ),
    st.builds(lambda city: lambda one: lifecycle.take(one, city, LATER).notice, CITIES),
    st.builds(lambda city: lambda one: lifecycle.give_back(one, city).notice, CITIES),
    st.just(lambda one: resolution.dismiss(one, one.unrouted[0]).notice if one.unrouted else one),
    st.just(lambda one: resolution.restore(one, one.settled[0]).notice if one.settled else one),
    st.just(lambda one: lifecycle.withdraw(one, LATER).notice),
    st.just(lambda one: lifecycle.close(one, Outcome.TERMINATIONS, LATER).notice),
    st.just(lambda one: resolution.reopen(one, "because", LATER, BOOK).notice),
    # Answers come late: to the version before, or the one before that.
    st.builds(
        lambda city, behind: (
            lambda one: answered(
                one, city, lambda entry: entry.acknowledged(city, LATER, version=max(one.version - behind, 1))
            )
        ),
        CITIES,
        VERSIONS,
    ),
    st.builds(
        lambda city, behind: (
            lambda one: answered(
                one,
                city,
                lambda entry: entry.not_ours(DeclineReason.OTHER, LATER, version=max(one.version - behind, 1)),
            )
        ),
        CITIES,
        VERSIONS,
    ),
    st.builds(
        lambda city, behind: (
            lambda one: answered(
                one,
                city,
                lambda entry: entry.case_closed(
                    Outcome.TERMINATIONS, LATER, city, version=max(one.version - behind, 1)
                ),
            )
        ),
        CITIES,
        VERSIONS,
    ),
    st.builds(
        lambda city: lambda one: answered(one, city, lambda entry: entry.stored(one.version, one.revision, LATER)),
        CITIES,
    ),
)


@settings(deadline=None, max_examples=300)
@given(FILINGS, st.lists(ACTS, min_size=4, max_size=16))
def test_no_part_is_without_somebody_who_must_act(filing: Filing, acts: list[Callable[[Notice], Notice]]) -> None:
    notice = filed(filing)
    for act in (lambda one: one, *acts):
        try:
            notice = act(notice)
        except (ConflictError, UnknownError):
            continue
        is_open = notice.state is NoticeState.OPEN
        for entry in notice.entries:
            must_act = {
                # As the lists ask: what is overdue, what awaits an officer, what is declined, what a city handles.
                Standing.STORE: entry.version_stored < entry.version_asked and entry.overdue(EVER) is not None,
                Standing.OFFICER: entry.awaits_acknowledgement and entry.overdue(EVER) is not None,
                Standing.OUTSIDE: False,  # the shipped table has none
                Standing.COORDINATOR: entry.state is EntryState.NOT_OURS and entry.declined_at is not None,
                Standing.HANDLING: entry.acknowledged_at is not None and entry.case_outcome is None,
                Standing.FINISHED: not is_open or entry.state is EntryState.RELEASED or entry.case_outcome is not None,
            }
            assert must_act[entry.standing(is_open=is_open)], entry
            if not is_open:
                assert entry.overdue(EVER, is_open=is_open) is None
        if is_open:
            assert notice.active or notice.unrouted, "nobody has the notice"
