"""The joint office's API: the queue of contacts, shares, hand-overs, timelines, guidance, announcements, reviews.

A system with the scope `contacts:write` brings contacts. Officers and coordinators of the region see the queue; who
called is told to the acting and the competent authority alone, by a logged query. The coordination group approves
guidance and announcements (role `coordination_group`). What the groups decide of the agreement: `agreement_api`.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.advisory.domain.guidance import Draft
from services.advisory.joint.commands import JointContacts, JointResources
from services.advisory.joint.models import (
    ActOut,
    AgreedOut,
    AnnouncementIn,
    AnnouncementOut,
    ApprovalIn,
    ArticleOut,
    ContactOut,
    EntryOut,
    GivenOut,
    HandOverOut,
    ReceiptOut,
    RequestOut,
    ShareOut,
    TimelineIn,
    TimelineOut,
    WithheldOut,
)
from services.advisory.joint.publications import JointAnnouncements, JointGuidance
from services.advisory.joint.questions import JointReviews, JointTimelines
from services.advisory.joint.store import Announcements, Contacts, Guidance, HandOvers, Narrowed
from services.advisory.joint.tables import AnnouncementRow, ArticleRow, ContactRow
from services.advisory.models import ContactIn
from shared.calendar import local_day
from shared.events.v1.advisory import ContactTopic, Task
from shared.events.v1.agreement import Group
from shared.events.values import BusinessId
from shared.http.auth import Authorities, Caller, OwnOfficer, part, permit_officer, permit_system
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer, Role, System
from shared.messaging.transaction import Database, Transaction

router = APIRouter(prefix="/v1", route_class=IdempotentRoute)
TheContacts = Annotated[JointContacts, Depends(part(JointContacts))]
TheResources = Annotated[JointResources, Depends(part(JointResources))]
TheTimelines = Annotated[JointTimelines, Depends(part(JointTimelines))]
TheReviews = Annotated[JointReviews, Depends(part(JointReviews))]
TheGuidance = Annotated[JointGuidance, Depends(part(JointGuidance))]
TheAnnouncements = Annotated[JointAnnouncements, Depends(part(JointAnnouncements))]
TheDatabase = Annotated[Database, Depends(part(Database))]


async def staff(who: Caller, served: Authorities) -> Officer:
    """Return an officer of the region, or a member of its groups."""
    return permit_officer(who, served, Role.OFFICER, Role.COORDINATOR, *Group)


async def coordination_group(who: Caller, served: Authorities) -> Officer:
    """Return a member of the coordination group."""
    return permit_officer(who, served, Group.COORDINATION)


async def management_group(who: Caller, served: Authorities) -> Officer:
    """Return a member of the management group."""
    return permit_officer(who, served, Group.MANAGEMENT)


async def member(who: Caller, served: Authorities) -> Officer:
    """Return who works for the groups: a member of one, by role, or a coordinator who prepares their meetings."""
    return permit_officer(who, served, Role.COORDINATOR, *Group)


async def bringer(who: Caller, served: Authorities) -> Officer | System:
    """Return who may bring contacts: a system with the scope, or an officer."""
    return permit_system(who, "contacts:write") if isinstance(who, System) else await staff(who, served)


Staff = Annotated[Officer, Depends(staff)]
CoordinationGroup = Annotated[Officer, Depends(coordination_group)]
ManagementGroup = Annotated[Officer, Depends(management_group)]
Bringer = Annotated[Officer | System, Depends(bringer)]


@router.post("/contacts", status_code=201, tags=["contacts"])
async def bring(response: Response, who: Bringer, body: ContactIn, contacts: TheContacts, tx: WriteTx) -> ContactOut:
    """Bring a contact into the queue."""
    row = await contacts.bring(tx, body.contact(tx.clock.now()), who.actor, body.person)
    response.headers["Location"] = f"/v1/contacts/{row.contact_id}"
    return await shown_contact(tx, row)


@router.get("/contacts", tags=["contacts"])
async def list_contacts(
    _: Staff,
    tx: ReadTx,
    narrowed: Annotated[Narrowed, Depends()],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ContactOut]:
    """List contacts, newest first."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    rows = await Contacts(tx).page(narrowed, after, limit)
    return Page.of(rows, limit, lambda row: (row.received_at, row.contact_id), ContactOut.model_validate)


@router.get("/contacts/{contact_id}", response_model=ContactOut, tags=["contacts"])
async def read_contact(request: Request, _: Staff, contact_id: UUID, contacts: TheContacts, tx: ReadTx) -> Response:
    """Read a contact: who has it and why, every act, every hand-over."""
    return tagged(request, await shown_contact(tx, await contacts.get(tx, contact_id)))


@router.post("/contacts/{contact_id}/taking", tags=["contacts"])
async def take(who: OwnOfficer, contact_id: UUID, contacts: TheContacts, tx: WriteTx) -> ContactOut:
    """Take a contact of the own authority's employer, or one that waits and whose authority is not known."""
    return await shown_contact(tx, await contacts.take(tx, contact_id, who))


@router.get("/shares", tags=["resources"])
async def read_shares(_: Staff, resources: TheResources, tx: ReadTx, day: date | None = None) -> list[ShareOut]:
    """Show each authority's agreed and actual share of the contacts of the calendar year."""
    return [ShareOut.model_validate(share) for share in await resources.shares(tx, day or local_day(tx.clock.now()))]


@router.get("/resources/{task}", tags=["resources"])
async def read_resources(_: Staff, task: Task, resources: TheResources, tx: ReadTx) -> list[AgreedOut]:
    """Show what is agreed for a task, as shipped and as decided since, oldest first."""
    return [AgreedOut.model_validate(rule) for rule in await resources.rules(tx, task)]


@router.post("/timelines", status_code=202, tags=["timeline"])
async def ask_timeline(
    response: Response, who: Staff, body: TimelineIn, timelines: TheTimelines, tx: WriteTx
) -> RequestOut:
    """Ask every service what it has of an employer, as far as the officer's authority may see it."""
    request_id = await timelines.ask(tx, body.business_id, who)
    response.headers["Location"] = f"/v1/timelines/{request_id}"
    return RequestOut(request_id=request_id)


@router.get("/timelines/{request_id}", response_model=TimelineOut, tags=["timeline"])
async def read_timeline(
    request: Request, who: Staff, request_id: UUID, timelines: TheTimelines, tx: ReadTx
) -> Response:
    """Read what has been answered so far; services that have not answered are named."""
    timeline = await timelines.read(tx, request_id, who.authority)
    shown = TimelineOut(
        request_id=request_id,
        business_id=timeline.business_id,
        entries=[EntryOut.model_validate(entry) for entry in timeline.shown.entries],
        withheld=[WithheldOut.model_validate(part) for part in timeline.shown.withheld],
        guidance=[GivenOut.model_validate(given) for given in timeline.given],
        missing_services=timeline.missing_services,
    )
    return tagged(request, shown)


@router.post("/guidance", status_code=201, tags=["guidance"])
async def write_article(response: Response, who: Staff, body: Draft, guidance: TheGuidance, tx: WriteTx) -> ArticleOut:
    """Write a new guidance article, to be approved by the coordination group."""
    row = await guidance.write(tx, body, who.actor)
    response.headers["Location"] = f"/v1/guidance/{row.article_id}"
    return _article(tx, row)


@router.post("/guidance/{article_id}/versions", status_code=201, tags=["guidance"])
async def write_version(
    response: Response, who: Staff, article_id: UUID, body: Draft, guidance: TheGuidance, tx: WriteTx
) -> ArticleOut:
    """Write the next version of an article, to be approved."""
    row = await guidance.revise(tx, article_id, body, who.actor)
    response.headers["Location"] = f"/v1/guidance/{article_id}"
    return _article(tx, row)


@router.post("/guidance/{article_id}/versions/{version}/approval", tags=["guidance"])
async def approve(
    who: CoordinationGroup, article_id: UUID, version: int, body: ApprovalIn, guidance: TheGuidance, tx: WriteTx
) -> ArticleOut:
    """Enter the coordination group's approval; every city gets the version. Repeating it changes nothing."""
    return _article(tx, await guidance.approve(tx, article_id, version, who.actor, body.approved_on))


@router.get("/guidance", tags=["guidance"])
async def list_guidance(
    _: Caller, tx: ReadTx, topic: ContactTopic | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[ArticleOut]:
    """List the articles in force."""
    rows = await Guidance(tx).in_force(topic, read_single_cursor(cursor, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.article_id,), lambda row: _article(tx, row))


@router.get("/guidance/{article_id}", tags=["guidance"])
async def list_versions(
    _: Staff, article_id: UUID, guidance: TheGuidance, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[ArticleOut]:
    """List the versions of an article, newest first."""
    rows = await guidance.versions(tx, article_id, read_single_cursor(cursor, int), limit)
    return Page.of(rows, limit, lambda row: (row.version,), lambda row: _article(tx, row))


@router.get("/employers/{business_id}/guidance", tags=["guidance"])
async def list_given(
    _: Staff, business_id: BusinessId, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[GivenOut]:
    """List which version of which article an employer was given, and when, oldest first."""
    rows = await Guidance(tx).given_to(business_id, read_cursor(cursor, datetime.fromisoformat, str), limit)
    return Page.of(rows, limit, lambda row: (row.given_at, row.place), GivenOut.model_validate)


@router.post("/announcements", status_code=201, tags=["announcements"])
async def announce(
    response: Response, who: CoordinationGroup, body: AnnouncementIn, announcements: TheAnnouncements, tx: WriteTx
) -> AnnouncementOut:
    """Make a coordinated announcement: the same to every city, which confirms it stored and then published."""
    row = await announcements.make(tx, body.texts, body.audiences, body.publish_on, who.actor)
    response.headers["Location"] = f"/v1/announcements/{row.announcement_id}"
    return await _announcement(tx, row)


@router.get("/announcements/{announcement_id}", response_model=AnnouncementOut, tags=["announcements"])
async def read_announcement(
    request: Request, _: Staff, announcement_id: UUID, announcements: TheAnnouncements, tx: ReadTx
) -> Response:
    """Read an announcement: which city has it, which has published it."""
    return tagged(request, await _announcement(tx, await announcements.get(tx, announcement_id)))


async def shown_contact(tx: Transaction, row: ContactRow) -> ContactOut:
    """Show a contact with its acts and hand-overs."""
    acts = [ActOut.model_validate(act) for act in await Contacts(tx).acts(row.contact_id)]
    hand_overs = [HandOverOut.model_validate(hand_over) for hand_over in await HandOvers(tx).of_contact(row.contact_id)]
    return ContactOut.model_validate(row).model_copy(update={"acts": acts, "hand_overs": hand_overs})


async def _announcement(tx: Transaction, row: AnnouncementRow) -> AnnouncementOut:
    receipts = [ReceiptOut.model_validate(receipt) for receipt in await Announcements(tx).receipts(row.announcement_id)]
    return AnnouncementOut.model_validate(row).model_copy(update={"receipts": receipts})


def _article(tx: Transaction, row: ArticleRow) -> ArticleOut:
    return ArticleOut(
        article_id=row.article_id,
        version=row.version,
        topic=row.topic,
        texts=row.texts,
        owner=row.owner,
        review_by=row.review_by,
        review_is_due=row.review_by <= local_day(tx.clock.now()),
        approved_on=row.approved_on,
        approved_by=row.approved_by,
    )
