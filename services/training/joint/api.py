"""The joint office's API: catalogue, joint queue and seats, formation of groups, proposals, candidates.

Any caller with a token reads the catalogue. Officers and coordinators of the region do the rest, on behalf of the
applicant's own authority. An employer's system proposes joint-procurement training and sees its own proposals.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status

from services.training.catalogue import Catalogue
from services.training.domain.procurement import Proposal
from services.training.domain.seats import Actor
from services.training.joint import models
from services.training.joint.commands.candidates import JointCandidates
from services.training.joint.commands.catalogue import JointCatalogue
from services.training.joint.commands.formation import JointFormations
from services.training.joint.commands.procurement import JointProcurement
from services.training.joint.commands.seats import JointSeats
from services.training.joint.store import Candidates, Decisions, Formations, Procurement, Queue
from services.training.joint.tables import ApplicationRow
from services.training.models import CourseOut, GroupOut, strict
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.training import CourseKind, GroupState
from shared.http.auth import Authorities, Caller, OwnOfficer, part, permit_officer, permit_system
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged
from shared.http.transactions import BeginTx, IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer, Role, System
from shared.messaging.transaction import Database, Transaction

router = APIRouter(prefix="/v1", route_class=IdempotentRoute)
TheCatalogue = Annotated[JointCatalogue, Depends(part(JointCatalogue))]
TheSeats = Annotated[JointSeats, Depends(part(JointSeats))]
TheFormations = Annotated[JointFormations, Depends(part(JointFormations))]
TheProcurement = Annotated[JointProcurement, Depends(part(JointProcurement))]
TheCandidates = Annotated[JointCandidates, Depends(part(JointCandidates))]
TheDatabase = Annotated[Database, Depends(part(Database))]


async def _proposer(who: Caller, served: Authorities) -> Officer | System:
    if isinstance(who, System):
        return permit_system(who, "training:propose")
    return permit_officer(who, served, Role.OFFICER, Role.COORDINATOR)


Proposer = Annotated[Officer | System, Depends(_proposer)]


# -- catalogue


@router.post("/courses", status_code=status.HTTP_201_CREATED, tags=["catalogue"])
async def add_course(
    response: Response, _: OwnOfficer, body: models.CourseIn, catalogue: TheCatalogue, tx: WriteTx
) -> CourseOut:
    """Put a course into the catalogue."""
    course = await catalogue.publish_course(tx, derived_id("course", tx.cause), body.course, 0)
    response.headers["Location"] = f"/v1/courses/{course.course_id}"
    return CourseOut.of(course)


@router.put("/courses/{course_id}", tags=["catalogue"])
async def change_course(
    _: OwnOfficer, course_id: UUID, body: models.CourseChangeIn, catalogue: TheCatalogue, tx: WriteTx
) -> CourseOut:
    """Change a course. 409 when another change came before."""
    return CourseOut.of(await catalogue.change_course(tx, course_id, body.course, body.predecessor))


@router.get("/courses", response_model=Page[CourseOut], tags=["catalogue"])
async def list_courses(
    request: Request, _: Caller, tx: ReadTx, kind: CourseKind | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """List the catalogue."""
    courses = await Catalogue(tx).courses(kind, read_single_cursor(cursor, UUID), limit)
    return tagged(request, Page.of(courses, limit, lambda course: (course.course_id,), CourseOut.of))


@router.get("/courses/{course_id}", response_model=CourseOut, tags=["catalogue"])
async def read_course(request: Request, _: Caller, course_id: UUID, tx: ReadTx) -> Response:
    """Read a course."""
    return tagged(request, CourseOut.of(await Catalogue(tx).course(course_id)))


@router.post("/courses/{course_id}/groups", status_code=status.HTTP_201_CREATED, tags=["catalogue"])
async def add_group(
    response: Response, _: OwnOfficer, course_id: UUID, body: models.GroupIn, catalogue: TheCatalogue, tx: WriteTx
) -> GroupOut:
    """Plan a group of a course."""
    group = await catalogue.add_group(tx, derived_id("group", tx.cause), course_id, body.group)
    response.headers["Location"] = f"/v1/groups/{group.group_id}"
    return GroupOut.of(group)


@router.get("/groups", tags=["catalogue"])
async def list_groups(
    _: Caller,
    tx: ReadTx,
    course_id: UUID | None = None,
    state: GroupState | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[GroupOut]:
    """List groups, ordered by start date."""
    groups = await Catalogue(tx).groups(course_id, state, read_cursor(cursor, date.fromisoformat, UUID), limit)
    return Page.of(groups, limit, lambda group: (group.group.starts_on, group.group_id), GroupOut.of)


@router.get("/groups/{group_id}", response_model=GroupOut, tags=["catalogue"])
async def read_group(request: Request, _: Caller, group_id: UUID, tx: ReadTx) -> Response:
    """Read a group."""
    return tagged(request, GroupOut.of(await Catalogue(tx).group(group_id)))


@router.put("/groups/{group_id}", tags=["catalogue"])
async def change_group(
    _: OwnOfficer, group_id: UUID, body: models.GroupChangeIn, catalogue: TheCatalogue, tx: WriteTx
) -> GroupOut:
    """Change a group's details; seats that are added are offered at once."""
    return GroupOut.of(await catalogue.change_group(tx, group_id, body.group, body.predecessor))


@router.put("/groups/{group_id}/state", tags=["catalogue"])
async def move_group(
    who: OwnOfficer, group_id: UUID, body: models.GroupStateIn, catalogue: TheCatalogue, tx: WriteTx
) -> GroupOut:
    """Move a group to its next state, or cancel it."""
    return GroupOut.of(await catalogue.move_group(tx, group_id, body.state, _actor(who), body.reason))


# -- queue and seats


@router.get("/courses/{course_id}/queue", tags=["queue"])
async def list_queue(
    _: OwnOfficer, course_id: UUID, tx: ReadTx, limit: Limit = 100, cursor: Cursor = None
) -> Page[models.WaitingOut]:
    """Read the joint waiting list, in the order of the written rule: points, then queue time."""
    places = await Queue(tx).page(course_id, read_single_cursor(cursor, UUID), limit)
    return Page.of(places, limit, lambda place: (place.application_id,), models.WaitingOut.model_validate)


@router.get("/applications/{application_id}", response_model=models.ApplicationOut, tags=["queue"])
async def read_application(request: Request, _: OwnOfficer, application_id: UUID, tx: ReadTx) -> Response:
    """Read where an application stands, its real position, and every decision about it."""
    application = await Queue(tx).get(application_id)
    if application is None:
        raise UnknownError("application")
    return tagged(request, await _application(tx, application))


@router.get("/groups/{group_id}/seats", tags=["queue"])
async def list_seats(
    _: OwnOfficer, group_id: UUID, tx: ReadTx, limit: Limit = 200, cursor: Cursor = None
) -> Page[models.SeatOut]:
    """List a group's seat offers, oldest first."""
    seats = await Queue(tx).offers(group_id, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(seats, limit, lambda seat: (seat.made_at, seat.offer_id), models.SeatOut.model_validate)


@router.post("/groups/{group_id}/selections", tags=["queue"])
async def select_applicant(
    who: OwnOfficer, group_id: UUID, body: models.SelectionIn, seats: TheSeats, tx: WriteTx
) -> models.ApplicationOut:
    """Select an applicant out of the order, with a reason."""
    return await _application(tx, await seats.choose(tx, group_id, body.application_id, _actor(who), body.reason))


@router.post("/applications/{application_id}/rejection", tags=["queue"])
async def reject(
    who: OwnOfficer, application_id: UUID, body: models.ReasonIn, seats: TheSeats, tx: WriteTx
) -> models.ApplicationOut:
    """Reject an application, with a reason."""
    return await _application(tx, await seats.reject(tx, application_id, _actor(who), body.reason))


@router.post("/applications/{application_id}/reinstatement", tags=["queue"])
async def reinstate(
    who: OwnOfficer, application_id: UUID, body: models.ReasonIn, seats: TheSeats, tx: WriteTx
) -> models.ApplicationOut:
    """Take a rejection, no-show, drop-out or withdrawal back, with a reason; the application has its old place again.

    409 when it has not ended so, or the applicant has applied to the course anew.
    """
    return await _application(tx, await seats.reinstate(tx, application_id, _actor(who), body.reason))


@router.post("/applications/{application_id}/transfer", tags=["queue"])
async def transfer(
    who: OwnOfficer, application_id: UUID, body: models.TransferIn, seats: TheSeats, tx: WriteTx
) -> models.ApplicationOut:
    """Transfer an applicant who has a seat to a free seat of another group of the course."""
    application = await seats.change_seat(tx, application_id, body.group_id, _actor(who), body.reason)
    return await _application(tx, application)


@router.post("/seats/{offer_id}/no-show", tags=["queue"])
async def no_show(
    who: OwnOfficer, offer_id: UUID, body: models.ReasonIn, seats: TheSeats, tx: WriteTx
) -> models.SeatOut:
    """Enter that someone with a seat did not come; it is offered to the next."""
    await seats.no_show(tx, offer_id, _actor(who), body.reason)
    seat = await Queue(tx).seat(offer_id)
    if seat is None:
        raise UnknownError("offer")
    return models.SeatOut.model_validate(seat)


# -- forming groups


@router.post("/courses/{course_id}/formations", status_code=status.HTTP_201_CREATED, tags=["formation"])
async def propose_groups(
    response: Response,
    who: OwnOfficer,
    course_id: UUID,
    body: models.FormationIn,
    formations: TheFormations,
    database: TheDatabase,
    begin: BeginTx,
) -> models.FormationOut:
    """Propose groups from the joint queue. Same queue, same groups. Nothing is decided yet."""
    placements = await formations.compute(database, course_id, body.groups)
    formation = formations.keep(await begin(), course_id, body.groups, placements, who.actor)
    response.headers["Location"] = f"/v1/formations/{formation.formation_id}"
    return models.FormationOut.of(formation)


@router.get("/formations/{formation_id}", response_model=models.FormationOut, tags=["formation"])
async def read_formation(request: Request, _: OwnOfficer, formation_id: UUID, tx: ReadTx) -> Response:
    """Read proposed groups: who is in which and why, and what would let the others in."""
    formation = await Formations(tx).get(formation_id)
    if formation is None:
        raise UnknownError("formation")
    return tagged(request, models.FormationOut.of(formation))


@router.post("/formations/{formation_id}/adoption", tags=["formation"])
async def adopt(who: OwnOfficer, formation_id: UUID, formations: TheFormations, tx: WriteTx) -> list[GroupOut]:
    """Open the proposed groups, and offer their seats to the proposed members. Shows the groups."""
    return [GroupOut.of(group) for group in await formations.adopt(tx, formation_id, _actor(who))]


# -- joint procurement


@router.post("/proposals", status_code=status.HTTP_201_CREATED, tags=["procurement"])
async def propose(
    response: Response,
    who: Proposer,
    body: Annotated[Proposal, strict(Proposal)],
    procurement: TheProcurement,
    tx: WriteTx,
) -> models.ProposalOut:
    """Propose joint-procurement training."""
    proposal_id = await procurement.propose(tx, body, who.actor)
    response.headers["Location"] = f"/v1/proposals/{proposal_id}"
    return await _proposal(tx, proposal_id, procurement)


@router.get("/proposals", tags=["procurement"])
async def list_proposals(
    who: Proposer, procurement: TheProcurement, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[models.ProposalOut]:
    """List proposals, newest first; a system sees its own."""
    own = who.actor if isinstance(who, System) else None
    proposals = await Procurement(tx).page(own, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(
        proposals,
        limit,
        lambda proposal: (proposal.proposed_at, proposal.proposal_id),
        lambda proposal: models.ProposalOut.of(proposal, procurement.share_of(proposal.proposed)),
    )


@router.get("/proposals/{proposal_id}", response_model=models.ProposalOut, tags=["procurement"])
async def read_proposal(
    request: Request, who: Proposer, proposal_id: UUID, procurement: TheProcurement, tx: ReadTx
) -> Response:
    """Read a proposal: where it stands, and what the employer pays."""
    proposal = await Procurement(tx).get(proposal_id)
    if proposal is None or (isinstance(who, System) and proposal.proposed_by != who.actor):
        raise UnknownError("proposal")
    return tagged(request, models.ProposalOut.of(proposal, procurement.share_of(proposal.proposed)))


@router.post("/proposals/{proposal_id}/plan", status_code=status.HTTP_201_CREATED, tags=["procurement"])
async def plan_proposal(
    response: Response,
    who: OwnOfficer,
    proposal_id: UUID,
    body: models.GroupIn,
    procurement: TheProcurement,
    tx: WriteTx,
) -> GroupOut:
    """Make the preliminary plan: a planned group, which then goes through procurement and selection."""
    group = await procurement.plan(tx, proposal_id, body.group, _actor(who))
    response.headers["Location"] = f"/v1/groups/{group.group_id}"
    return GroupOut.of(group)


@router.post("/proposals/{proposal_id}/rejection", tags=["procurement"])
async def reject_proposal(
    who: OwnOfficer, proposal_id: UUID, body: models.ReasonIn, procurement: TheProcurement, tx: WriteTx
) -> models.ProposalOut:
    """Reject a proposal, with a reason."""
    await procurement.reject(tx, proposal_id, _actor(who), body.reason)
    return await _proposal(tx, proposal_id, procurement)


@router.get("/settlements", tags=["procurement"])
async def account(
    _: OwnOfficer, since: date, until: date, procurement: TheProcurement, tx: ReadTx
) -> list[models.StatementOut]:
    """Account for the seats of groups that start within the days, by home authority. A statement, no invoice."""
    return [models.StatementOut.model_validate(row) for row in await procurement.account(tx, since, until)]


# -- candidates


@router.post("/groups/{group_id}/candidate-requests", status_code=status.HTTP_202_ACCEPTED, tags=["candidates"])
async def ask_for_candidates(
    _: OwnOfficer, group_id: UUID, body: models.CandidatesIn, candidates: TheCandidates, tx: WriteTx
) -> models.RequestOut:
    """Ask the three jobseeker pools for candidates, through placement."""
    return models.RequestOut(request_id=await candidates.ask(tx, group_id, body.wanted, body.at_most))


@router.get("/groups/{group_id}/candidates", tags=["candidates"])
async def list_candidates(
    _: OwnOfficer, group_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[models.PoolOut]:
    """Read each pool's answer; one that has not answered is named with null."""
    pools = await Candidates(tx).page(group_id, read_cursor(cursor, UUID, str), limit)
    return Page.of(pools, limit, lambda pool: (pool.request_id, pool.office), models.PoolOut.model_validate)


@router.post("/groups/{group_id}/invitations", status_code=status.HTTP_202_ACCEPTED, tags=["candidates"])
async def invite(
    _: OwnOfficer, group_id: UUID, body: models.InvitationIn, candidates: TheCandidates, tx: WriteTx
) -> models.InvitationOut:
    """Invite a candidate to apply; the owning city alone knows who it is."""
    invitation = await candidates.invite(tx, group_id, body.office, body.reference)
    return models.InvitationOut.model_validate(invitation)


@router.get("/groups/{group_id}/invitations", tags=["candidates"])
async def list_invitations(
    _: OwnOfficer, group_id: UUID, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[models.InvitationOut]:
    """List who was invited to a group and what came of it, the oldest first."""
    rows = await Candidates(tx).invitations(group_id, read_cursor(cursor, datetime.fromisoformat, UUID), limit)
    return Page.of(rows, limit, lambda row: (row.invited_at, row.invitation_id), models.InvitationOut.model_validate)


def _actor(who: Officer) -> Actor:
    return Actor(who.actor, who.authority)


async def _application(tx: Transaction, application: ApplicationRow) -> models.ApplicationOut:
    position = await Queue(tx).position(application)
    return models.ApplicationOut.of(application, position, await Decisions(tx).about(application.application_id))


async def _proposal(tx: Transaction, proposal_id: UUID, procurement: JointProcurement) -> models.ProposalOut:
    proposal = await Procurement(tx).get(proposal_id)
    if proposal is None:
        raise UnknownError("proposal")
    return models.ProposalOut.of(proposal, procurement.share_of(proposal.proposed))
