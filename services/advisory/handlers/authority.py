"""The authority side: a city's officers' contacts, announcements, and a copy of the guidance.

Idempotent by the inbox; beyond it, by version (contacts, guidance), and because an announcement is kept once.
"""

from collections.abc import Mapping
from typing import Final

from services.advisory.store import OwnContacts
from shared import topics
from shared.events.envelope import Event
from shared.events.v1.advisory import (
    AnnouncementMade,
    AnnouncementReceived,
    ContactAssigned,
    ContactReleased,
    GuidancePublished,
    HandOverOverdue,
)
from shared.messaging.handlers import Handler
from shared.messaging.transaction import Transaction


async def receive_contact(event: ContactAssigned, tx: Transaction) -> None:
    """Keep a contact for the officer it is assigned to."""
    await OwnContacts(tx).receive(event)


async def release_contact(event: ContactReleased, tx: Transaction) -> None:
    """Note that a contact is another's now."""
    await OwnContacts(tx).release(event)


async def mark_overdue(event: HandOverOverdue, tx: Transaction) -> None:
    """Show that a hand-over waits too long."""
    await OwnContacts(tx).mark_overdue(event.contact_id)


async def keep_announcement(event: AnnouncementMade, tx: Transaction) -> None:
    """Keep an announcement and receipt it."""
    if await OwnContacts(tx).keep_announcement(event):
        told = AnnouncementReceived(
            announcement_id=event.announcement_id, office=tx.office, state="stored", at=tx.clock.now()
        )
        tell(tx, told)


async def keep_article(event: GuidancePublished, tx: Transaction) -> None:
    """Copy a guidance article: a city advises with the joint office down."""
    await OwnContacts(tx).keep_article(event)


def tell(tx: Transaction, event: Event) -> None:
    """Tell the joint office."""
    tx.publish(event, to=topics.ADVISORY_FROM, office=tx.office)


HANDLERS: Final[Mapping[str, Handler]] = {
    ContactAssigned.type_name(): receive_contact,
    ContactReleased.type_name(): release_contact,
    HandOverOverdue.type_name(): mark_overdue,
    AnnouncementMade.type_name(): keep_announcement,
    GuidancePublished.type_name(): keep_article,
}
