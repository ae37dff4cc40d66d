"""The joint office's API: catalogue, joint queue and seats, formation of groups, joint procurement, supply planning.

Any caller with a token reads the catalogue. Officers and coordinators of the region do the rest, on behalf of the
applicant's own authority. An employer's system proposes joint-procurement training and sees its own proposals.
"""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request, Response, status

from services.training.api import models
from services.training.commands import Actor, JointTraining, UnmetError
from services.training.domain.formation import form
from services.training.domain.procurement import LABELS, Proposal, employer_share, settle
from services.training.domain.seats import shares_on
from services.training.domain.supply import LOOK_BACK, Line, lines, plan
from services.training.plots import queue_csv, queue_plot
from services.training.store import Candidates, Catalogue, Decisions, Planning, Procurement, Queue
from shared.calendar import local_day
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.training import GroupState
from shared.http import (
    Caller,
    Cursor,
    FieldProblem,
    IdempotencyKey,
    Limit,
    Page,
    ProblemError,
    answering,
    not_found,
    permit_officer,
    permit_system,
    read_cursor,
    tagged,
    write_cursor,
)
from shared.identity import Officer, System
from shared.messaging.transaction import Transaction, Database
from shared.screening import without_identity_codes

_STAGE: Final[Mapping[GroupState | None, models.Stage]] = {
    None: "proposed",
    GroupState.PLANNED: "preliminary_plan",
    GroupState.PROCUREMENT: "procurement",
    GroupState.OPEN: "selection",
    GroupState.SELECTION: "selection",
    GroupState.CONFIRMED: "selection",
    GroupState.RUNNING: "running",
    GroupState.COMPLETED: "completed",
    GroupState.CANCELLED: "cancelled",
}
_CLEAN = [Depends(without_identity_codes)]


def router(training: JointTraining, database: Database, authorities: frozenset[str]) -> APIRouter:
    """Make the joint office's routes.

    Args:
        training: what can be done.
        database: opens transactions.
        authorities: those whose officers work here.
    """
    routes = APIRouter(prefix="/v1")

    def staff(who: Caller) -> Officer:
        return permit_officer(who, authorities, "officer", "coordinator")

    def may_propose(who: Caller) -> Officer | System:
        return permit_system(who, "training:propose") if isinstance(who, System) else staff(who)

    Staff = Annotated[Officer, Depends(staff)]  # noqa: N806 - a type
    Proposer = Annotated[Officer | System, Depends(may_propose)]  # noqa: N806 - a type

    # -- catalogue

    @routes.post("/courses", status_code=status.HTTP_201_CREATED, tags=["catalogue"])
    async def add_course(response: Response, _: Staff, told: models.CourseIn) -> models.CourseOut:
        """Put a course into the catalogue."""
        course_id = uuid4()
        async with answering(database, derived_id("course", course_id), problem_of) as tx:
            entry = await training.publish_course(tx, course_id, told.course, 0)
        response.headers["Location"] = f"/v1/courses/{course_id}"
        return models.CourseOut.of(entry)

    @routes.put("/courses/{course_id}", tags=["catalogue"])
    async def change_course(_: Staff, course_id: UUID, told: models.CourseChangeIn) -> models.CourseOut:
        """Change a course. 409 when another change came before."""
        async with answering(database, uuid4(), problem_of) as tx:
            if await Catalogue(tx).course(course_id) is None:
                raise not_found("course")
            return models.CourseOut.of(await training.publish_course(tx, course_id, told.course, told.predecessor))

    @routes.get("/courses", response_model=Page[models.CourseOut], tags=["catalogue"])
    async def list_courses(
        request: Request, _: Caller, kind: str | None = None, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        """List the catalogue."""
        after = UUID(read_cursor(cursor, 1)[0]) if cursor else None
        async with database.read() as tx:
            found = await Catalogue(tx).courses(kind, after, limit)
        following = write_cursor(found[-1].course_id) if len(found) == limit else None
        return tagged(request, Page(items=[models.CourseOut.of(entry) for entry in found], next=following))

    @routes.get("/courses/{course_id}", response_model=models.CourseOut, tags=["catalogue"])
    async def read_course(request: Request, _: Caller, course_id: UUID) -> Response:
        """Read a course."""
        async with database.read() as tx:
            entry = await Catalogue(tx).course(course_id)
        if entry is None:
            raise not_found("course")
        return tagged(request, models.CourseOut.of(entry))

    @routes.post("/courses/{course_id}/groups", status_code=status.HTTP_201_CREATED, tags=["catalogue"])
    async def add_group(response: Response, _: Staff, course_id: UUID, told: models.GroupIn) -> models.GroupOut:
        """Plan a group of a course."""
        group_id = uuid4()
        async with answering(database, derived_id("group", group_id), problem_of) as tx:
            held = await training.add_group(tx, group_id, course_id, told.group)
        response.headers["Location"] = f"/v1/groups/{group_id}"
        return models.GroupOut.of(held)

    @routes.get("/groups", tags=["catalogue"])
    async def list_groups(
        _: Caller, course_id: UUID | None = None, state: GroupState | None = None
    ) -> list[models.GroupOut]:
        """List groups, those that start first first."""
        async with database.read() as tx:
            return [models.GroupOut.of(held) for held in await Catalogue(tx).groups(course_id, state)]

    @routes.get("/groups/{group_id}", response_model=models.GroupOut, tags=["catalogue"])
    async def read_group(request: Request, _: Caller, group_id: UUID) -> Response:
        """Read a group."""
        async with database.read() as tx:
            held = await Catalogue(tx).group(group_id)
        if held is None:
            raise not_found("group")
        return tagged(request, models.GroupOut.of(held))

    @routes.put("/groups/{group_id}", tags=["catalogue"])
    async def change_group(_: Staff, group_id: UUID, told: models.GroupChangeIn) -> models.GroupOut:
        """Change a group's details; seats that are added are offered at once."""
        async with answering(database, uuid4(), problem_of) as tx:
            return models.GroupOut.of(await training.change_group(tx, group_id, told.group, told.predecessor))

    @routes.put("/groups/{group_id}/state", tags=["catalogue"], dependencies=_CLEAN)
    async def move_group(who: Staff, group_id: UUID, told: models.GroupStateIn) -> models.GroupOut:
        """Move a group to its next state, or cancel it."""
        async with answering(database, uuid4(), problem_of) as tx:
            return models.GroupOut.of(await training.move_group(tx, group_id, told.state, _actor(who), told.reason))

    # -- queue and seats

    @routes.get("/courses/{course_id}/queue", tags=["queue"])
    async def queue(_: Staff, course_id: UUID, limit: Limit = 100, cursor: Cursor = None) -> Page[models.WaitingOut]:
        """Read the joint waiting list, in the order of the written rule: points, then queue time."""
        after = _place(cursor)
        async with database.read() as tx:
            found = await Queue(tx).page(course_id, after, limit)
        following = write_cursor(after + limit) if len(found) == limit else None
        return Page(items=[models.WaitingOut.model_validate(row) for row in found], next=following)

    @routes.get("/applications/{application_id}", response_model=models.ApplicationOut, tags=["queue"])
    async def read_application(request: Request, _: Staff, application_id: UUID) -> Response:
        """Read where an application stands, its real position, and every decision about it."""
        async with database.read() as tx:
            return tagged(request, await _application(tx, application_id))

    @routes.get("/groups/{group_id}/seats", tags=["queue"])
    async def seats(_: Staff, group_id: UUID) -> list[models.SeatOut]:
        """List a group's seat offers, oldest first."""
        async with database.read() as tx:
            return [models.SeatOut.model_validate(row) for row in await Queue(tx).offers(group_id)]

    @routes.post("/groups/{group_id}/selections", tags=["queue"], dependencies=_CLEAN)
    async def select_applicant(who: Staff, group_id: UUID, told: models.SelectionIn) -> models.ApplicationOut:
        """Select an applicant out of the order, with a reason."""
        async with answering(database, uuid4(), problem_of) as tx:
            await training.choose(tx, group_id, told.application_id, _actor(who), told.reason)
            return await _application(tx, told.application_id)

    @routes.post("/applications/{application_id}/rejection", tags=["queue"], dependencies=_CLEAN)
    async def reject(who: Staff, application_id: UUID, told: models.ReasonIn) -> models.ApplicationOut:
        """Reject an application, with a reason."""
        async with answering(database, uuid4(), problem_of) as tx:
            await training.reject(tx, application_id, _actor(who), told.reason)
            return await _application(tx, application_id)

    @routes.post("/applications/{application_id}/transfer", tags=["queue"], dependencies=_CLEAN)
    async def transfer(who: Staff, application_id: UUID, told: models.TransferIn) -> models.ApplicationOut:
        """Transfer an applicant who has a seat to a free seat of another group of the course."""
        async with answering(database, uuid4(), problem_of) as tx:
            await training.change_seat(tx, application_id, told.group_id, _actor(who), told.reason)
            return await _application(tx, application_id)

    @routes.post("/seats/{offer_id}/no-show", status_code=204, tags=["queue"], dependencies=_CLEAN)
    async def no_show(who: Staff, offer_id: UUID, told: models.ReasonIn) -> None:
        """Enter that someone with a seat did not come; it is offered to the next."""
        async with answering(database, uuid4(), problem_of) as tx:
            await training.no_show(tx, offer_id, _actor(who), told.reason)

    # -- forming groups

    @routes.post("/courses/{course_id}/formations", status_code=status.HTTP_201_CREATED, tags=["formation"])
    async def propose_groups(
        response: Response, who: Staff, course_id: UUID, told: models.FormationIn
    ) -> models.FormationOut:
        """Propose groups from the joint queue. Same queue, same groups. Nothing is decided yet."""
        async with database.read() as tx:
            entry = await Catalogue(tx).course(course_id)
            waiting = await Queue(tx).waiting(course_id)
        if entry is None:
            raise not_found("course")
        if len({one.name for one in told.groups}) < len(told.groups):
            fields = [FieldProblem(pointer="/groups", code="same-name-twice")]
            raise ProblemError(422, "invalid-request", "Each group needs a name of its own.", errors=fields)
        shares = shares_on(training.shares, local_day(database.clock.now()))
        # Seconds of computing: not in the event loop, and in no transaction.
        formed = await asyncio.to_thread(form, waiting, [one.slot(entry.course) for one in told.groups], shares)
        placements = [
            models.PlacementOut(
                application_id=one.applicant.application_id,
                authority=one.applicant.authority,
                slot=one.slot,
                reason=one.reason,
                would_help=one.would_help,
            )
            for one in formed.placements
        ]
        formation_id = uuid4()
        async with answering(database, derived_id("formation", formation_id), problem_of) as tx:
            await Queue(tx).keep_formation(
                formation_id, course_id, told.groups, [one.model_dump(mode="json") for one in placements], who.actor
            )
        response.headers["Location"] = f"/v1/formations/{formation_id}"
        return models.FormationOut(
            formation_id=formation_id,
            course_id=course_id,
            groups=told.groups,
            sizes=dict(formed.groups),
            placements=placements,
            adopted_at=None,
        )

    @routes.get("/formations/{formation_id}", response_model=models.FormationOut, tags=["formation"])
    async def read_formation(request: Request, _: Staff, formation_id: UUID) -> Response:
        """Read proposed groups: who is in which and why, and what would let the others in."""
        async with database.read() as tx:
            row = await Queue(tx).formation(formation_id)
        if row is None:
            raise not_found("formation")
        sizes: dict[str, int] = {}
        for one in row.placements:
            if one["slot"] is not None:
                sizes[one["slot"]] = sizes.get(one["slot"], 0) + 1
        shown = models.FormationOut(
            formation_id=formation_id,
            course_id=row.course_id,
            groups=row.slots,
            sizes=sizes,
            placements=row.placements,
            adopted_at=row.adopted_at,
        )
        return tagged(request, shown)

    @routes.post("/formations/{formation_id}/adoption", status_code=status.HTTP_201_CREATED, tags=["formation"])
    async def adopt(who: Staff, formation_id: UUID) -> list[models.GroupOut]:
        """Open the proposed groups, and offer their seats to the proposed members."""
        async with answering(database, derived_id("adopt", formation_id), problem_of) as tx:
            return [models.GroupOut.of(held) for held in await training.adopt(tx, formation_id, _actor(who))]

    # -- joint procurement

    @routes.post("/proposals", status_code=status.HTTP_201_CREATED, tags=["procurement"], dependencies=_CLEAN)
    async def propose(
        response: Response, who: Proposer, told: Proposal, key: IdempotencyKey = None
    ) -> models.ProposalOut:
        """Propose joint-procurement training. With a key, repeating it has one effect."""
        proposal_id = derived_id("proposal", who.actor, key) if key else uuid4()
        async with answering(database, derived_id("propose", proposal_id), problem_of) as tx:
            if not await training.propose(tx, proposal_id, told, who.actor):
                row = await Procurement(tx).get(proposal_id)
                if row is None or Proposal.model_validate(row.proposed) != told:
                    raise ProblemError(422, "idempotency-key-reused", "The key was used before with another body.")
            response.headers["Location"] = f"/v1/proposals/{proposal_id}"
            return await proposal_of(tx, proposal_id)

    @routes.get("/proposals", tags=["procurement"])
    async def list_proposals(who: Proposer, limit: Limit = 50) -> list[models.ProposalOut]:
        """List proposals, newest first; a system sees its own."""
        async with database.read() as tx:
            rows = await Procurement(tx).page(who.actor if isinstance(who, System) else None, limit)
            return [shown_proposal(row) for row in rows]

    @routes.get("/proposals/{proposal_id}", response_model=models.ProposalOut, tags=["procurement"])
    async def read_proposal(request: Request, who: Proposer, proposal_id: UUID) -> Response:
        """Read a proposal: where it stands, and what the employer pays."""
        async with database.read() as tx:
            row = await Procurement(tx).get(proposal_id)
        if row is None or (isinstance(who, System) and row.proposed_by != who.actor):
            raise not_found("proposal")
        return tagged(request, shown_proposal(row))

    @routes.post("/proposals/{proposal_id}/plan", status_code=status.HTTP_201_CREATED, tags=["procurement"])
    async def plan_proposal(who: Staff, proposal_id: UUID, told: models.GroupIn) -> models.GroupOut:
        """Make the preliminary plan: a planned group, which then goes through procurement and selection."""
        async with answering(database, derived_id("plan", proposal_id), problem_of) as tx:
            return models.GroupOut.of(await training.plan_proposal(tx, proposal_id, told.group, _actor(who)))

    @routes.post("/proposals/{proposal_id}/rejection", tags=["procurement"], dependencies=_CLEAN)
    async def reject_proposal(who: Staff, proposal_id: UUID, told: models.ReasonIn) -> models.ProposalOut:
        """Reject a proposal, with a reason."""
        async with answering(database, uuid4(), problem_of) as tx:
            await training.reject_proposal(tx, proposal_id, _actor(who), told.reason)
            return await proposal_of(tx, proposal_id)

    @routes.get("/settlements", tags=["procurement"])
    async def settlements(_: Staff, since: date, until: date) -> list[models.StatementOut]:
        """Account for the seats of groups that start within the days, by home authority. A statement, no invoice."""
        async with database.read() as tx:
            rows = await Queue(tx).accounting(since, until)
        found = []
        for group_id in dict.fromkeys(row.group_id for row in rows):
            own = [row for row in rows if row.group_id == group_id]
            proposed = Proposal.model_validate(own[0].proposed) if own[0].proposed else None
            price = share_of(proposed) if proposed else None
            seats_of = {row.authority: row.seats for row in own}
            priced = {one.authority: one.eur for one in settle(price.authority_eur, seats_of)} if price else {}
            found += [
                models.StatementOut(
                    group_id=group_id,
                    starts_on=row.starts_on,
                    authority=row.authority,
                    seats=row.seats,
                    eur=priced.get(row.authority),
                    to_be_checked=bool(price and price.to_be_checked),
                )
                for row in own
            ]
        return found

    @routes.post("/groups/{group_id}/candidate-requests", status_code=status.HTTP_202_ACCEPTED, tags=["candidates"])
    async def want_candidates(_: Staff, group_id: UUID, told: models.CandidatesIn) -> models.RequestOut:
        """Ask the three jobseeker pools for candidates, through placement."""
        request_id = uuid4()
        async with answering(database, derived_id("candidates", request_id), problem_of) as tx:
            await training.want_candidates(tx, request_id, group_id, told.wanted, told.at_most)
        return models.RequestOut(request_id=request_id)

    @routes.get("/groups/{group_id}/candidates", tags=["candidates"])
    async def candidates(_: Staff, group_id: UUID) -> list[models.PoolOut]:
        """Read each pool's answer; one that has not answered is named with null."""
        async with database.read() as tx:
            rows = await Candidates(tx).of(group_id)
        return [models.PoolOut.model_validate(row, from_attributes=True) for row in rows]

    @routes.post("/groups/{group_id}/invitations", status_code=status.HTTP_202_ACCEPTED, tags=["candidates"])
    async def invite(_: Staff, group_id: UUID, told: models.InvitationIn) -> None:
        """Invite a candidate to apply; the owning city alone knows who it is."""
        invitation_id = derived_id("invitation", group_id, told.office, told.reference)
        async with answering(database, derived_id("invite", invitation_id), problem_of) as tx:
            await training.invite(tx, invitation_id, group_id, told.office, told.reference)

    # -- supply planning

    @routes.get("/supply", tags=["supply"])
    async def supply(
        _: Staff, uptake: Annotated[float, Query(ge=0, le=1, description="Of the released, who will apply.")] = 0.2
    ) -> models.SupplyOut:
        """Show the queue by occupation and municipality, and the groups that the written rule would procure."""
        async with database.read() as tx:
            queued = await queue_lines(tx)
            planned = plan(queued, await Planning(tx).free_seats(), await Planning(tx).sizes(), uptake)
        return models.SupplyOut(queue=queued, plan=planned)

    @routes.get("/supply/queue.{kind}", response_class=Response, tags=["supply"])
    async def supply_file(_: Staff, kind: Literal["svg", "png", "csv"]) -> Response:
        """Get the queue as a plot or as CSV."""
        async with database.read() as tx:
            queued = await queue_lines(tx)
        if kind == "csv":
            return Response(queue_csv(queued), media_type="text/csv")
        media_type = "image/svg+xml" if kind == "svg" else "image/png"
        return Response(await asyncio.to_thread(queue_plot, queued, kind), media_type=media_type)

    # -- shown

    def share_of(proposal: Proposal) -> Any:
        return employer_share(
            training.rules, proposal.kind, proposal.employer_size, proposal.price_eur, proposal.starts_on
        )

    def shown_proposal(row: Any) -> models.ProposalOut:
        proposal = Proposal.model_validate(row.proposed)
        share = share_of(proposal)
        stage: models.Stage = "rejected" if row.state == "rejected" else _STAGE[row.group_state]
        return models.ProposalOut(
            proposal_id=row.proposal_id,
            kind=LABELS[proposal.kind],
            proposal=proposal,
            stage=stage,
            group_id=row.group_id,
            employer_percent=share.percent if share else None,
            employer_eur=share.employer_eur if share else None,
            authority_eur=share.authority_eur if share else None,
            source=share.source if share else None,
            to_be_checked=share is None or share.to_be_checked,
        )

    async def proposal_of(tx: Transaction, proposal_id: UUID) -> models.ProposalOut:
        row = await Procurement(tx).get(proposal_id)
        if row is None:
            raise not_found("proposal")
        return shown_proposal(row)

    return routes


def _actor(who: Officer) -> Actor:
    return Actor(who.actor, who.authority)


def _place(cursor: str | None) -> int:
    return int(read_cursor(cursor, 1)[0]) if cursor else 0


async def _application(tx: Transaction, application_id: UUID) -> models.ApplicationOut:
    row = await Queue(tx).get(application_id)
    if row is None:
        raise not_found("application")
    decisions = await Decisions(tx).about(application_id)
    return models.ApplicationOut(
        application_id=application_id,
        course_id=row.course_id,
        office=row.office,
        reference=row.reference,
        points=row.points,
        queued_at=row.queued_at,
        state=row.state,
        group_id=row.group_id,
        reason=row.reason,
        position=await Queue(tx).position(row),
        decisions=[models.DecisionOut.model_validate(one) for one in decisions],
    )


async def queue_lines(tx: Transaction) -> list[Line]:
    """Return the queue by occupation and municipality, as it is now."""
    now = tx.clock.now()
    planning = Planning(tx)
    return lines(
        await planning.applications(now - LOOK_BACK), await planning.released(), await planning.vacancies(), now
    )


def problem_of(error: Exception) -> ProblemError | None:
    """Return the problem that a domain error is answered with."""
    if isinstance(error, UnknownError):
        return not_found(str(error))
    if isinstance(error, ConflictError):
        return ProblemError(409, error.code, "This cannot be done now.", error.text)
    if isinstance(error, UnmetError):
        fields = [FieldProblem(pointer=one.pointer, code=one.code) for one in error.conditions]
        return ProblemError(
            422, "conditions-not-met", "The conditions of joint procurement are not met.", errors=fields
        )
    return None
