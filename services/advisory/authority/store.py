"""All queries of a city's office."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import and_, or_, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, select

from services.advisory.authority.tables import OwnAdviserRow, OwnAnnouncementRow, OwnArticleRow, OwnContactRow
from services.advisory.domain.contact import ContactState
from shared.database import insert
from shared.events.v1.advisory import ContactReleased, ContactTopic
from shared.store import Store

_IS_DONE: Final = (
    "own_contact.state IN ('answered', 'closed') AND coalesce(excluded.reopened_version, 0) <= own_contact.version"
)
"""Answered or closed here, and not reopened since: whoever assigns it anew does not know that yet."""

_REPLACED: Final = (
    *("version", "officer", "reason", "hand_over_id", "is_acknowledged", "is_overdue"),
    *("joined", "reopened_version", "due_at"),
)
_CONTACT: Final = insert(
    OwnContactRow,
    OwnContactRow,
    replace={name: f"excluded.{name}" for name in _REPLACED}
    | {
        "state": f"CASE WHEN {_IS_DONE} THEN own_contact.state ELSE excluded.state END",
        "reopened_at": "CASE WHEN coalesce(excluded.reopened_version, 0) > own_contact.version"
        " THEN excluded.received_at ELSE own_contact.reopened_at END",
    },
    version="version",
)
_ADVISER: Final = insert(OwnAdviserRow, OwnAdviserRow, replace=("listed",))
_ARTICLE: Final = insert(OwnArticleRow, OwnArticleRow, replace=("version", "article"), version="version")


class OwnContacts(Store):
    """The contacts that a city's officers have."""

    def receive(self, row: OwnContactRow) -> None:
        """Keep a contact as it is now assigned; an equal or newer version that is there already stays."""
        self._tx.stage(_CONTACT, row)

    def register(self, row: OwnContactRow) -> None:
        """Record a contact that the city has taken in itself."""
        self._tx.session.add(row)

    async def release(self, event: ContactReleased) -> None:
        """Note that a contact is another's now."""
        await self._run(
            "UPDATE own_contact SET state = 'handed_over', version = :version, reason = :reason"
            " WHERE contact_id = :id AND version < :version",
            id=event.contact_id,
            version=event.version,
            reason=event.reason,
        )

    async def get(self, contact_id: UUID) -> OwnContactRow | None:
        """Return a contact, locked."""
        return await self._get(OwnContactRow, contact_id, lock=True)

    async def page(
        self,
        officer: str | None,
        state: ContactState | None,
        topic: ContactTopic | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
        *,
        reopened: bool,
    ) -> Sequence[OwnContactRow]:
        """Return contacts, oldest first; those that were reopened alone, if asked."""
        received, contact_id = col(OwnContactRow.received_at), col(OwnContactRow.contact_id)
        query = select(OwnContactRow).order_by(received, contact_id).limit(limit)
        if officer is not None:
            query = query.where(OwnContactRow.officer == officer)
        if state is not None:
            query = query.where(OwnContactRow.state == state)
        if topic is not None:
            query = query.where(type_coerce(col(OwnContactRow.contact), JSONB)["topic"].astext == topic)
        if reopened:
            query = query.where(col(OwnContactRow.reopened_at).is_not(None))
        if after is not None:
            query = query.where(or_(received > after[0], and_(received == after[0], contact_id > after[1])))
        return await self._all(query)

    async def mark_overdue(self, contact_id: UUID) -> None:
        """Note that a hand-over of the contact is overdue."""
        await self._run("UPDATE own_contact SET is_overdue = true WHERE contact_id = :id", id=contact_id)


class OwnAdvisers(Store):
    """The city's officers who advise."""

    async def get(self, officer: str) -> OwnAdviserRow | None:
        """Return an officer's listing, locked."""
        return await self._get(OwnAdviserRow, officer, lock=True)

    def put(self, row: OwnAdviserRow) -> None:
        """Write an officer's listing."""
        self._tx.stage(_ADVISER, row)

    async def page(self, after: str | None, limit: int) -> Sequence[OwnAdviserRow]:
        """Return listings, by officer."""
        officer = col(OwnAdviserRow.officer)
        query = select(OwnAdviserRow).order_by(officer).limit(limit)
        return await self._all(query if after is None else query.where(officer > after))


class OwnAnnouncements(Store):
    """Announcements for the city to publish."""

    async def keep(self, row: OwnAnnouncementRow) -> bool:
        """Keep an announcement; False when it is here already."""
        if await self.get(row.announcement_id) is not None:
            return False
        self._tx.session.add(row)
        return True

    async def get(self, announcement_id: UUID) -> OwnAnnouncementRow | None:
        """Return an announcement, locked."""
        return await self._get(OwnAnnouncementRow, announcement_id, lock=True)

    async def page(
        self, after: tuple[datetime, UUID] | None, limit: int, *, is_published: bool | None
    ) -> Sequence[OwnAnnouncementRow]:
        """Return announcements, newest first; those that the city has published, or has not, if asked."""
        stored, announcement_id = col(OwnAnnouncementRow.stored_at), col(OwnAnnouncementRow.announcement_id)
        query = select(OwnAnnouncementRow).order_by(stored.desc(), announcement_id).limit(limit)
        if is_published is not None:
            published = col(OwnAnnouncementRow.published_at)
            query = query.where(published.is_not(None) if is_published else published.is_(None))
        if after is not None:
            query = query.where(or_(stored < after[0], and_(stored == after[0], announcement_id > after[1])))
        return await self._all(query)


class OwnArticles(Store):
    """A copy of the guidance: a city advises with the joint office down."""

    def keep(self, row: OwnArticleRow) -> None:
        """Keep the newest version of an article."""
        self._tx.stage(_ARTICLE, row)

    async def page(self, topic: ContactTopic | None, after: UUID | None, limit: int) -> Sequence[OwnArticleRow]:
        """Return the articles in force, as far as they have come here."""
        return await self._rows(
            OwnArticleRow,
            "SELECT * FROM own_article WHERE (CAST(:topic AS text) IS NULL OR article ->> 'topic' = :topic)"
            " AND (CAST(:after AS uuid) IS NULL OR article_id > :after) ORDER BY article_id LIMIT :limit",
            topic=topic,
            after=after,
            limit=limit,
        )
