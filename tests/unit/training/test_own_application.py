"""What a city decides of its own people's applications."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.training.authority.tables import OwnApplicationRow, OwnOfferRow
from services.training.domain import own_application as lifecycle
from services.training.domain.own_application import ApplicationForm, OwnOfferState
from shared.errors import ConflictError, RefusedError
from shared.events.v1.training import ApplicationState, Course, CourseKind, Criterion, Labels, SeatAnswer

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
CITIES = frozenset({"helsinki", "espoo", "vantaa"})
FORM = ApplicationForm(
    applicant_id="own-1",
    course_id=UUID(int=2),
    assessment={"need": 30},
    languages=("fi",),
    municipality="092",
    travel=("091", "092"),
    can_start_from=date(2027, 1, 1),
)
COURSE = Course(
    kind=CourseKind.REKRY,
    title=Labels(fi="Kokki"),
    criteria=(Criterion(code="need", label=Labels(fi="Tarve"), points=60),),
)


def application(state: str = "waiting", moved_to: str | None = None) -> OwnApplicationRow:
    return OwnApplicationRow(
        application_id=UUID(int=1),
        applicant_id=FORM.applicant_id,
        course_id=FORM.course_id,
        application=lifecycle.assess(FORM, COURSE, "opaque", NOW),
        assessment=FORM.assessment,
        state=ApplicationState(state),
        version=1,
        reason="",
        moved_to=moved_to,
        received_by="officer:test",
        received_at=NOW,
    )


def offer(state: str = "open", answer_by: datetime = NOW + timedelta(hours=1)) -> OwnOfferRow:
    return OwnOfferRow(
        offer_id=UUID(int=3),
        application_id=UUID(int=1),
        group_id=UUID(int=4),
        starts_on=date(2027, 2, 1),
        answer_by=answer_by,
        reason="by points",
        state=OwnOfferState(state),
    )


def test_an_assessed_application_carries_points_and_a_reference_and_never_the_applicants_id() -> None:
    assessed = lifecycle.assess(FORM, COURSE, "opaque", NOW)
    assert (assessed.reference, assessed.points, assessed.queued_at) == ("opaque", 50, NOW)
    assert assessed.travel == ("092", "091")
    assert FORM.applicant_id not in assessed.model_dump_json()


def test_queue_time_is_when_it_came_on_paper_and_never_in_the_future() -> None:
    paper = FORM.model_copy(update={"queued_at": NOW - timedelta(days=3)})
    assert lifecycle.assess(paper, COURSE, "opaque", NOW).queued_at == NOW - timedelta(days=3)
    ahead = FORM.model_copy(update={"queued_at": NOW + timedelta(days=3)})
    assert lifecycle.assess(ahead, COURSE, "opaque", NOW).queued_at == NOW


def test_an_application_is_withdrawn_once() -> None:
    withdrawal = lifecycle.withdraw(application(), "vantaa")
    assert withdrawal is not None
    assert (withdrawal.event.application_id, withdrawal.event.office) == (UUID(int=1), "vantaa")
    assert lifecycle.withdraw(application("withdrawn"), "vantaa") is None


@pytest.mark.parametrize(("state", "moved_to"), [("completed", None), ("declined", None), ("waiting", "espoo")])
def test_what_has_ended_or_moved_is_neither_withdrawn_nor_moved(state: str, moved_to: str | None) -> None:
    with pytest.raises(ConflictError) as refused:
        lifecycle.withdraw(application(state, moved_to), "vantaa")
    assert refused.value.code == "invalid-state"
    with pytest.raises(ConflictError):
        lifecycle.transfer(application(state, moved_to), "vantaa", "helsinki", CITIES)


def test_an_application_moves_once_to_another_city_of_the_region() -> None:
    transfer = lifecycle.transfer(application(), "vantaa", "espoo", CITIES)
    assert transfer is not None
    assert (transfer.to_office, transfer.event.office, transfer.event.to_office) == ("espoo", "vantaa", "espoo")
    assert lifecycle.transfer(application(moved_to="espoo"), "vantaa", "espoo", CITIES) is None
    for place in ("vantaa", "turku"):
        with pytest.raises(RefusedError) as refused:
            lifecycle.transfer(application(), "vantaa", place, CITIES)
        assert (refused.value.pointer, refused.value.code) == ("/to_office", "no-other-city")


@pytest.mark.parametrize(("is_accepted", "given"), [(True, SeatAnswer.ACCEPTED), (False, SeatAnswer.DECLINED)])
def test_an_offer_is_answered_once(given: SeatAnswer, *, is_accepted: bool) -> None:
    answer = lifecycle.answer(offer(), "vantaa", NOW, is_accepted=is_accepted)
    assert answer is not None
    assert (answer.state, answer.event.answer, answer.event.answered_at) == (OwnOfferState(given), given, NOW)
    assert lifecycle.answer(offer(given), "vantaa", NOW, is_accepted=is_accepted) is None
    with pytest.raises(ConflictError) as refused:
        lifecycle.answer(offer(given), "vantaa", NOW, is_accepted=not is_accepted)
    assert refused.value.code == "invalid-state"


@pytest.mark.parametrize("state", ["expired", "closed"])
def test_an_offer_that_is_over_is_not_answered(state: str) -> None:
    with pytest.raises(ConflictError):
        lifecycle.answer(offer(state), "vantaa", NOW, is_accepted=True)


def test_the_deadline_itself_is_in_time_and_the_next_moment_is_not() -> None:
    assert lifecycle.answer(offer(answer_by=NOW), "vantaa", NOW, is_accepted=True) is not None
    late = NOW + timedelta(microseconds=1)
    with pytest.raises(ConflictError):
        lifecycle.answer(offer(answer_by=NOW), "vantaa", late, is_accepted=True)
    expired = lifecycle.expire(offer(answer_by=NOW), "vantaa", late)
    assert (expired.state, expired.event.answer) == (OwnOfferState.EXPIRED, SeatAnswer.EXPIRED)
