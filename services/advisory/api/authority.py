"""A city's own API: its officers' contacts, their competence and absence, announcements, guidance.

All of it works with the joint office down: what is entered here is told when Kafka takes it, and a city can take a
contact in itself.
"""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Response, status

from services.advisory.api import models
from services.advisory.domain.contact import ContactState, check
from services.advisory.handlers.authority import tell
from services.advisory.store import OwnContacts
from shared.errors import RefusedError
from shared.events.envelope import derived_id
from shared.events.v1.advisory import (
    AnnouncementMade,
    AnnouncementReceived,
    ContactAnswered,
    ContactClosed,
    ContactRegistered,
    ContactTopic,
    GuidancePublished,
    HandOverAcknowledged,
    HandOverAsked,
    OfficerListed,
)
from shared.http import (
    Caller,
    FieldProblem,
    IdempotencyKey,
    Limit,
    ProblemError,
    invalid_request,
    not_found,
    permit_officer,
)
from shared.identity import Officer
from shared.messaging.transaction import Transaction, Database
from shared.screening import without_identity_codes
from shared.store import Found

_CLEAN = [Depends(without_identity_codes)]


def router(database: Database, authority: str, authorities: frozenset[str]) -> APIRouter:
    """Make a city's routes.

    Args:
        database: opens transactions on the city's own database.
        authority: the city's authority.
        authorities: those of the region.
    """
    routes = APIRouter(prefix="/v1")

    def own_officer(who: Caller) -> Officer:
        return permit_officer(who, frozenset({authority}), "officer", "coordinator")

    def own_coordinator(who: Caller) -> Officer:
        return permit_officer(who, frozenset({authority}), "coordinator")

    Own = Annotated[Officer, Depends(own_officer)]  # noqa: N806 - a type
    Coordinator = Annotated[Officer, Depends(own_coordinator)]  # noqa: N806 - a type

    # -- officers

    @routes.put("/advisers/{officer}", status_code=204, tags=["advisers"])
    async def list_adviser(_: Coordinator, officer: str, told: models.AdviserIn) -> None:
        """Say what an officer advises on, in which languages, for how much of a year, and when absent."""
        async with database.transaction(uuid4()) as tx:
            before = await OwnContacts(tx).adviser(officer)
            listed = OfficerListed(
                officer=officer, office=tx.office, version=before.version + 1 if before else 1, **told.model_dump()
            )
            await OwnContacts(tx).list_adviser(listed)
            tell(tx, listed)

    @routes.get("/advisers", tags=["advisers"])
    async def list_advisers(_: Own) -> list[models.AdviserOut]:
        """List the officers who advise."""
        async with database.read() as tx:
            listed = await OwnContacts(tx).advisers()
        return [models.AdviserOut.model_validate(one, from_attributes=True) for one in listed]

    # -- contacts

    @routes.get("/contacts", tags=["contacts"])
    async def list_contacts(
        who: Own,
        *,
        mine: bool = False,
        state: Annotated[ContactState | None, Query()] = None,
        limit: Limit = 50,
    ) -> list[models.OwnContactOut]:
        """List the city's contacts, oldest first; or the own ones alone."""
        async with database.read() as tx:
            rows = await OwnContacts(tx).page(who.subject if mine else None, state, limit)
        return [models.OwnContactOut.of(row) for row in rows]

    @routes.post("/contacts", status_code=status.HTTP_201_CREATED, tags=["contacts"], dependencies=_CLEAN)
    async def register(
        response: Response, who: Own, told: models.ContactIn, key: IdempotencyKey = None
    ) -> models.OwnContactOut:
        """Take a contact in and handle it in this city; the joint office keeps count."""
        contact_id = derived_id("contact", who.actor, key) if key else uuid4()
        async with database.transaction(derived_id("register", contact_id)) as tx:
            contact = told.contact(tx.clock.now())
            try:
                check(contact)
            except RefusedError as error:
                raise invalid_request([FieldProblem(pointer="/business_id", code=error.code)]) from error
            if await OwnContacts(tx).register(contact_id, contact, who.subject, authority, told.person):
                tell(
                    tx,
                    ContactRegistered(contact_id=contact_id, office=tx.office, officer=who.subject, contact=contact),
                )
            response.headers["Location"] = f"/v1/contacts/{contact_id}"
            return models.OwnContactOut.of(await _own(tx, contact_id))

    @routes.get("/contacts/{contact_id}", tags=["contacts"])
    async def read_contact(_: Own, contact_id: UUID) -> models.OwnContactOut:
        """Read a contact."""
        async with database.read() as tx:
            return models.OwnContactOut.of(await _own(tx, contact_id))

    @routes.post("/contacts/{contact_id}/answer", status_code=204, tags=["contacts"])
    async def answer(who: Own, contact_id: UUID, told: models.AnswerIn) -> None:
        """Enter that a contact is answered, and which guidance the employer was given. Repeating it changes nothing."""
        async with database.transaction(uuid4()) as tx:
            row = await _own(tx, contact_id)
            if row.state == ContactState.ANSWERED:
                return
            _must_be(row, ContactState.ASSIGNED)
            await OwnContacts(tx).set_state(contact_id, ContactState.ANSWERED)
            event = ContactAnswered(
                contact_id=contact_id,
                office=tx.office,
                officer=who.subject,
                answered_at=tx.clock.now(),
                minutes=told.minutes,
                guidance=told.guidance,
            )
            tell(tx, event)

    @routes.post("/contacts/{contact_id}/closing", status_code=204, tags=["contacts"])
    async def close(_: Own, contact_id: UUID) -> None:
        """Enter that a contact needs nothing more. Repeating it changes nothing."""
        async with database.transaction(uuid4()) as tx:
            row = await _own(tx, contact_id)
            if row.state == ContactState.CLOSED:
                return
            _must_be(row, ContactState.ASSIGNED, ContactState.ANSWERED)
            await OwnContacts(tx).set_state(contact_id, ContactState.CLOSED)
            tell(tx, ContactClosed(contact_id=contact_id, office=tx.office, closed_at=tx.clock.now()))

    @routes.post(
        "/contacts/{contact_id}/hand-overs",
        status_code=status.HTTP_202_ACCEPTED,
        tags=["contacts"],
        dependencies=_CLEAN,
    )
    async def hand_over(_: Own, contact_id: UUID, told: models.HandOverIn) -> models.HandOverRequestOut:
        """Hand a contact over to another authority or service. Until it is acknowledged it stays here."""
        if (told.to_authority is None) == (told.to_service is None):
            raise invalid_request([FieldProblem(pointer="/to_authority", code="either-authority-or-service")])
        if told.to_authority is not None and told.to_authority not in authorities - {authority}:
            raise invalid_request([FieldProblem(pointer="/to_authority", code="no-other-authority")])
        hand_over_id = uuid4()
        async with database.transaction(derived_id("hand over", hand_over_id)) as tx:
            _must_be(await _own(tx, contact_id), ContactState.ASSIGNED)
            event = HandOverAsked(
                contact_id=contact_id,
                office=tx.office,
                hand_over_id=hand_over_id,
                to_authority=told.to_authority,
                to_service=told.to_service,
                reason=told.reason,
            )
            tell(tx, event)
        return models.HandOverRequestOut(hand_over_id=hand_over_id)

    @routes.post("/contacts/{contact_id}/acknowledgement", status_code=204, tags=["contacts"])
    async def acknowledge(who: Own, contact_id: UUID) -> None:
        """Acknowledge a contact that another authority hands over: from now on it is this officer's."""
        async with database.transaction(uuid4()) as tx:
            row = await _own(tx, contact_id)
            if row.is_acknowledged:
                return
            _must_be(row, ContactState.ASSIGNED)
            await OwnContacts(tx).acknowledge(contact_id)
            event = HandOverAcknowledged(
                contact_id=contact_id,
                office=tx.office,
                hand_over_id=row.hand_over_id,
                officer=who.subject,
                acknowledged_at=tx.clock.now(),
            )
            tell(tx, event)

    # -- guidance and announcements

    @routes.get("/guidance", tags=["guidance"])
    async def list_guidance(_: Own, topic: ContactTopic | None = None) -> list[GuidancePublished]:
        """List the articles in force, as far as they have come here."""
        async with database.read() as tx:
            return [one for one in await OwnContacts(tx).articles() if topic in {None, one.topic}]

    @routes.get("/announcements", tags=["announcements"])
    async def list_announcements(_: Own) -> list[models.OwnAnnouncementOut]:
        """List announcements, newest first."""
        async with database.read() as tx:
            rows = await OwnContacts(tx).announcements()
        found = []
        for row in rows:
            told = AnnouncementMade.model_validate(row.announcement)
            found.append(
                models.OwnAnnouncementOut(
                    announcement_id=row.announcement_id,
                    texts=told.texts,
                    audiences=list(told.audiences),
                    publish_on=told.publish_on,
                    published_at=row.published_at,
                )
            )
        return found

    @routes.post("/announcements/{announcement_id}/publication", status_code=204, tags=["announcements"])
    async def publish(_: Own, announcement_id: UUID) -> None:
        """Enter that the city has published an announcement. Repeating it changes nothing."""
        async with database.transaction(uuid4()) as tx:
            published = await OwnContacts(tx).publish_announcement(announcement_id)
            if published is None:
                raise not_found("announcement")
            if published:
                tell(
                    tx,
                    AnnouncementReceived(
                        announcement_id=announcement_id, office=tx.office, state="published", at=tx.clock.now()
                    ),
                )

    return routes


async def _own(tx: Transaction, contact_id: UUID) -> Found:
    row = await OwnContacts(tx).get(contact_id)
    if row is None:
        raise not_found("contact")
    return row


def _must_be(row: Found, *states: ContactState) -> None:
    if row.state not in states:
        raise ProblemError(409, "not-now", "This cannot be done now.", f"The contact is {row.state}.")
