"""Own staff in a TäsmäKoulutus, attendance, and dropping out."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import ValidationError

from services.training.domain import seats
from services.training.domain.attendance import Attended, Participant, check_attendance, check_participant
from services.training.domain.procurement import Proposal, ProposalState, Size
from services.training.domain.seats import Actor, SeatOfferState
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
