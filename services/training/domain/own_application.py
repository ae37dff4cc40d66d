"""An application in the applicant's own city: how it is made, and what may be done with it and with its seat offers."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.training.domain.course import points
from services.training.domain.seats import STANDING
from shared.errors import ConflictError, RefusedError
from shared.events.v1.change_security import MunicipalityCode
from shared.events.v1.training import (
    Application,
    ApplicationState,
    ApplicationTransferred,
    ApplicationWithdrawn,
    Course,
    SeatAnswer,
    SeatAnswered,
)


class OwnOfferState(StrEnum):
    """What became of a seat offer, in the applicant's own city. `closed`: the joint office has ended it."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    CLOSED = "closed"


class ApplicationForm(BaseModel):
    """An application of one of the city's own people.

    `applicant_id` is the city's own key, no personal identity code.
    """

    model_config = ConfigDict(extra="forbid")

    applicant_id: str = Field(min_length=1, max_length=100)
    course_id: UUID
    assessment: dict[str, int] = Field(default={}, max_length=20, description="Points by criterion of the course.")
    languages: tuple[str, ...] = Field(min_length=1, max_length=20)
    municipality: MunicipalityCode
    travel: tuple[MunicipalityCode, ...] = Field(default=(), max_length=30, description="Beside the own municipality.")
    can_start_from: date
    queued_at: AwareDatetime | None = Field(default=None, description="When it came in on paper; now, if not given.")


class OwnApplication(Protocol):
    """What of an application the decisions below look at."""

    application_id: UUID
    state: ApplicationState
    moved_to: str | None


class OwnOffer(Protocol):
    """What of a seat offer the decisions below look at."""

    offer_id: UUID
    application_id: UUID
    state: OwnOfferState
    answer_by: datetime


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An application becomes withdrawn; the joint office is told."""

    event: ApplicationWithdrawn


@dataclass(frozen=True, slots=True)
class Transfer:
    """An application goes on in another city; the joint office is told."""

    to_office: str
    event: ApplicationTransferred


@dataclass(frozen=True, slots=True)
class Answer:
    """A seat offer is answered, or has expired; the joint office is told."""

    state: OwnOfferState
    event: SeatAnswered


def assess(form: ApplicationForm, course: Course, reference: str, now: datetime) -> Application:
    """Return a form as the joint office may see it: with points by the course's criteria, and an opaque reference.

    Raises:
        RefusedError: the assessment does not follow the criteria.
    """
    return Application(
        reference=reference,
        points=points(course, form.assessment),
        queued_at=min(form.queued_at or now, now),
        languages=form.languages,
        municipality=form.municipality,
        travel=tuple(dict.fromkeys((form.municipality, *form.travel))),
        can_start_from=form.can_start_from,
    )


def withdraw(application: OwnApplication, office: str) -> Withdrawal | None:
    """Withdraw an application; None when it is withdrawn already.

    Raises:
        ConflictError: it has ended, or goes on in another city.
    """
    if application.state is ApplicationState.WITHDRAWN:
        return None
    _check_open(application)
    return Withdrawal(ApplicationWithdrawn(application_id=application.application_id, office=office))


def is_superseded(application: OwnApplication, state: ApplicationState, *, has_another: bool) -> bool:
    """Whether a decision that lets an ended application stand again comes too late: the applicant has another one.

    The newer one stands, so that an applicant has one application to a course.
    """
    return has_another and state in STANDING and application.state not in STANDING


def transfer(application: OwnApplication, office: str, to_office: str, cities: AbstractSet[str]) -> Transfer | None:
    """Let an application go on in the city that the applicant has moved to; None when it does already.

    Raises:
        RefusedError: there is no such other city.
        ConflictError: the application has ended, or goes on in another city.
    """
    if to_office not in cities - {office}:
        raise RefusedError("/to_office", "no-other-city", "There is no such other city.")
    if application.moved_to == to_office:
        return None
    _check_open(application)
    event = ApplicationTransferred(application_id=application.application_id, office=office, to_office=to_office)
    return Transfer(to_office, event)


def answer(offer: OwnOffer, office: str, now: datetime, *, is_accepted: bool) -> Answer | None:
    """Answer a seat offer; None when the answer is the one that was given already.

    Raises:
        ConflictError: the deadline is over, or the offer is answered otherwise or closed.
    """
    given = SeatAnswer.ACCEPTED if is_accepted else SeatAnswer.DECLINED
    if offer.state == OwnOfferState(given):
        return None
    if offer.state is not OwnOfferState.OPEN or offer.answer_by < now:
        raise ConflictError("invalid-state", "The offer is answered or over.")
    return _answered(offer, office, given, now)


def expire(offer: OwnOffer, office: str, now: datetime) -> Answer:
    """Close a seat offer whose deadline has gone."""
    return _answered(offer, office, SeatAnswer.EXPIRED, now)


def _answered(offer: OwnOffer, office: str, given: SeatAnswer, now: datetime) -> Answer:
    event = SeatAnswered(
        application_id=offer.application_id, office=office, offer_id=offer.offer_id, answer=given, answered_at=now
    )
    return Answer(OwnOfferState(given), event)


def _check_open(application: OwnApplication) -> None:
    if application.state not in STANDING or application.moved_to is not None:
        raise ConflictError("invalid-state", f"The application is {application.state}, or has moved.")
