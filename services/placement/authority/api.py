"""A city's own API: its pool, its jobseekers' consent and answers, and the logged query for a name and a contact.

The city's own officers see its own jobseekers. Officers of the other authorities may do one thing here: ask for the
name and contact of a jobseeker who has consented to a referral that their authority requested, with a purpose. Every
such query is logged before it is answered, and a refused one too.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status

from services.placement.authority import models
from services.placement.authority.commands import CityPool, CityReferrals
from services.placement.authority.store import OwnReferrals, Pool
from services.placement.authority.tables import OwnReferralRow
from services.placement.domain.pool import Jobseeker, PersonalProfile
from shared.errors import ForbiddenError
from shared.events.v1.placement import ReferralState
from shared.http.auth import Caller, OwnOfficer, part, permit_officer
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer, Role
from shared.messaging.transaction import Database
from shared.screening import without_identity_codes

router = APIRouter(prefix="/v1", route_class=IdempotentRoute)
ThePool = Annotated[CityPool, Depends(part(CityPool))]
TheReferrals = Annotated[CityReferrals, Depends(part(CityReferrals))]
TheDatabase = Annotated[Database, Depends(part(Database))]
JobseekerId = Annotated[str, Path(min_length=1, max_length=100)]

_MAX_SERIAL: Final = 2**63


async def region_officer(who: Caller, referrals: TheReferrals) -> Officer:
    """Permit an officer of any authority of the region."""
    return permit_officer(who, referrals.network, Role.OFFICER, Role.COORDINATOR)


RegionOfficer = Annotated[Officer, Depends(region_officer)]


# -- the pool


@router.put("/jobseekers/{jobseeker_id}", tags=["pool"], dependencies=[Depends(without_identity_codes)])
async def put(
    _: OwnOfficer, jobseeker_id: JobseekerId, body: PersonalProfile, pool: ThePool, tx: WriteTx
) -> models.JobseekerOut:
    """Write a profile, new or changed."""
    pool.put(tx, Jobseeker(jobseeker_id=jobseeker_id, **dict(body)))
    return models.JobseekerOut(jobseeker_id=jobseeker_id, **dict(body))


@router.delete("/jobseekers/{jobseeker_id}", status_code=status.HTTP_204_NO_CONTENT, tags=["pool"])
async def remove(_: OwnOfficer, jobseeker_id: JobseekerId, pool: ThePool, tx: WriteTx) -> None:
    """Remove a profile."""
    await pool.remove(tx, jobseeker_id)


@router.get("/assignments/{assignment_id}/why/{jobseeker_id}", response_model=models.WhyOut, tags=["pool"])
async def explain(
    request: Request, _: OwnOfficer, assignment_id: UUID, jobseeker_id: JobseekerId, pool: ThePool, tx: ReadTx
) -> Response:
    """Explain why one of the own jobseekers is, or is not, among an assignment's candidates, as the pool is now."""
    match, verdict = await pool.explain(tx, assignment_id, jobseeker_id)
    return tagged(request, models.WhyOut(verdict=verdict, score=match.score, reasons=list(match.reasons)))


# -- referrals


@router.get("/referrals", tags=["referrals"])
async def list_referrals(
    _: OwnOfficer,
    tx: ReadTx,
    state: Annotated[ReferralState | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[models.OwnReferralOut]:
    """List referrals of the own jobseekers, the newest first."""
    rows = await OwnReferrals(tx).page(state, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    ids = await Pool(tx).ids(row.reference for row in rows)
    return Page.of(
        rows,
        limit,
        lambda row: (row.requested_at.isoformat(), row.referral_id),
        lambda row: _referral(row, ids),
    )


@router.post("/referrals/{referral_id}/consent", tags=["referrals"])
async def consent(
    who: OwnOfficer, referral_id: UUID, body: models.ConsentIn, referrals: TheReferrals, tx: WriteTx
) -> models.OwnReferralOut:
    """Enter whether the jobseeker consents to be referred. The first answer counts; repeating it changes nothing."""
    row = await referrals.consent(tx, referral_id, who.actor, consented=body.consented)
    ids = await Pool(tx).ids([row.reference])
    return _referral(row, ids)


@router.post(
    "/referrals/{referral_id}/contact-queries",
    status_code=status.HTTP_201_CREATED,
    tags=["referrals"],
    dependencies=[Depends(without_identity_codes)],
)
async def ask_contact(
    who: RegionOfficer,
    referral_id: UUID,
    body: models.ContactQueryIn,
    referrals: TheReferrals,
    database: TheDatabase,
    response: Response,
) -> models.ContactOut:
    """Ask for a consenting jobseeker's name and contact, with a purpose. Logged, whether answered or refused.

    An Idempotency-Key has no effect here: the answer is personal and is kept nowhere else, and every query is logged.
    """
    async with database.transaction(uuid4()) as tx:
        jobseeker = await referrals.ask_contact(tx, referral_id, who, body.purpose)
    # Committed: a refusal is in the log too.
    if jobseeker is None:
        raise ForbiddenError("no-consent", "The jobseeker has not consented, or the referral has ended.")
    response.headers["Location"] = f"/v1/referrals/{referral_id}/contact-queries"
    return models.ContactOut(name=jobseeker.name, phone=jobseeker.phone, email=jobseeker.email)


@router.get("/referrals/{referral_id}/contact-queries", tags=["referrals"])
async def list_queries(
    _: OwnOfficer, referral_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[models.ContactQueryOut]:
    """List who asked for a jobseeker's contact, and why, the oldest first."""
    rows = await OwnReferrals(tx).queries(referral_id, read_single_cursor(cursor, _serial), limit)
    return Page.of(rows, limit, lambda row: (row.query_id,), models.ContactQueryOut.model_validate)


@router.post("/offers/{offer_id}/answer", tags=["referrals"])
async def answer_offer(
    _: OwnOfficer, offer_id: UUID, body: models.OfferAnswerIn, referrals: TheReferrals, tx: WriteTx
) -> models.OwnOfferOut:
    """Enter the jobseeker's answer to a job offer. 409 after the deadline, or against an earlier answer."""
    return models.OwnOfferOut.model_validate(await referrals.answer_offer(tx, offer_id, accepted=body.accepted))


def _referral(row: OwnReferralRow, ids: Mapping[str, str]) -> models.OwnReferralOut:
    return models.OwnReferralOut(**row.model_dump(), jobseeker_id=ids.get(row.reference))


def _serial(value: str) -> int:
    serial = int(value)
    if not 0 <= serial < _MAX_SERIAL:
        raise ValueError
    return serial
