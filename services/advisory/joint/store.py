"""All queries of the joint office.

Assignment looks at everyone's open work at once, so it happens under one lock for the schema (`Contacts.lock_queue`):
two contacts that come at the same moment must not both see the same officer as free.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import and_, or_
from sqlalchemy.dialects.postgresql import insert as insert_one
from sqlmodel import col, select

from services.advisory.domain.assignment import Adviser
from services.advisory.domain.contact import JOIN_WITHIN, ContactState, Earlier
from services.advisory.domain.hand_over import HandOverState
from services.advisory.joint.tables import (
    AdviserRow,
    AnnouncementRow,
    AnswerRow,
    ArticleRow,
    CallerQueryRow,
    ContactActRow,
    ContactRow,
    GivenRow,
    HandOverRow,
    QuestionRow,
    ReceiptRow,
)
from shared.database import Bulk, column_types, insert
from shared.events.v1.advisory import Contact, ContactTopic, Given, OfficerListed
from shared.events.values import BusinessId
from shared.store import Store

_ACT: Final = Bulk[ContactActRow](
    "INSERT INTO contact_act (contact_id, act, actor, reason, at)"
    " SELECT contact_id, act, actor, reason, at FROM {rows}",
    column_types(ContactActRow, ("contact_id", "act", "actor", "reason", "at")),
)
_ASKED: Final = insert(AnswerRow, AnswerRow, columns=("request_id", "service"))
_AWAITED: Final = insert(ReceiptRow, ReceiptRow, columns=("announcement_id", "office"))
_GIVEN: Final = insert(GivenRow, GivenRow)


class _Count(NamedTuple):
    name: str
    contacts: int


class GivenTitle(NamedTuple):
    """Which version of an article an employer was given.

    Attributes:
        title: in Finnish; None when the joint office has no such version.
        place: orders what was given at one moment.
    """

    article_id: UUID
    version: int
    given_at: datetime
    title: str | None
    place: str


@dataclass(frozen=True)
class Narrowed:
    """What a list of contacts is narrowed to. `authority`: competent for it, or acting in it."""

    state: ContactState | None = None
    authority: str | None = None
    topic: ContactTopic | None = None
    business_id: BusinessId | None = None
    officer: str | None = None


class Contacts(Store):
    """The joint queue of contacts."""

    async def lock_queue(self) -> None:
        """Wait until nobody else assigns contacts; held until the transaction ends."""
        await self._run("SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' contacts'))")

    async def add(self, row: ContactRow) -> bool:
        """Record a contact; False when it is there already."""
        if await self.get(row.contact_id) is not None:
            return False
        self._tx.session.add(row)
        return True

    async def get(self, contact_id: UUID) -> ContactRow | None:
        """Return a contact, locked."""
        return await self._get(ContactRow, contact_id, lock=True)

    async def earlier(self, contact_id: UUID, contact: Contact, callers: Iterable[str]) -> list[Earlier]:
        """Return contacts that are not closed and could be the same matter."""
        rows = await self._rows(
            ContactRow,
            "SELECT * FROM contact WHERE contact_id <> :id AND state <> 'closed'"
            " AND topic = :topic AND received_at BETWEEN :since AND :until"
            " AND (business_id = :business_id OR callers && CAST(:callers AS text[]))",
            id=contact_id,
            topic=contact.topic,
            since=contact.received_at - JOIN_WITHIN,
            until=contact.received_at + JOIN_WITHIN,
            business_id=contact.business_id,
            callers=sorted(callers),
        )
        return [Earlier(row.contact_id, row.contact, frozenset(row.callers)) for row in rows]

    async def waiting(self, limit: int = 500) -> Sequence[ContactRow]:
        """Return contacts that nobody has yet, oldest first."""
        return await self._all(
            select(ContactRow)
            .where(ContactRow.state == ContactState.NEW)
            .order_by(col(ContactRow.received_at), col(ContactRow.contact_id))
            .limit(limit)
        )

    async def open_of(self, officer: str) -> Sequence[ContactRow]:
        """Return the contacts that an officer has not answered, oldest first; locked."""
        return await self._all(
            select(ContactRow)
            .where(ContactRow.officer == officer, ContactRow.state == ContactState.ASSIGNED)
            .order_by(col(ContactRow.received_at), col(ContactRow.contact_id))
            .with_for_update()
        )

    async def page(self, narrowed: Narrowed, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[ContactRow]:
        """Return contacts, newest first; of an authority, those it is competent for or acts in."""
        state, authority = narrowed.state, narrowed.authority
        received, contact_id = col(ContactRow.received_at), col(ContactRow.contact_id)
        query = select(ContactRow).order_by(received.desc(), contact_id).limit(limit)
        if state is not None:
            query = query.where(ContactRow.state == state)
        if authority is not None:
            competent, acting = col(ContactRow.competent_authority), col(ContactRow.acting_authority)
            query = query.where(or_(competent == authority, acting == authority))
        if narrowed.topic is not None:
            query = query.where(ContactRow.topic == narrowed.topic)
        if narrowed.business_id is not None:
            query = query.where(ContactRow.business_id == narrowed.business_id)
        if narrowed.officer is not None:
            query = query.where(ContactRow.officer == narrowed.officer)
        if after is not None:
            query = query.where(or_(received < after[0], and_(received == after[0], contact_id > after[1])))
        return await self._all(query)

    async def of_employer(self, business_id: str) -> Sequence[ContactRow]:
        """Return an employer's contacts, oldest first."""
        return await self._all(
            select(ContactRow)
            .where(ContactRow.business_id == business_id)
            .order_by(col(ContactRow.received_at), col(ContactRow.contact_id))
        )

    def note(self, contact_id: UUID, act: str, actor: str, reason: str) -> None:
        """Write down an act on a contact."""
        at = self._tx.clock.now()
        self._tx.stage(_ACT, ContactActRow(contact_id=contact_id, act=act, actor=actor, reason=reason, at=at))

    async def acts(self, contact_id: UUID) -> Sequence[ContactActRow]:
        """Return the acts on a contact, oldest first."""
        return await self._all(
            select(ContactActRow).where(ContactActRow.contact_id == contact_id).order_by(col(ContactActRow.act_id))
        )

    def log_query(self, query: CallerQueryRow) -> None:
        """Write down who asked for a caller's details, why, and whether the query was answered."""
        self._tx.session.add(query)

    async def query(self, request_id: UUID) -> CallerQueryRow | None:
        """Return a query that was put to a city, locked."""
        query = select(CallerQueryRow).where(CallerQueryRow.request_id == request_id)
        return await self._first(query.with_for_update())

    async def queries(self, contact_id: UUID, after: int | None, limit: int) -> Sequence[CallerQueryRow]:
        """Return who asked for a caller's details, oldest first."""
        query_id = col(CallerQueryRow.query_id)
        query = select(CallerQueryRow).where(CallerQueryRow.contact_id == contact_id).order_by(query_id).limit(limit)
        return await self._all(query if after is None else query.where(query_id > after))

    async def handled(self, since: datetime, until: datetime) -> dict[str, int]:
        """Return how many contacts each authority was given between two instants."""
        return await self._counted(
            "SELECT acting_authority AS name, count(*) AS contacts FROM contact WHERE assigned_at >= :since"
            " AND assigned_at < :until AND acting_authority IS NOT NULL GROUP BY 1",
            since,
            until,
        )

    async def answered(self, since: datetime, until: datetime) -> dict[str, int]:
        """Return how many contacts each authority answered between two instants."""
        return await self._counted(
            "SELECT acting_authority AS name, count(*) AS contacts FROM contact WHERE answered_at >= :since"
            " AND answered_at < :until AND acting_authority IS NOT NULL GROUP BY 1",
            since,
            until,
        )

    async def _counted(self, sql: str, since: datetime, until: datetime) -> dict[str, int]:
        return dict(await self._values(_Count, sql, since=since, until=until))


class Advisers(Store):
    """The officers who advise, as their cities list them."""

    async def list_adviser(self, event: OfficerListed) -> None:
        """Write what a city says of its officer; an older version, or another city's officer, changes nothing."""
        listing = insert_one(AdviserRow).values(
            officer=event.officer,
            office=event.office,
            version=event.version,
            topics=list(event.topics),
            languages=list(event.languages),
            person_years=event.person_years,
            absences=event.absences,
        )
        new = listing.excluded
        names = ("version", "topics", "languages", "person_years", "absences")
        await self._run(
            listing.on_conflict_do_update(
                index_elements=["officer"],
                set_={name: new[name] for name in names},
                where=and_(col(AdviserRow.version) < new["version"], col(AdviserRow.office) == new["office"]),
            )
        )

    async def all(self) -> list[Adviser]:
        """Return everyone who advises, with their open contacts."""
        open_contacts = dict(
            await self._values(
                _Count,
                "SELECT officer AS name, count(*) AS contacts FROM contact WHERE state = 'assigned' GROUP BY officer",
            )
        )
        rows = await self._all(select(AdviserRow).order_by(col(AdviserRow.officer)))
        return [
            Adviser(
                officer=row.officer,
                authority=row.office,
                topics=frozenset(row.topics),
                languages=frozenset(row.languages),
                person_years=row.person_years,
                absences=row.absences,
                open=open_contacts.get(row.officer, 0),
            )
            for row in rows
        ]


class HandOvers(Store):
    """Hand-overs to other authorities and services."""

    async def add(self, row: HandOverRow) -> bool:
        """Record a hand-over; False when it is there already."""
        if await self.get(row.hand_over_id) is not None:
            return False
        self._tx.session.add(row)
        return True

    async def get(self, hand_over_id: UUID) -> HandOverRow | None:
        """Return a hand-over, locked."""
        return await self._get(HandOverRow, hand_over_id, lock=True)

    async def of_contact(self, contact_id: UUID) -> Sequence[HandOverRow]:
        """Return a contact's hand-overs, oldest first."""
        return await self._all(
            select(HandOverRow).where(HandOverRow.contact_id == contact_id).order_by(col(HandOverRow.asked_at))
        )

    async def offers(self, contact_id: UUID) -> Sequence[HandOverRow]:
        """Return a contact's hand-overs to authorities that nobody has acknowledged, locked."""
        return await self._all(
            select(HandOverRow)
            .where(
                HandOverRow.contact_id == contact_id,
                HandOverRow.state == HandOverState.ASKED,
                col(HandOverRow.to_authority).is_not(None),
            )
            .with_for_update()
        )

    async def mark_overdue(self, limit: int = 200) -> Sequence[HandOverRow]:
        """Mark and return hand-overs that nobody has acknowledged in time."""
        return await self._rows(
            HandOverRow,
            "UPDATE hand_over SET is_overdue = true WHERE hand_over_id IN (SELECT hand_over_id FROM hand_over"
            " WHERE state IN ('asked', 'stored') AND NOT is_overdue AND due_at < :now ORDER BY due_at LIMIT :limit"
            " FOR UPDATE SKIP LOCKED) RETURNING *",
            now=self._tx.clock.now(),
            limit=limit,
        )


class Questions(Store):
    """What the other services are asked, and what they have answered so far."""

    def ask(self, question: QuestionRow, services: Iterable[str]) -> None:
        """Record a question and whom it is for."""
        self._tx.session.add(question)
        for service in services:
            self._tx.stage(_ASKED, AnswerRow(request_id=question.request_id, service=service))

    async def get(self, request_id: UUID) -> QuestionRow | None:
        """Return a question."""
        return await self._get(QuestionRow, request_id)

    async def answer(self, request_id: UUID, service: str) -> AnswerRow | None:
        """Return a service's answer, locked; None when it was not asked."""
        return await self._get(AnswerRow, request_id, service, lock=True)

    async def answers(self, request_id: UUID) -> Sequence[AnswerRow]:
        """Return every service's answer, by service."""
        return await self._all(
            select(AnswerRow).where(AnswerRow.request_id == request_id).order_by(col(AnswerRow.service))
        )


class Guidance(Store):
    """Shared guidance articles and their versions."""

    def write(self, row: ArticleRow) -> None:
        """Write a version, to be approved."""
        self._tx.session.add(row)

    async def newest(self, article_id: UUID) -> int:
        """Return the number of an article's newest version; 0 without one."""
        numbers = await self._values(
            int, "SELECT coalesce(max(version), 0) FROM article WHERE article_id = :id", id=article_id
        )
        return numbers[0]

    async def version(self, article_id: UUID, version: int) -> ArticleRow | None:
        """Return one version of an article, locked."""
        return await self._get(ArticleRow, article_id, version, lock=True)

    async def versions(self, article_id: UUID) -> Sequence[ArticleRow]:
        """Return an article's versions, newest first."""
        return await self._all(
            select(ArticleRow).where(ArticleRow.article_id == article_id).order_by(col(ArticleRow.version).desc())
        )

    async def page_of_versions(self, article_id: UUID, before: int | None, limit: int) -> Sequence[ArticleRow]:
        """Return an article's versions before one, newest first."""
        version = col(ArticleRow.version)
        query = select(ArticleRow).where(ArticleRow.article_id == article_id).order_by(version.desc()).limit(limit)
        return await self._all(query if before is None else query.where(version < before))

    async def in_force(self, topic: ContactTopic | None, after: UUID | None, limit: int) -> Sequence[ArticleRow]:
        """Return the newest approved version of each article."""
        article_id = col(ArticleRow.article_id)
        query = (
            select(ArticleRow)
            .distinct(article_id)
            .where(col(ArticleRow.approved_on).is_not(None))
            .order_by(article_id, col(ArticleRow.version).desc())
            .limit(limit)
        )
        if topic is not None:
            query = query.where(ArticleRow.topic == topic)
        return await self._all(query if after is None else query.where(article_id > after))

    def give(self, contact_id: UUID, business_id: str | None, given: Iterable[Given], at: datetime) -> None:
        """Write down which versions an employer was given."""
        for article in given:
            row = GivenRow(
                contact_id=contact_id,
                article_id=article.article_id,
                version=article.version,
                business_id=business_id,
                given_at=at,
            )
            self._tx.stage(_GIVEN, row)

    async def given_to(
        self, business_id: str, after: tuple[datetime, str] | None = None, limit: int | None = None
    ) -> list[GivenTitle]:
        """Return which versions an employer was given, oldest first."""
        return await self._values(
            GivenTitle,
            "SELECT article_id, version, given_at, title, place FROM (SELECT article_id, version, given_at,"
            " texts #>> '{fi,title}' AS title, concat_ws(' ', article_id, version, contact_id) AS place"
            " FROM guidance_given LEFT JOIN article USING (article_id, version) WHERE business_id = :business_id)"
            " AS given WHERE CAST(:at AS timestamptz) IS NULL OR (given_at, place) > (:at, CAST(:place AS text))"
            " ORDER BY given_at, place LIMIT :limit",
            business_id=business_id,
            at=after[0] if after else None,
            place=after[1] if after else None,
            limit=limit,
        )


class Announcements(Store):
    """Coordinated announcements and each city's receipts."""

    def make(self, row: AnnouncementRow, offices: Iterable[str]) -> None:
        """Record an announcement and whose receipts are awaited."""
        self._tx.session.add(row)
        for office in offices:
            self._tx.stage(_AWAITED, ReceiptRow(announcement_id=row.announcement_id, office=office))

    async def get(self, announcement_id: UUID) -> AnnouncementRow | None:
        """Return an announcement."""
        return await self._get(AnnouncementRow, announcement_id)

    async def receipt(self, announcement_id: UUID, office: str) -> ReceiptRow | None:
        """Return a city's receipt, locked; None when it was not sent the announcement."""
        return await self._get(ReceiptRow, announcement_id, office, lock=True)

    async def receipts(self, announcement_id: UUID) -> Sequence[ReceiptRow]:
        """Return every city's receipt, by office."""
        return await self._all(
            select(ReceiptRow).where(ReceiptRow.announcement_id == announcement_id).order_by(col(ReceiptRow.office))
        )
