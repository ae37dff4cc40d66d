"""Joint handling: when, who leads, who is the specialist, and what each office hears of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.change_security import data
from services.change_security.domain import handling as joint
from services.change_security.domain import notice as lifecycle
from services.change_security.domain.agreed import Agreed, read_delegations, read_shares
from services.change_security.domain.handling import Specialist, Staffing
from services.change_security.domain.ledger import EntryState
from services.change_security.domain.notice import Channel, Notice, Receipt, Rulebook
from shared.errors import ConflictError, RefusedError
from shared.events.v1.change_security import (
    Filing,
    Handling,
    HandlingChanged,
    HandlingMode,
    HandlingReason,
    NoticeAmended,
    NoticeAssigned,
)
from shared.events.values import Absence
from tests.support.filings import ARRIVED, proposal

BOOK = Rulebook(data.authorities(), data.rules(), data.agreed())
TODAY = ARRIVED.date()
SMALL: list[dict[str, Any]] = [{"measure": "termination", "personnel_group": "x", "count": 12}]
AGREED = BOOK.agreed.shares_on(TODAY)


def specialist(officer: str, authority: str, **changes: Any) -> Specialist:
    return replace(Specialist(officer, authority, frozenset({"fi", "sv"}), 1.0), **changes)


OFFICERS = (specialist("h-1", "helsinki"), specialist("v-1", "vantaa"), specialist("e-1", "espoo"))


def staffing(*specialists: Specialist, led: dict[str, int] | None = None) -> Staffing:
    return Staffing(specialists, led or {}, AGREED, ARRIVED)


def filing(*municipalities: str, measures: list[dict[str, Any]] | None = None, language: str | None = None) -> Filing:
    return proposal(
        sites=[{"municipality": code} for code in municipalities],
        measures=SMALL if measures is None else measures,
        language=language,
    )


def settled(change: lifecycle.Change, people: Staffing) -> lifecycle.Change:
    notice = change.notice
    handling = joint.staff(joint.decide(notice, BOOK), notice.handling, notice.filing, people)
    return joint.settle(change, handling)


def filed(given: Filing, people: Staffing | None = None) -> lifecycle.Change:
    receipt = Receipt(Channel.HTTP, "system:test", ARRIVED, ARRIVED)
    return settled(lifecycle.file(UUID(int=7), given, receipt, BOOK), people or staffing(*OFFICERS))


def revised(notice: Notice, given: Filing, people: Staffing | None = None) -> lifecycle.Change:
    later = ARRIVED + timedelta(days=1)
    return settled(lifecycle.revise(notice, given, notice.revision, later, BOOK), people or staffing(*OFFICERS))


def handling_of(change: lifecycle.Change) -> Handling:
    assert change.notice.handling is not None
    return change.notice.handling


def modes(notice: Notice) -> dict[str, HandlingMode]:
    return {entry.authority: entry.mode for entry in notice.active}


# -- when


@pytest.mark.parametrize(
    ("given", "mode", "reason"),
    [
        (filing("092"), HandlingMode.JOINT, HandlingReason.SMALLER_AND_SHARED),
        (filing("091"), HandlingMode.OWN, HandlingReason.ONE_AUTHORITY),
        (filing(), HandlingMode.OWN, HandlingReason.ONE_AUTHORITY),
        (
            filing("092", measures=[{"measure": "termination", "personnel_group": "x"}]),
            HandlingMode.OWN,
            HandlingReason.NUMBER_UNKNOWN,
        ),
        (
            filing("092", measures=[{"measure": "layoff", "personnel_group": "x", "count": 50}]),
            HandlingMode.OWN,
            HandlingReason.NOT_SMALLER,
        ),
        (
            filing("092", measures=[{"measure": "layoff", "personnel_group": "x", "count": 49}]),
            HandlingMode.JOINT,
            HandlingReason.SMALLER_AND_SHARED,
        ),
    ],
)
def test_jointly_only_when_two_authorities_and_certainly_below_the_limit(
    given: Filing, mode: HandlingMode, reason: HandlingReason
) -> None:
    handling = handling_of(filed(given))
    assert (handling.mode, handling.reason, handling.limit) == (mode, reason, 50)
    assert handling.limit_to_be_checked


def test_a_revision_decides_anew_and_every_authority_hears_it_with_the_reason() -> None:
    first = filed(filing("092"))
    assert modes(first.notice) == {"helsinki": HandlingMode.JOINT, "vantaa": HandlingMode.JOINT}
    large = revised(first.notice, filing("092", measures=[{"measure": "layoff", "personnel_group": "x", "count": 80}]))
    assert modes(large.notice) == {"helsinki": HandlingMode.OWN, "vantaa": HandlingMode.OWN}
    for _, event in large.events:
        assert isinstance(event, NoticeAmended)
        assert event.handling is not None
        assert (event.handling_mode, event.handling.reason) == (HandlingMode.OWN, HandlingReason.NOT_SMALLER)
    assert large.notice.lead is None
    small = revised(large.notice, filing("092"))
    assert modes(small.notice) == {"helsinki": HandlingMode.JOINT, "vantaa": HandlingMode.JOINT}


def test_an_authority_that_takes_its_part_is_out_of_it_and_the_others_hear_so() -> None:
    notice = filed(filing("092", "049")).notice
    taken = settled(lifecycle.take(notice, "espoo", ARRIVED), staffing(*OFFICERS))
    assert modes(taken.notice) == {
        "espoo": HandlingMode.OWN,
        "helsinki": HandlingMode.JOINT,
        "vantaa": HandlingMode.JOINT,
    }
    assert [(office, type(event)) for office, event in taken.events] == [
        ("espoo", HandlingChanged),
        ("helsinki", HandlingChanged),
        ("vantaa", HandlingChanged),
    ]
    alone = settled(lifecycle.take(taken.notice, "vantaa", ARRIVED), staffing(*OFFICERS))
    assert handling_of(alone).reason is HandlingReason.ONE_AUTHORITY
    assert all(entry.version_sent == alone.notice.version for entry in alone.notice.active)


def test_a_taken_part_stays_its_authoritys_through_revisions() -> None:
    notice = settled(lifecycle.take(filed(filing("092", "049")).notice, "espoo", ARRIVED), staffing(*OFFICERS)).notice
    changed = revised(notice, filing("092", "049"))
    espoo = changed.notice.entry("espoo")
    assert espoo is not None
    assert (espoo.mode, espoo.state) == (HandlingMode.OWN, EntryState.TAKEN_BY)


def test_a_part_that_is_returned_is_handled_jointly_again() -> None:
    notice = settled(lifecycle.take(filed(filing("092")).notice, "vantaa", ARRIVED), staffing(*OFFICERS)).notice
    assert modes(notice) == {"helsinki": HandlingMode.OWN, "vantaa": HandlingMode.OWN}
    returned = settled(lifecycle.give_back(notice, "vantaa"), staffing(*OFFICERS))
    assert modes(returned.notice) == {"helsinki": HandlingMode.JOINT, "vantaa": HandlingMode.JOINT}
    assert sorted(office for office, _ in returned.events) == ["helsinki", "vantaa"]
    vantaa = returned.notice.entry("vantaa")
    assert vantaa is not None
    assert (vantaa.state, vantaa.acknowledged_at) == (EntryState.ACKNOWLEDGED, ARRIVED)
    assert lifecycle.give_back(returned.notice, "vantaa").events == ()


# -- who


def test_the_lead_is_whose_turn_it_is_by_the_agreed_shares_and_the_choice_has_its_numbers() -> None:
    handling = handling_of(filed(filing("092"), staffing(*OFFICERS, led={"helsinki": 6, "vantaa": 1, "espoo": 3})))
    assert handling.lead is not None
    assert (handling.lead.authority, handling.lead.by) == ("vantaa", "rule")
    assert (handling.lead.agreed_percent, handling.lead.actual_percent) == (25.0, 10.0)
    assert handling.specialist is not None
    assert (handling.specialist.authority, handling.specialist.officer) == ("vantaa", "v-1")
    assert "25 %" in joint.choice_explained(handling.lead).text.en


def test_a_specialist_knows_the_employers_language_is_present_and_has_the_least_open() -> None:
    people = staffing(
        specialist("busy", "vantaa", open=4),
        specialist("finnish only", "vantaa", languages=frozenset({"fi"})),
        specialist("absent", "vantaa", absences=(Absence(since=TODAY, until=TODAY),)),
        specialist("left", "vantaa", person_years=0.0),
        specialist("elsewhere", "espoo"),
        specialist("chosen", "vantaa", open=1),
    )
    handling = handling_of(filed(filing("092", language="sv"), people))
    assert handling.specialist is not None
    assert (handling.specialist.officer, handling.specialist.open) == ("chosen", 1)


def test_without_a_specialist_there_is_a_lead_and_one_is_named_when_somebody_can_be() -> None:
    notice = filed(filing("092"), staffing()).notice
    assert (notice.lead, notice.specialist) == ("helsinki", None)
    unchanged = joint.renew(notice, joint.staff(joint.decide(notice, BOOK), notice.handling, notice.filing, staffing()))
    assert (unchanged.notice, unchanged.events) == (notice, ())
    people = staffing(*OFFICERS)
    named = joint.renew(notice, joint.staff(joint.decide(notice, BOOK), notice.handling, notice.filing, people))
    assert (named.notice.specialist, named.notice.version) == ("h-1", notice.version + 1)
    assert [office for office, _ in named.events] == ["helsinki", "vantaa"]


def test_lead_and_specialist_stay_while_they_can_and_are_chosen_anew_when_released_or_absent() -> None:
    notice = filed(filing("092", "049")).notice
    assert (notice.lead, notice.specialist) == ("helsinki", "h-1")
    stays = revised(notice, filing("092", "049"), staffing(*OFFICERS, led={"helsinki": 50}))
    assert handling_of(stays).lead == handling_of(filed(filing("092", "049"))).lead
    absent = specialist("h-1", "helsinki", absences=(Absence(since=TODAY, until=TODAY + timedelta(days=9)),))
    deputy = revised(notice, filing("092", "049"), staffing(absent, specialist("h-2", "helsinki"), OFFICERS[1]))
    assert (deputy.notice.lead, deputy.notice.specialist) == ("helsinki", "h-2")
    moved = proposal(
        employer={"business_id": "2077474-0", "domicile": "092"},
        sites=[{"municipality": "049"}],
        measures=SMALL,
    )
    released = revised(notice, moved)
    assert (released.notice.lead, released.notice.specialist) == ("espoo", "e-1")


def test_a_coordinator_names_lead_and_specialist_with_a_reason_and_the_choice_stays() -> None:
    notice = filed(filing("092", "049")).notice
    led = joint.name_lead(notice, "vantaa", "knows the employer", "officer:c", staffing(*OFFICERS))
    assert (led.notice.lead, led.notice.specialist) == ("vantaa", "v-1")
    assert {office for office, _ in led.events} == {"espoo", "helsinki", "vantaa"}
    lead = handling_of(led).lead
    assert lead is not None
    assert (lead.by, lead.reason) == ("officer:c", "knows the employer")
    named = joint.name_specialist(led.notice, "e-1", "speaks Estonian", "officer:c", staffing(*OFFICERS))
    assert (named.notice.lead, named.notice.specialist) == ("vantaa", "e-1")
    later = revised(named.notice, filing("092", "049"))
    assert (later.notice.lead, later.notice.specialist) == ("vantaa", "e-1")


def test_a_coordinator_cannot_name_whom_the_matter_does_not_have() -> None:
    notice = filed(filing("092")).notice
    acts: dict[str, Callable[[], object]] = {
        "not-in-the-matter": lambda: joint.name_lead(notice, "espoo", "a test", "officer:c", staffing(*OFFICERS)),
        "not-listed": lambda: joint.name_specialist(notice, "e-1", "a test", "officer:c", staffing(*OFFICERS)),
    }
    for code, act in acts.items():
        with pytest.raises(RefusedError) as refused:
            act()
        assert refused.value.code == code
    own = filed(filing("091")).notice
    with pytest.raises(ConflictError) as conflict:
        joint.name_lead(own, "helsinki", "a test", "officer:c", staffing(*OFFICERS))
    assert conflict.value.code == "not-joint"
    ended = lifecycle.withdraw(notice, ARRIVED).notice
    with pytest.raises(ConflictError):
        joint.name_lead(ended, "vantaa", "a test", "officer:c", staffing(*OFFICERS))


def test_the_handling_goes_with_the_first_message() -> None:
    for _, event in filed(filing("092")).events:
        assert isinstance(event, NoticeAssigned)
        assert event.handling is not None
        assert event.handling.lead is not None
        assert event.handling_mode is HandlingMode.JOINT


# -- what is agreed


def test_the_shipped_shares_are_dated_with_source_and_certainty() -> None:
    assert AGREED == {"helsinki": 50, "espoo": 25, "vantaa": 25}
    assert all(share.source and share.certainty == "unverified" for share in BOOK.agreed.shares)
    assert BOOK.agreed.delegations == ()


def test_a_later_row_replaces_an_earlier_one_and_a_row_without_its_source_is_refused() -> None:
    header = "authority,share,valid_from,valid_to,certainty,source"
    rows = [
        header,
        "vantaa,25,2025-01-01,,read,a",
        "vantaa,30,2026-01-01,,read,b",
        "espoo,20,2025-01-01,2025-12-31,read,a",
    ]
    agreed = Agreed(read_shares(rows))
    assert agreed.shares_on(date(2025, 6, 1)) == {"espoo": 20, "vantaa": 25}
    assert agreed.shares_on(date(2026, 6, 1)) == {"vantaa": 30}
    with pytest.raises(ValueError, match="source"):
        read_shares([header, "vantaa,25,2025-01-01,,read,"])
    with pytest.raises(ValueError, match="certainty"):
        read_delegations(
            ["competent_authority,acting_authority,valid_from,valid_to,certainty,source", "a,b,2025-01-01,,sure,x"]
        )
