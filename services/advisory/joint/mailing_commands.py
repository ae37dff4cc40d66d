"""How announcements reach those they are for: mailing lists with double opt-in, sent on the day of publication."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from services.advisory.domain import letters
from services.advisory.domain.letters import LetterKind
from services.advisory.joint.mailing_store import Publications, Subscriptions
from services.advisory.joint.tables import AnnouncementRow, MailedRow, SubscriptionRow
from services.advisory.outgoing import Letters
from shared.calendar import local_day
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.advisory import Audience, Language
from shared.identity import RULE
from shared.messaging.transaction import Transaction

ASK_AGAIN_AFTER: Final = timedelta(days=1)
"""An address is asked for its confirmation at most once in this time."""
UNCONFIRMED_FOR: Final = timedelta(days=7)
LETTERS_FOR: Final = timedelta(days=30)
"""How long an unconfirmed subscription, and a letter to a subscriber, are kept."""
MOST_IN_AN_HOUR: Final = 300
"""Subscriptions that wait for confirmation: above it somebody asks for others."""


@dataclass(frozen=True)
class JointMailing:
    """The mailing lists. `public_url`: where the links in letters lead."""

    public_url: str

    async def subscribe(self, tx: Transaction, address: str, audience: Audience, language: Language) -> bool:
        """Ask an address for its confirmation. False: too many are asked for now.

        Whether the address is on the list already is not disclosed, and it is asked once a day at most.
        """
        subscriptions, now = Subscriptions(tx), tx.clock.now()
        await subscriptions.lock_asking()
        row = await subscriptions.of(address, audience)
        if row is not None and (row.confirmed_at is not None or row.asked_at > now - ASK_AGAIN_AFTER):
            return True
        if await subscriptions.asked_since(now - timedelta(hours=1)) >= MOST_IN_AN_HOUR:
            return False
        if row is None:
            row = SubscriptionRow(
                subscription_id=uuid4(), address=address, audience=audience, language=language, asked_at=now
            )
            subscriptions.add(row)
        row.asked_at, row.language = now, language
        words = letters.confirmation(audience, language, self._link(row.subscription_id, "confirmation"))
        Letters(tx).write(LetterKind.CONFIRMATION, _about(row.subscription_id), address, language, words, RULE)
        return True

    async def confirm(self, tx: Transaction, subscription_id: UUID) -> SubscriptionRow:
        """Put an address on the list. Repeating it changes nothing.

        Raises:
            UnknownError: no such subscription, or it was not confirmed in time.
        """
        row = await Subscriptions(tx).get(subscription_id)
        if row is None:
            raise UnknownError("subscription")
        row.confirmed_at = row.confirmed_at or tx.clock.now()
        return row

    async def unsubscribe(self, tx: Transaction, subscription_id: UUID) -> None:
        """Take an address off the list and erase it there; its other lists stay. Repeating it changes nothing."""
        row = await Subscriptions(tx).get(subscription_id)
        if row is not None:
            await Subscriptions(tx).remove(row, _about(subscription_id))

    async def publish(self, tx: Transaction) -> int:
        """Send the announcements whose day has come to the lists they are for; return how many letters were queued.

        Also erases what is no longer needed.
        """
        now = tx.clock.now()
        queued = 0
        for announcement in await Publications(tx).unmailed(local_day(now)):
            queued += await self._mail(tx, announcement)
        await Subscriptions(tx).erase_old(now - UNCONFIRMED_FOR, now - LETTERS_FOR)
        return queued

    async def _mail(self, tx: Transaction, announcement: AnnouncementRow) -> int:
        subscriptions = await Subscriptions(tx).readers(announcement.audiences)
        # Who is on two of the lists gets one letter.
        readers = {subscription.address: subscription for subscription in subscriptions}
        for reader in readers.values():
            texts = getattr(announcement.texts, reader.language)
            words = letters.announcement(texts, reader.language, self._link(reader.subscription_id, "removal"))
            about = announcement.announcement_id
            Letters(tx).write(LetterKind.ANNOUNCEMENT, about, reader.address, reader.language, words, RULE)
        mailed = MailedRow(announcement_id=announcement.announcement_id, letters=len(readers), at=tx.clock.now())
        Publications(tx).enter_mailed(mailed)
        return len(readers)

    def _link(self, subscription_id: UUID, act: str) -> str:
        return f"{self.public_url.rstrip('/')}/v1/subscriptions/{subscription_id}/{act}"


def _about(subscription_id: UUID) -> UUID:
    """Return what a letter is about. Not the subscription's own id: who knows that may confirm and unsubscribe."""
    return derived_id("subscription", subscription_id)
