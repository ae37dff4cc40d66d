"""A city's own API: its officers' contacts, their competence and absence, announcements, guidance.

All of it works with the joint office down: what is entered here is sent when Kafka is available, and a city can take a
contact in itself.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.advisory.authority.commands import CityAdvisers, CityAnnouncements, CityContacts
from services.advisory.authority.models import (
    AdviserOut,
    HandOverRequestOut,
    OwnAnnouncementOut,
    OwnContactOut,
    ReopeningIn,
)
from services.advisory.authority.store import OwnAdvisers, OwnAnnouncements, OwnArticles, OwnContacts
from services.advisory.authority.tables import OwnAnnouncementRow
from services.advisory.domain.assignment import Competence
from services.advisory.domain.contact import ContactState
from services.advisory.models import AnswerIn, CallIn, ContactIn, HandOverIn
from shared.events.v1.advisory import ContactTopic, GuidancePublished
from shared.http.auth import Coordinator, OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx

router = APIRouter(prefix="/v1", route_class=IdempotentRoute)
TheContacts = Annotated[CityContacts, Depends(part(CityContacts))]
TheAdvisers = Annotated[CityAdvisers, Depends(part(CityAdvisers))]
TheAnnouncements = Annotated[CityAnnouncements, Depends(part(CityAnnouncements))]


@router.put("/advisers/{officer}", tags=["advisers"])
async def put_adviser(_: Coordinator, officer: str, body: Competence, advisers: TheAdvisers, tx: WriteTx) -> AdviserOut:
    """Say what an officer advises on, in which languages, for how much of a year, and when absent."""
    return AdviserOut.model_validate(await advisers.put(tx, officer, body))


@router.get("/advisers", tags=["advisers"])
async def list_advisers(_: OwnOfficer, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None) -> Page[AdviserOut]:
    """List the officers who advise."""
    rows = await OwnAdvisers(tx).page(read_single_cursor(cursor, str), limit)
    return Page.of(rows, limit, lambda row: (row.officer,), lambda row: AdviserOut.model_validate(row.listed))


@router.get("/contacts", tags=["contacts"])
async def list_contacts(
    who: OwnOfficer,
    tx: ReadTx,
    *,
    mine: bool = False,
    state: ContactState | None = None,
    topic: ContactTopic | None = None,
    reopened: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[OwnContactOut]:
    """List the city's contacts, oldest first; or the own ones alone."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    rows = await OwnContacts(tx).page(who.subject if mine else None, state, topic, after, limit, reopened=reopened)
    return Page.of(rows, limit, lambda row: (row.received_at, row.contact_id), OwnContactOut.model_validate)


@router.post("/contacts", status_code=201, tags=["contacts"])
async def register(
    response: Response, who: OwnOfficer, body: ContactIn, contacts: TheContacts, tx: WriteTx
) -> OwnContactOut:
    """Take a contact in and handle it in this city; the joint office keeps count."""
    row = await contacts.register(tx, body.contact(tx.clock.now()), who.subject, body.person)
    response.headers["Location"] = f"/v1/contacts/{row.contact_id}"
    return OwnContactOut.model_validate(row)


@router.post("/calls", status_code=201, tags=["contacts"])
async def log_call(
    response: Response, who: OwnOfficer, body: CallIn, contacts: TheContacts, tx: WriteTx
) -> OwnContactOut:
    """Log a telephone call that the officer has taken: answered, or handed over."""
    row = await contacts.log_call(tx, body, who.subject)
    response.headers["Location"] = f"/v1/contacts/{row.contact_id}"
    return OwnContactOut.model_validate(row)


@router.get("/contacts/{contact_id}", response_model=OwnContactOut, tags=["contacts"])
async def read_contact(
    request: Request, _: OwnOfficer, contact_id: UUID, contacts: TheContacts, tx: ReadTx
) -> Response:
    """Read a contact."""
    return tagged(request, OwnContactOut.model_validate(await contacts.get(tx, contact_id)))


@router.post("/contacts/{contact_id}/answer", tags=["contacts"])
async def answer(
    who: OwnOfficer, contact_id: UUID, body: AnswerIn, contacts: TheContacts, tx: WriteTx
) -> OwnContactOut:
    """Enter that a contact is answered, and which guidance the employer was given. Repeating it changes nothing."""
    row = await contacts.answer(tx, contact_id, who.subject, body)
    return OwnContactOut.model_validate(row)


@router.get("/contacts/{contact_id}/answers", tags=["contacts"])
async def list_answers(
    _: OwnOfficer, contact_id: UUID, contacts: TheContacts, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[str]:
    """List what was written to the caller from this city, oldest first."""
    letters = await contacts.answers(tx, contact_id, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(letters, limit, lambda letter: (letter.written_at, letter.letter_id), lambda letter: letter.body)


@router.post("/contacts/{contact_id}/closing", tags=["contacts"])
async def close(who: OwnOfficer, contact_id: UUID, contacts: TheContacts, tx: WriteTx) -> OwnContactOut:
    """Enter that a contact needs nothing more. Repeating it changes nothing."""
    return OwnContactOut.model_validate(await contacts.close(tx, contact_id, who.subject))


@router.post("/contacts/{contact_id}/reopening", tags=["contacts"])
async def reopen(
    who: OwnOfficer, contact_id: UUID, body: ReopeningIn, contacts: TheContacts, tx: WriteTx
) -> OwnContactOut:
    """Take back an answer or a closing: the contact is this officer's. Repeating it changes nothing."""
    return OwnContactOut.model_validate(await contacts.reopen(tx, contact_id, who.subject, body.reason))


@router.post("/contacts/{contact_id}/hand-overs", status_code=202, tags=["contacts"])
async def hand_over(
    _: OwnOfficer, contact_id: UUID, body: HandOverIn, contacts: TheContacts, tx: WriteTx
) -> HandOverRequestOut:
    """Hand a contact over to another authority or service. Until it is acknowledged it stays here."""
    hand_over_id = await contacts.hand_over(tx, contact_id, body.to_authority, body.to_service, body.reason)
    return HandOverRequestOut(hand_over_id=hand_over_id)


@router.post("/contacts/{contact_id}/acknowledgement", tags=["contacts"])
async def acknowledge(who: OwnOfficer, contact_id: UUID, contacts: TheContacts, tx: WriteTx) -> OwnContactOut:
    """Acknowledge a contact that another authority hands over: from now on it is this officer's."""
    return OwnContactOut.model_validate(await contacts.acknowledge(tx, contact_id, who.subject))


@router.get("/guidance", tags=["guidance"])
async def list_guidance(
    _: OwnOfficer, tx: ReadTx, topic: ContactTopic | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[GuidancePublished]:
    """List the articles in force, as far as they have come here."""
    rows = await OwnArticles(tx).page(topic, read_single_cursor(cursor, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.article_id,), lambda row: row.article)


@router.get("/announcements", tags=["announcements"])
async def list_announcements(
    _: OwnOfficer, tx: ReadTx, *, published: bool | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[OwnAnnouncementOut]:
    """List announcements, newest first; those that the city has published, or has not, if asked."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    rows = await OwnAnnouncements(tx).page(after, limit, is_published=published)
    return Page.of(rows, limit, lambda row: (row.stored_at, row.announcement_id), _announcement)


@router.post("/announcements/{announcement_id}/publication", tags=["announcements"])
async def publish(
    _: OwnOfficer, announcement_id: UUID, announcements: TheAnnouncements, tx: WriteTx
) -> OwnAnnouncementOut:
    """Enter that the city has published an announcement. Repeating it changes nothing."""
    return _announcement(await announcements.publish(tx, announcement_id))


def _announcement(row: OwnAnnouncementRow) -> OwnAnnouncementOut:
    return OwnAnnouncementOut(
        announcement_id=row.announcement_id,
        texts=row.announcement.texts,
        audiences=list(row.announcement.audiences),
        publish_on=row.announcement.publish_on,
        published_at=row.published_at,
    )
