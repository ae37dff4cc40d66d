"""The joint side: contacts from other systems, what the cities' officers did, what other services answer.

Idempotent by the inbox; beyond it, because a contact is queued once, a hand-over and a receipt are entered once, and
states only move forward.
"""

from dataclasses import dataclass

from services.advisory.joint.callers_commands import JointCallers
from services.advisory.joint.commands import JointContacts, JointHandOvers
from services.advisory.joint.publications import JointAnnouncements
from services.advisory.joint.questions import enter_reply
from services.advisory.joint.reopening_commands import JointReopening
from shared.errors import UnprocessableError
from shared.events.v1.advisory import (
    AnnouncementReceived,
    CallerAnswered,
    ContactAnswered,
    ContactClosed,
    ContactRegistered,
    ContactReopened,
    ContactSubmitted,
    HandOverAcknowledged,
    HandOverAnswered,
    HandOverAsked,
    OfficerListed,
    TimelineAnswered,
    WorkReported,
)
from shared.messaging.handlers import Handlers
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class ContactHandlers:
    """What comes in about contacts, the officers who handle them, and hand-overs."""

    contacts: JointContacts
    hand_overs: JointHandOvers
    reopening: JointReopening

    async def receive(self, event: ContactSubmitted, tx: Transaction) -> None:
        """Take in a contact that another system has received."""
        source = f"topic:{tx.envelope.source}" if tx.envelope else "topic"
        await self.contacts.receive(
            tx, event.contact_id, event.contact, source, source_reference=event.source_reference
        )

    async def enter_answer(self, event: ContactAnswered, tx: Transaction) -> None:
        """Enter an answer."""
        await self.contacts.enter_answer(tx, event)

    async def enter_closed(self, event: ContactClosed, tx: Transaction) -> None:
        """Enter that a contact needs nothing more."""
        await self.contacts.enter_closed(tx, event)

    async def enter_reopened(self, event: ContactReopened, tx: Transaction) -> None:
        """Enter that a contact must be answered again."""
        await self.reopening.enter(tx, event)

    async def enter_registered(self, event: ContactRegistered, tx: Transaction) -> None:
        """Count a contact that a city has taken in itself."""
        await self.contacts.enter_registered(tx, event)

    async def list_adviser(self, event: OfficerListed, tx: Transaction) -> None:
        """Take a city's officer into assignment."""
        await self.contacts.list_adviser(tx, event)

    async def ask_hand_over(self, event: HandOverAsked, tx: Transaction) -> None:
        """Hand a contact over."""
        await self.hand_overs.ask(tx, event)

    async def enter_acknowledged(self, event: HandOverAcknowledged, tx: Transaction) -> None:
        """Enter that a contact was taken over."""
        await self.hand_overs.acknowledge(tx, event)

    async def enter_service_answer(self, event: HandOverAnswered, tx: Transaction) -> None:
        """Enter what a service says of a matter that was handed over to it."""
        await self.hand_overs.enter_answer(tx, event)


@dataclass(frozen=True)
class CallerHandlers:
    """What cities answer that are asked who called."""

    callers: JointCallers

    async def enter_answer(self, event: CallerAnswered, tx: Transaction) -> None:
        """Enter whether a city grants or refuses a query."""
        await self.callers.enter_answer(tx, event)


@dataclass(frozen=True)
class AnnouncementHandlers:
    """The cities' receipts of announcements."""

    announcements: JointAnnouncements

    async def enter_receipt(self, event: AnnouncementReceived, tx: Transaction) -> None:
        """Enter a city's receipt of an announcement."""
        if not await self.announcements.enter_receipt(tx, event):
            raise UnprocessableError("the announcement was not sent to that office", "unsolicited-answer")


async def enter_service_reply(event: TimelineAnswered | WorkReported, tx: Transaction) -> None:
    """Enter a service's answer to what it was asked."""
    if not await enter_reply(tx, event):
        raise UnprocessableError("that service was not asked", "unsolicited-answer")


def handlers_of(
    contacts: JointContacts, hand_overs: JointHandOvers, announcements: JointAnnouncements, callers: JointCallers
) -> Handlers:
    """Return the handler of each event type that the joint office reads."""
    of_contacts = ContactHandlers(contacts, hand_overs, JointReopening(contacts))
    return Handlers(
        of_contacts.receive,
        of_contacts.enter_answer,
        of_contacts.enter_closed,
        of_contacts.enter_reopened,
        of_contacts.enter_registered,
        of_contacts.list_adviser,
        of_contacts.ask_hand_over,
        of_contacts.enter_acknowledged,
        of_contacts.enter_service_answer,
        AnnouncementHandlers(announcements).enter_receipt,
        CallerHandlers(callers).enter_answer,
        enter_service_reply,
    )
