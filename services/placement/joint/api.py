"""The joint office's API: vacancies and their feed, recruitment assignments, referrals, offers, expected supply.

Any caller with a token reads the feed. A system changes what it reported; officers and coordinators of the region do the
rest, on behalf of the authority that is competent.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request, Response, status
from shared.http.TODO import answering

from services.placement.api import models
from services.placement.commands import JointPlacement, NotNowError, check
from services.placement.domain.vacancy import ConflictError, Posting
from services.placement.store import Assignments, Supply, Vacancies, parsed
from shared.errors import RefusedError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.placement import Vacancy
from shared.http.auth import Caller, permit_officer, permit_system
from shared.http.problems import FieldProblem, ProblemError, not_found
from shared.http.reading import Cursor, Limit, read_cursor, tagged, write_cursor
from shared.http.transactions import IdempotencyKey
from shared.identity import Officer, System
from shared.intake import without_identity_codes
from shared.messaging.transaction import Database

_STAFF = ("officer", "coordinator")


def router(
    placement: JointPlacement, database: Database, authorities: frozenset[str], answer_seconds: float
) -> APIRouter:
    """Make the joint office's routes.

    Args:
        placement: what can be done.
        database: opens transactions.
        authorities: those whose officers work here.
        answer_seconds: how long pools have to answer, if an assignment does not say.
    """
    routes = APIRouter(prefix="/v1")

    def staff(who: Caller) -> Officer:
        return permit_officer(who, authorities, *_STAFF)

    Staff = Annotated[Officer, Depends(staff)]  # noqa: N806 - a type

    def may_report(who: Officer | System) -> Officer | System:
        if isinstance(who, System):
            return permit_system(who, "vacancies:write")
        return permit_officer(who, authorities, *_STAFF)

    def may_change(who: Officer | System, posting: Posting | None) -> None:
        may_report(who)
        if posting is None or (isinstance(who, System) and posting.filed_by != who.actor):
            raise not_found("vacancy")

    def shown(who: Officer | System, posting: Posting) -> models.VacancyOut:
        whole = posting.filed_by == who.actor or isinstance(who, Officer)
        return models.VacancyOut.of(posting, whole=whole)

    # -- vacancies

    @routes.post(
        "/vacancies",
        status_code=status.HTTP_201_CREATED,
        tags=["vacancies"],
        dependencies=[Depends(without_identity_codes)],
    )
    async def report(
        response: Response, who: Caller, told: models.VacancyIn, key: IdempotencyKey = None
    ) -> models.VacancyOut:
        """Report a vacancy. Answered only after it is committed; with a key, repeating it has one effect."""
        may_report(who)
        _checked(told.vacancy)
        vacancy_id = derived_id("vacancy", who.actor, key) if key else uuid4()
        async with answering(database, derived_id("report", vacancy_id), problem_of) as tx:
            before = await Vacancies(tx).get(vacancy_id) if key else None
            if before is not None and (before.revision, before.vacancy) != (1, told.vacancy):
                raise ProblemError(422, "idempotency-key-reused", "The key was used before with another body.")
            posting = before or await placement.report(tx, vacancy_id, told.vacancy, told.status, who.actor)
        response.headers["Location"] = f"/v1/vacancies/{vacancy_id}"
        return shown(who, posting)

    @routes.get("/vacancies", response_model=models.Feed, tags=["feed"])
    async def snapshot(
        request: Request,
        _: Caller,
        municipality: Annotated[str | None, Query(pattern=r"^\d{3}$")] = None,
        occupation: Annotated[
            str | None, Query(pattern=r"^\d{1,4}$", description="ISCO-08, or a beginning of it.")
        ] = None,
        language: Annotated[str | None, Query(pattern="^[a-z]{2}$")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        """Read the open vacancies page by page; then follow the change stream from `changes` of the first page."""
        after = UUID(read_cursor(cursor, 1)[0]) if cursor else None
        async with database.read() as tx:
            place = await Vacancies(tx).newest_change()
            found = await Vacancies(tx).shown(
                municipality=municipality, occupation=occupation, language=language, after=after, limit=limit
            )
        return tagged(
            request,
            models.Feed(
                items=[models.VacancyOut.of(posting) for posting in found],
                next=write_cursor(found[-1].vacancy_id) if len(found) == limit else None,
                changes=write_cursor(place, UUID(int=2**128 - 1)) if after is None else None,
            ),
        )

    @routes.get("/vacancies/changes", response_model=models.Feed, tags=["feed"])
    async def changes(request: Request, _: Caller, cursor: Cursor = None, limit: Limit = 100) -> Response:
        """Read what changed after a cursor, oldest change first; stopped advertisements carry their status alone."""
        place, last = read_cursor(cursor, 2) if cursor else ("0", str(UUID(int=0)))
        async with database.read() as tx:
            found = await Vacancies(tx).changes((int(place), UUID(last)), limit)
        following = write_cursor(found[-1][1], found[-1][0].vacancy_id) if found else write_cursor(place, last)
        items = [models.VacancyOut.of(posting) for posting, _ in found if posting.status != "draft"]
        return tagged(request, models.Feed(items=items, next=following))

    @routes.get("/vacancies/{vacancy_id}", response_model=models.VacancyOut, tags=["feed"])
    async def read_vacancy(request: Request, who: Caller, vacancy_id: UUID) -> Response:
        """Read a vacancy; the content of a stopped one is shown to its reporter and to officers."""
        async with database.read() as tx:
            posting = await Vacancies(tx).read(vacancy_id)
        if posting is None or (posting.status == "draft" and shown(who, posting).vacancy is None):
            raise not_found("vacancy")
        return tagged(request, shown(who, posting))

    @routes.post(
        "/vacancies/{vacancy_id}/revisions", tags=["vacancies"], dependencies=[Depends(without_identity_codes)]
    )
    async def revise(who: Caller, vacancy_id: UUID, told: models.VacancyRevisionIn) -> models.VacancyOut:
        """Put a new revision in force. 409 when it does not follow the newest one."""
        _checked(told.vacancy)
        async with answering(database, derived_id("revise", vacancy_id, told.predecessor), problem_of) as tx:
            may_change(who, await Vacancies(tx).get(vacancy_id))
            return shown(who, await placement.revise(tx, vacancy_id, told.vacancy, told.predecessor))

    @routes.put("/vacancies/{vacancy_id}/status", tags=["vacancies"])
    async def move(who: Caller, vacancy_id: UUID, told: models.StatusIn) -> models.VacancyOut:
        """Open, pause, fill or withdraw a vacancy. The same status again changes nothing."""
        async with answering(database, uuid4(), problem_of) as tx:
            may_change(who, await Vacancies(tx).get(vacancy_id))
            return shown(who, await placement.move(tx, vacancy_id, told.status))

    # -- recruitment assignments

    @routes.post("/assignments", status_code=status.HTTP_201_CREATED, tags=["assignments"])
    async def ask(response: Response, who: Staff, told: models.AssignmentIn) -> models.AssignmentOut:
        """Ask the three pools for candidates. Answers are shown as they come."""
        assignment_id = uuid4()
        within = timedelta(seconds=told.answer_within_seconds or answer_seconds)
        async with answering(database, derived_id("ask", assignment_id), problem_of) as tx:
            await placement.ask_pools(
                tx, assignment_id, told.vacancy_id, at_most=told.at_most, by=who.actor, answer_within=within
            )
        response.headers["Location"] = f"/v1/assignments/{assignment_id}"
        return await _assignment(database, assignment_id)

    @routes.get("/assignments/{assignment_id}", response_model=models.AssignmentOut, tags=["assignments"])
    async def read_assignment(request: Request, _: Staff, assignment_id: UUID) -> Response:
        """Read the candidates answered so far, and which pools have not answered."""
        return tagged(request, await _assignment(database, assignment_id))

    @routes.post(
        "/assignments/{assignment_id}/referrals",
        status_code=status.HTTP_201_CREATED,
        tags=["referrals"],
        dependencies=[Depends(without_identity_codes)],
    )
    async def refer(response: Response, who: Staff, assignment_id: UUID, told: models.ReferralIn) -> models.ReferralOut:
        """Ask the owning city whether a candidate consents to be referred."""
        referral_id = uuid4()
        async with answering(database, derived_id("refer", referral_id), problem_of) as tx:
            await placement.refer(
                tx,
                referral_id,
                assignment_id,
                told.office,
                told.reference,
                purpose=told.purpose,
                by=who.actor,
                authority=who.authority,
            )
        response.headers["Location"] = f"/v1/referrals/{referral_id}"
        return await _referral(database, referral_id)

    @routes.get("/referrals/{referral_id}", response_model=models.ReferralOut, tags=["referrals"])
    async def read_referral(request: Request, _: Staff, referral_id: UUID) -> Response:
        """Read a referral: consent, offers, outcome. The name is asked from the owning city."""
        return tagged(request, await _referral(database, referral_id))

    @routes.post("/referrals/{referral_id}/offers", status_code=status.HTTP_201_CREATED, tags=["referrals"])
    async def offer(who: Staff, referral_id: UUID, told: models.OfferIn) -> models.ReferralOut:
        """Make a job offer, binding or not, to be answered by a deadline."""
        offer_id = uuid4()
        async with answering(database, derived_id("offer", offer_id, who.subject), problem_of) as tx:
            await placement.offer(tx, offer_id, referral_id, binding=told.binding, answer_by=told.answer_by)
        return await _referral(database, referral_id)

    @routes.put("/referrals/{referral_id}/outcome", tags=["referrals"])
    async def end(_: Staff, referral_id: UUID, told: models.OutcomeIn) -> models.ReferralOut:
        """End a referral; the owning city is told how."""
        async with answering(database, derived_id("end", referral_id), problem_of) as tx:
            await placement.end_referral(tx, referral_id, told.outcome)
        return await _referral(database, referral_id)

    # -- expected supply

    @routes.get("/supply", tags=["supply"])
    async def supply(
        _: Staff,
        occupation: Annotated[str | None, Query(pattern=r"^\d{1,4}$")] = None,
        municipality: Annotated[str | None, Query(pattern=r"^\d{3}$")] = None,
    ) -> list[models.SupplyOut]:
        """Show the workers that change security expects to be free."""
        async with database.read() as tx:
            return [_supply(row) for row in await Supply(tx).expected(occupation, municipality)]

    @routes.get("/supply/suggestions", tags=["supply"])
    async def suggestions(
        _: Staff, occupation: Annotated[str | None, Query(pattern=r"^\d{1,4}$")] = None
    ) -> list[models.SuggestionOut]:
        """Suggest employers: open vacancies that the expected supply could fill, the nearest first."""
        found = []
        async with database.read() as tx:
            for row in await Supply(tx).expected(occupation, None):
                if row.isco and (near := await Vacancies(tx).matching(row.isco, row.municipality or None, 5)):
                    vacancies = [models.VacancyOut.of(posting) for posting in near]
                    found.append(models.SuggestionOut(supply=_supply(row), vacancies=vacancies))
        return found

    return routes


async def _assignment(database: Database, assignment_id: UUID) -> models.AssignmentOut:
    async with database.read() as tx:
        found = await Assignments(tx).read(assignment_id)
    if found is None:
        raise not_found("assignment")
    assignment, answers = found
    now = database.clock.now()
    candidates = [
        models.CandidateOut(office=answer.office, **candidate)
        for answer in answers
        for candidate in parsed(answer.candidates)
    ]
    missing = [answer.office for answer in answers if answer.received_at is None]
    return models.AssignmentOut(
        assignment_id=assignment.assignment_id,
        vacancy_id=assignment.vacancy_id,
        asked_at=assignment.asked_at,
        answer_by=assignment.answer_by,
        complete=not missing,
        missing_pools=missing,
        pools=[
            models.PoolAnswerOut(
                office=answer.office,
                state=_pool_state(answer, assignment.answer_by, now),
                considered=answer.considered,
                answered_at=answer.answered_at,
            )
            for answer in answers
        ],
        candidates=sorted(candidates, key=lambda one: (-one.score, one.office, one.reference)),
        trace_id=assignment.trace_id,
    )


def _pool_state(answer: Any, answer_by: datetime, now: datetime) -> Any:
    if answer.received_at is None:
        return "waiting" if now <= answer_by else "did_not_answer"
    return "answered" if answer.received_at <= answer_by else "answered_late"


async def _referral(database: Database, referral_id: UUID) -> models.ReferralOut:
    async with database.read() as tx:
        row = await Assignments(tx).referral(referral_id)
        offers = await Assignments(tx).offers(referral_id)
    if row is None:
        raise not_found("referral")
    return models.ReferralOut(
        referral_id=row.referral_id,
        assignment_id=row.assignment_id,
        office=row.office,
        reference=row.reference,
        purpose=row.purpose,
        state=row.state,
        outcome=row.outcome,
        offers=models.offers_of(offers),
    )


def _supply(row: Any) -> models.SupplyOut:
    return models.SupplyOut(
        occupation=row.isco,
        municipality=row.municipality,
        known=row.known,
        masked_groups=row.masked,
        available_from=row.available_from,
        available_until=row.available_until,
    )


def _checked(vacancy: Vacancy) -> None:
    try:
        check(vacancy)
    except RefusedError as error:
        fields = [FieldProblem(pointer=f"/vacancy{error.pointer}", code=error.code)]
        raise ProblemError(422, error.code, error.text, errors=fields) from error


def problem_of(error: Exception) -> ProblemError | None:
    """Return the problem that a domain error is answered with."""
    if isinstance(error, UnknownError):
        return not_found(str(error))
    if isinstance(error, ConflictError):
        return ProblemError(409, error.code.replace("_", "-"), "The change does not fit the vacancy.", error.text)
    if isinstance(error, NotNowError):
        return ProblemError(409, "not-now", "This cannot be done now.", str(error))
    return None
