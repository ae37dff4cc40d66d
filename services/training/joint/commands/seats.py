"""The joint queue and its seats: who is offered which, and what becomes of it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from services.training.catalogue import Catalogue
from services.training.domain.course import CatalogueCourse, CourseGroup
from services.training.domain.deadlines import answer_by
from services.training.domain.quotas import Quota, quota_on
from services.training.domain.seats import (
    LEFT,
    RULE,
    Actor,
    Change,
    SeatOfferState,
    Share,
    answered,
    check_entry,
    check_free_seat,
    check_selection,
    check_transfer,
    dropped_out,
    goes_on,
    group_ended,
    next_offers,
    no_show,
    obstacles,
    offers_seats,
    reinstated,
    rejected,
    selected,
    transferred,
    withdrawn,
)
from services.training.joint.procurement_store import Participants
from services.training.joint.store import Decisions, Queue
from services.training.joint.tables import ApplicationRow, SeatOfferRow
from shared.agreement import Agreements
from shared.calendar import local_day
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.training import (
    Application,
    ApplicationDecided,
    ApplicationHandedOver,
    ApplicationReceived,
    ApplicationState,
    SeatAnswered,
    SeatOffered,
)
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointSeats:
    """Gives and takes the seats of all groups. Every act begins with the lock on the course.

    Attributes:
        offices: the cities' offices.
        shares: the shares of seats until a decision is recorded, each with its dates.
        answer_within: how long an applicant has to answer, where the group does not say it; its days are business days.
        closes_at: the end of office hours, local time.
    """

    offices: tuple[str, ...]
    shares: tuple[Share, ...]
    answer_within: timedelta
    closes_at: time = time(16)

    async def receive(self, tx: Transaction, event: ApplicationReceived) -> None:
        """Put an application into its course's queue; a free seat is offered at once.

        Raises:
            UnknownError: no such course.
        """
        await Catalogue(tx).locked_course(event.course_id)
        if await Queue(tx).receive(event):
            await self.fill(tx, event.course_id)

    async def fill(self, tx: Transaction, course_id: UUID) -> None:
        """Offer every free seat of a course's groups by the written rule.

        The caller holds the course's lock, so no seat is given twice; it runs after everything that frees a seat or
        brings an applicant, so none stays empty while someone eligible waits.
        """
        course = await Catalogue(tx).course(course_id)
        today = local_day(tx.clock.now())
        quota = await self.quota(tx, today)
        for group in await Catalogue(tx).groups_of(course_id):
            slot, last_day = group.slot(course.course), group.last_entry_day(course.course)
            if not offers_seats(group.state, last_day, today, is_continuous=slot.is_continuous):
                continue
            seats = await Queue(tx).seats(group.group_id)
            for_applicants = group.group.seats - await self.staff(tx, group.group_id)
            if len(seats) >= for_applicants:
                continue
            passed_over = await Queue(tx).turned_down(group.group_id)
            eligible = [
                applicant
                for applicant in await Queue(tx).waiting(course_id)
                if applicant.application_id not in passed_over and not obstacles(applicant, slot)
            ]
            taken = [seat.authority for seat in seats]
            chosen = next_offers(for_applicants, taken, eligible, quota.percents, is_verified=quota.is_verified)
            for applicant, reason in chosen:
                await self.offer(tx, group, course, applicant.application_id, reason, RULE)

    async def staff(self, tx: Transaction, group_id: UUID) -> int:
        """Return how many seats of a group own staff of an employer have."""
        return sum(row.seats for row in await Participants(tx).in_group(group_id))

    async def taken(self, tx: Transaction, group_id: UUID) -> int:
        """Return how many seats of a group are taken or offered."""
        return len(await Queue(tx).seats(group_id)) + await self.staff(tx, group_id)

    async def quota(self, tx: Transaction, day: date) -> Quota:
        """Return the shares of seats in force on a day."""
        return quota_on(await Agreements(tx).figures(), self.shares, day)

    async def choose(
        self, tx: Transaction, group_id: UUID, application_id: UUID, actor: Actor, reason: str
    ) -> ApplicationRow:
        """Offer a seat to an applicant out of the order: a discretionary selection by an officer, with a reason.

        Raises:
            UnknownError: no such group or application.
            ConflictError: no seat is free, the group takes no more, or the applicant does not wait for its course.
        """
        group, course = await Catalogue(tx).locked_group(group_id)
        application = await self._application(tx, application_id)
        is_same_course = application.course_id == group.course_id
        check_selection(group.state, application.state, is_same_course=is_same_course)
        check_entry(group.last_entry_day(course.course), local_day(tx.clock.now()))
        check_free_seat(group.group.seats, await self.taken(tx, group_id))
        await self.offer(tx, group, course, application_id, selected(reason), actor)
        return application

    async def reject(self, tx: Transaction, application_id: UUID, actor: Actor, reason: str) -> ApplicationRow:
        """Reject an application, with a reason.

        Raises:
            UnknownError: no such application.
            ConflictError: it does not wait.
        """
        application = await self._locked_application(tx, application_id)
        self._carry_out(tx, application, None, rejected(application.state, actor, reason))
        return application

    async def reinstate(self, tx: Transaction, application_id: UUID, actor: Actor, reason: str) -> ApplicationRow:
        """Take a rejection, no-show, drop-out or withdrawal back: the application waits again at its old place.

        A seat that was left by mistake counts as never given; a free one may be offered at once, in the same group too.

        Raises:
            UnknownError: no such application.
            ConflictError: it has not ended so, or the applicant has applied to the course anew.
        """
        application = await self._locked_application(tx, application_id)
        why = reinstated(application.state, reason)
        if await Queue(tx).has_applied_anew(application):
            raise ConflictError("already-applied", "The applicant has another application to this course.")
        last = await Queue(tx).last_offer(application_id)
        if last is not None and last.state in LEFT:
            last.state = SeatOfferState.CORRECTED
        self._decide(tx, application, ApplicationState.WAITING, None, why, actor, act="reinstated")
        await self.fill(tx, application.course_id)
        return application

    async def answer(self, tx: Transaction, event: SeatAnswered) -> None:
        """Enter an applicant's answer; a seat that is turned down is offered to the next. The first answer counts.

        Raises:
            UnknownError: no such offer to an applicant of that office.
        """
        application = await self._locked_application(tx, event.application_id)
        offer = await Queue(tx).offer(event.offer_id)
        if offer is None or offer.application_id != event.application_id or application.office != event.office:
            raise UnknownError("offer")
        if offer.state is not SeatOfferState.OPEN:
            return
        rules = (await Catalogue(tx).course(application.course_id)).course.after_decline
        change = answered(event.answer, goes_on_waiting=goes_on(rules, local_day(offer.made_at)))
        self._carry_out(tx, application, offer, change, at=event.answered_at)
        await self.fill(tx, application.course_id)

    async def withdraw(self, tx: Transaction, application_id: UUID, office: str) -> None:
        """Withdraw an application; its seat, if it has one, is offered to the next.

        Raises:
            UnknownError: no such application of that office.
        """
        application = await self._locked_application(tx, application_id)
        if application.office != office:
            raise UnknownError("application")
        change = withdrawn(application.state)
        if change is None:
            return
        self._carry_out(tx, application, await Queue(tx).held_offer(application_id), change)
        await self.fill(tx, application.course_id)

    async def no_show(self, tx: Transaction, offer_id: UUID, actor: Actor, reason: str) -> None:
        """Enter that someone with a seat did not come; the seat is offered to the next.

        Raises:
            UnknownError: no such offer.
            ConflictError: the seat was not accepted, or the group is neither confirmed nor running.
        """
        group, _ = await Catalogue(tx).locked_group((await self._offer(tx, offer_id)).group_id)
        offer = await self._offer(tx, offer_id)
        change = no_show(group.state, offer.state, actor, reason)
        self._carry_out(tx, await self._application(tx, offer.application_id), offer, change)
        await self.fill(tx, group.course_id)

    async def drop_out(self, tx: Transaction, offer_id: UUID, actor: Actor, reason: str) -> None:
        """Enter that someone has left a group that runs; within the late entry days the seat is offered to the next.

        Raises:
            UnknownError: no such offer.
            ConflictError: the seat was not accepted, or the group is not running.
        """
        group, _ = await Catalogue(tx).locked_group((await self._offer(tx, offer_id)).group_id)
        offer = await self._offer(tx, offer_id)
        change = dropped_out(group.state, offer.state, actor, reason)
        self._carry_out(tx, await self._application(tx, offer.application_id), offer, change)
        await self.fill(tx, group.course_id)

    async def change_seat(
        self, tx: Transaction, application_id: UUID, group_id: UUID, actor: Actor, reason: str
    ) -> ApplicationRow:
        """Transfer an applicant who has accepted to a free seat of another group; the seat that is left is offered on.

        Raises:
            UnknownError: no such application or group.
            ConflictError: the applicant has no seat, the other group is of another course, has ended, or is full.
        """
        application = await self._locked_application(tx, application_id)
        group, course = await Catalogue(tx).locked_group(group_id)
        offer = await Queue(tx).held_offer(application_id)
        check_transfer(
            group.state,
            offer.state if offer else None,
            is_same_group=offer is not None and offer.group_id == group_id,
            is_same_course=group.course_id == application.course_id,
        )
        check_entry(group.last_entry_day(course.course), local_day(tx.clock.now()))
        check_free_seat(group.group.seats, await self.taken(tx, group_id))
        change, now = transferred(actor, reason), tx.clock.now()
        self._carry_out(tx, application, offer, change, group_id=group_id)
        moved_to = SeatOfferRow(
            offer_id=derived_id(tx.cause, "seat", application_id, group_id),
            group_id=group_id,
            application_id=application_id,
            state=SeatOfferState.ACCEPTED,
            reason=change.reason,
            made_at=now,
            answer_by=now,
            answered_at=now,
        )
        await Queue(tx).add_offer(moved_to)
        await self.fill(tx, application.course_id)
        return application

    async def hand_over(self, tx: Transaction, application_id: UUID, office: str, to_office: str) -> None:
        """Give an application to the city that its applicant has moved to, with its queue time and its seat.

        Raises:
            UnknownError: no such application of that office, or no such city.
        """
        application = await self._locked_application(tx, application_id)
        if application.office != office or to_office not in self.offices:
            raise UnknownError("application")
        if office == to_office:
            return
        application.office = to_office
        tx.publish(_handed_over(application, office), to=to_office)
        offer = await Queue(tx).held_offer(application_id)
        if offer is not None and offer.state is SeatOfferState.OPEN:
            group = await Catalogue(tx).group(offer.group_id)
            tx.publish(_offered(offer, group), to=to_office)
        reason = f"moved from {office} to {to_office}"
        Decisions(tx).enter(application_id, "handed over", reason, Actor("applicant"), to_office)

    async def identify(self, tx: Transaction, application_id: UUID, office: str, reference: str) -> None:
        """Put the new city's reference to an application that was handed over.

        Raises:
            UnknownError: no such application of that office.
        """
        if not await Queue(tx).identify(application_id, office, reference):
            raise UnknownError("application")

    async def close(self, tx: Transaction, group: CourseGroup) -> None:
        """End the seats of a group that has ended. The caller holds the course's lock."""
        for seat in await Queue(tx).seats(group.group_id):
            application = await self._application(tx, seat.application_id)
            offer = await self._offer(tx, seat.offer_id)
            self._carry_out(tx, application, offer, group_ended(group.state, offer.state))

    async def offer(
        self,
        tx: Transaction,
        group: CourseGroup,
        course: CatalogueCourse,
        application_id: UUID,
        reason: str,
        actor: Actor,
    ) -> None:
        """Offer a seat to an applicant who waits, and tell the applicant's city. The caller holds the course's lock."""
        now, hours = tx.clock.now(), group.group.answer_hours
        within = timedelta(hours=hours) if hours else self.answer_within
        application = await self._application(tx, application_id)
        offer = SeatOfferRow(
            offer_id=derived_id(tx.cause, "seat", application_id, group.group_id),
            group_id=group.group_id,
            application_id=application_id,
            state=SeatOfferState.OPEN,
            reason=reason,
            made_at=now,
            answer_by=answer_by(now, within, group.last_entry_day(course.course), self.closes_at),
        )
        await Queue(tx).add_offer(offer)
        self._decide(tx, application, ApplicationState.OFFERED, group.group_id, reason, actor)
        tx.publish(_offered(offer, group), to=application.office)

    def _carry_out(
        self,
        tx: Transaction,
        application: ApplicationRow,
        offer: SeatOfferRow | None,
        change: Change,
        *,
        group_id: UUID | None = None,
        at: datetime | None = None,
    ) -> None:
        """Put a change into effect. `group_id`: the group that the application comes into, unless it is the offer's."""
        if offer is not None and change.offer is not None:
            offer.state, offer.answered_at = change.offer, at or tx.clock.now()
        into = group_id or (offer.group_id if offer else None)
        group = into if change.is_in_group else None
        self._decide(tx, application, change.application, group, change.reason, change.actor, act=change.act)

    def _decide(
        self,
        tx: Transaction,
        application: ApplicationRow,
        state: ApplicationState,
        group_id: UUID | None,
        reason: str,
        actor: Actor,
        *,
        act: str | None = None,
    ) -> None:
        """Change where an application stands, write down who decided it, and tell its city."""
        application.state, application.group_id, application.reason = state, group_id, reason
        application.version += 1
        Decisions(tx).enter(application.application_id, act or state, reason, actor, application.office)
        decided = ApplicationDecided(
            application_id=application.application_id,
            version=application.version,
            state=state,
            group_id=group_id,
            reason=reason,
        )
        tx.publish(decided, to=application.office)

    async def _application(self, tx: Transaction, application_id: UUID) -> ApplicationRow:
        application = await Queue(tx).get(application_id)
        if application is None:
            raise UnknownError("application")
        return application

    async def _locked_application(self, tx: Transaction, application_id: UUID) -> ApplicationRow:
        """Return an application as it is once its course is locked."""
        await Catalogue(tx).locked_course((await self._application(tx, application_id)).course_id)
        return await self._application(tx, application_id)

    async def _offer(self, tx: Transaction, offer_id: UUID) -> SeatOfferRow:
        offer = await Queue(tx).offer(offer_id)
        if offer is None:
            raise UnknownError("offer")
        return offer


def _offered(offer: SeatOfferRow, group: CourseGroup) -> SeatOffered:
    return SeatOffered(
        application_id=offer.application_id,
        offer_id=offer.offer_id,
        group_id=offer.group_id,
        starts_on=group.group.starts_on,
        answer_by=offer.answer_by,
        reason=offer.reason,
    )


def _handed_over(application: ApplicationRow, from_office: str) -> ApplicationHandedOver:
    return ApplicationHandedOver(
        application_id=application.application_id,
        from_office=from_office,
        course_id=application.course_id,
        application=Application(
            reference=application.reference,
            points=application.points,
            queued_at=application.queued_at,
            languages=tuple(application.languages),
            municipality=application.municipality,
            travel=tuple(application.travel),
            can_start_from=application.can_start_from,
        ),
        state=application.state,
        version=application.version,
    )
