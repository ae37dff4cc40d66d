"""What a city does with its own people's applications, each inside one transaction.

All of it works with the joint office down: what is entered here is sent when Kafka takes it.
"""

from dataclasses import dataclass
from uuid import UUID, uuid4

from services.training.authority.store import OwnApplications
from services.training.authority.tables import OwnApplicationRow, OwnInvitationRow, OwnOfferRow
from services.training.catalogue import Catalogue
from services.training.domain import own_application as lifecycle
from services.training.domain.own_application import Answer, ApplicationForm, OwnOfferState
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.training import (
    ApplicantInvited,
    ApplicationDecided,
    ApplicationHandedOver,
    ApplicationIdentified,
    ApplicationReceived,
    ApplicationState,
    ApplicationWithdrawn,
    InvitationAnswer,
    InvitationAnswered,
    QueuePlacesChanged,
    SeatOffered,
)
from shared.messaging.transaction import Database, Transaction
from shared.pseudonyms import reference_of


@dataclass(frozen=True)
class CityApplications:
    """The applications of a city's own people, their seat offers and invitations.

    Attributes:
        cities: the offices between which an applicant can move.
        pool_key: the city's own secret, from which opaque references are made.
    """

    cities: frozenset[str]
    pool_key: bytes

    # -- what officers do

    async def apply(self, tx: Transaction, form: ApplicationForm, by: str) -> OwnApplicationRow:
        """Enter an application, assessed by the course's criteria; it goes into the joint queue.

        Raises:
            UnknownError: no such course.
            RefusedError: the assessment does not follow the course's criteria.
            ConflictError: the applicant has an application to this course.
        """
        course = await Catalogue(tx).course(form.course_id)
        reference = reference_of(self.pool_key, form.applicant_id)
        row = OwnApplicationRow(
            application_id=derived_id("application", tx.cause),
            applicant_id=form.applicant_id,
            course_id=form.course_id,
            application=lifecycle.assess(form, course.course, reference, tx.clock.now()),
            assessment=form.assessment,
            state=ApplicationState.WAITING,
            version=1,
            reason="",
            received_by=by,
            received_at=tx.clock.now(),
        )
        if not await OwnApplications(tx).add(row):
            raise ConflictError("already-applied", "The applicant has an application to this course.")
        event = ApplicationReceived(
            application_id=row.application_id, office=tx.office, course_id=row.course_id, application=row.application
        )
        tx.publish(event)
        return row

    async def withdraw(self, tx: Transaction, application_id: UUID) -> OwnApplicationRow:
        """Withdraw an application; its seat goes on. Repeating it changes nothing.

        Raises:
            UnknownError: no such application.
            ConflictError: it has ended, or goes on in another city.
        """
        application = await self._locked(tx, application_id)
        withdrawal = lifecycle.withdraw(application, tx.office)
        if withdrawal is not None:
            application.state = ApplicationState.WITHDRAWN
            tx.publish(withdrawal.event)
        return application

    async def move(self, tx: Transaction, application_id: UUID, to_office: str) -> OwnApplicationRow:
        """Enter that the applicant has moved: the application goes on in the other city, with its place and its seat.

        Raises:
            UnknownError: no such application.
            RefusedError: no such other city.
            ConflictError: it has ended, or goes on in another city.
        """
        application = await self._locked(tx, application_id)
        transferred = lifecycle.transfer(application, tx.office, to_office, self.cities)
        if transferred is not None:
            application.moved_to = transferred.to_office
            await OwnApplications(tx).close_offers(application_id)
            tx.publish(transferred.event)
        return application

    async def identify(self, tx: Transaction, application_id: UUID, applicant_id: str) -> OwnApplicationRow:
        """Enter whose application it is that came from another city. Repeating it changes nothing.

        Raises:
            UnknownError: no such application.
            ConflictError: it is another applicant's, or the applicant has another to the course.
        """
        application = await self._locked(tx, application_id)
        if application.applicant_id == applicant_id:
            return application
        if application.applicant_id is not None or not await OwnApplications(tx).identify(application_id, applicant_id):
            raise ConflictError("already-applied", "The application has an applicant, or the applicant has applied.")
        reference = reference_of(self.pool_key, applicant_id)
        tx.publish(ApplicationIdentified(application_id=application_id, office=tx.office, reference=reference))
        return await self._locked(tx, application_id)

    async def answer(self, tx: Transaction, offer_id: UUID, *, is_accepted: bool) -> OwnOfferRow:
        """Enter the applicant's answer to a seat offer. Repeating it changes nothing.

        Raises:
            UnknownError: no such offer.
            ConflictError: the deadline is over, or the offer is answered otherwise or closed.
        """
        offer = await OwnApplications(tx).lock_offer(offer_id)
        if offer is None:
            raise UnknownError("seat offer")
        given = lifecycle.answer(offer, tx.office, tx.clock.now(), is_accepted=is_accepted)
        if given is not None:
            self._carry_out(tx, offer, given)
        return offer

    async def answer_invitation(
        self, tx: Transaction, invitation_id: UUID, given: InvitationAnswer, by: str
    ) -> OwnInvitationRow:
        """Enter what came of an invitation; the joint office learns it. The answer may be changed.

        Raises:
            UnknownError: no such invitation.
        """
        invitation = await OwnApplications(tx).lock_invitation(invitation_id)
        if invitation is None:
            raise UnknownError("invitation")
        if invitation.answer is not given:
            now = tx.clock.now()
            invitation.answer, invitation.answered_at, invitation.answered_by = given, now, by
            tx.publish(InvitationAnswered(invitation_id=invitation_id, office=tx.office, answer=given, answered_at=now))
        return invitation

    # -- what the joint office sends

    async def receive_offer(self, tx: Transaction, event: SeatOffered) -> None:
        """Keep a seat offer for the applicant to answer; one whose deadline has gone on the way expires.

        Raises:
            UnknownError: no such application.
        """
        await self._locked(tx, event.application_id)
        offer = OwnOfferRow(
            offer_id=event.offer_id,
            application_id=event.application_id,
            group_id=event.group_id,
            starts_on=event.starts_on,
            answer_by=event.answer_by,
            reason=event.reason,
            state=OwnOfferState.OPEN,
        )
        if not await OwnApplications(tx).add_offer(offer) or event.answer_by > tx.clock.now():
            return
        kept = await OwnApplications(tx).lock_offer(event.offer_id)
        if kept is not None:
            self._carry_out(tx, kept, lifecycle.expire(kept, tx.office, tx.clock.now()))

    async def receive_decision(self, tx: Transaction, event: ApplicationDecided) -> None:
        """Keep where an application stands at the joint office; an older version changes nothing.

        An offer that is open here and no longer there is closed with it. A reinstated application whose applicant has
        applied to the course anew is withdrawn.

        Raises:
            UnknownError: no such application.
        """
        application = await self._locked(tx, event.application_id)
        if event.version <= application.version:
            return
        has_another = await OwnApplications(tx).has_another(application)
        if lifecycle.is_superseded(application, event.state, has_another=has_another):
            application.state, application.version = ApplicationState.WITHDRAWN, event.version
            tx.publish(ApplicationWithdrawn(application_id=event.application_id, office=tx.office))
            return
        application.state, application.group_id = event.state, event.group_id
        application.version, application.reason = event.version, event.reason
        if event.state is not ApplicationState.OFFERED:
            await OwnApplications(tx).close_offers(event.application_id)

    async def receive_places(self, tx: Transaction, event: QueuePlacesChanged) -> None:
        """Keep where applicants stand in a joint queue and when they may start; older places change nothing."""
        await OwnApplications(tx).place(event.course_id, event.as_of, event.places)

    async def take_over(self, tx: Transaction, event: ApplicationHandedOver) -> None:
        """Keep an application whose applicant has moved here; an officer enters who it is."""
        row = OwnApplicationRow(
            application_id=event.application_id,
            course_id=event.course_id,
            application=event.application,
            assessment={},
            state=event.state,
            version=event.version,
            reason="",
            received_by="another city",
            received_at=tx.clock.now(),
        )
        await OwnApplications(tx).take_over(row)

    def receive_invitation(self, tx: Transaction, event: ApplicantInvited) -> None:
        """Keep an invitation for an officer, who alone finds whose reference it is."""
        row = OwnInvitationRow(
            invitation_id=event.invitation_id,
            group_id=event.group_id,
            course_id=event.course_id,
            reference=event.reference,
            invited_at=tx.clock.now(),
        )
        OwnApplications(tx).add_invitation(row)

    # -- what happens by itself

    async def expire_offers(self, database: Database) -> None:
        """Close the seat offers whose deadline has gone without an answer; the joint office offers the seats on."""
        async with database.transaction(uuid4()) as tx:
            for offer in await OwnApplications(tx).offers_past():
                self._carry_out(tx, offer, lifecycle.expire(offer, tx.office, tx.clock.now()))

    def _carry_out(self, tx: Transaction, offer: OwnOfferRow, given: Answer) -> None:
        offer.state, offer.answered_at = given.state, given.event.answered_at
        tx.publish(given.event)

    async def _locked(self, tx: Transaction, application_id: UUID) -> OwnApplicationRow:
        application = await OwnApplications(tx).lock(application_id)
        if application is None:
            raise UnknownError("application")
        return application
