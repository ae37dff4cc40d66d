"""A city's own API: its people's applications, their answers to seat offers, invitations, and the catalogue's copy.

All of it works with the joint office down: what is entered here is sent when Kafka takes it.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status

from services.training.authority import models
from services.training.authority.commands import CityApplications
from services.training.authority.store import OwnApplications
from services.training.authority.tables import OwnApplicationRow
from services.training.catalogue import Catalogue
from services.training.domain.own_application import ApplicationForm
from services.training.models import CourseOut, GroupOut
from shared.errors import UnknownError
from shared.events.v1.training import ApplicationState, CourseKind
from shared.http.auth import Caller, OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.messaging.transaction import Transaction

router = APIRouter(prefix="/v1", route_class=IdempotentRoute)
TheApplications = Annotated[CityApplications, Depends(part(CityApplications))]


@router.get("/courses", tags=["catalogue"])
async def list_courses(
    _: Caller, tx: ReadTx, kind: CourseKind | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Page[CourseOut]:
    """List the catalogue, as far as it has come here."""
    courses = await Catalogue(tx).courses(kind, read_single_cursor(cursor, UUID), limit)
    return Page.of(courses, limit, lambda course: (course.course_id,), CourseOut.of)


@router.get("/groups", tags=["catalogue"])
async def list_groups(
    _: Caller,
    tx: ReadTx,
    course_id: UUID | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[GroupOut]:
    """List groups, ordered by start date."""
    groups = await Catalogue(tx).groups(course_id, None, read_cursor(cursor, date.fromisoformat, UUID), limit)
    return Page.of(groups, limit, lambda group: (group.group.starts_on, group.group_id), GroupOut.of)


@router.post("/applications", status_code=status.HTTP_201_CREATED, tags=["applications"])
async def apply(
    response: Response, who: OwnOfficer, body: ApplicationForm, applications: TheApplications, tx: WriteTx
) -> models.OwnApplicationOut:
    """Enter an application, assessed by the course's criteria."""
    application = await applications.apply(tx, body, who.actor)
    response.headers["Location"] = f"/v1/applications/{application.application_id}"
    return models.OwnApplicationOut.of(application, ())


@router.get("/applications", tags=["applications"])
async def list_applications(
    _: OwnOfficer,
    tx: ReadTx,
    state: ApplicationState | None = None,
    identified: Annotated[
        bool | None, Query(description="Whether it is known whose it is; false: it came from another city.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[models.OwnApplicationOut]:
    """List the own people's applications."""
    own = OwnApplications(tx)
    applications = await own.page(state, read_single_cursor(cursor, UUID), limit, is_identified=identified)
    return Page.of(
        applications, limit, lambda application: (application.application_id,), await _with_offers(tx, applications)
    )


@router.get("/applications/{application_id}", response_model=models.OwnApplicationOut, tags=["applications"])
async def read_application(request: Request, _: OwnOfficer, application_id: UUID, tx: ReadTx) -> Response:
    """Read an application with its seat offers."""
    application = await OwnApplications(tx).get(application_id)
    if application is None:
        raise UnknownError("application")
    return tagged(request, await _shown(tx, application))


@router.post("/applications/{application_id}/withdrawal", tags=["applications"])
async def withdraw(
    _: OwnOfficer, application_id: UUID, applications: TheApplications, tx: WriteTx
) -> models.OwnApplicationOut:
    """Withdraw an application; its seat goes on. Repeating it changes nothing."""
    return await _shown(tx, await applications.withdraw(tx, application_id))


@router.post("/offers/{offer_id}/answer", tags=["applications"])
async def answer(
    _: OwnOfficer, offer_id: UUID, body: models.SeatAnswerIn, applications: TheApplications, tx: WriteTx
) -> models.OwnOfferOut:
    """Enter the applicant's answer to a seat offer. 409 after the deadline, or against an earlier answer."""
    offer = await applications.answer(tx, offer_id, is_accepted=body.accepted)
    return models.OwnOfferOut.model_validate(offer)


@router.post("/applications/{application_id}/move", tags=["applications"])
async def move(
    _: OwnOfficer, application_id: UUID, body: models.MoveIn, applications: TheApplications, tx: WriteTx
) -> models.OwnApplicationOut:
    """Enter that the applicant has moved: the application goes on in the other city, with its place and its seat."""
    return await _shown(tx, await applications.move(tx, application_id, body.to_office))


@router.put("/applications/{application_id}/applicant", tags=["applications"])
async def identify(
    _: OwnOfficer, application_id: UUID, body: models.ApplicantIn, applications: TheApplications, tx: WriteTx
) -> models.OwnApplicationOut:
    """Enter whose application it is that came from another city; the applicant tells its id."""
    return await _shown(tx, await applications.identify(tx, application_id, body.applicant_id))


@router.get("/invitations", tags=["invitations"])
async def list_invitations(
    _: OwnOfficer,
    tx: ReadTx,
    answered: Annotated[bool | None, Query(description="Whether somebody has entered what came of it.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[models.InvitationOut]:
    """List invitations of the own jobseekers, by the pool's opaque reference, newest first."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    invitations = await OwnApplications(tx).invitations(after, limit, is_answered=answered)
    return Page.of(
        invitations,
        limit,
        lambda invitation: (invitation.invited_at, invitation.invitation_id),
        models.InvitationOut.model_validate,
    )


@router.post("/invitations/{invitation_id}/answer", tags=["invitations"])
async def answer_invitation(
    who: OwnOfficer, invitation_id: UUID, body: models.InvitationAnswerIn, applications: TheApplications, tx: WriteTx
) -> models.InvitationOut:
    """Enter what came of an invitation; the joint office learns it. The answer may be changed."""
    invitation = await applications.answer_invitation(tx, invitation_id, body.answer, who.actor)
    return models.InvitationOut.model_validate(invitation)


async def _shown(tx: Transaction, application: OwnApplicationRow) -> models.OwnApplicationOut:
    return (await _with_offers(tx, [application]))(application)


async def _with_offers(
    tx: Transaction, applications: Sequence[OwnApplicationRow]
) -> Callable[[OwnApplicationRow], models.OwnApplicationOut]:
    offers = await OwnApplications(tx).offers(application.application_id for application in applications)
    return lambda application: models.OwnApplicationOut.of(application, offers)
