"""What a city's API says and takes, beside courses, groups and the application form."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.training.authority.tables import OwnApplicationRow, OwnOfferRow
from services.training.domain.own_application import OwnOfferState
from shared.events.v1.training import Application, ApplicationState, InvitationAnswer


class OwnOfferOut(BaseModel):
    """A seat offer to one of the city's own people."""

    model_config = ConfigDict(from_attributes=True)

    offer_id: UUID
    group_id: UUID
    starts_on: date
    answer_by: datetime
    reason: str
    state: OwnOfferState


class OwnApplicationOut(BaseModel):
    """An application as the applicant's own city sees it."""

    application_id: UUID
    applicant_id: str | None = Field(description="Null until an officer has entered whose it is, after a transfer.")
    course_id: UUID
    application: Application
    assessment: dict[str, int]
    state: ApplicationState
    group_id: UUID | None
    reason: str
    moved_to: str | None
    position: int | None = Field(description="In the joint queue, from 1, as last told; null when it does not wait.")
    estimated_start: date | None = Field(description="An estimate by the written rule, no promise.")
    place_as_of: datetime | None
    offers: list[OwnOfferOut]

    @classmethod
    def of(cls, application: OwnApplicationRow, offers: Iterable[OwnOfferRow]) -> "OwnApplicationOut":
        """Show an application with its own among the offers."""
        waits = application.state is ApplicationState.WAITING and application.moved_to is None
        return cls(
            application_id=application.application_id,
            applicant_id=application.applicant_id,
            course_id=application.course_id,
            application=application.application,
            assessment=application.assessment,
            state=application.state,
            group_id=application.group_id,
            reason=application.reason,
            moved_to=application.moved_to,
            position=application.position if waits else None,
            estimated_start=application.estimated_start if waits else None,
            place_as_of=application.place_as_of if waits else None,
            offers=[
                OwnOfferOut.model_validate(offer)
                for offer in offers
                if offer.application_id == application.application_id
            ],
        )


class SeatAnswerIn(BaseModel):
    """The applicant's answer."""

    model_config = ConfigDict(extra="forbid")

    accepted: bool


class MoveIn(BaseModel):
    """The city that the applicant has moved to."""

    model_config = ConfigDict(extra="forbid")

    to_office: str


class ApplicantIn(BaseModel):
    """Whose application it is, by the city's own key."""

    model_config = ConfigDict(extra="forbid")

    applicant_id: str = Field(min_length=1, max_length=100)


class InvitationOut(BaseModel):
    """An invitation to one of the city's own people, by the reference that its jobseeker pool gave."""

    model_config = ConfigDict(from_attributes=True)

    invitation_id: UUID
    group_id: UUID
    course_id: UUID
    reference: str
    invited_at: datetime
    answer: InvitationAnswer | None = Field(description="Null until an officer has entered what came of it.")
    answered_at: datetime | None
    answered_by: str | None


class InvitationAnswerIn(BaseModel):
    """What came of an invitation. It may be changed."""

    model_config = ConfigDict(extra="forbid")

    answer: InvitationAnswer
