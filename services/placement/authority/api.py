"""A city's own API: its jobseekers' consent and answers, and the logged query for a name and a contact.

The city's own officers see its own jobseekers. Officers of the other authorities may do one thing here: ask for the
name and contact of a jobseeker who has consented to a referral that their authority requested, with a purpose. Every
such query is logged before it is answered, and a refused one too.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request, Response, status

from services.placement.authority import models
from services.placement.authority.commands import CityPool, CityReferrals
from services.placement.authority.store import OwnReferrals, Pool
from services.placement.authority.tables import OwnReferralRow
from services.placement.domain.referral import Stay
from shared.errors import ForbiddenError, UnknownError
from shared.events.v1.placement import ReferralState
from shared.http.auth import Caller, OwnOfficer, part, permit_officer
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer, Role
from shared.messaging.transaction import Database, Transaction

router = APIRouter(prefix="/v1", route_class=IdempotentRoute)
ThePool = Annotated[CityPool, Depends(part(CityPool))]
TheReferrals = Annotated[CityReferrals, Depends(part(CityReferrals))]
TheDatabase = Annotated[Database, Depends(part(Database))]


async def region_officer(who: Caller, referrals: TheReferrals) -> Officer:
    """Permit an officer of any authority of the region."""
    return permit_officer(who, referrals.network, Role.OFFICER, Role.COORDINATOR)


RegionOfficer = Annotated[Officer, Depends(region_officer)]


# -- referrals


@router.get("/referrals", tags=["referrals"])
async def list_referrals(
    _: OwnOfficer,
    pool: ThePool,
    tx: ReadTx,
    state: ReferralState | None = None,
    stay: Annotated[Stay | None, Query(description="`asked`: hired, and nobody has said whether they stay.")] = None,
    jobseeker_id: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[models.OwnReferralOut]:
    """List referrals of the own jobseekers with consents and offers, the newest first."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    reference = None if jobseeker_id is None else pool.reference(jobseeker_id)
    rows = await OwnReferrals(tx).page(state, stay, after, limit, reference)
    shown = {referral.referral_id: referral for referral in await _referrals(tx, rows)}
    return Page.of(
        rows,
        limit,
        lambda row: (row.requested_at.isoformat(), row.referral_id),
        lambda row: shown[row.referral_id],
    )


@router.get("/referrals/{referral_id}", response_model=models.OwnReferralOut, tags=["referrals"])
async def read_referral(request: Request, _: OwnOfficer, referral_id: UUID, tx: ReadTx) -> Response:
    """Read a referral of an own jobseeker with consents and offers."""
    row = await OwnReferrals(tx).read(referral_id)
    if row is None:
        raise UnknownError("referral")
    return tagged(request, await _referral(tx, row))


@router.post("/referrals/{referral_id}/consent", tags=["referrals"])
async def consent(
    who: OwnOfficer, referral_id: UUID, body: models.ConsentIn, referrals: TheReferrals, tx: WriteTx
) -> models.OwnReferralOut:
    """Enter whether the jobseeker consents to be referred: how, for what, until when.

    The first answer counts, repeating it changes nothing. Who has withdrawn consent may give it again.
    """
    row = await referrals.consent(
        tx,
        referral_id,
        who.actor,
        consented=body.consented,
        how=body.how,
        purpose=body.purpose,
        until=body.until,
    )
    return await _referral(tx, row)


@router.post("/referrals/{referral_id}/consent-withdrawal", tags=["referrals"])
async def withdraw_consent(
    who: OwnOfficer, referral_id: UUID, body: models.ConsentWithdrawalIn, referrals: TheReferrals, tx: WriteTx
) -> models.OwnReferralOut:
    """Withdraw the jobseeker's consent. Access to the contact ends at once, and open offers with it.

    Repeating it changes nothing.
    """
    return await _referral(tx, await referrals.withdraw_consent(tx, referral_id, who.actor, body.how))


@router.post("/referrals/{referral_id}/stay", tags=["referrals"])
async def stay(
    who: OwnOfficer, referral_id: UUID, body: models.StayIn, referrals: TheReferrals, tx: WriteTx
) -> models.OwnReferralOut:
    """Enter whether a jobseeker who was hired stays in the pool. The answer may be changed."""
    return await _referral(tx, await referrals.stay(tx, referral_id, who.actor, stays=body.stays))


@router.post(
    "/referrals/{referral_id}/contact-queries",
    status_code=status.HTTP_201_CREATED,
    tags=["referrals"],
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
    after = read_single_cursor(cursor, models.serial)
    rows = await OwnReferrals(tx).queries(referral_id=referral_id, after=after, limit=limit)
    return Page.of(rows, limit, lambda row: (row.query_id,), models.ContactQueryOut.model_validate)


@router.get("/offers/consequences", tags=["referrals"])
async def list_consequences(
    _: OwnOfficer, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[models.OwnOfferOut]:
    """List offers whose answer leads to something that nobody has handled, the oldest first."""
    rows = await OwnReferrals(tx).offers_to_handle(read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(
        rows,
        limit,
        lambda row: (row.consequence_at.isoformat() if row.consequence_at else "", row.offer_id),
        models.OwnOfferOut.model_validate,
    )


@router.post("/offers/{offer_id}/consequence-handling", tags=["referrals"])
async def handle_consequence(
    who: OwnOfficer, offer_id: UUID, body: models.HandlingIn, referrals: TheReferrals, tx: WriteTx
) -> models.OwnOfferOut:
    """Enter that what an answer leads to is handled, or is not after all."""
    offer = await referrals.handle_consequence(tx, offer_id, who.actor, handled=body.handled)
    return models.OwnOfferOut.model_validate(offer)


@router.post("/offers/{offer_id}/answer", tags=["referrals"])
async def answer_offer(
    _: OwnOfficer, offer_id: UUID, body: models.OfferAnswerIn, referrals: TheReferrals, tx: WriteTx
) -> models.OwnOfferOut:
    """Enter the jobseeker's answer to a job offer. 409 after the deadline, or against an earlier answer."""
    return models.OwnOfferOut.model_validate(await referrals.answer_offer(tx, offer_id, accepted=body.accepted))


async def _referral(tx: Transaction, row: OwnReferralRow) -> models.OwnReferralOut:
    (shown,) = await _referrals(tx, [row])
    return shown


async def _referrals(tx: Transaction, rows: Sequence[OwnReferralRow]) -> list[models.OwnReferralOut]:
    ids = await Pool(tx).ids(row.reference for row in rows)
    consents = await OwnReferrals(tx).consents(row.referral_id for row in rows)
    offers = await OwnReferrals(tx).offers(row.referral_id for row in rows)
    return [
        models.OwnReferralOut(
            **row.model_dump(),
            jobseeker_id=ids.get(row.reference),
            consents=[models.ConsentOut.model_validate(given) for given in consents.get(row.referral_id, ())],
            offers=[models.OwnOfferOut.model_validate(offer) for offer in offers.get(row.referral_id, ())],
        )
        for row in rows
    ]
