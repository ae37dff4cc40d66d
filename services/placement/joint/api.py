"""The joint office's API: reporting vacancies, recruitment assignments, referrals, offers, expected supply.

The feed is public (`feed_api`). A system changes what it reported; officers and coordinators of the region do
the rest, on behalf of the authority that is competent.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status

from services.placement.domain.referral import pool_state
from services.placement.joint import models
from services.placement.joint.commands import JointAssignments, JointVacancies
from services.placement.joint.referral_commands import JointReferrals
from services.placement.joint.store import Assignment, Assignments, ExpectedSupply, Referrals, Supply, Vacancies
from services.placement.joint.tables import OfferRow, ReferralRow
from shared.calendar import local_day
from shared.errors import UnknownError
from shared.events.v1.placement import PoolStages, ReferralState, VacancyState
from shared.http.auth import Authorities, Caller, OwnOfficer, part, permit_officer, permit_system
from shared.http.reading import Cursor, Limit, Page, read_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer, Role, System

router = APIRouter(prefix="/v1", route_class=IdempotentRoute)
TheVacancies = Annotated[JointVacancies, Depends(part(JointVacancies))]
TheAssignments = Annotated[JointAssignments, Depends(part(JointAssignments))]
TheReferrals = Annotated[JointReferrals, Depends(part(JointReferrals))]

Occupation = Annotated[str | None, Query(pattern=r"^\d{1,4}$", description="ISCO-08, or a beginning of it.")]
Municipality = Annotated[str | None, Query(pattern=r"^\d{3}$")]

_SUGGESTED: Final = 5
"""Vacancies that are suggested for each line of the expected supply."""


async def reporter(who: Caller, served: Authorities) -> Officer | System:
    """Permit who may report vacancies: a system with the scope for it, or an officer of the region."""
    if isinstance(who, System):
        return permit_system(who, "vacancies:write")
    return permit_officer(who, served, Role.OFFICER, Role.COORDINATOR)


Reporter = Annotated[Officer | System, Depends(reporter)]


# -- vacancies


@router.post(
    "/vacancies",
    status_code=status.HTTP_201_CREATED,
    tags=["vacancies"],
)
async def report(
    who: Reporter, body: models.VacancyIn, vacancies: TheVacancies, tx: WriteTx, response: Response
) -> models.VacancyOut:
    """Report a vacancy. Answered only after it is committed."""
    posting = await vacancies.report(tx, body.vacancy, body.state, who.actor)
    response.headers["Location"] = f"/v1/vacancies/{posting.vacancy_id}"
    return models.VacancyOut.of(posting, whole=True)


@router.get("/vacancies/reported", tags=["vacancies"])
async def list_reported(
    who: Reporter,
    tx: ReadTx,
    state: VacancyState | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[models.VacancyOut]:
    """List vacancies in every state, drafts and paused ones too: a system's own; to an officer all.

    The newest change first.
    """
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    postings = await Vacancies(tx).reported(_system(who), state, after, limit)
    return Page.of(
        postings,
        limit,
        lambda posting: (posting.changed_at.isoformat(), posting.vacancy_id),
        lambda posting: models.VacancyOut.of(posting, whole=True),
    )


@router.post("/vacancies/{vacancy_id}/revisions", tags=["vacancies"])
async def revise(
    who: Reporter, vacancy_id: UUID, body: models.VacancyRevisionIn, vacancies: TheVacancies, tx: WriteTx
) -> models.VacancyOut:
    """Put a new revision in force. 409 when it does not follow the newest one."""
    posting = await vacancies.revise(tx, vacancy_id, body.vacancy, body.predecessor, _system(who))
    return models.VacancyOut.of(posting, whole=True)


@router.put("/vacancies/{vacancy_id}/state", tags=["vacancies"])
async def move(
    who: Reporter, vacancy_id: UUID, body: models.StateIn, vacancies: TheVacancies, tx: WriteTx
) -> models.VacancyOut:
    """Open, pause, fill or withdraw a vacancy. The same state again changes nothing."""
    return models.VacancyOut.of(await vacancies.move(tx, vacancy_id, body.state, _system(who)), whole=True)


def _system(who: Officer | System) -> str | None:
    return who.actor if isinstance(who, System) else None


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


@router.post("/assignments/{assignment_id}/refreshes", status_code=status.HTTP_201_CREATED, tags=["assignments"])
async def refresh(
    who: OwnOfficer, assignment_id: UUID, assignments: TheAssignments, tx: WriteTx, response: Response
) -> models.AssignmentOut:
    """Ask the pools again, as the vacancy and the pools now are: a new assignment, which says what it refreshes."""
    assignment = await assignments.refresh(tx, assignment_id, asked_by=who.actor)
    response.headers["Location"] = f"/v1/assignments/{assignment.row.assignment_id}"
    return _assignment(assignment, tx.clock.now())


@router.get("/vacancies/{vacancy_id}/assignments", tags=["assignments"])
async def list_assignments(
    _: OwnOfficer, vacancy_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[models.AssignmentLine]:
    """List a vacancy's assignments, the newest first."""
    rows = await Assignments(tx).of_vacancy(vacancy_id, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(
        rows,
        limit,
        lambda row: (row.asked_at.isoformat(), row.assignment_id),
        models.AssignmentLine.model_validate,
    )


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
        refreshes=row.refreshes,
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
                stages=answer.stages,
                why_none=_why_none(answer.stages),
            )
            for answer in assignment.answers
        ],
        candidates=sorted(candidates, key=lambda candidate: (-candidate.score, candidate.office, candidate.reference)),
        trace_id=row.trace_id,
    )


def _why_none(stages: PoolStages | None) -> Literal["empty-pool", "no-near-occupation"] | None:
    if stages is None or stages.answered:
        return None
    return "no-near-occupation" if stages.profiles else "empty-pool"


# -- referrals and job offers


@router.post(
    "/assignments/{assignment_id}/referrals",
    status_code=status.HTTP_201_CREATED,
    tags=["referrals"],
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


@router.get("/referrals", tags=["referrals"])
async def list_referrals(
    _: OwnOfficer,
    tx: ReadTx,
    vacancy_id: UUID | None = None,
    state: ReferralState | None = None,
    ended: Annotated[bool | None, Query(description="Whether it has an outcome.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[models.ReferralOut]:
    """List referrals, the newest first."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    is_open = None if ended is None else not ended
    rows = await Referrals(tx).page(vacancy_id, state, after, limit, is_open=is_open)
    offers = await Referrals(tx).offers_of([row.referral_id for row in rows])
    return Page.of(
        rows,
        limit,
        lambda row: (row.requested_at.isoformat(), row.referral_id),
        lambda row: _referral(row, offers.get(row.referral_id, ())),
    )


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


@router.post("/referrals/{referral_id}/offers/{offer_id}/withdrawal", tags=["referrals"])
async def withdraw_offer(
    _: OwnOfficer, referral_id: UUID, offer_id: UUID, referrals: TheReferrals, tx: WriteTx
) -> models.ReferralOut:
    """Take a job offer back that nobody has answered; it has no consequence. Repeating it changes nothing."""
    referral = await referrals.withdraw_offer(tx, referral_id, offer_id)
    return _referral(referral.row, referral.offers)


@router.post("/referrals/{referral_id}/outcome", tags=["referrals"])
async def end(
    _: OwnOfficer, referral_id: UUID, body: models.OutcomeIn, referrals: TheReferrals, tx: WriteTx
) -> models.ReferralOut:
    """End a referral, or correct its end; the owning city is told how. The same outcome again changes nothing.

    A hiring fills a position of the vacancy, the last one fills the vacancy.
    """
    referral = await referrals.end(tx, referral_id, body.outcome, body.corrects)
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
    after = read_cursor(cursor, _code, _code)
    expected = await Supply(tx).expected(occupation, municipality, local_day(tx.clock.now()), after, limit)
    return Page.of(expected, limit, _group, _supply)


@router.get("/supply/suggestions", tags=["supply"])
async def suggestions(
    _: OwnOfficer, tx: ReadTx, occupation: Occupation = None, limit: Limit = 100, cursor: Cursor = None
) -> Page[models.SuggestionOut]:
    """Suggest employers: open vacancies that the expected supply could fill, the nearest first.

    A page looks at `limit` lines of the expected supply, and has those for which there is a vacancy.
    """
    after = read_cursor(cursor, _code, _code)
    expected = await Supply(tx).expected(occupation, None, local_day(tx.clock.now()), after, limit)
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
