"""The joint side: contacts from other systems, what the cities' officers did, what other services answer.

Idempotent by the inbox; beyond it, because a contact is queued once, a hand-over and a receipt are entered once, and
states only move forward.
"""

from collections.abc import Mapping

from services.advisory.commands import JointAdvisory
from services.advisory.store import Announcements, Contacts, Questions
from shared.errors import RefusedError, UnprocessableError
from shared.events.v1.advisory import (
    AnnouncementReceived,
    ContactAnswered,
    ContactClosed,
    ContactRegistered,
    ContactSubmitted,
    HandOverAcknowledged,
    HandOverAnswered,
    HandOverAsked,
    OfficerListed,
    TimelineAnswered,
    WorkReported,
)
from shared.messaging.handlers import Handler
from shared.messaging.transaction import Transaction


class JointHandlers:
    """The handlers of the joint side."""

    def __init__(self, advisory: JointAdvisory) -> None:
        self._advisory = advisory

    def by_type(self) -> Mapping[str, Handler]:
        """Return the handler of each event type."""
        return {
            ContactSubmitted.type_name(): self.receive,
            ContactAnswered.type_name(): self.enter_answer,
            ContactClosed.type_name(): self.enter_closed,
            ContactRegistered.type_name(): self.enter_registered,
            HandOverAsked.type_name(): self.ask_hand_over,
            HandOverAcknowledged.type_name(): self.enter_acknowledged,
            OfficerListed.type_name(): self.list_adviser,
            AnnouncementReceived.type_name(): enter_receipt,
            HandOverAnswered.type_name(): self.enter_service_answer,
            TimelineAnswered.type_name(): enter_reply,
            WorkReported.type_name(): enter_reply,
        }

    async def receive(self, event: ContactSubmitted, tx: Transaction) -> None:
        """Take in a contact that another system has received."""
        source = f"topic:{tx.envelope.source}" if tx.envelope else "topic"
        try:
            await self._advisory.receive(
                tx, event.contact_id, event.contact, source, source_reference=event.source_reference
            )
        except RefusedError as error:
            raise UnprocessableError(error.text, error.code) from error

    async def enter_answer(self, event: ContactAnswered, tx: Transaction) -> None:
        """Enter an answer."""
        await self._advisory.answered(tx, event)

    async def enter_closed(self, event: ContactClosed, tx: Transaction) -> None:
        """Enter that a contact needs nothing more."""
        await self._advisory.closed(tx, event)

    async def enter_registered(self, event: ContactRegistered, tx: Transaction) -> None:
        """Count a contact that a city has taken in itself."""
        await self._advisory.registered(tx, event)

    async def ask_hand_over(self, event: HandOverAsked, tx: Transaction) -> None:
        """Hand a contact over."""
        await self._advisory.ask_hand_over(tx, event)

    async def enter_acknowledged(self, event: HandOverAcknowledged, tx: Transaction) -> None:
        """Enter that a contact was taken over."""
        await self._advisory.acknowledge(tx, event)

    async def enter_service_answer(self, event: HandOverAnswered, tx: Transaction) -> None:
        """Enter what a service says of a matter that was handed over to it."""
        await self._advisory.service_answered(tx, event)

    async def list_adviser(self, event: OfficerListed, tx: Transaction) -> None:
        """Take a city's officer into assignment; what waits may have an officer now."""
        await Contacts(tx).list_adviser(event)
        await self._advisory.assign_waiting(tx)


async def enter_receipt(event: AnnouncementReceived, tx: Transaction) -> None:
    """Enter a city's receipt of an announcement."""
    if not await Announcements(tx).receipt(event):
        raise UnprocessableError("the announcement was not sent to that office", "not-asked")


async def enter_reply(event: TimelineAnswered | WorkReported, tx: Transaction) -> None:
    """Enter a service's answer to what it was asked."""
    if not await Questions(tx).answer(event.request_id, event.service, event):
        raise UnprocessableError("that service was not asked", "not-asked")
