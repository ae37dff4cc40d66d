"""More of the joint office's API: calls, answers, joining and separating, response times, letters, what is late."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from services.advisory.domain.response import Channel, Reached, ResponseTime
from services.advisory.joint.answers_commands import JointAnswers
from services.advisory.joint.api import Staff, shown_contact
from services.advisory.joint.joining_commands import JointJoining
from services.advisory.joint.mailing_store import LateReceipt, Publications
from services.advisory.joint.models import AnnouncementOut, ContactOut
from services.advisory.joint.reopening_commands import JointReopening
from services.advisory.joint.responses_commands import JointResponses
from services.advisory.joint.responses_store import ResponseTimes
from services.advisory.models import AnswerIn, CallIn
from shared.calendar import local_day, start_of
from shared.events.v1.advisory import Audience
from shared.http.auth import OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_cursor
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx

router = APIRouter(prefix="/v1", route_class=IdempotentRoute)
TheAnswers = Annotated[JointAnswers, Depends(part(JointAnswers))]
TheJoining = Annotated[JointJoining, Depends(part(JointJoining))]
TheReopening = Annotated[JointReopening, Depends(part(JointReopening))]
TheResponses = Annotated[JointResponses, Depends(part(JointResponses))]


class ReasonIn(BaseModel):
    """Why an officer does this."""

    reason: str = Field(min_length=3, max_length=280, description="Kept and passed on. Write no personal data.")


class JoiningIn(ReasonIn):
    """Which earlier contact it belongs to, and why."""

    into: UUID


@router.post("/calls", status_code=201, tags=["contacts"])
async def log_call(response: Response, who: OwnOfficer, body: CallIn, answers: TheAnswers, tx: WriteTx) -> ContactOut:
    """Log a telephone call that the officer has taken: answered, or handed over."""
    row = await answers.log_call(tx, body, who)
    response.headers["Location"] = f"/v1/contacts/{row.contact_id}"
    return await shown_contact(tx, row)


@router.post("/contacts/{contact_id}/answer", tags=["contacts"])
async def answer(who: OwnOfficer, contact_id: UUID, body: AnswerIn, answers: TheAnswers, tx: WriteTx) -> ContactOut:
    """Answer a contact of the own authority; the text goes to the caller by e-mail. Repeating it changes nothing."""
    return await shown_contact(tx, await answers.answer(tx, contact_id, body, who))


@router.post("/contacts/{contact_id}/joining", tags=["contacts"])
async def join(who: OwnOfficer, contact_id: UUID, body: JoiningIn, joining: TheJoining, tx: WriteTx) -> ContactOut:
    """Join a contact to an earlier one about the same; whoever has that one is told. Separation undoes it."""
    return await shown_contact(tx, await joining.join(tx, contact_id, body.into, body.reason, who))


@router.post("/contacts/{contact_id}/separation", tags=["contacts"])
async def separate(who: OwnOfficer, contact_id: UUID, body: ReasonIn, joining: TheJoining, tx: WriteTx) -> ContactOut:
    """Make a joined contact a matter of its own again: it is given to an officer."""
    return await shown_contact(tx, await joining.separate(tx, contact_id, body.reason, who))


@router.post("/contacts/{contact_id}/reopening", tags=["contacts"])
async def reopen(who: OwnOfficer, contact_id: UUID, body: ReasonIn, reopening: TheReopening, tx: WriteTx) -> ContactOut:
    """Take back an answer or a closing of the own authority: the contact is its officer's again, who is told."""
    return await shown_contact(tx, await reopening.reopen(tx, contact_id, body.reason, who))


@router.get("/late-contacts", tags=["response times"])
async def list_late(
    _: Staff, tx: ReadTx, authority: str | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[ContactOut]:
    """List contacts that are not answered in the agreed time, the longest due first.

    Of an authority, those it is competent for or acts in.
    """
    rows = await ResponseTimes(tx).late(authority, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.due_at, row.contact_id), ContactOut.model_validate)


@router.get("/response-times", tags=["response times"])
async def read_reached(
    _: Staff, responses: TheResponses, tx: ReadTx, since: date | None = None, until: date | None = None
) -> list[Reached]:
    """Show what was agreed and reached by channel for contacts of some days, this month's if none are given."""
    today = local_day(tx.clock.now())
    return await responses.reached(tx, since or today.replace(day=1), until or today)


@router.get("/response-times/{channel}", tags=["response times"])
async def read_response_times(_: Staff, channel: Channel, responses: TheResponses, tx: ReadTx) -> list[ResponseTime]:
    """Show what is agreed for a channel, as shipped and as decided since, oldest first."""
    return [rule for rule in await responses.rules(tx) if rule.channel is channel]


@router.get("/announcements", tags=["announcements"])
async def list_announcements(
    _: Staff, tx: ReadTx, audience: Audience | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[AnnouncementOut]:
    """List announcements, newest first; those to come are among them."""
    rows = await Publications(tx).page(audience, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.made_at, row.announcement_id), AnnouncementOut.model_validate)


class LateReceiptOut(BaseModel):
    """What a city has not done with an announcement in time: stored it within a day, or published it on its day."""

    announcement_id: UUID
    office: str
    missing: str
    since: datetime


@router.get("/late-receipts", tags=["announcements"])
async def list_late_receipts(_: Staff, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None) -> Page[LateReceiptOut]:
    """List which cities have not stored or published an announcement in time, the longest missing first."""
    now = tx.clock.now()
    after = read_cursor(cursor, datetime.fromisoformat, str)
    today = local_day(now)
    rows = await Publications(tx).late_receipts(today, start_of(today), after, limit)
    return Page.of(rows, limit, _place_of_receipt, lambda row: LateReceiptOut.model_validate(row._asdict()))


def _place_of_receipt(row: LateReceipt) -> tuple[object, ...]:
    return (row.since, f"{row.announcement_id} {row.office}")
