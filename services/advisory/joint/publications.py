"""What the joint office publishes to every city: guidance articles and coordinated announcements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.advisory.domain.guidance import Draft, check_draft, check_newest
from services.advisory.joint.store import Announcements, Guidance
from services.advisory.joint.tables import AnnouncementRow, ArticleRow
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.advisory import (
    AnnouncementMade,
    AnnouncementReceived,
    Audience,
    GuidancePublished,
    Progress,
    Trilingual,
)
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointGuidance:
    """Shared guidance articles. `authorities`: those of the region, one of which keeps each article up to date."""

    authorities: frozenset[str]

    async def write(self, tx: Transaction, draft: Draft, by: str) -> ArticleRow:
        """Write a new article, to be approved.

        Raises:
            RefusedError: the owner is no authority of the region.
        """
        return self._write(tx, derived_id("article", tx.cause), 1, draft, by)

    async def revise(self, tx: Transaction, article_id: UUID, draft: Draft, by: str) -> ArticleRow:
        """Write the next version of an article, to be approved.

        Raises:
            UnknownError: no such article.
            RefusedError: the owner is no authority of the region.
        """
        newest = await Guidance(tx).newest(article_id)
        if newest == 0:
            raise UnknownError("article")
        return self._write(tx, article_id, newest + 1, draft, by)

    def _write(self, tx: Transaction, article_id: UUID, version: int, draft: Draft, by: str) -> ArticleRow:
        check_draft(draft, self.authorities)
        row = ArticleRow(
            article_id=article_id,
            version=version,
            topic=draft.topic,
            texts=draft.texts,
            owner=draft.owner,
            review_by=draft.review_by,
            written_by=by,
            written_at=tx.clock.now(),
        )
        Guidance(tx).write(row)
        return row

    async def approve(self, tx: Transaction, article_id: UUID, version: int, by: str, on: date) -> ArticleRow:
        """Enter the coordination group's approval; everyone hears of the version. Repeating it changes nothing.

        Raises:
            UnknownError: no such version.
            ConflictError: a newer version is approved already.
        """
        row = await Guidance(tx).version(article_id, version)
        if row is None:
            raise UnknownError("article")
        check_newest(version, [each.version for each in await Guidance(tx).versions(article_id) if each.approved_on])
        if row.approved_on is not None:
            return row
        row.approved_by, row.approved_on = by, on
        event = GuidancePublished(
            article_id=article_id,
            version=version,
            topic=row.topic,
            texts=row.texts,
            owner=row.owner,
            review_by=row.review_by,
            approved_on=on,
        )
        tx.publish(event)
        return row

    async def versions(self, tx: Transaction, article_id: UUID, before: int | None, limit: int) -> Sequence[ArticleRow]:
        """Return an article's versions before one, newest first.

        Raises:
            UnknownError: no such article.
        """
        if await Guidance(tx).newest(article_id) == 0:
            raise UnknownError("article")
        return await Guidance(tx).page_of_versions(article_id, before, limit)


@dataclass(frozen=True)
class JointAnnouncements:
    """Coordinated announcements. `offices`: the cities that get them."""

    offices: tuple[str, ...]

    async def make(
        self, tx: Transaction, texts: Trilingual, audiences: Sequence[Audience], publish_on: date, by: str
    ) -> AnnouncementRow:
        """Make a coordinated announcement; each city gets it and confirms it stored, then published."""
        event = AnnouncementMade(
            announcement_id=derived_id("announcement", tx.cause),
            texts=texts,
            audiences=tuple(audiences),
            publish_on=publish_on,
        )
        row = AnnouncementRow(
            announcement_id=event.announcement_id,
            texts=texts,
            audiences=list(audiences),
            publish_on=publish_on,
            made_by=by,
            made_at=tx.clock.now(),
        )
        Announcements(tx).make(row, self.offices)
        for office in self.offices:
            tx.publish(event, to=office)
        return row

    async def enter_receipt(self, tx: Transaction, event: AnnouncementReceived) -> bool:
        """Enter a city's receipt; the first one counts. False when it was not sent the announcement."""
        row = await Announcements(tx).receipt(event.announcement_id, event.office)
        if row is None:
            return False
        if event.state is Progress.STORED:
            row.stored_at = row.stored_at or event.at
        else:
            row.published_at = row.published_at or event.at
        return True

    async def get(self, tx: Transaction, announcement_id: UUID) -> AnnouncementRow:
        """Return an announcement.

        Raises:
            UnknownError
        """
        row = await Announcements(tx).get(announcement_id)
        if row is None:
            raise UnknownError("announcement")
        return row
