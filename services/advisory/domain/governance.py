"""The groups that decide: members with terms, meetings with an agenda and minutes."""

from datetime import date
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from pydantic import Field

from shared.errors import ConflictError, ForbiddenError, RefusedError
from shared.events.envelope import Part
from shared.events.v1.agreement import Group
from shared.events.values import Day


class NewMember(Part):
    """A member of a group: the issuer's opaque id of an officer, for a term. No name."""

    group: Group
    subject: str = Field(min_length=1, max_length=100)
    authority: str = Field(max_length=50)
    since: Day
    until: Day | None = Field(default=None, description="The last day; None: until ended.")


class AgendaItem(Part):
    """What is on the agenda of a meeting."""

    title: str = Field(min_length=3, max_length=200, description="Write no personal data.")
    decision_id: UUID | None = None


class NewMeeting(Part):
    """A meeting that is called."""

    group: Group
    held_on: Day
    agenda: tuple[AgendaItem, ...] = Field(default=(), max_length=50)


class MeetingState(StrEnum):
    """Where a meeting stands: called, its minutes written, approved; or cancelled."""

    CALLED = "called"
    MINUTES_WRITTEN = "minutes_written"
    MINUTES_APPROVED = "minutes_approved"
    CANCELLED = "cancelled"


class Meeting(Protocol):
    """What of a meeting is looked at."""

    group_name: Group
    held_on: date
    state: MeetingState
    minutes_by: str | None


def check_member(member: NewMember, authorities: frozenset[str], by: str) -> None:
    """Check a member who is listed.

    Raises:
        ForbiddenError: nobody lists themselves.
        RefusedError: the authority is unknown, or the term ends before it begins.
    """
    if by == f"officer:{member.subject}":
        raise ForbiddenError("own-membership", "Another officer lists a member.")
    if member.authority not in authorities:
        raise RefusedError("/authority", "no-such-authority", "Unknown authority.")
    if member.until is not None and member.until < member.since:
        raise RefusedError("/until", "before-since", "The last day is before the first.")


def must_be_member(*, is_member: bool) -> None:
    """Let a member of the group act whose term runs.

    Raises:
        ForbiddenError: `not-a-member`.
    """
    if not is_member:
        raise ForbiddenError("not-a-member", "Only a member of the group whose term runs may do this.")


def must_be_of_group(meeting: Meeting, group: Group) -> None:
    """Let a group act at a meeting of its own.

    Raises:
        ConflictError: `other-group`.
    """
    if meeting.group_name is not group:
        raise ConflictError("other-group", "The meeting is another group's.")


def check_decided_at(meeting: Meeting, group: Group, today: date) -> None:
    """Let a group decide at a meeting of its own that is being held or was held.

    Raises:
        ConflictError: it is another group's, was cancelled, lies ahead, or its minutes are approved.
    """
    must_be_of_group(meeting, group)
    if meeting.held_on > today:
        raise ConflictError("not-held-yet", "The meeting lies ahead.")
    if meeting.state in {MeetingState.CANCELLED, MeetingState.MINUTES_APPROVED}:
        raise ConflictError("invalid-state", f"The meeting is {meeting.state}.")


def check_open(meeting: Meeting) -> None:
    """Let the agenda of a meeting be changed, or the meeting be cancelled, before its minutes are written.

    Raises:
        ConflictError: `invalid-state`.
    """
    if meeting.state is not MeetingState.CALLED:
        raise ConflictError("invalid-state", f"The meeting is {meeting.state}.")


def check_minutes(meeting: Meeting, today: date) -> None:
    """Let minutes be written, or written anew, of a meeting that was held, until they are approved.

    Raises:
        ConflictError: `invalid-state`, `not-held-yet`.
    """
    if meeting.state not in {MeetingState.CALLED, MeetingState.MINUTES_WRITTEN}:
        raise ConflictError("invalid-state", f"The meeting is {meeting.state}.")
    if meeting.held_on > today:
        raise ConflictError("not-held-yet", "The meeting lies ahead.")


def check_minutes_approval(meeting: Meeting, by: str, *, is_member: bool) -> None:
    """Let minutes be approved by a member who has not written them.

    Raises:
        ConflictError: there are no minutes to approve.
        ForbiddenError: `not-a-member`, `own-minutes`.
    """
    if meeting.state is not MeetingState.MINUTES_WRITTEN:
        raise ConflictError("invalid-state", f"The meeting is {meeting.state}.")
    must_be_member(is_member=is_member)
    if by == meeting.minutes_by:
        raise ForbiddenError("own-minutes", "Whoever wrote the minutes cannot approve them.")
