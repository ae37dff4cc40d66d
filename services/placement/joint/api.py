"""The joint office's API: vacancies and their feed, recruitment assignments, referrals, offers, expected supply.

Any caller with a token reads the feed. A system changes what it reported; officers and coordinators of the region do
the rest, on behalf of the authority that is competent.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status

from services.placement.domain.referral import pool_state
from services.placement.domain.vacancy import Posting
from services.placement.joint import models
from services.placement.joint.commands import JointAssignments, JointReferrals, JointVacancies
from services.placement.joint.store import Assignment, Assignments, ExpectedSupply, Referrals, Supply, Vacancies
from services.placement.joint.tables import OfferRow, ReferralRow
from shared.errors import UnknownError
from shared.events.v1.placement import VacancyStatus
from shared.http.auth import Authorities, Caller, OwnOfficer, part, permit_officer, permit_system
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged, write_cursor
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer, Role, System
from shared.screening import without_identity_codes

router = APIRouter(prefix="/v1", route_class=IdempotentRoute)
TheVacancies = Annotated[JointVacancies, Depends(part(JointVacancies))]
TheAssignments = Annotated[JointAssignments, Depends(part(JointAssignments))]
TheReferrals = Annotated[JointReferrals, Depends(part(JointReferrals))]

Occupation = Annotated[str | None, Query(pattern=r"^\d{1,4}$", description="ISCO-08, or a beginning of it.")]
Municipality = Annotated[str | None, Query(pattern=r"^\d{3}$")]

_LAST_ID: Final = UUID(int=2**128 - 1)
_MAX_PLACE: Final = 2**63
_SUGGESTED: Final = 5
"""Vacancies that are suggested for each line of the expected supply."""


async def reporter(who: Caller, served: Authorities) -> Officer | System:
    """Permit who may report vacancies: a system with the scope for it, or an officer of the region."""
    if isinstance(who, System):
        return permit_system(who, "vacancies:write")
    return permit_officer(who, served, Role.OFFICER, Role.COORDINATOR)


Reporter = Annotated[Officer | System, Depends(reporter)]


# -- vacancies and the feed


@router.post(
    "/vacancies",
    status_code=status.HTTP_201_CREATED,
    tags=["vacancies"],
    dependencies=[Depends(without_identity_codes)],
)
async def report(
    who: Reporter, body: models.VacancyIn, vacancies: TheVacancies, tx: WriteTx, response: Response
) -> models.VacancyOut:
    """Report a vacancy. Answered only after it is committed."""
    posting = await vacancies.report(tx, body.vacancy, body.state, who.actor)
    response.headers["Location"] = f"/v1/vacancies/{posting.vacancy_id}"
    return _shown(who, posting)


@router.get("/vacancies", response_model=models.Feed, tags=["feed"])
async def snapshot(
    request: Request,
    _: Caller,
    tx: ReadTx,
    municipality: Municipality = None,
    occupation: Occupation = None,
    language: Annotated[str | None, Query(pattern="^[a-z]{2}$")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Read the open vacancies page by page; then follow the change stream from `changes` of the first page."""
    after = read_single_cursor(cursor, UUID)
    place = await Vacancies(tx).newest_change()
    postings = await Vacancies(tx).shown(
        municipality=municipality, occupation=occupation, language=language, after=after, limit=limit
    )
    page = Page.of(postings, limit, lambda posting: (posting.vacancy_id,), models.VacancyOut.of)
    changes_after = write_cursor(place, _LAST_ID) if after is None else None
    return tagged(request, models.Feed(items=page.items, next=page.next, changes=changes_after))


@router.get("/vacancies/changes", response_model=models.Feed, tags=["feed"])
async def changes(request: Request, _: Caller, tx: ReadTx, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """Read what changed after a cursor, oldest change first; stopped advertisements carry their state alone."""
    place, last = read_cursor(cursor, _place, UUID) or (0, UUID(int=0))
    changed = await Vacancies(tx).changes(place, last, limit)
    if changed:
        place, last = changed[-1].place, changed[-1].posting.vacancy_id
    items = [models.VacancyOut.of(posting) for posting, _place in changed if posting.state is not VacancyStatus.DRAFT]
    return tagged(request, models.Feed(items=items, next=write_cursor(place, last)))


@router.get("/vacancies/{vacancy_id}", response_model=models.VacancyOut, tags=["feed"])
async def read_vacancy(request: Request, who: Caller, vacancy_id: UUID, tx: ReadTx) -> Response:
    """Read a vacancy; the content of a stopped one is shown to its reporter and to officers."""
    posting = await Vacancies(tx).read(vacancy_id)
    if posting is None or (posting.state is VacancyStatus.DRAFT and not _sees_all(who, posting)):
        raise UnknownError("vacancy")
    return tagged(request, _shown(who, posting))


@router.post("/vacancies/{vacancy_id}/revisions", tags=["vacancies"], dependencies=[Depends(without_identity_codes)])
async def revise(
    who: Reporter, vacancy_id: UUID, body: models.VacancyRevisionIn, vacancies: TheVacancies, tx: WriteTx
) -> models.VacancyOut:
    """Put a new revision in force. 409 when it does not follow the newest one."""
    return _shown(who, await vacancies.revise(tx, vacancy_id, body.vacancy, body.predecessor, _system(who)))


@router.put("/vacancies/{vacancy_id}/state", tags=["vacancies"])
async def move(
    who: Reporter, vacancy_id: UUID, body: models.StateIn, vacancies: TheVacancies, tx: WriteTx
) -> models.VacancyOut:
    """Open, pause, fill or withdraw a vacancy. The same state again changes nothing."""
    return _shown(who, await vacancies.move(tx, vacancy_id, body.state, _system(who)))


def _system(who: Officer | System) -> str | None:
    return who.actor if isinstance(who, System) else None


def _sees_all(who: Officer | System, posting: Posting) -> bool:
    return isinstance(who, Officer) or posting.filed_by == who.actor


def _shown(who: Officer | System, posting: Posting) -> models.VacancyOut:
    return models.VacancyOut.of(posting, whole=_sees_all(who, posting))


def _place(value: str) -> int:
    place = int(value)
    if not 0 <= place < _MAX_PLACE:
        raise ValueError
    return place


# -- recruitment assignments


@router.post("/assignments", status_code=status.HTTP_201_CREATED, tags=["assignments"])
async def ask(
    who: OwnOfficer, body: models.AssignmentIn, assignments: TheAssignments, tx: WriteTx, response: Response
) -> models.AssignmentOut:
    """Ask the three pools for candidates. Answers are shown as they come."""
    seconds = body.answer_within_seconds
    assignment = await assignments.ask(
        tx,
        body.vacancy_id,
        at_most=body.at_most,
        asked_by=who.actor,
        answer_within=None if seconds is None else timedelta(seconds=seconds),
    )
    response.headers["Location"] = f"/v1/assignments/{assignment.row.assignment_id}"
    return _assignment(assignment, tx.clock.now())


@router.get("/assignments/{assignment_id}", response_model=models.AssignmentOut, tags=["assignments"])
async def read_assignment(request: Request, _: OwnOfficer, assignment_id: UUID, tx: ReadTx) -> Response:
    """Read the candidates answered so far, and which pools have not answered."""
    assignment = await Assignments(tx).read(assignment_id)
    if assignment is None:
        raise UnknownError("assignment")
    return tagged(request, _assignment(assignment, tx.clock.now()))


def _assignment(assignment: Assignment, now: datetime) -> models.AssignmentOut:
    row = assignment.row
    missing = [answer.office for answer in assignment.answers if answer.received_at is None]
    candidates = [
        models.CandidateOut(office=answer.office, **dict(candidate))
        for answer in assignment.answers
        for candidate in answer.candidates or ()
    ]
    return models.AssignmentOut(
        assignment_id=row.assignment_id,
        vacancy_id=row.vacancy_id,
        asked_at=row.asked_at,
        answer_by=row.answer_by,
        complete=not missing,
        missing_pools=missing,
        pools=[
            models.PoolAnswerOut(
                office=answer.office,
                state=pool_state(answer.received_at, row.answer_by, now),
                considered=answer.considered,
                answered_at=answer.answered_at,
            )
            for answer in assignment.answers
        ],
        candidates=sorted(candidates, key=lambda candidate: (-candidate.score, candidate.office, candidate.reference)),
        trace_id=row.trace_id,
    )


# -- referrals and job offers


@router.post(
    "/assignments/{assignment_id}/referrals",
    status_code=status.HTTP_201_CREATED,
    tags=["referrals"],
    dependencies=[Depends(without_identity_codes)],
)
async def refer(
    who: OwnOfficer,
    assignment_id: UUID,
    body: models.ReferralIn,
    referrals: TheReferrals,
    tx: WriteTx,
    response: Response,
) -> models.ReferralOut:
    """Ask the owning city whether a candidate consents to be referred."""
    referral = await referrals.refer(
        tx,
        assignment_id,
        body.office,
        body.reference,
        purpose=body.purpose,
        requested_by=who.actor,
        authority=who.authority,
    )
    response.headers["Location"] = f"/v1/referrals/{referral.row.referral_id}"
    return _referral(referral.row, referral.offers)


@router.get("/referrals/{referral_id}", response_model=models.ReferralOut, tags=["referrals"])
async def read_referral(request: Request, _: OwnOfficer, referral_id: UUID, tx: ReadTx) -> Response:
    """Read a referral: consent, offers, outcome. The name is asked from the owning city."""
    row = await Referrals(tx).read(referral_id)
    if row is None:
        raise UnknownError("referral")
    return tagged(request, _referral(row, await Referrals(tx).offers(referral_id)))


@router.post("/referrals/{referral_id}/offers", status_code=status.HTTP_201_CREATED, tags=["referrals"])
async def offer(
    _: OwnOfficer, referral_id: UUID, body: models.OfferIn, referrals: TheReferrals, tx: WriteTx, response: Response
) -> models.ReferralOut:
    """Make a job offer, binding or not, to be answered by a deadline. Answered with the referral, which shows it."""
    referral = await referrals.offer(tx, referral_id, binding=body.binding, answer_by=body.answer_by)
    response.headers["Location"] = f"/v1/referrals/{referral_id}"
    return _referral(referral.row, referral.offers)


@router.post("/referrals/{referral_id}/outcome", tags=["referrals"])
async def end(
    _: OwnOfficer, referral_id: UUID, body: models.OutcomeIn, referrals: TheReferrals, tx: WriteTx
) -> models.ReferralOut:
    """End a referral; the owning city is told how. The same outcome again changes nothing."""
    referral = await referrals.end(tx, referral_id, body.outcome)
    return _referral(referral.row, referral.offers)


def _referral(row: ReferralRow, offers: Sequence[OfferRow]) -> models.ReferralOut:
    return models.ReferralOut(
        **row.model_dump(), offers=[models.OfferOut.model_validate(job_offer) for job_offer in offers]
    )


# -- expected supply


@router.get("/supply", tags=["supply"])
async def supply(
    _: OwnOfficer,
    tx: ReadTx,
    occupation: Occupation = None,
    municipality: Municipality = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[models.SupplyOut]:
    """Show the workers that change security expects to be free, by occupation and municipality."""
    expected = await Supply(tx).expected(occupation, municipality, read_cursor(cursor, _code, _code), limit)
    return Page.of(expected, limit, _group, _supply)


@router.get("/supply/suggestions", tags=["supply"])
async def suggestions(
    _: OwnOfficer, tx: ReadTx, occupation: Occupation = None, limit: Limit = 100, cursor: Cursor = None
) -> Page[models.SuggestionOut]:
    """Suggest employers: open vacancies that the expected supply could fill, the nearest first.

    A page looks at `limit` lines of the expected supply, and has those for which there is a vacancy.
    """
    expected = await Supply(tx).expected(occupation, None, read_cursor(cursor, _code, _code), limit)
    suggested = []
    for line in expected:
        if line.isco and (near := await Vacancies(tx).matching(line.isco, line.municipality or None, _SUGGESTED)):
            vacancies = [models.VacancyOut.of(posting) for posting in near]
            suggested.append(models.SuggestionOut(supply=_supply(line), vacancies=vacancies))
    following = Page.of(expected, limit, _group, _supply).next
    return Page(items=suggested, next=following)


def _supply(line: ExpectedSupply) -> models.SupplyOut:
    return models.SupplyOut(
        occupation=line.isco,
        municipality=line.municipality,
        known=line.known,
        masked_groups=line.masked,
        available_from=line.available_from,
        available_until=line.available_until,
    )


def _code(value: str) -> str:
    if value and not value.isdigit():
        raise ValueError
    return value


def _group(line: ExpectedSupply) -> tuple[str, str]:
    return line.isco, line.municipality
