"""Own staff in a TäsmäKoulutus, attendance, and dropping out."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import ValidationError

from services.training.domain import seats
from services.training.domain.attendance import (
    Attended,
    Participant,
    check_attendance,
    check_drop_out,
    check_participant,
    check_removal,
    check_return,
)
from services.training.domain.procurement import Proposal, ProposalState, Size
from services.training.domain.seats import Actor, SeatOfferState
from services.training.joint.tables import ParticipantRow
from shared.errors import ConflictError, RefusedError
from shared.events.v1.training import ApplicationState, CourseKind, Group, GroupState, Labels

CITIES = frozenset({"helsinki", "espoo", "vantaa"})
OFFICER = Actor("officer:test", "helsinki")
PROPOSAL = Proposal(
    kind=CourseKind.TASMA,
    title=Labels(fi="Hitsaus"),
    business_id="2077474-0",
    employer_size=Size.LARGE,
    municipality="092",
    seats=10,
    training_days=12,
    price_eur=Decimal("24000.00"),
    starts_on=date(2027, 2, 1),
)
AT = datetime(2027, 2, 3, 8, 0, tzinfo=UTC)
GROUP = Group(seats=10, language="fi", municipality="092", starts_on=date(2027, 2, 1), ends_on=date(2027, 2, 28))


@pytest.mark.parametrize("reference", ["Matti", "Matti Meikäläinen", "matti.meikalainen", "", "12 34"])
def test_own_staff_is_no_name(reference: str) -> None:
    assert Participant(authority="vantaa", reference="tt-104").reference == "tt-104"
    with pytest.raises(ValidationError):
        Participant(authority="vantaa", reference=reference)


def test_own_staff_takes_the_seats_of_its_training_and_no_more() -> None:
    for authority in ("vantaa", "outside"):
        check_participant(Participant(authority=authority, people=4), PROPOSAL, ProposalState.PLANNED, 6, CITIES)
    with pytest.raises(ConflictError) as refused:
        check_participant(Participant(authority="vantaa", people=4), PROPOSAL, ProposalState.PLANNED, 7, CITIES)
    assert refused.value.code == "no-free-seat"


@pytest.mark.parametrize(
    ("participant", "proposal", "state", "code"),
    [
        (Participant(authority="tampere"), PROPOSAL, ProposalState.PROPOSED, "unknown-authority"),
        (
            Participant(authority="vantaa", people=2, reference="7"),
            PROPOSAL,
            ProposalState.PROPOSED,
            "one-by-reference",
        ),
        (
            Participant(authority="vantaa"),
            PROPOSAL.model_copy(update={"kind": CourseKind.REKRY}),
            ProposalState.PROPOSED,
            "not-own-staff",
        ),
        (Participant(authority="vantaa"), PROPOSAL, ProposalState.REJECTED, "invalid-state"),
    ],
)
def test_only_own_staff_of_a_standing_tasmakoulutus_takes_part(
    participant: Participant, proposal: Proposal, state: ProposalState, code: str
) -> None:
    with pytest.raises((ConflictError, RefusedError)) as refused:
        check_participant(participant, proposal, state, 0, CITIES)
    assert getattr(refused.value, "code", None) == code


def test_attendance_is_entered_for_holders_of_seats_once_a_group_has_begun() -> None:
    holders = {UUID(int=1)}
    check_attendance([Attended(holder_id=UUID(int=1), days=28)], holders, GroupState.RUNNING, GROUP)
    with pytest.raises(ConflictError):
        check_attendance([], holders, GroupState.CONFIRMED, GROUP)
    for wrong, pointer in (
        (Attended(holder_id=UUID(int=2), days=1), "/attended/0/holder_id"),
        (Attended(holder_id=UUID(int=1), days=29), "/attended/0/days"),
    ):
        with pytest.raises(RefusedError) as refused:
            check_attendance([wrong], holders, GroupState.COMPLETED, GROUP)
        assert refused.value.pointer == pointer


def test_who_drops_out_of_a_running_group_leaves_the_seat_and_has_used_it() -> None:
    change = seats.dropped_out(GroupState.RUNNING, SeatOfferState.ACCEPTED, OFFICER, "muutti" * 100)
    assert (change.application, change.offer) == (ApplicationState.WITHDRAWN, SeatOfferState.DROPPED_OUT)
    assert len(change.reason) == 300
    assert SeatOfferState.DROPPED_OUT not in seats.KEEPS_SEAT


@pytest.mark.parametrize(
    ("group", "offer"),
    [
        (GroupState.CONFIRMED, SeatOfferState.ACCEPTED),
        (GroupState.RUNNING, SeatOfferState.OPEN),
        (GroupState.RUNNING, SeatOfferState.DROPPED_OUT),
        (GroupState.COMPLETED, SeatOfferState.ACCEPTED),
    ],
)
def test_only_who_has_begun_drops_out(group: GroupState, offer: SeatOfferState) -> None:
    with pytest.raises(ConflictError):
        seats.dropped_out(group, offer, OFFICER, "muutti")


def test_own_staff_who_have_attended_drop_out_and_are_not_removed() -> None:
    check_removal(None, 0)
    for removed_at, days, code in ((AT, 0, "removed"), (None, 1, "attended")):
        with pytest.raises(ConflictError) as refused:
            check_removal(removed_at, days)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("state", "removed_at", "dropped_out_at", "code"),
    [
        (GroupState.RUNNING, AT, None, "removed"),
        (GroupState.RUNNING, None, AT, "removed"),
        (GroupState.CONFIRMED, None, None, "invalid-state"),
        (GroupState.COMPLETED, None, None, "invalid-state"),
        (None, None, None, "invalid-state"),
    ],
)
def test_own_staff_drop_out_once_of_a_running_group(
    state: GroupState | None, removed_at: datetime | None, dropped_out_at: datetime | None, code: str
) -> None:
    check_drop_out(GroupState.RUNNING, None, None)
    with pytest.raises(ConflictError) as refused:
        check_drop_out(state, removed_at, dropped_out_at)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("state", "dropped_out_at", "code"),
    [(GroupState.RUNNING, None, "not-dropped-out"), (GroupState.COMPLETED, AT, "invalid-state")],
)
def test_own_staff_come_back_while_the_group_runs(
    state: GroupState, dropped_out_at: datetime | None, code: str
) -> None:
    check_return(GroupState.RUNNING, AT)
    with pytest.raises(ConflictError) as refused:
        check_return(state, dropped_out_at)
    assert refused.value.code == code


def test_own_staff_who_drop_out_leave_their_seats() -> None:
    participant = Participant(authority="vantaa", people=4)
    row = ParticipantRow(
        participant_id=UUID(int=1),
        proposal_id=UUID(int=2),
        people=4,
        participant=participant,
        added_by="officer:test",
        added_at=AT,
    )
    assert row.seats == 4
    row.dropped_out_at = AT
    assert row.seats == 0
