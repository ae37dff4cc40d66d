"""The queries on mailing lists, on what is published by today, and on receipts that are late."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import and_, any_, delete, literal, or_
from sqlmodel import col, select

from services.advisory.domain.letters import LetterKind, LetterState
from services.advisory.joint.tables import AnnouncementRow, MailedRow, SubscriptionRow
from services.advisory.outgoing import LetterRow
from shared.events.v1.advisory import Audience
from shared.store import Store

NEWEST: Final = 50
"""How many announcements a feed shows."""


class LateReceipt(NamedTuple):
    """What a city has not done with an announcement in time."""

    announcement_id: UUID
    office: str
    missing: Literal["stored", "published"]
    since: datetime


class Subscriptions(Store):
    """The mailing lists."""

    async def of(self, address: str, audience: Audience) -> SubscriptionRow | None:
        """Return an address's place on a list, locked."""
        return await self._first(
            select(SubscriptionRow)
            .where(SubscriptionRow.address == address, SubscriptionRow.audience == audience)
            .with_for_update()
        )

    async def get(self, subscription_id: UUID) -> SubscriptionRow | None:
        """Return a subscription, locked."""
        return await self._get(SubscriptionRow, subscription_id, lock=True)

    async def lock_asking(self) -> None:
        """Wait until nobody else asks for a subscription; held until the transaction ends."""
        await self._run("SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' subscriptions'))")

    def add(self, row: SubscriptionRow) -> None:
        """Keep a subscription that waits for its confirmation."""
        self._tx.session.add(row)

    async def asked_since(self, since: datetime) -> int:
        """Return how many subscriptions were asked for since an instant and are not confirmed."""
        counted = await self._values(
            int,
            "SELECT count(*) FROM subscription WHERE asked_at > :since AND confirmed_at IS NULL",
            since=since,
        )
        return counted[0]

    async def remove(self, row: SubscriptionRow, confirmation: UUID) -> None:
        """Erase a subscription, and the letters of its list that have not gone out to it.

        Args:
            row: the subscription.
            confirmation: what the letter is about that asks for its confirmation.
        """
        removal = f"/{row.subscription_id}/removal"
        await self._run(
            delete(LetterRow).where(
                col(LetterRow.address) == row.address,
                col(LetterRow.kind) != LetterKind.ANSWER,
                col(LetterRow.state) != LetterState.SENT,
                or_(col(LetterRow.about) == confirmation, col(LetterRow.unsubscribe_url).endswith(removal)),
            )
        )
        await self._run(delete(SubscriptionRow).where(col(SubscriptionRow.subscription_id) == row.subscription_id))

    async def readers(self, audiences: Sequence[Audience]) -> Sequence[SubscriptionRow]:
        """Return the confirmed subscriptions to some audiences' lists, by address."""
        address = col(SubscriptionRow.address)
        return await self._all(
            select(SubscriptionRow)
            .where(
                col(SubscriptionRow.audience).in_(audiences),
                col(SubscriptionRow.confirmed_at).is_not(None),
            )
            .order_by(address, col(SubscriptionRow.audience))
        )

    async def erase_old(self, unconfirmed: datetime, sent: datetime) -> None:
        """Erase subscriptions that nobody confirmed, and letters to subscribers that went out before an instant."""
        await self._run(
            delete(SubscriptionRow).where(
                col(SubscriptionRow.confirmed_at).is_(None), col(SubscriptionRow.asked_at) < unconfirmed
            )
        )
        await self._run(
            delete(LetterRow).where(col(LetterRow.kind) != LetterKind.ANSWER, col(LetterRow.written_at) < sent)
        )


class Publications(Store):
    """Announcements as those they are for get them."""

    async def shown(self, audience: Audience, today: date) -> Sequence[AnnouncementRow]:
        """Return the newest announcements for an audience whose day has come."""
        return await self._all(
            select(AnnouncementRow)
            .where(
                literal(str(audience)) == any_(col(AnnouncementRow.audiences)),
                col(AnnouncementRow.publish_on) <= today,
            )
            .order_by(
                col(AnnouncementRow.publish_on).desc(),
                col(AnnouncementRow.made_at).desc(),
                col(AnnouncementRow.announcement_id),
            )
            .limit(NEWEST)
        )

    async def unmailed(self, today: date) -> Sequence[AnnouncementRow]:
        """Return announcements whose day has come and that the mailing lists have not got, locked."""
        mailed = select(MailedRow.announcement_id)
        return await self._all(
            select(AnnouncementRow)
            .where(
                col(AnnouncementRow.publish_on) <= today,
                col(AnnouncementRow.announcement_id).not_in(mailed),
            )
            .order_by(col(AnnouncementRow.publish_on), col(AnnouncementRow.announcement_id))
            .with_for_update(skip_locked=True)
        )

    def enter_mailed(self, row: MailedRow) -> None:
        """Record that the mailing lists have got an announcement."""
        self._tx.session.add(row)

    async def page(
        self, audience: Audience | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[AnnouncementRow]:
        """Return announcements, newest first."""
        made, announcement_id = col(AnnouncementRow.made_at), col(AnnouncementRow.announcement_id)
        query = select(AnnouncementRow).order_by(made.desc(), announcement_id).limit(limit)
        if audience is not None:
            query = query.where(literal(str(audience)) == any_(col(AnnouncementRow.audiences)))
        if after is not None:
            query = query.where(or_(made < after[0], and_(made == after[0], announcement_id > after[1])))
        return await self._all(query)

    async def late_receipts(
        self, today: date, made_before: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> list[LateReceipt]:
        """Return what cities have not done in time, the longest missing first."""
        return await self._values(
            LateReceipt,
            "SELECT announcement_id, office, missing, since FROM (SELECT announcement_id, office,"
            " CASE WHEN stored_at IS NULL THEN 'stored' ELSE 'published' END AS missing,"
            " CASE WHEN stored_at IS NULL THEN made_at ELSE publish_on::timestamptz END AS since"
            " FROM announcement_receipt JOIN announcement USING (announcement_id)"
            " WHERE (stored_at IS NULL AND made_at < :made_before)"
            " OR (published_at IS NULL AND publish_on < :today)) AS late"
            " WHERE CAST(:at AS timestamptz) IS NULL"
            " OR (since, concat_ws(' ', announcement_id, office)) > (:at, CAST(:place AS text))"
            " ORDER BY since, concat_ws(' ', announcement_id, office) LIMIT :limit",
            today=today,
            made_before=made_before,
            at=after[0] if after else None,
            place=after[1] if after else None,
            limit=limit,
        )
