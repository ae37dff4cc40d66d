"""What can be done in a city, each inside one transaction: HTTP and the message handlers come here.

All of it works with the joint office down: what is entered here is sent when Kafka is available.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.advisory.authority.store import OwnAdvisers, OwnAnnouncements, OwnContacts
from services.advisory.authority.tables import OwnAdviserRow, OwnAnnouncementRow, OwnContactRow
from services.advisory.domain import letters, own_contact
from services.advisory.domain.assignment import Competence
from services.advisory.domain.contact import ContactState, Person, check_business_id, require
from services.advisory.domain.hand_over import check_target
from services.advisory.domain.letters import LetterKind
from services.advisory.domain.own_contact import By, Change, OwnContact
from services.advisory.models import AnswerIn, CallIn
from services.advisory.outgoing import LetterRow, Letters
from shared.calendar import local_day
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.advisory import (
    AnnouncementMade,
    AnnouncementReceived,
    AnswerEntered,
    Contact,
    ContactAssigned,
    ContactRegistered,
    HandOverAsked,
    OfficerListed,
    Progress,
    ServiceName,
)
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class CityContacts:
    """The contacts of a city's officers. `others`: the region's other authorities."""

    others: frozenset[str]

    def receive(self, tx: Transaction, event: ContactAssigned) -> None:
        """Keep a contact for the officer it is assigned to; one that is handed over waits for acknowledgement."""
        row = OwnContactRow(
            contact_id=event.contact_id,
            version=event.version,
            contact=event.contact,
            state=ContactState.ASSIGNED,
            officer=event.officer,
            competent_authority=event.competent_authority,
            reason=event.reason,
            hand_over_id=event.hand_over_id,
            is_acknowledged=event.hand_over_id is None,
            received_at=tx.clock.now(),
            joined=list(event.joined or ()),
            reopened_version=event.reopened_version,
            due_at=event.due_at,
            reopened_at=tx.clock.now() if event.reopened_version is not None else None,
        )
        OwnContacts(tx).receive(row)

    async def register(self, tx: Transaction, contact: Contact, officer: str, person: Person | None) -> OwnContactRow:
        """Take a contact in and handle it in this city; the joint office keeps count.

        Raises:
            RefusedError: the business id is not valid.
        """
        check_business_id(contact.business_id)
        contact_id = derived_id("contact", tx.cause)
        row = OwnContactRow(
            contact_id=contact_id,
            version=0,
            contact=contact,
            state=ContactState.ASSIGNED,
            officer=officer,
            competent_authority=tx.office,
            reason="taken in by the city itself",
            is_acknowledged=True,
            person=person,
            received_at=tx.clock.now(),
        )
        OwnContacts(tx).register(row)
        tx.publish(ContactRegistered(contact_id=contact_id, office=tx.office, officer=officer, contact=contact))
        return row

    async def answer(self, tx: Transaction, contact_id: UUID, officer: str, answer: AnswerIn) -> OwnContactRow:
        """Enter that a contact is answered, and which guidance the employer was given. Repeating it changes nothing.

        The text goes to the caller by e-mail, where this city has the caller.

        Raises:
            UnknownError
            ConflictError: `invalid-state`; `caller-elsewhere`: there is a text, and the joint office has the caller.
        """
        row = await self.get(tx, contact_id)
        if answer.text is not None and row.person is None:
            raise ConflictError("caller-elsewhere", "The joint office has the caller: an answer in writing goes there.")
        change = own_contact.answer(_seen(row), _by(tx, officer), answer.minutes, answer.guidance)
        if change is not None and answer.text is not None and row.person is not None:
            language = row.contact.language
            words = letters.answer(language, answer.text)
            Letters(tx).write(LetterKind.ANSWER, contact_id, row.person.email or None, language, words, officer)
        return _carry_out(tx, row, change)

    async def log_call(self, tx: Transaction, call: CallIn, officer: str) -> OwnContactRow:
        """Log a telephone call that the officer has taken: answered, or handed over.

        Raises:
            RefusedError: the business id is not valid, or it is handed over to nobody or to two.
        """
        row = await self.register(tx, call.contact(tx.clock.now()), officer, call.person or Person())
        if call.hand_over is None:
            return await self.answer(tx, row.contact_id, officer, call.answer())
        target = call.hand_over
        await self.hand_over(tx, row.contact_id, target.to_authority, target.to_service, target.reason)
        return row

    async def answers(
        self, tx: Transaction, contact_id: UUID, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[LetterRow]:
        """Return what was written to the caller from here, oldest first.

        Raises:
            UnknownError
        """
        await self.get(tx, contact_id)
        return await Letters(tx).page_of(contact_id, after, limit)

    async def enter_answer(self, tx: Transaction, event: AnswerEntered) -> None:
        """Enter that a contact was answered at the joint office."""
        row = await OwnContacts(tx).get(event.contact_id)
        if row is not None and row.version < event.version:
            row.version, row.state = event.version, ContactState.ANSWERED

    async def close(self, tx: Transaction, contact_id: UUID, officer: str) -> OwnContactRow:
        """Enter that a contact needs nothing more. Repeating it changes nothing.

        Raises:
            UnknownError, ConflictError
        """
        row = await self.get(tx, contact_id)
        return _carry_out(tx, row, own_contact.close(_seen(row), _by(tx, officer)))

    async def acknowledge(self, tx: Transaction, contact_id: UUID, officer: str) -> OwnContactRow:
        """Take over a contact that another authority hands over. Repeating it changes nothing.

        Raises:
            UnknownError, ConflictError
        """
        row = await self.get(tx, contact_id)
        return _carry_out(tx, row, own_contact.acknowledge(_seen(row), _by(tx, officer)))

    async def hand_over(
        self,
        tx: Transaction,
        contact_id: UUID,
        to_authority: str | None,
        to_service: ServiceName | None,
        reason: str,
    ) -> UUID:
        """Ask to hand a contact over; return the hand-over's id. Until it is acknowledged the contact stays here.

        Raises:
            UnknownError, ConflictError
            RefusedError: not to one service, or to one other authority.
        """
        check_target(to_authority, to_service, self.others)
        require((await self.get(tx, contact_id)).state, ContactState.HANDED_OVER)
        event = HandOverAsked(
            contact_id=contact_id,
            office=tx.office,
            hand_over_id=derived_id("hand over", tx.cause),
            to_authority=to_authority,
            to_service=to_service,
            reason=reason,
        )
        tx.publish(event)
        return event.hand_over_id

    async def get(self, tx: Transaction, contact_id: UUID) -> OwnContactRow:
        """Return a contact, locked.

        Raises:
            UnknownError
        """
        row = await OwnContacts(tx).get(contact_id)
        if row is None:
            raise UnknownError("contact")
        return row


def _seen(row: OwnContactRow) -> OwnContact:
    return OwnContact(row.contact_id, row.state, row.hand_over_id, row.is_acknowledged, row.version)


def _by(tx: Transaction, officer: str) -> By:
    return By(tx.office, officer, tx.clock.now())


def _carry_out(tx: Transaction, row: OwnContactRow, change: Change | None) -> OwnContactRow:
    if change is not None:
        row.state, row.is_acknowledged = change.contact.state, change.contact.is_acknowledged
        tx.publish(change.event)
    return row


class CityAdvisers:
    """The city's officers who advise."""

    async def put(self, tx: Transaction, officer: str, competence: Competence) -> OfficerListed:
        """Say what an officer advises on, in which languages, for how much of a year, and when absent."""
        row = await OwnAdvisers(tx).get(officer)
        event = OfficerListed(
            officer=officer,
            office=tx.office,
            version=row.listed.version + 1 if row else 1,
            topics=competence.topics,
            languages=competence.languages,
            person_years=competence.person_years,
            absences=competence.absences,
        )
        OwnAdvisers(tx).put(OwnAdviserRow(officer=officer, listed=event))
        tx.publish(event)
        return event


class CityAnnouncements:
    """Announcements for the city to publish."""

    async def receive(self, tx: Transaction, event: AnnouncementMade) -> None:
        """Keep an announcement, and confirm it stored."""
        at = tx.clock.now()
        row = OwnAnnouncementRow(announcement_id=event.announcement_id, announcement=event, stored_at=at)
        if await OwnAnnouncements(tx).keep(row):
            tx.publish(
                AnnouncementReceived(
                    announcement_id=row.announcement_id, office=tx.office, state=Progress.STORED, at=at
                )
            )

    async def publish(self, tx: Transaction, announcement_id: UUID) -> OwnAnnouncementRow:
        """Enter that the city has published an announcement. Repeating it changes nothing.

        Raises:
            UnknownError
            ConflictError: `too-early`: its day has not come.
        """
        row = await OwnAnnouncements(tx).get(announcement_id)
        if row is None:
            raise UnknownError("announcement")
        if row.announcement.publish_on > local_day(tx.clock.now()):
            raise ConflictError("too-early", f"It is to be published on {row.announcement.publish_on}.")
        if row.published_at is None:
            row.published_at = tx.clock.now()
            tx.publish(
                AnnouncementReceived(
                    announcement_id=announcement_id, office=tx.office, state=Progress.PUBLISHED, at=row.published_at
                )
            )
        return row
