"""The groups: who is listed, when minutes are written and approved, at which meeting a group decides."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from services.advisory.domain.governance import (
    MeetingState,
    NewMember,
    check_decided_at,
    check_member,
    check_minutes,
    check_minutes_approval,
    check_open,
)
from shared.errors import ConflictError, ForbiddenError, RefusedError
from shared.events.v1.agreement import Group

TODAY = date(2026, 11, 25)
CITIES = frozenset({"helsinki", "espoo", "vantaa"})


@dataclass
class Meeting:
    group_name: Group = Group.MANAGEMENT
    held_on: date = TODAY
    state: MeetingState = MeetingState.CALLED
    minutes_by: str | None = None


def test_nobody_lists_themselves_and_a_term_ends_after_it_begins() -> None:
    member = NewMember(group=Group.MANAGEMENT, subject="m-1", authority="espoo", since=TODAY)
    check_member(member, CITIES, "officer:c-1")
    with pytest.raises(ForbiddenError):
        check_member(member, CITIES, "officer:m-1")
    for change in ({"authority": "turku"}, {"until": date(2026, 11, 24)}):
        with pytest.raises(RefusedError):
            check_member(member.model_copy(update=change), CITIES, "officer:c-1")


def test_a_group_decides_at_its_own_meeting_that_was_held() -> None:
    check_decided_at(Meeting(), Group.MANAGEMENT, TODAY)
    check_decided_at(Meeting(state=MeetingState.MINUTES_WRITTEN), Group.MANAGEMENT, TODAY)
    for meeting, code in (
        (Meeting(group_name=Group.COORDINATION), "other-group"),
        (Meeting(held_on=date(2026, 11, 26)), "not-held-yet"),
        (Meeting(state=MeetingState.CANCELLED), "invalid-state"),
        (Meeting(state=MeetingState.MINUTES_APPROVED), "invalid-state"),
    ):
        with pytest.raises(ConflictError) as refused:
            check_decided_at(meeting, Group.MANAGEMENT, TODAY)
        assert refused.value.code == code


def test_minutes_are_approved_by_another_member_than_the_one_who_wrote_them() -> None:
    written = Meeting(state=MeetingState.MINUTES_WRITTEN, minutes_by="officer:m-1")
    check_minutes_approval(written, "officer:m-2", is_member=True)
    for by, is_member in (("officer:m-1", True), ("officer:m-2", False)):
        with pytest.raises(ForbiddenError):
            check_minutes_approval(written, by, is_member=is_member)
    with pytest.raises(ConflictError):
        check_minutes_approval(Meeting(), "officer:m-2", is_member=True)


def test_minutes_are_written_anew_until_they_are_approved() -> None:
    for state in (MeetingState.CALLED, MeetingState.MINUTES_WRITTEN):
        check_minutes(Meeting(state=state), TODAY)
    for meeting in (
        Meeting(state=MeetingState.MINUTES_APPROVED),
        Meeting(state=MeetingState.CANCELLED),
        Meeting(held_on=date(2026, 11, 26)),
    ):
        with pytest.raises(ConflictError):
            check_minutes(meeting, TODAY)


def test_the_agenda_is_open_until_the_minutes_are_written() -> None:
    check_open(Meeting())
    for state in set(MeetingState) - {MeetingState.CALLED}:
        with pytest.raises(ConflictError):
            check_open(replace(Meeting(), state=state))
