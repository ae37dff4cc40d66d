"""Who takes part in a group: own staff beside applicants, and how many training days each has attended."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.training.domain.procurement import Proposal, ProposalState
from shared.errors import ConflictError, RefusedError
from shared.events.v1.training import CourseKind, Group, GroupState

OUTSIDE: Final = "outside"
"""The home authority of who lives outside the region."""


class Participant(BaseModel):
    """Own staff of an employer who take part in a TäsmäKoulutus: a number of people, or one by an opaque reference."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    authority: str = Field(max_length=40, description="The home authority; `outside` for the rest of the country.")
    people: int = Field(default=1, ge=1, le=200)
    reference: str | None = Field(
        default=None,
        max_length=60,
        pattern=r"^[A-Za-z0-9._-]*[0-9][A-Za-z0-9._-]*$",
        description="The employer's own, with a digit in it: no name.",
    )


class Attended(BaseModel):
    """How many training days the holder of a seat has attended so far: an accepted seat offer, or own staff."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    holder_id: UUID = Field(description="The seat offer's id, or the participant's.")
    days: int = Field(ge=0, le=1000, description="Of each of them.")


def check_participant(
    participant: Participant, proposal: Proposal, state: ProposalState, taken: int, authorities: AbstractSet[str]
) -> None:
    """Check that own staff may take part. `taken`: seats of the proposal that participants have already.

    Raises:
        RefusedError: the authority is unknown, or a reference is of more than one.
        ConflictError: the proposal is for no own staff, is rejected, or has not so many seats left.
    """
    if participant.authority not in authorities | {OUTSIDE}:
        raise RefusedError("/authority", "unknown-authority", "There is no such authority in the region.")
    if participant.reference is not None and participant.people != 1:
        raise RefusedError("/people", "one-by-reference", "A reference is of one person.")
    if proposal.kind is not CourseKind.TASMA:
        raise ConflictError("not-own-staff", "Only a TäsmäKoulutus is for the employer's own staff.")
    if state is ProposalState.REJECTED:
        raise ConflictError("invalid-state", f"The proposal is {state}.")
    if taken + participant.people > proposal.seats:
        raise ConflictError("no-free-seat", f"The proposal has {proposal.seats} seats; {taken} are taken.")


def check_removal(removed_at: datetime | None, days: int) -> None:
    """Check that own staff can be taken out again. `days`: training days that they have attended.

    Raises:
        ConflictError: they are out already; or they have attended: who leaves then drops out, and has used the seat.
    """
    if removed_at is not None:
        raise ConflictError("removed", "They do not take part any more.")
    if days > 0:
        raise ConflictError("attended", "They have attended training days: enter that they dropped out.")


def check_drop_out(state: GroupState | None, removed_at: datetime | None, dropped_out_at: datetime | None) -> None:
    """Check that own staff can leave a group that has begun. `state`: the group's; None before it is planned.

    Raises:
        ConflictError: they do not take part any more, or the group is not running.
    """
    if removed_at is not None or dropped_out_at is not None:
        raise ConflictError("removed", "They do not take part any more.")
    if state is not GroupState.RUNNING:
        raise ConflictError("invalid-state", "The group is not running.")


def check_return(state: GroupState, dropped_out_at: datetime | None) -> None:
    """Check that a drop-out of own staff can be taken back.

    Raises:
        ConflictError: they have not dropped out, or the group is not running.
    """
    if dropped_out_at is None:
        raise ConflictError("not-dropped-out", "They have not dropped out.")
    if state is not GroupState.RUNNING:
        raise ConflictError("invalid-state", f"The group is {state}.")


def check_attendance(attended: Sequence[Attended], holders: AbstractSet[UUID], state: GroupState, group: Group) -> None:
    """Check what is entered of a group's attendance.

    Raises:
        ConflictError: the group has not begun.
        RefusedError: somebody holds no seat of the group, or has attended more days than the group lasts.
    """
    if state not in {GroupState.RUNNING, GroupState.COMPLETED}:
        raise ConflictError("invalid-state", f"The group is {state}.")
    lasts = _days(group.starts_on, group.ends_on)
    for number, one in enumerate(attended):
        if one.holder_id not in holders:
            raise RefusedError(f"/attended/{number}/holder_id", "no-seat", "That is no taken seat of the group.")
        if one.days > lasts:
            raise RefusedError(f"/attended/{number}/days", "too-many-days", f"The group lasts {lasts} days.")


def _days(first: date, last: date) -> int:
    return (last - first).days + 1
