"""What ends with a vacancy, and what the feed finds, on a real database, without HTTP and without a city."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from deploy.local.stack import JOINT, Stack
from services.placement import data
from services.placement.app import PLACEMENT
from services.placement.authority.commands import CityPool, CityReferrals
from services.placement.authority.store import OwnReferrals
from services.placement.domain.pool import Jobseeker
from services.placement.domain.vacancy import Filter
from services.placement.joint.commands import JointVacancies
from services.placement.joint.referral_commands import JointReferrals
from services.placement.joint.store import Referrals, Vacancies
from services.placement.joint.tables import AssignmentRow, ReferralRow
from services.placement.settings import Settings
from shared.events.v1.change_security import Occupation
from shared.events.v1.placement import (
    ConsentChannel,
    OfferState,
    ReferralRequested,
    ReferralState,
    Vacancy,
    VacancyState,
    Wanted,
)
from shared.messaging.transaction import Database
from shared.process import Service, writing
from tests.support.placement import vacancy
from tests.support.settings import settings_of

VACANCIES = JointVacancies()
REFERRALS = JointReferrals(VACANCIES, data.offer_rules())


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    """An empty database of placement."""
    service = Service(PLACEMENT.name, f"placement_{uuid4().hex[:8]}", PLACEMENT.migrations)
    async with writing(service, settings_of(Settings, stack, JOINT)) as opened:
        yield opened


async def reported(database: Database, state: VacancyState = VacancyState.OPEN, **changes: Any) -> UUID:
    async with database.transaction(uuid4()) as tx:
        body = Vacancy.model_validate(vacancy(**changes))
        return (await VACANCIES.report(tx, body, state, "system:jobs")).vacancy_id


async def offered(database: Database, vacancy_id: UUID) -> UUID:
    """Make an offer to a jobseeker who has consented; return the referral's id."""
    now = datetime.now(UTC)
    wanted = Wanted(occupation=Occupation(scheme="ISCO-08", code="5120"), municipality="091")
    assignment = AssignmentRow(
        assignment_id=uuid4(),
        vacancy_id=vacancy_id,
        wanted=wanted,
        at_most=1,
        asked_by="officer:x",
        asked_at=now,
        answer_by=now,
    )
    referral = ReferralRow(
        referral_id=uuid4(),
        assignment_id=assignment.assignment_id,
        vacancy_id=vacancy_id,
        office="vantaa",
        reference="opaque",
        purpose="esittely",
        requested_by="officer:x",
        requesting_authority="helsinki",
        state=ReferralState.CONSENTED,
        requested_at=now,
    )
    async with database.transaction(uuid4()) as tx:
        tx.session.add(assignment)
        await tx.session.flush()
        assert await Referrals(tx).add(referral)
    async with database.transaction(uuid4()) as tx:
        await REFERRALS.offer(tx, referral.referral_id, binding=True, answer_by=now + timedelta(days=1))
    return referral.referral_id


async def published(database: Database, key: UUID) -> list[str]:
    async with database.read() as tx:
        sql = text("SELECT type FROM outbox WHERE key = :key ORDER BY seq")
        return list((await tx.connection.execute(sql, {"key": str(key)})).scalars())


@pytest.mark.parametrize("end", [VacancyState.FILLED, VacancyState.WITHDRAWN])
async def test_open_offers_end_with_their_vacancy_alone(database: Database, end: VacancyState) -> None:
    vacancy_id = await reported(database)
    mine, other = await offered(database, vacancy_id), await offered(database, await reported(database))
    async with database.transaction(uuid4()) as tx:
        await VACANCIES.move(tx, vacancy_id, end, None)
    async with database.read() as tx:
        offers = await Referrals(tx).offers_of([mine, other])
    assert [offers[one][0].state for one in (mine, other)] == [OfferState.WITHDRAWN, OfferState.OPEN]
    assert await published(database, mine) == ["placement.job-offer-made.v1", "placement.job-offer-withdrawn.v1"]
    assert await published(database, other) == ["placement.job-offer-made.v1"]


async def test_an_offer_that_is_made_while_the_vacancy_ends_is_refused_or_taken_back(database: Database) -> None:
    for _ in range(5):
        vacancy_id = await reported(database)
        referral_id = await offered(database, vacancy_id)
        offer_id = await first_offer(database, referral_id)
        async with database.transaction(uuid4()) as tx:
            await REFERRALS.withdraw_offer(tx, referral_id, offer_id)

        async def offer(referral_id: UUID = referral_id) -> None:
            async with database.transaction(uuid4()) as tx:
                due = datetime.now(UTC) + timedelta(days=1)
                await REFERRALS.offer(tx, referral_id, binding=True, answer_by=due)

        async def withdraw(vacancy_id: UUID = vacancy_id) -> None:
            async with database.transaction(uuid4()) as tx:
                await VACANCIES.move(tx, vacancy_id, VacancyState.WITHDRAWN, None)

        await asyncio.gather(offer(), withdraw(), return_exceptions=True)
        async with database.read() as tx:
            offers = await Referrals(tx).offers(referral_id)
            posting = await Vacancies(tx).read(vacancy_id)
        assert posting is not None
        assert posting.state is VacancyState.WITHDRAWN
        assert {made.state for made in offers} == {OfferState.WITHDRAWN}


async def first_offer(database: Database, referral_id: UUID) -> UUID:
    async with database.read() as tx:
        return (await Referrals(tx).offers(referral_id))[0].offer_id


async def test_the_feed_finds_every_language_and_says_nothing_of_what_nobody_has_seen(database: Database) -> None:
    translated = await reported(database, translations=[{"language": "sv", "title": "Kock"}])
    draft = await reported(database, VacancyState.DRAFT)
    unseen = await reported(database, VacancyState.DRAFT)
    async with database.transaction(uuid4()) as tx:
        await VACANCIES.move(tx, unseen, VacancyState.WITHDRAWN, None)

    async def found(language: str | None) -> tuple[set[UUID], dict[UUID, bool]]:
        wanted = Filter(language=language)
        async with database.read() as tx:
            shown = {posting.vacancy_id for posting in await Vacancies(tx).shown(wanted, None, 100)}
            changes = await Vacancies(tx).changes(0, UUID(int=0), 100, wanted, None, None)
        return shown, {change.posting.vacancy_id: wanted.fits(change.posting) for change in changes}

    for language in (None, "fi", "sv"):
        assert await found(language) == ({translated}, {translated: True})
    assert await found("en") == (set(), {})
    async with database.transaction(uuid4()) as tx:
        await VACANCIES.revise(tx, translated, Vacancy.model_validate(vacancy()), 1, None)
    assert await found("sv") == (set(), {translated: False})
    assert (await published(database, draft), await published(database, unseen)) == ([], [])


async def test_who_is_removed_has_no_consent_and_no_open_referral_left(database: Database) -> None:
    pool, referrals = CityPool(b"key"), CityReferrals(frozenset({"vantaa"}))
    reference = pool.reference("1")
    jobseeker = Jobseeker(jobseeker_id="1", name="Aino Esimerkki", municipality="092", occupations=("5120",))
    ids = [uuid4(), uuid4()]
    async with database.transaction(uuid4()) as tx:
        await pool.put(tx, jobseeker)
        for referral_id in ids:
            request = ReferralRequested(
                referral_id=referral_id,
                assignment_id=uuid4(),
                vacancy_id=uuid4(),
                reference=reference,
                purpose="esittely",
                requesting_authority="helsinki",
            )
            await referrals.receive(tx, request)
    async with database.transaction(uuid4()) as tx:
        await referrals.consent(tx, ids[0], "officer:x", consented=True, how=ConsentChannel.PHONE)
    async with database.transaction(uuid4()) as tx:
        assert await pool.take_in(tx, ["1", "unknown"]) == 0
    async with database.read() as tx:
        rows = [await OwnReferrals(tx).read(referral_id) for referral_id in ids]
        consents = await OwnReferrals(tx).consents(ids)
    assert [row.state for row in rows if row] == [ReferralState.CONSENT_WITHDRAWN, ReferralState.UNKNOWN_REFERENCE]
    assert [(given.ended_by, given.ended_at is not None) for given in consents[ids[0]]] == [("import", True)]
