"""What can be done at the joint office, each inside one transaction: the HTTP API and the message handlers come here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.training.domain import course as courses
from services.training.domain.course import ENDED, Entry, Held, NamedGroup
from services.training.domain.procurement import Proposal, ShareRule, Unmet, unmet
from services.training.domain.seats import Applicant, Share, next_offers, obstacles, offers_seats, shares_on
from services.training.store import Candidates, Catalogue, Decisions, Procurement, Queue
from shared import topics
from shared.calendar import local_day
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import Event, derived_id
from shared.events.v1.placement import Candidate, Wanted
from shared.events.v1.training import (
    ApplicantInvited,
    Application,
    ApplicationHandedOver,
    ApplicationReceived,
    ApplicationState,
    CandidatesWanted,
    Course,
    Group,
    GroupState,
    SeatAnswer,
    SeatAnswered,
    SeatOffered,
)
from shared.messaging.transaction import Transaction
from shared.store import Found


class UnmetError(ValueError):
    """A proposal does not meet the conditions of joint procurement."""

    def __init__(self, conditions: Sequence[Unmet]) -> None:
        super().__init__("the conditions of joint procurement are not met")
        self.conditions = conditions


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and for which authority: an officer, or the written rule."""

    name: str
    authority: str | None = None


RULE = Actor("rule")


class JointTraining:
    """The joint side of training and coaching."""

    def __init__(
        self,
        offices: tuple[str, ...],
        shares: tuple[Share, ...],
        rules: tuple[ShareRule, ...],
        answer_within: timedelta,
    ) -> None:
        self.offices = offices
        self.rules = rules
        self.shares = shares
        self._answer_within = answer_within

    # -- catalogue

    async def publish_course(self, tx: Transaction, course_id: UUID, course: Course, predecessor: int) -> Entry:
        """Put a course, or its next version, into the catalogue.

        Raises:
            ConflictError: another change came before, or the sizes contradict each other.
        """
        known = await Catalogue(tx).lock(course_id)
        if (known.version if known else 0) != predecessor:
            raise ConflictError("stale-predecessor", "Another change came before.")
        if course.min_size > course.max_size:
            raise ConflictError("wrong-sizes", "The least size is larger than the largest.")
        entry = Entry(course_id, predecessor + 1, course)
        await Catalogue(tx).save_course(entry.published())
        tx.publish(entry.published(), to=topics.TRAINING_SHARED)
        return entry

    async def add_group(self, tx: Transaction, group_id: UUID, course_id: UUID, group: Group) -> Held:
        """Plan a group.

        Raises:
            UnknownError: no such course.
            ConflictError: it ends before it starts, or has more seats than the course allows.
        """
        entry = await self._locked(tx, course_id)
        _check(group, entry.course)
        held = Held(group_id, course_id, 1, GroupState.PLANNED, group)
        await self._publish(tx, held)
        return held

    async def change_group(self, tx: Transaction, group_id: UUID, group: Group, predecessor: int) -> Held:
        """Change a group's details; seats that are added are offered at once.

        Raises:
            UnknownError, ConflictError
        """
        held, entry = await self._group(tx, group_id)
        _check(group, entry.course)
        held = courses.change(held, group, predecessor, len(await Queue(tx).seats(group_id)))
        await self._publish(tx, held)
        await self.fill(tx, held.course_id)
        return held

    async def move_group(self, tx: Transaction, group_id: UUID, state: GroupState, actor: Actor, reason: str) -> Held:
        """Move a group to its next state, or cancel it; who had a seat in a cancelled group waits again as before.

        Raises:
            UnknownError, ConflictError
        """
        before, entry = await self._group(tx, group_id)
        seats = await Queue(tx).seats(group_id)
        held = courses.move(before, state, entry.course, sum(seat.state == "accepted" for seat in seats))
        if held is before:
            return held
        await self._publish(tx, held)
        await Decisions(tx).enter(group_id, state, reason, actor.name, None, actor.authority)
        if state in ENDED:
            await self._close_seats(tx, held, seats)
        await self.fill(tx, held.course_id)
        return held

    async def _close_seats(self, tx: Transaction, held: Held, seats: Sequence[Found]) -> None:
        for seat in seats:
            if held.state is GroupState.CANCELLED:
                await Queue(tx).end_offer(seat.offer_id, "cancelled", tx.clock.now())
                await self._decide(
                    tx, seat, ApplicationState.WAITING, None, "the group was cancelled; the place in the queue is kept"
                )
            elif held.state is GroupState.COMPLETED and seat.state == "accepted":
                await self._decide(tx, seat, ApplicationState.COMPLETED, held.group_id, "the group was completed")
            elif held.state is GroupState.COMPLETED:
                await Queue(tx).end_offer(seat.offer_id, "cancelled", tx.clock.now())
                await self._decide(tx, seat, ApplicationState.WAITING, None, "the group was completed before an answer")

    # -- the joint queue

    async def receive(self, tx: Transaction, told: ApplicationReceived) -> None:
        """Put an application into its course's queue; a free seat is offered at once.

        Raises:
            UnknownError: no such course.
        """
        await self._locked(tx, told.course_id)
        if await Queue(tx).receive(told):
            await self.fill(tx, told.course_id)

    async def fill(self, tx: Transaction, course_id: UUID) -> int:
        """Offer every free seat of a course's groups by the written rule; return how many were offered.

        The caller holds the course's lock, so no seat is given twice; it runs after everything that frees a seat or
        brings an applicant, so none stays empty while someone eligible waits.
        """
        entry = await Catalogue(tx).course(course_id)
        if entry is None:
            raise UnknownError("course")
        today = local_day(tx.clock.now())
        offered = 0
        for held in await Catalogue(tx).groups(course_id):
            slot = held.slot(entry.course)
            if not offers_seats(
                held.state, slot.starts_on, today, entry.course.late_entry_days, is_continuous=slot.is_continuous
            ):
                continue
            seats = await Queue(tx).seats(held.group_id)
            if len(seats) >= held.group.seats:
                continue
            before = await Queue(tx).turned_down(held.group_id)
            eligible = [
                one
                for one in await Queue(tx).waiting(course_id)
                if one.application_id not in before and not obstacles(one, slot)
            ]
            chosen = next_offers(
                held.group.seats, [seat.authority for seat in seats], eligible, shares_on(self.shares, today)
            )
            for one, reason in chosen:
                await self._offer(tx, held, one.application_id, one.authority, reason, RULE)
            offered += len(chosen)
        return offered

    async def choose(self, tx: Transaction, group_id: UUID, application_id: UUID, actor: Actor, reason: str) -> None:
        """Offer a seat to an applicant out of the order: a discretionary selection by an officer, with a reason.

        Raises:
            UnknownError: no such group or application.
            ConflictError: no seat is free, the group takes no more, or the applicant does not wait for its course.
        """
        held, _ = await self._group(tx, group_id)
        application = await self._application(tx, application_id)
        if held.state in ENDED | {GroupState.PLANNED, GroupState.PROCUREMENT}:
            raise ConflictError("wrong-state", f"The group is {held.state}.")
        if application.course_id != held.course_id or application.state != ApplicationState.WAITING:
            raise ConflictError("not-waiting", "The applicant does not wait for this course.")
        if len(await Queue(tx).seats(group_id)) >= held.group.seats:
            raise ConflictError("no-free-seat", "Every seat is taken or offered.")
        await self._offer(
            tx, held, application_id, application.office, f"selected by an officer: {reason}"[:300], actor
        )

    async def reject(self, tx: Transaction, application_id: UUID, actor: Actor, reason: str) -> None:
        """Reject an application, with a reason.

        Raises:
            UnknownError, ConflictError
        """
        application = await self._locked_application(tx, application_id)
        if application.state != ApplicationState.WAITING:
            raise ConflictError("not-waiting", f"The application is {application.state}.")
        await self._decide(tx, application, ApplicationState.REJECTED, None, reason, actor)

    async def answer(self, tx: Transaction, told: SeatAnswered) -> None:
        """Enter an applicant's answer; a seat that is turned down is offered to the next. The first answer counts.

        Raises:
            UnknownError: no such offer to an applicant of that office.
        """
        application = await self._locked_application(tx, told.application_id)
        offer = await Queue(tx).get_offer(told.offer_id)
        if offer is None or offer.application_id != told.application_id or application.office != told.office:
            raise UnknownError("offer")
        if offer.state != "open":
            return
        await Queue(tx).end_offer(told.offer_id, told.answer, told.answered_at)
        state = ApplicationState.ACCEPTED if told.answer is SeatAnswer.ACCEPTED else ApplicationState.DECLINED
        reason = {
            SeatAnswer.ACCEPTED: "the applicant has accepted",
            SeatAnswer.DECLINED: "the applicant has declined",
            SeatAnswer.EXPIRED: "no answer came by the deadline",
        }[told.answer]
        group_id = offer.group_id if state is ApplicationState.ACCEPTED else None
        await self._decide(tx, application, state, group_id, reason)
        await self.fill(tx, application.course_id)

    async def withdraw(self, tx: Transaction, application_id: UUID, office: str) -> None:
        """Withdraw an application; its seat, if it has one, is offered to the next.

        Raises:
            UnknownError: no such application of that office.
        """
        application = await self._locked_application(tx, application_id)
        if application.office != office:
            raise UnknownError("application")
        if application.state in {ApplicationState.WITHDRAWN, ApplicationState.COMPLETED}:
            return
        await self._free(tx, application_id, "withdrawn")
        await self._decide(tx, application, ApplicationState.WITHDRAWN, None, "the applicant has withdrawn")
        await self.fill(tx, application.course_id)

    async def no_show(self, tx: Transaction, offer_id: UUID, actor: Actor, reason: str) -> None:
        """Enter that someone with a seat did not come; the seat is offered to the next.

        Raises:
            UnknownError: no such offer.
            ConflictError: the seat was not accepted, or the group is neither confirmed nor running.
        """
        offer = await Queue(tx).get_offer(offer_id)
        if offer is None:
            raise UnknownError("offer")
        held, _ = await self._group(tx, offer.group_id)
        offer = await Queue(tx).get_offer(offer_id)
        if offer is None or offer.state != "accepted" or held.state not in {GroupState.CONFIRMED, GroupState.RUNNING}:
            raise ConflictError("not-accepted", "Nobody has accepted that seat, or the group has not begun.")
        application = await self._application(tx, offer.application_id)
        await Queue(tx).end_offer(offer_id, "no_show", tx.clock.now())
        await self._decide(tx, application, ApplicationState.NO_SHOW, held.group_id, reason, actor)
        await self.fill(tx, held.course_id)

    async def change_seat(
        self, tx: Transaction, application_id: UUID, group_id: UUID, actor: Actor, reason: str
    ) -> None:
        """Transfer an applicant who has accepted to a free seat of another group; the seat that is left is offered on.

        Raises:
            UnknownError: no such application or group.
            ConflictError: the applicant has no seat, the other group is of another course, has ended, or is full.
        """
        application = await self._locked_application(tx, application_id)
        held, _ = await self._group(tx, group_id)
        offer = await Queue(tx).held_offer(application_id)
        if offer is None or offer.state != "accepted" or offer.group_id == group_id:
            raise ConflictError("not-accepted", "The applicant has accepted no seat in another group.")
        if held.course_id != application.course_id or held.state in ENDED:
            raise ConflictError("wrong-group", "The group is of another course, or has ended.")
        if len(await Queue(tx).seats(group_id)) >= held.group.seats:
            raise ConflictError("no-free-seat", "Every seat is taken or offered.")
        now = tx.clock.now()
        await Queue(tx).end_offer(offer.offer_id, "moved", now)
        moved = derived_id(tx.cause, "seat", application_id, group_id)
        await Queue(tx).offer(moved, group_id, application_id, f"transferred: {reason}"[:300], now)
        await Queue(tx).end_offer(moved, "accepted", now)
        await self._decide(tx, application, ApplicationState.ACCEPTED, group_id, f"transferred: {reason}"[:300], actor)
        await self.fill(tx, application.course_id)

    async def hand_over(self, tx: Transaction, application_id: UUID, office: str, to_office: str) -> None:
        """Give an application to the city that its applicant has moved to, with its queue time and its seat.

        Raises:
            UnknownError: no such application of that office, or no such city.
        """
        before = await self._locked_application(tx, application_id)
        if before.office != office or to_office not in self.offices:
            raise UnknownError("application")
        now = await Queue(tx).hand_over(application_id, to_office)
        if now is None or office == to_office:
            return
        tell(
            tx,
            to_office,
            ApplicationHandedOver(
                application_id=application_id,
                from_office=office,
                course_id=now.course_id,
                application=_shown(now),
                state=now.state,
                version=now.version,
            ),
        )
        offer = await Queue(tx).held_offer(application_id)
        if offer is not None and offer.state == "open":
            held = await self._known_group(tx, offer.group_id)
            tell(tx, to_office, _offered(offer.offer_id, held, application_id, offer.answer_by, offer.reason))
        await Decisions(tx).enter(
            application_id, "handed over", f"moved from {office} to {to_office}", "applicant", to_office, None
        )

    async def _offer(
        self, tx: Transaction, held: Held, application_id: UUID, office: str, reason: str, actor: Actor
    ) -> None:
        offer_id = derived_id(tx.cause, "seat", application_id, held.group_id)
        hours = held.group.answer_hours
        answer_by = tx.clock.now() + (timedelta(hours=hours) if hours else self._answer_within)
        await Queue(tx).offer(offer_id, held.group_id, application_id, reason, answer_by)
        decided = await Queue(tx).move(application_id, ApplicationState.OFFERED, held.group_id, reason)
        await Decisions(tx).enter(application_id, "offered", reason, actor.name, office, actor.authority)
        tell(tx, office, decided)
        tell(tx, office, _offered(offer_id, held, application_id, answer_by, reason))

    async def _free(self, tx: Transaction, application_id: UUID, state: str) -> None:
        offer = await Queue(tx).held_offer(application_id)
        if offer is not None:
            await Queue(tx).end_offer(offer.offer_id, state, tx.clock.now())

    async def _decide(
        self,
        tx: Transaction,
        subject: Found,
        state: ApplicationState,
        group_id: UUID | None,
        reason: str,
        actor: Actor = RULE,
    ) -> None:
        """Change where an application stands, write down who decided it, and tell its city."""
        application = await self._application(tx, subject.application_id)
        decided = await Queue(tx).move(application.application_id, state, group_id, reason)
        await Decisions(tx).enter(
            application.application_id, state, reason, actor.name, application.office, actor.authority
        )
        tell(tx, application.office, decided)

    # -- forming groups

    async def adopt(self, tx: Transaction, formation_id: UUID, actor: Actor) -> list[Held]:
        """Open the groups that a formation proposes and offer their seats to the proposed members.

        Who does not wait any more is passed over; the seat goes on by the written rule.

        Raises:
            UnknownError: no such formation.
            ConflictError: it is adopted already.
        """
        found = await Queue(tx).formation(formation_id)
        if found is None:
            raise UnknownError("formation")
        if found.adopted_at is not None:
            raise ConflictError("adopted", "The formation is adopted already.")
        await self._locked(tx, found.course_id)
        waiting = {one.application_id: one for one in await Queue(tx).waiting(found.course_id)}
        made = []
        for row in found.slots:
            slot = NamedGroup.model_validate(row)
            members = [one for one in found.placements if one["slot"] == slot.name]
            if not members:
                continue
            held = Held(derived_id(formation_id, slot.name), found.course_id, 1, GroupState.SELECTION, slot.group)
            await self._publish(tx, held)
            made.append(held)
            for one in members:
                applicant: Applicant | None = waiting.pop(UUID(one["application_id"]), None)
                if applicant is not None:
                    reason = f"formed group: {one['reason']}"
                    await self._offer(tx, held, applicant.application_id, applicant.authority, reason, actor)
        await Queue(tx).adopt(formation_id)
        await self.fill(tx, found.course_id)
        return made

    # -- joint procurement

    async def propose(self, tx: Transaction, proposal_id: UUID, proposal: Proposal, by: str) -> bool:
        """Record an employer's proposal; False when it is there already.

        Raises:
            UnmetError
        """
        conditions = unmet(
            proposal.kind,
            proposal.business_id,
            proposal.training_days,
            proposal.employer_size,
            is_induction=proposal.is_induction,
        )
        if conditions:
            raise UnmetError(conditions)
        return await Procurement(tx).propose(proposal_id, proposal, by)

    async def plan_proposal(self, tx: Transaction, proposal_id: UUID, group: Group, actor: Actor) -> Held:
        """Make the preliminary plan of a proposal: a course and a planned group, which then goes its way.

        Raises:
            UnknownError: no such proposal.
            ConflictError: it is planned or rejected already.
        """
        proposal = await self._open_proposal(tx, proposal_id)
        course = Course(
            kind=proposal.kind,
            title=proposal.title,
            occupation=proposal.occupation,
            min_size=1,
            max_size=max(group.seats, proposal.seats),
        )
        course_id = derived_id(proposal_id, "course")
        await self.publish_course(tx, course_id, course, 0)
        held = await self.add_group(tx, derived_id(proposal_id, "group"), course_id, group)
        await Procurement(tx).decide(proposal_id, "planned", held.group_id)
        await Decisions(tx).enter(proposal_id, "planned", "", actor.name, None, actor.authority)
        return held

    async def reject_proposal(self, tx: Transaction, proposal_id: UUID, actor: Actor, reason: str) -> None:
        """Reject a proposal, with a reason.

        Raises:
            UnknownError, ConflictError
        """
        await self._open_proposal(tx, proposal_id)
        await Procurement(tx).decide(proposal_id, "rejected", None)
        await Decisions(tx).enter(proposal_id, "rejected", reason, actor.name, None, actor.authority)

    async def _open_proposal(self, tx: Transaction, proposal_id: UUID) -> Proposal:
        row = await Procurement(tx).get(proposal_id)
        if row is None:
            raise UnknownError("proposal")
        if row.state != "proposed":
            raise ConflictError("wrong-state", f"The proposal is {row.state}.")
        return Proposal.model_validate(row.proposed)

    async def want_candidates(
        self, tx: Transaction, request_id: UUID, group_id: UUID, wanted: Wanted, at_most: int
    ) -> None:
        """Ask placement for candidates from the three jobseeker pools.

        Raises:
            UnknownError: no such group.
            ConflictError: it has ended.
        """
        held = await self._known_group(tx, group_id)
        if held.state in ENDED:
            raise ConflictError("wrong-state", f"The group is {held.state}.")
        await Candidates(tx).ask(request_id, group_id, self.offices)
        told = CandidatesWanted(group_id=group_id, request_id=request_id, wanted=wanted, at_most=at_most)
        tx.publish(told, to=topics.TRAINING_PLACEMENT)

    async def invite(self, tx: Transaction, invitation_id: UUID, group_id: UUID, office: str, reference: str) -> None:
        """Invite a candidate to apply: the owning city is told, which alone knows who it is.

        Raises:
            UnknownError: no such group, or no pool answered with that candidate.
            ConflictError: the candidate was invited before.
        """
        held = await self._known_group(tx, group_id)
        known = {
            (row.office, Candidate.model_validate(one).reference)
            for row in await Candidates(tx).of(group_id)
            for one in row.candidates or ()
        }
        if (office, reference) not in known:
            raise UnknownError("candidate")
        if not await Candidates(tx).invite(invitation_id, group_id, office, reference):
            raise ConflictError("invited", "The candidate is invited already.")
        told = ApplicantInvited(
            invitation_id=invitation_id, group_id=group_id, course_id=held.course_id, reference=reference
        )
        tell(tx, office, told)

    # -- what is there

    async def _publish(self, tx: Transaction, held: Held) -> None:
        await Catalogue(tx).save_group(held.published())
        tx.publish(held.published(), to=topics.TRAINING_SHARED)

    async def _locked(self, tx: Transaction, course_id: UUID) -> Entry:
        entry = await Catalogue(tx).lock(course_id)
        if entry is None:
            raise UnknownError("course")
        return entry

    async def _known_group(self, tx: Transaction, group_id: UUID) -> Held:
        held = await Catalogue(tx).group(group_id)
        if held is None:
            raise UnknownError("group")
        return held

    async def _group(self, tx: Transaction, group_id: UUID) -> tuple[Held, Entry]:
        """Return a group as it is once its course is locked."""
        entry = await self._locked(tx, (await self._known_group(tx, group_id)).course_id)
        return await self._known_group(tx, group_id), entry

    async def _application(self, tx: Transaction, application_id: UUID) -> Found:
        row = await Queue(tx).get(application_id)
        if row is None:
            raise UnknownError("application")
        return row

    async def _locked_application(self, tx: Transaction, application_id: UUID) -> Found:
        """Return an application as it is once its course is locked."""
        await self._locked(tx, (await self._application(tx, application_id)).course_id)
        return await self._application(tx, application_id)


def tell(tx: Transaction, office: str, event: Event) -> None:
    """Tell a city."""
    tx.publish(event, to=topics.TRAINING_TO, office=office)


def _check(group: Group, course: Course) -> None:
    if group.ends_on < group.starts_on:
        raise ConflictError("wrong-dates", "The group ends before it starts.")
    if not course.min_size <= group.seats <= course.max_size:
        raise ConflictError("wrong-sizes", f"The course takes groups of {course.min_size}–{course.max_size}.")


def _offered(offer_id: UUID, held: Held, application_id: UUID, answer_by: datetime, reason: str) -> SeatOffered:
    return SeatOffered(
        application_id=application_id,
        offer_id=offer_id,
        group_id=held.group_id,
        starts_on=held.group.starts_on,
        answer_by=answer_by,
        reason=reason,
    )


def _shown(row: Any) -> Application:
    return Application.model_validate(row, from_attributes=True)
