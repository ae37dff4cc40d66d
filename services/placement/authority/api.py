"""A city's own API: its pool, its jobseekers' consent and answers, and the logged query for a name and a contact.

The city's own officers see its own jobseekers. Officers of the other authorities may do one thing here: ask for the name
and contact of a jobseeker who has consented to a referral that their authority requested, with a purpose. Every such
query is logged before it is answered, and a refused one too.
"""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, status

from services.placement.api import models
from services.placement.domain.matching import isco, rank, why_not
from services.placement.domain.pool import Jobseeker
from services.placement.handlers.authority import tell
from services.placement.store import OwnReferrals, Pool
from shared.events.v1.placement import JobOfferAnswered, OfferState, ReferralAnswered, ReferralState
from shared.http.auth import Caller, permit_officer
from shared.http.problems import FieldProblem, ProblemError, invalid_request, not_found
from shared.http.reading import Limit
from shared.identity import Officer
from shared.intake import without_identity_codes
from shared.messaging.transaction import Database
from shared.opaque import reference_of


def router(database: Database, authority: str, network: frozenset[str], pool_key: bytes) -> APIRouter:
    """Make a city's routes.

    Args:
        database: opens transactions on the city's own database.
        authority: the city's authority.
        network: the authorities of the region.
        pool_key: the city's own secret for opaque references.
    """
    routes = APIRouter(prefix="/v1")

    def own_officer(who: Caller) -> Officer:
        return permit_officer(who, frozenset({authority}), "officer", "coordinator")

    def any_officer(who: Caller) -> Officer:
        return permit_officer(who, network, "officer", "coordinator")

    Own = Annotated[Officer, Depends(own_officer)]  # noqa: N806 - a type
    AnyOfficer = Annotated[Officer, Depends(any_officer)]  # noqa: N806 - a type

    # -- the pool

    @routes.put(
        "/jobseekers/{jobseeker_id}", status_code=204, tags=["pool"], dependencies=[Depends(without_identity_codes)]
    )
    async def put(_: Own, jobseeker_id: str, told: models.JobseekerIn) -> None:
        """Write a profile, new or changed."""
        try:
            jobseeker = Jobseeker(jobseeker_id=jobseeker_id, **told.model_dump())
        except ValueError as error:
            raise invalid_request([FieldProblem(pointer="/occupations", code="not-isco-08")]) from error
        async with database.transaction(uuid4()) as tx:
            Pool(tx).put(jobseeker, reference_of(pool_key, jobseeker_id))

    @routes.delete("/jobseekers/{jobseeker_id}", status_code=204, tags=["pool"])
    async def remove(_: Own, jobseeker_id: str) -> None:
        """Remove a profile."""
        async with database.transaction(uuid4()) as tx:
            if not await Pool(tx).remove(jobseeker_id):
                raise not_found("jobseeker")

    @routes.get("/assignments/{assignment_id}/why/{jobseeker_id}", tags=["pool"])
    async def explain(_: Own, assignment_id: UUID, jobseeker_id: str) -> models.WhyOut:
        """Explain why one of the own jobseekers is, or is not, among an assignment's candidates, as the pool is now."""
        async with database.read() as tx:
            asked = await Pool(tx).asked(assignment_id)
            profile = await Pool(tx).profile(jobseeker_id)
            if asked is None or profile is None:
                raise not_found("assignment" if asked is None else "jobseeker")
            wanted, at_most, as_of = asked
            best, _considered = rank(await Pool(tx).near(isco(wanted.occupation)), wanted, as_of, at_most)
        match, verdict = why_not(profile, wanted, as_of, best, at_most)
        return models.WhyOut(verdict=verdict, score=match.score, reasons=list(match.reasons))

    # -- referrals

    @routes.get("/referrals", tags=["referrals"])
    async def list_referrals(
        _: Own, state: Annotated[ReferralState | None, Query()] = None, limit: Limit = 50
    ) -> list[models.OwnReferralOut]:
        """List referrals of the own jobseekers, newest first."""
        async with database.read() as tx:
            found = []
            for row in await OwnReferrals(tx).page(state, limit):
                jobseeker = await Pool(tx).by_reference(row.reference)
                found.append(
                    models.OwnReferralOut(
                        referral_id=row.referral_id,
                        assignment_id=row.assignment_id,
                        vacancy_id=row.vacancy_id,
                        jobseeker_id=jobseeker.jobseeker_id if jobseeker else None,
                        purpose=row.purpose,
                        requesting_authority=row.requesting_authority,
                        state=row.state,
                        outcome=row.outcome,
                    )
                )
        return found

    @routes.put("/referrals/{referral_id}/consent", status_code=204, tags=["referrals"])
    async def consent(who: Own, referral_id: UUID, told: models.ConsentIn) -> None:
        """Enter whether the jobseeker consents to be referred. The first answer counts; repeating it changes nothing."""
        wanted = ReferralState.CONSENTED if told.consented else ReferralState.DECLINED
        async with database.transaction(uuid4()) as tx:
            referrals = OwnReferrals(tx)
            row = await referrals.get(referral_id)
            if row is None:
                raise not_found("referral")
            if row.state == wanted:
                return
            if row.state != ReferralState.REQUESTED:
                raise ProblemError(409, "not-now", "This cannot be done now.", f"The referral is {row.state}.")
            await referrals.answer(referral_id, wanted, who.actor)
            tell(
                tx,
                ReferralAnswered(referral_id=referral_id, office=tx.office, state=wanted, answered_at=tx.clock.now()),
            )

    @routes.post(
        "/referrals/{referral_id}/contact-queries",
        status_code=status.HTTP_201_CREATED,
        tags=["referrals"],
        dependencies=[Depends(without_identity_codes)],
    )
    async def ask_contact(who: AnyOfficer, referral_id: UUID, told: models.ContactQueryIn) -> models.ContactOut:
        """Ask for a consenting jobseeker's name and contact, with a purpose. Logged, whether answered or refused."""
        async with database.transaction(uuid4()) as tx:
            referrals = OwnReferrals(tx)
            row = await referrals.get(referral_id)
            concerned = row is not None and who.authority in {authority, row.requesting_authority}
            if row is None or not concerned:
                raise not_found("referral")
            jobseeker = await Pool(tx).by_reference(row.reference)
            answered = row.state == ReferralState.CONSENTED and row.outcome is None and jobseeker is not None
            await referrals.log_query(referral_id, who.actor, who.authority, told.purpose, answered=answered)
        # Committed: a refusal is in the log too.
        if not answered or jobseeker is None:
            raise ProblemError(403, "no-consent", "The jobseeker has not consented, or the referral has ended.")
        return models.ContactOut(name=jobseeker.name, phone=jobseeker.phone, email=jobseeker.email)

    @routes.get("/referrals/{referral_id}/contact-queries", tags=["referrals"])
    async def list_queries(_: Own, referral_id: UUID) -> list[models.ContactQueryOut]:
        """List who asked for a jobseeker's contact, and why."""
        async with database.read() as tx:
            rows = await OwnReferrals(tx).queries(referral_id)
        return [models.ContactQueryOut.model_validate(row, from_attributes=True) for row in rows]

    @routes.put("/offers/{offer_id}/answer", status_code=204, tags=["referrals"])
    async def answer_offer(_: Own, offer_id: UUID, told: models.OfferAnswerIn) -> None:
        """Enter the jobseeker's answer to a job offer. 409 after the deadline, or against an earlier answer."""
        wanted = OfferState.ACCEPTED if told.accepted else OfferState.DECLINED
        async with database.transaction(uuid4()) as tx:
            offer = await OwnReferrals(tx).offer(offer_id)
            if offer is None:
                raise not_found("job offer")
            if offer.state == wanted:
                return
            now = tx.clock.now()
            if offer.state != OfferState.OPEN or offer.answer_by < now:
                raise ProblemError(409, "not-now", "This cannot be done now.", "The offer is answered or expired.")
            await OwnReferrals(tx).answer_offer(offer_id, wanted)
            tell(
                tx,
                JobOfferAnswered(
                    referral_id=offer.referral_id, office=tx.office, offer_id=offer_id, state=wanted, answered_at=now
                ),
            )

    return routes
