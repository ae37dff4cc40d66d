"""A city's own API: its people's applications, their answers to seat offers, invitations, and the catalogue's copy.

All of it works with the joint office down: what is entered here is told when Kafka takes it.
"""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Response, status

from services.training.api import models
from services.training.domain.course import AssessmentError, points
from services.training.handlers.authority import tell
from services.training.store import Catalogue, OwnApplications
from shared.events.envelope import derived_id
from shared.events.v1.training import (
    Application,
    ApplicationIdentified,
    ApplicationReceived,
    ApplicationState,
    ApplicationTransferred,
    ApplicationWithdrawn,
    SeatAnswer,
    SeatAnswered,
)
from shared.http import (
    Caller,
    Cursor,
    FieldProblem,
    IdempotencyKey,
    Limit,
    Page,
    ProblemError,
    invalid_request,
    not_found,
    permit_officer,
    read_cursor,
    write_cursor,
)
from shared.identity import Officer
from shared.messaging.transaction import Transaction, Database
from shared.opaque import reference_of
from shared.screening import without_identity_codes
from shared.store import Found

_OPEN = frozenset({ApplicationState.WAITING, ApplicationState.OFFERED, ApplicationState.ACCEPTED})


def router(database: Database, authority: str, cities: frozenset[str], pool_key: bytes) -> APIRouter:
    """Make a city's routes.

    Args:
        database: opens transactions on the city's own database.
        authority: the city's authority.
        cities: the offices that an applicant can move to.
        pool_key: the city's own secret for opaque references.
    """
    routes = APIRouter(prefix="/v1")

    def own_officer(who: Caller) -> Officer:
        return permit_officer(who, frozenset({authority}), "officer", "coordinator")

    Own = Annotated[Officer, Depends(own_officer)]  # noqa: N806 - a type

    @routes.get("/courses", tags=["catalogue"])
    async def list_courses(_: Caller, kind: str | None = None, limit: Limit = 200) -> list[models.CourseOut]:
        """List the catalogue, as far as it has come here."""
        async with database.read() as tx:
            return [models.CourseOut.of(entry) for entry in await Catalogue(tx).courses(kind, None, limit)]

    @routes.get("/groups", tags=["catalogue"])
    async def list_groups(_: Caller, course_id: UUID | None = None) -> list[models.GroupOut]:
        """List groups, those that start first first."""
        async with database.read() as tx:
            return [models.GroupOut.of(held) for held in await Catalogue(tx).groups(course_id)]

    @routes.post(
        "/applications",
        status_code=status.HTTP_201_CREATED,
        tags=["applications"],
        dependencies=[Depends(without_identity_codes)],
    )
    async def apply(
        response: Response, who: Own, told: models.ApplicationIn, key: IdempotencyKey = None
    ) -> models.OwnApplicationOut:
        """Enter an application, assessed by the course's criteria. With a key, repeating it has one effect."""
        application_id = derived_id("application", who.actor, key) if key else uuid4()
        async with database.transaction(derived_id("apply", application_id)) as tx:
            own = OwnApplications(tx)
            entry = await Catalogue(tx).course(told.course_id)
            if entry is None:
                raise not_found("course")
            if key and await own.get(application_id) is not None:
                return await _shown(tx, application_id)
            try:
                earned = points(entry.course, told.assessment)
            except AssessmentError as error:
                fields = [FieldProblem(pointer="/assessment", code="does-not-follow-the-criteria")]
                raise invalid_request(fields) from error
            application = Application(
                reference=reference_of(pool_key, told.applicant_id),
                points=earned,
                queued_at=min(told.queued_at or tx.clock.now(), tx.clock.now()),
                languages=told.languages,
                municipality=told.municipality,
                travel=tuple(dict.fromkeys((told.municipality, *told.travel))),
                can_start_from=told.can_start_from,
            )
            if not await own.receive(
                application_id, told.applicant_id, told.course_id, application, told.assessment, who.actor
            ):
                raise ProblemError(409, "already-applied", "The applicant has an application to this course.")
            tell(
                tx,
                ApplicationReceived(
                    application_id=application_id,
                    office=tx.office,
                    course_id=told.course_id,
                    application=application,
                ),
            )
            response.headers["Location"] = f"/v1/applications/{application_id}"
            return await _shown(tx, application_id)

    @routes.get("/applications", tags=["applications"])
    async def list_applications(
        _: Own,
        state: Annotated[ApplicationState | None, Query()] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[models.OwnApplicationOut]:
        """List the own people's applications."""
        after = UUID(read_cursor(cursor, 1)[0]) if cursor else None
        async with database.read() as tx:
            rows = await OwnApplications(tx).page(state, after, limit)
            found = [
                models.OwnApplicationOut.of(row, await OwnApplications(tx).offers(row.application_id)) for row in rows
            ]
        return Page(items=found, next=write_cursor(rows[-1].application_id) if len(rows) == limit else None)

    @routes.get("/applications/{application_id}", tags=["applications"])
    async def read_application(_: Own, application_id: UUID) -> models.OwnApplicationOut:
        """Read an application with its seat offers."""
        async with database.read() as tx:
            return await _shown(tx, application_id)

    @routes.post("/applications/{application_id}/withdrawal", status_code=204, tags=["applications"])
    async def withdraw(_: Own, application_id: UUID) -> None:
        """Withdraw an application; its seat goes on. Repeating it changes nothing."""
        async with database.transaction(uuid4()) as tx:
            row = await _own(tx, application_id)
            if row.state == ApplicationState.WITHDRAWN:
                return
            _must_be_open(row)
            await OwnApplications(tx).set_state(application_id, ApplicationState.WITHDRAWN)
            tell(tx, ApplicationWithdrawn(application_id=application_id, office=tx.office))

    @routes.put("/offers/{offer_id}/answer", status_code=204, tags=["applications"])
    async def answer(_: Own, offer_id: UUID, told: models.SeatAnswerIn) -> None:
        """Enter the applicant's answer to a seat offer. 409 after the deadline, or against an earlier answer."""
        wanted = SeatAnswer.ACCEPTED if told.accepted else SeatAnswer.DECLINED
        async with database.transaction(uuid4()) as tx:
            offer = await OwnApplications(tx).offer(offer_id)
            if offer is None:
                raise not_found("seat offer")
            if offer.state == wanted:
                return
            now = tx.clock.now()
            if offer.state != "open" or offer.answer_by < now:
                raise ProblemError(409, "not-now", "This cannot be done now.", "The offer is answered or over.")
            await OwnApplications(tx).answer_offer(offer_id, wanted)
            tell(
                tx,
                SeatAnswered(
                    application_id=offer.application_id,
                    office=tx.office,
                    offer_id=offer_id,
                    answer=wanted,
                    answered_at=now,
                ),
            )

    @routes.post("/applications/{application_id}/move", status_code=204, tags=["applications"])
    async def move(_: Own, application_id: UUID, told: models.MoveIn) -> None:
        """Enter that the applicant has moved: the application goes on in the other city, with its place and its seat."""
        if told.to_office not in cities - {authority}:
            raise invalid_request([FieldProblem(pointer="/to_office", code="no-other-city")])
        async with database.transaction(uuid4()) as tx:
            row = await _own(tx, application_id)
            if row.moved_to == told.to_office:
                return
            _must_be_open(row)
            await OwnApplications(tx).moved(application_id, told.to_office)
            tell(
                tx,
                ApplicationTransferred(application_id=application_id, office=tx.office, to_office=told.to_office),
            )

    @routes.put(
        "/applications/{application_id}/applicant",
        status_code=204,
        tags=["applications"],
        dependencies=[Depends(without_identity_codes)],
    )
    async def identify(_: Own, application_id: UUID, told: models.ApplicantIn) -> None:
        """Enter whose application it is that came from another city; the applicant tells its id."""
        async with database.transaction(uuid4()) as tx:
            row = await _own(tx, application_id)
            if row.applicant_id == told.applicant_id:
                return
            if row.applicant_id is not None or not await OwnApplications(tx).identify(
                application_id, told.applicant_id
            ):
                raise ProblemError(409, "already-applied", "The application, or the applicant, has another already.")
            tell(
                tx,
                ApplicationIdentified(
                    application_id=application_id,
                    office=tx.office,
                    reference=reference_of(pool_key, told.applicant_id),
                ),
            )

    @routes.get("/invitations", tags=["invitations"])
    async def invitations(_: Own, limit: Limit = 50) -> list[models.InvitationOut]:
        """List invitations of the own jobseekers, by the pool's opaque reference, newest first."""
        async with database.read() as tx:
            return [models.InvitationOut.model_validate(row) for row in await OwnApplications(tx).invitations(limit)]

    return routes


async def _own(tx: Transaction, application_id: UUID) -> Found:
    row = await OwnApplications(tx).get(application_id)
    if row is None:
        raise not_found("application")
    return row


def _must_be_open(row: Found) -> None:
    if row.state not in _OPEN or row.moved_to is not None:
        raise ProblemError(409, "not-now", "This cannot be done now.", f"The application is {row.state}, or has moved.")


async def _shown(tx: Transaction, application_id: UUID) -> models.OwnApplicationOut:
    return models.OwnApplicationOut.of(await _own(tx, application_id), await OwnApplications(tx).offers(application_id))
