"""The authority side: a city's officers' contacts, announcements, and a copy of the guidance.

Idempotent by the inbox; beyond it, by version (contacts, guidance), and because an announcement is kept once.
"""

from dataclasses import dataclass

from services.advisory.authority.callers_commands import CityCallers
from services.advisory.authority.commands import CityAnnouncements, CityContacts
from services.advisory.authority.store import OwnArticles, OwnContacts
from services.advisory.authority.tables import OwnArticleRow
from shared.events.v1.advisory import (
    AnnouncementMade,
    AnswerEntered,
    CallerRequested,
    ContactAssigned,
    ContactReleased,
    GuidancePublished,
    HandOverOverdue,
)
from shared.messaging.handlers import Handlers
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class CityHandlers:
    """What the joint office addresses to a city."""

    contacts: CityContacts
    announcements: CityAnnouncements

    async def receive_contact(self, event: ContactAssigned, tx: Transaction) -> None:
        """Keep a contact for the officer it is assigned to."""
        self.contacts.receive(tx, event)

    async def enter_answer(self, event: AnswerEntered, tx: Transaction) -> None:
        """Enter that a contact was answered at the joint office."""
        await self.contacts.enter_answer(tx, event)

    async def receive_announcement(self, event: AnnouncementMade, tx: Transaction) -> None:
        """Keep an announcement, and confirm it stored."""
        await self.announcements.receive(tx, event)


@dataclass(frozen=True)
class CallerHandlers:
    """Queries for the callers that the city keeps."""

    callers: CityCallers

    async def decide(self, event: CallerRequested, tx: Transaction) -> None:
        """Grant or refuse a query, and answer it."""
        await self.callers.receive(tx, event)


async def release_contact(event: ContactReleased, tx: Transaction) -> None:
    """Note that a contact is another's now."""
    await OwnContacts(tx).release(event)


async def mark_overdue(event: HandOverOverdue, tx: Transaction) -> None:
    """Show that a hand-over waits too long."""
    await OwnContacts(tx).mark_overdue(event.contact_id)


async def keep_article(event: GuidancePublished, tx: Transaction) -> None:
    """Copy a guidance article: a city advises with the joint office down."""
    OwnArticles(tx).keep(OwnArticleRow(article_id=event.article_id, version=event.version, article=event))


def handlers_of(contacts: CityContacts, announcements: CityAnnouncements, callers: CityCallers) -> Handlers:
    """Return the handler of each event type that a city reads."""
    city = CityHandlers(contacts, announcements)
    return Handlers(
        city.receive_contact,
        city.enter_answer,
        city.receive_announcement,
        release_contact,
        mark_overdue,
        keep_article,
        CallerHandlers(callers).decide,
    )
