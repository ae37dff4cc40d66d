"""The joint office's API of the groups that decide: members with terms, meetings, minutes, and what waits."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.advisory.domain.governance import AgendaItem, NewMeeting, NewMember
from services.advisory.joint.agreement_api import Member
from services.advisory.joint.agreement_models import (
    DecisionOut,
    EndingIn,
    KeptReviewOut,
    MeetingOut,
    MemberOut,
    MinutesIn,
    ReasonIn,
    WaitingOut,
)
from services.advisory.joint.agreement_store import Decisions
from services.advisory.joint.api import Staff
from services.advisory.joint.governance_commands import JointGroups
from services.advisory.joint.governance_store import Meetings, Members
from services.advisory.joint.review_commands import JointKeptReviews
from services.advisory.joint.review_store import KeptReviews
from shared.agreement import Agreements
from shared.calendar import local_day
from shared.events.v1.agreement import Group
from shared.http.auth import Coordinator, part
from shared.http.reading import Cursor, Limit, Page, read_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["groups"])
TheKeptReviews = Annotated[JointKeptReviews, Depends(part(JointKeptReviews))]
TheGroups = Annotated[JointGroups, Depends(part(JointGroups))]


@router.post("/group-members", status_code=201)
async def list_member(
    response: Response, who: Coordinator, body: NewMember, groups: TheGroups, tx: WriteTx
) -> MemberOut:
    """List a member of a group for a term. Nobody lists themselves."""
    row = await groups.list_member(tx, body, who)
    response.headers["Location"] = f"/v1/group-members/{row.member_id}"
    return MemberOut.model_validate(row)


@router.get("/group-members")
async def list_members(_: Staff, group: Group, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None) -> Page[MemberOut]:
    """List a group's members with their terms, those that have ended among them."""
    rows = await Members(tx).page(group, read_cursor(cursor, date.fromisoformat, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.since, row.member_id), MemberOut.model_validate)


@router.get("/group-members/{member_id}", response_model=MemberOut)
async def read_member(request: Request, _: Staff, member_id: UUID, groups: TheGroups, tx: ReadTx) -> Response:
    """Read a member's term."""
    return tagged(request, MemberOut.model_validate(await groups.member(tx, member_id)))


@router.post("/group-members/{member_id}/ending")
async def end_term(who: Coordinator, member_id: UUID, body: EndingIn, groups: TheGroups, tx: WriteTx) -> MemberOut:
    """End a member's term."""
    return MemberOut.model_validate(await groups.end_term(tx, member_id, body.until, who))


@router.post("/meetings", status_code=201)
async def call_meeting(response: Response, who: Member, body: NewMeeting, groups: TheGroups, tx: WriteTx) -> MeetingOut:
    """Call a meeting of a group."""
    row = await groups.call_meeting(tx, body, who)
    response.headers["Location"] = f"/v1/meetings/{row.meeting_id}"
    return MeetingOut.model_validate(row)


@router.get("/meetings")
async def list_meetings(
    _: Staff, tx: ReadTx, group: Group | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[MeetingOut]:
    """List meetings, the last first."""
    rows = await Meetings(tx).page(group, read_cursor(cursor, date.fromisoformat, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.held_on, row.meeting_id), MeetingOut.model_validate)


@router.get("/meetings/{meeting_id}", response_model=MeetingOut)
async def read_meeting(request: Request, _: Staff, meeting_id: UUID, groups: TheGroups, tx: ReadTx) -> Response:
    """Read a meeting: its agenda, its minutes and who approved them."""
    return tagged(request, MeetingOut.model_validate(await groups.get(tx, meeting_id)))


@router.post("/meetings/{meeting_id}/agenda")
async def add_item(_: Member, meeting_id: UUID, body: AgendaItem, groups: TheGroups, tx: WriteTx) -> MeetingOut:
    """Put something on the agenda."""
    return MeetingOut.model_validate(await groups.add_item(tx, meeting_id, body))


@router.post("/meetings/{meeting_id}/cancellation")
async def cancel(_: Member, meeting_id: UUID, body: ReasonIn, groups: TheGroups, tx: WriteTx) -> MeetingOut:
    """Cancel a meeting."""
    return MeetingOut.model_validate(await groups.cancel(tx, meeting_id, body.reason))


@router.post("/meetings/{meeting_id}/minutes")
async def write_minutes(who: Member, meeting_id: UUID, body: MinutesIn, groups: TheGroups, tx: WriteTx) -> MeetingOut:
    """Enter where the minutes are kept."""
    return MeetingOut.model_validate(await groups.write_minutes(tx, meeting_id, body.reference, who))


@router.post("/meetings/{meeting_id}/minutes-approval")
async def approve_minutes(who: Member, meeting_id: UUID, groups: TheGroups, tx: WriteTx) -> MeetingOut:
    """Approve the minutes, as another member than the one who wrote them."""
    return MeetingOut.model_validate(await groups.approve_minutes(tx, meeting_id, who))


@router.get("/governance/waiting")
async def read_waiting(_: Staff, kept: TheKeptReviews, tx: ReadTx) -> WaitingOut:
    """Show what waits for the groups: reviews, proposals, minutes, and figures that no decision stands behind."""
    today = local_day(tx.clock.now())
    in_force = (await Agreements(tx).figures()).at(today)
    next_review_on, review_is_due = await kept.next_due(tx)
    return WaitingOut(
        reviews=[KeptReviewOut.model_validate(row) for row in await KeptReviews(tx).waiting()],
        next_review_on=next_review_on,
        review_is_due=review_is_due,
        decisions=[DecisionOut.model_validate(row) for row in await Decisions(tx).proposed()],
        meetings=[MeetingOut.model_validate(row) for row in await Meetings(tx).unfinished(today)],
        unverified=[figure for figure in in_force.figures if figure.decision is None],
    )
