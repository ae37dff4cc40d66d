"""All of this service's queries.

Assignment looks at everyone's open work at once, so it happens under one lock for the schema (`Contacts.lock_queue`):
two contacts that come at the same moment must not both see the same officer as free.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from services.advisory.domain.assignment import Adviser
from services.advisory.domain.contact import JOIN_WITHIN, ContactState, Earlier
from services.advisory.domain.resources import Agreed
from shared.events.v1.advisory import (
    Absence,
    AnnouncementMade,
    AnnouncementReceived,
    Contact,
    ContactAssigned,
    ContactReleased,
    Given,
    GuidancePublished,
    HandOverAsked,
    OfficerListed,
    Trilingual,
)
from shared.store import Found, Store

# -- the joint office -------------------------------------------------------------------------------------------------


class Contacts(Store):
    """The joint queue of contacts."""

    async def lock_queue(self) -> None:
        """Wait until nobody else assigns contacts; held until the transaction ends."""
        await self._row("SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' contacts'))")

    async def add(
        self,
        contact_id: UUID,
        contact: Contact,
        competent: str | None,
        filed_by: str,
        callers: Iterable[str],
        person: BaseModel | None,
        source_reference: str | None = None,
    ) -> bool:
        """Record a contact; False when it is there already."""
        return bool(
            await self._run(
                "INSERT INTO contact (contact_id, contact, topic, business_id, received_at, competent_authority,"
                " filed_by, state, version, reason, callers, person, source_reference) VALUES (:id,"
                " CAST(CAST(:contact AS text) AS jsonb), :topic, :business_id, :received_at, :competent, :filed_by,"
                " 'new', 1, '', :callers, CAST(CAST(:person AS text) AS jsonb), :source_reference)"
                " ON CONFLICT DO NOTHING",
                id=contact_id,
                contact=contact.model_dump_json(),
                topic=contact.topic,
                business_id=contact.business_id,
                received_at=contact.received_at,
                competent=competent,
                filed_by=filed_by,
                callers=sorted(callers),
                person=person.model_dump_json() if person else None,
                source_reference=source_reference,
            )
        )

    async def get(self, contact_id: UUID) -> Found | None:
        """Return a contact, locked."""
        return await self._row("SELECT * FROM contact WHERE contact_id = :id FOR UPDATE", id=contact_id)

    async def earlier(self, contact_id: UUID, contact: Contact, callers: Iterable[str]) -> list[Earlier]:
        """Return contacts that are not closed and could be the same matter."""
        rows = await self._rows(
            "SELECT contact_id, contact, callers FROM contact WHERE contact_id <> :id AND state <> 'closed'"
            " AND topic = :topic AND received_at BETWEEN :since AND :until"
            " AND (business_id = :business_id OR callers && CAST(:callers AS text[]))",
            id=contact_id,
            topic=contact.topic,
            since=contact.received_at - JOIN_WITHIN,
            until=contact.received_at + JOIN_WITHIN,
            business_id=contact.business_id,
            callers=sorted(callers),
        )
        return [Earlier(row.contact_id, Contact.model_validate(row.contact), frozenset(row.callers)) for row in rows]

    async def waiting(self, limit: int = 500) -> Sequence[Found]:
        """Return contacts that nobody has yet, oldest first."""
        return await self._rows(
            "SELECT * FROM contact WHERE state = 'new' ORDER BY received_at, contact_id LIMIT :limit", limit=limit
        )

    async def page(self, state: str | None, authority: str | None, limit: int) -> Sequence[Found]:
        """Return contacts, newest first; of an authority, those it is competent for or acts in."""
        return await self._rows(
            "SELECT * FROM contact WHERE (CAST(:state AS text) IS NULL OR state = :state)"
            " AND (CAST(:authority AS text) IS NULL OR competent_authority = :authority OR acting_authority = :authority)"
            " ORDER BY received_at DESC, contact_id LIMIT :limit",
            state=state,
            authority=authority,
            limit=limit,
        )

    async def of_employer(self, business_id: str) -> Sequence[Found]:
        """Return an employer's contacts, oldest first."""
        return await self._rows(
            "SELECT * FROM contact WHERE business_id = :business_id ORDER BY received_at, contact_id",
            business_id=business_id,
        )

    async def assign(self, contact_id: UUID, officer: str, acting: str, reason: str) -> int:
        """Give a contact to an officer; return its new version."""
        row = await self._row(
            "UPDATE contact SET state = 'assigned', officer = :officer, acting_authority = :acting, reason = :reason,"
            " version = version + 1, assigned_at = coalesce(assigned_at, :at) WHERE contact_id = :id RETURNING version",
            id=contact_id,
            officer=officer,
            acting=acting,
            reason=reason,
            at=self._tx.clock.now(),
        )
        return int(row.version) if row else 0

    async def next_version(self, contact_id: UUID) -> int:
        """Return a contact's next version: what is told of it from now on is newer than what was told before."""
        row = await self._row(
            "UPDATE contact SET version = version + 1 WHERE contact_id = :id RETURNING version", id=contact_id
        )
        return int(row.version) if row else 0

    async def wait(self, contact_id: UUID, reason: str) -> None:
        """Write down why a contact waits still."""
        await self._run(
            "UPDATE contact SET reason = :reason WHERE contact_id = :id AND reason <> :reason",
            id=contact_id,
            reason=reason,
        )

    async def join(self, contact_id: UUID, into: UUID, reason: str) -> None:
        """Close a contact as a repetition of another."""
        await self._run(
            "UPDATE contact SET state = 'closed', joined_into = :into, reason = :reason, version = version + 1,"
            " closed_at = :at WHERE contact_id = :id",
            id=contact_id,
            into=into,
            reason=reason,
            at=self._tx.clock.now(),
        )

    async def move(self, contact_id: UUID, state: ContactState, at: datetime, minutes: int | None = None) -> None:
        """Put a contact into a state."""
        await self._run(
            "UPDATE contact SET state = :state, version = version + 1, minutes = coalesce(:minutes, minutes),"
            " answered_at = CASE WHEN :state = 'answered' THEN :at ELSE answered_at END,"
            " closed_at = CASE WHEN :state = 'closed' THEN :at ELSE closed_at END WHERE contact_id = :id",
            id=contact_id,
            state=state,
            minutes=minutes,
            at=at,
        )

    async def note(self, contact_id: UUID, act: str, actor: str, reason: str) -> None:
        """Write down an act on a contact."""
        await self._run(
            "INSERT INTO contact_act (contact_id, act, actor, reason, at) VALUES (:id, :act, :actor, :reason, :at)",
            id=contact_id,
            act=act,
            actor=actor,
            reason=reason,
            at=self._tx.clock.now(),
        )

    async def acts(self, contact_id: UUID) -> Sequence[Found]:
        """Return the acts on a contact, oldest first."""
        return await self._rows("SELECT * FROM contact_act WHERE contact_id = :id ORDER BY act_id", id=contact_id)

    async def log_query(self, contact_id: UUID, by: str, authority: str, purpose: str, *, answered: bool) -> None:
        """Write down who asked for a caller's details, why, and whether they were told."""
        await self._run(
            "INSERT INTO caller_query (contact_id, asked_by, authority, purpose, answered, at)"
            " VALUES (:id, :by, :authority, :purpose, :answered, :at)",
            id=contact_id,
            by=by,
            authority=authority,
            purpose=purpose,
            answered=answered,
            at=self._tx.clock.now(),
        )

    async def queries(self, contact_id: UUID) -> Sequence[Found]:
        """Return who asked for a caller's details, oldest first."""
        return await self._rows("SELECT * FROM caller_query WHERE contact_id = :id ORDER BY query_id", id=contact_id)

    # -- officers and their work

    async def list_adviser(self, told: OfficerListed) -> None:
        """Write what a city says of its officer; an older version changes nothing."""
        await self._run(
            "INSERT INTO adviser (officer, office, version, topics, languages, person_years, absences) VALUES (:officer,"
            " :office, :version, :topics, :languages, :person_years, CAST(CAST(:absences AS text) AS jsonb))"
            " ON CONFLICT (officer) DO UPDATE SET version = excluded.version, topics = excluded.topics,"
            " languages = excluded.languages, person_years = excluded.person_years, absences = excluded.absences"
            " WHERE adviser.version < excluded.version AND adviser.office = excluded.office",
            officer=told.officer,
            office=told.office,
            version=told.version,
            topics=list(told.topics),
            languages=list(told.languages),
            person_years=told.person_years,
            absences=json.dumps([one.model_dump(mode="json") for one in told.absences]),
        )

    async def advisers(self) -> list[Adviser]:
        """Return everyone who advises, with their open contacts."""
        rows = await self._rows(
            "SELECT adviser.*, (SELECT count(*) FROM contact WHERE contact.officer = adviser.officer"
            " AND state = 'assigned') AS open FROM adviser ORDER BY officer"
        )
        return [
            Adviser(
                officer=row.officer,
                authority=row.office,
                topics=frozenset(row.topics),
                languages=frozenset(row.languages),
                person_years=row.person_years,
                absences=tuple(Absence.model_validate(one) for one in row.absences),
                open=row.open,
            )
            for row in rows
        ]

    async def handled(self, since: datetime, until: datetime) -> dict[str, int]:
        """Return how many contacts each authority was given between two instants."""
        rows = await self._rows(
            "SELECT acting_authority, count(*) AS n FROM contact WHERE assigned_at >= :since AND assigned_at < :until"
            " AND acting_authority IS NOT NULL GROUP BY 1",
            since=since,
            until=until,
        )
        return {row.acting_authority: int(row.n) for row in rows}

    async def answered(self, since: datetime, until: datetime) -> dict[str, int]:
        """Return how many contacts each authority answered between two instants."""
        rows = await self._rows(
            "SELECT acting_authority, count(*) AS n FROM contact WHERE answered_at >= :since AND answered_at < :until"
            " AND acting_authority IS NOT NULL GROUP BY 1",
            since=since,
            until=until,
        )
        return {row.acting_authority: int(row.n) for row in rows}

    # -- hand-overs

    async def ask_hand_over(self, told: HandOverAsked, officer: str, due_at: datetime) -> bool:
        """Record a hand-over; False when it is there already."""
        return bool(
            await self._run(
                "INSERT INTO hand_over (hand_over_id, contact_id, from_authority, from_officer, to_authority, to_service,"
                " reason, asked_at, due_at, state) VALUES (:id, :contact_id, :office, :officer, :to_authority,"
                " :to_service, :reason, :at, :due_at, 'asked') ON CONFLICT DO NOTHING",
                id=told.hand_over_id,
                contact_id=told.contact_id,
                office=told.office,
                officer=officer,
                to_authority=told.to_authority,
                to_service=told.to_service,
                reason=told.reason,
                at=self._tx.clock.now(),
                due_at=due_at,
            )
        )

    async def hand_over(self, hand_over_id: UUID) -> Found | None:
        """Return a hand-over, locked."""
        return await self._row("SELECT * FROM hand_over WHERE hand_over_id = :id FOR UPDATE", id=hand_over_id)

    async def hand_overs(self, contact_id: UUID) -> Sequence[Found]:
        """Return a contact's hand-overs, oldest first."""
        return await self._rows("SELECT * FROM hand_over WHERE contact_id = :id ORDER BY asked_at", id=contact_id)

    async def answer_hand_over(
        self, hand_over_id: UUID, state: str, at: datetime, matter_id: UUID | None = None, answer: str | None = None
    ) -> None:
        """Enter what became of a hand-over."""
        await self._run(
            "UPDATE hand_over SET state = :state, matter_id = :matter_id, answer = :answer, answered_at = :at"
            " WHERE hand_over_id = :id",
            id=hand_over_id,
            state=state,
            matter_id=matter_id,
            answer=answer,
            at=at,
        )

    async def overdue_hand_overs(self, limit: int = 200) -> Sequence[Found]:
        """Mark and return hand-overs that nobody has acknowledged in time."""
        return await self._rows(
            "UPDATE hand_over SET is_overdue = true WHERE hand_over_id IN (SELECT hand_over_id FROM hand_over"
            " WHERE state IN ('asked', 'stored') AND NOT is_overdue AND due_at < :now ORDER BY due_at LIMIT :limit"
            " FOR UPDATE SKIP LOCKED) RETURNING *",
            now=self._tx.clock.now(),
            limit=limit,
        )


class Resources(Store):
    """The management group's decisions of person-years."""

    async def decide(
        self, task: str, years: Mapping[str, float], valid_from: date, decided_on: date, by: str, reason: str
    ) -> None:
        """Record a decision; one for the same day replaces it."""
        for authority, person_years in years.items():
            await self._run(
                "INSERT INTO agreed (task, authority, valid_from, person_years, decided_on, decided_by, reason)"
                " VALUES (:task, :authority, :valid_from, :years, :decided_on, :by, :reason)"
                " ON CONFLICT (task, authority, valid_from) DO UPDATE SET person_years = excluded.person_years,"
                " decided_on = excluded.decided_on, decided_by = excluded.decided_by, reason = excluded.reason",
                task=task,
                authority=authority,
                valid_from=valid_from,
                years=person_years,
                decided_on=decided_on,
                by=by,
                reason=reason,
            )

    async def decided(self) -> list[Agreed]:
        """Return all decisions, as agreed person-years."""
        rows = await self._rows("SELECT * FROM agreed ORDER BY valid_from, task, authority")
        return [
            Agreed(
                row.task,
                row.authority,
                row.person_years,
                row.valid_from,
                None,
                "read",
                f"Decided {row.decided_on}: {row.reason}",
            )
            for row in rows
        ]


class Questions(Store):
    """What the other services are asked, and what they have answered so far."""

    async def ask(
        self, request_id: UUID, kind: str, question: Mapping[str, str], by: str, services: Iterable[str]
    ) -> None:
        """Record a question and whom it is for."""
        await self._run(
            "INSERT INTO asked (request_id, kind, question, asked_by, asked_at)"
            " VALUES (:id, :kind, CAST(CAST(:question AS text) AS jsonb), :by, :at)",
            id=request_id,
            kind=kind,
            question=json.dumps(question),
            by=by,
            at=self._tx.clock.now(),
        )
        await self._run(
            "INSERT INTO answered (request_id, service) SELECT :id, unnest(CAST(:services AS text[]))",
            id=request_id,
            services=list(services),
        )

    async def answer(self, request_id: UUID, service: str, answer: BaseModel) -> bool:
        """Enter a service's answer; the first one counts. False when it was not asked."""
        known = await self._row(
            "UPDATE answered SET answer = coalesce(answer, CAST(CAST(:answer AS text) AS jsonb)),"
            " received_at = coalesce(received_at, :at) WHERE request_id = :id AND service = :service RETURNING 1",
            id=request_id,
            service=service,
            answer=answer.model_dump_json(),
            at=self._tx.clock.now(),
        )
        return known is not None

    async def read(self, request_id: UUID, kind: str) -> tuple[Found, Sequence[Found]] | None:
        """Return a question with its answers."""
        found = await self._row("SELECT * FROM asked WHERE request_id = :id AND kind = :kind", id=request_id, kind=kind)
        if found is None:
            return None
        return found, await self._rows("SELECT * FROM answered WHERE request_id = :id ORDER BY service", id=request_id)


class Guidance(Store):
    """Shared guidance articles and their versions."""

    async def write(self, article_id: UUID, topic: str, texts: Trilingual, owner: str, review_by: date, by: str) -> int:
        """Write a new version, to be approved; return its number."""
        row = await self._row(
            "INSERT INTO article (article_id, version, topic, texts, owner, review_by, written_by, written_at)"
            " SELECT :id, coalesce(max(version), 0) + 1, :topic, CAST(CAST(:texts AS text) AS jsonb), :owner, :review_by,"
            " :by, :at FROM article WHERE article_id = :id RETURNING version",
            id=article_id,
            topic=topic,
            texts=texts.model_dump_json(),
            owner=owner,
            review_by=review_by,
            by=by,
            at=self._tx.clock.now(),
        )
        return int(row.version) if row else 0

    async def version(self, article_id: UUID, version: int) -> Found | None:
        """Return one version of an article, locked."""
        return await self._row(
            "SELECT * FROM article WHERE article_id = :id AND version = :version FOR UPDATE",
            id=article_id,
            version=version,
        )

    async def versions(self, article_id: UUID) -> Sequence[Found]:
        """Return an article's versions, newest first."""
        return await self._rows("SELECT * FROM article WHERE article_id = :id ORDER BY version DESC", id=article_id)

    async def approve(self, article_id: UUID, version: int, by: str, on: date) -> None:
        """Enter the coordination group's approval."""
        await self._run(
            "UPDATE article SET approved_by = :by, approved_on = :on WHERE article_id = :id AND version = :version",
            id=article_id,
            version=version,
            by=by,
            on=on,
        )

    async def in_force(self, topic: str | None) -> Sequence[Found]:
        """Return the newest approved version of each article."""
        return await self._rows(
            "SELECT DISTINCT ON (article_id) * FROM article WHERE approved_on IS NOT NULL"
            " AND (CAST(:topic AS text) IS NULL OR topic = :topic) ORDER BY article_id, version DESC",
            topic=topic,
        )

    async def give(self, contact_id: UUID, business_id: str | None, given: Iterable[Given], at: datetime) -> None:
        """Write down which versions an employer was given."""
        for one in given:
            await self._run(
                "INSERT INTO guidance_given (contact_id, article_id, version, business_id, given_at)"
                " VALUES (:id, :article_id, :version, :business_id, :at) ON CONFLICT DO NOTHING",
                id=contact_id,
                article_id=one.article_id,
                version=one.version,
                business_id=business_id,
                at=at,
            )

    async def given_to(self, business_id: str) -> Sequence[Found]:
        """Return which versions an employer was given, oldest first."""
        return await self._rows(
            "SELECT guidance_given.*, article.texts FROM guidance_given LEFT JOIN article USING (article_id, version)"
            " WHERE business_id = :business_id ORDER BY given_at, article_id",
            business_id=business_id,
        )


class Announcements(Store):
    """Coordinated announcements and each city's receipts."""

    async def make(self, told: AnnouncementMade, by: str, offices: Iterable[str]) -> None:
        """Record an announcement and whose receipts are awaited."""
        await self._run(
            "INSERT INTO announcement (announcement_id, texts, audiences, publish_on, made_by, made_at)"
            " VALUES (:id, CAST(CAST(:texts AS text) AS jsonb), :audiences, :publish_on, :by, :at)",
            id=told.announcement_id,
            texts=told.texts.model_dump_json(),
            audiences=list(told.audiences),
            publish_on=told.publish_on,
            by=by,
            at=self._tx.clock.now(),
        )
        await self._run(
            "INSERT INTO announcement_receipt (announcement_id, office) SELECT :id, unnest(CAST(:offices AS text[]))",
            id=told.announcement_id,
            offices=list(offices),
        )

    async def receipt(self, told: AnnouncementReceived) -> bool:
        """Enter a city's receipt; False when it was not sent the announcement."""
        column = "stored_at" if told.state == "stored" else "published_at"
        known = await self._row(
            f"UPDATE announcement_receipt SET {column} = coalesce({column}, :at)"  # noqa: S608 - one of two names above
            " WHERE announcement_id = :id AND office = :office RETURNING 1",
            id=told.announcement_id,
            office=told.office,
            at=told.at,
        )
        return known is not None

    async def read(self, announcement_id: UUID) -> tuple[Found, Sequence[Found]] | None:
        """Return an announcement with its receipts."""
        found = await self._row("SELECT * FROM announcement WHERE announcement_id = :id", id=announcement_id)
        if found is None:
            return None
        receipts = await self._rows(
            "SELECT * FROM announcement_receipt WHERE announcement_id = :id ORDER BY office", id=announcement_id
        )
        return found, receipts


# -- a city's office --------------------------------------------------------------------------------------------------


class OwnContacts(Store):
    """The contacts that a city's officers have."""

    async def receive(self, told: ContactAssigned) -> bool:
        """Keep a contact as it is now assigned; False when an equal or newer version is there already."""
        return bool(
            await self._run(
                "INSERT INTO own_contact (contact_id, version, contact, state, officer, competent_authority, reason,"
                " hand_over_id, is_acknowledged, received_at) VALUES (:id, :version, CAST(CAST(:contact AS text) AS jsonb),"
                " 'assigned', :officer, :competent, :reason, :hand_over_id, :acknowledged, :at)"
                " ON CONFLICT (contact_id) DO UPDATE SET version = excluded.version, state = 'assigned',"
                " officer = excluded.officer, reason = excluded.reason, hand_over_id = excluded.hand_over_id,"
                " is_acknowledged = excluded.is_acknowledged, is_overdue = false"
                " WHERE own_contact.version < excluded.version",
                id=told.contact_id,
                version=told.version,
                contact=told.contact.model_dump_json(),
                officer=told.officer,
                competent=told.competent_authority,
                reason=told.reason,
                hand_over_id=told.hand_over_id,
                acknowledged=told.hand_over_id is None,
                at=self._tx.clock.now(),
            )
        )

    async def register(
        self, contact_id: UUID, contact: Contact, officer: str, authority: str, person: BaseModel | None
    ) -> bool:
        """Record a contact that the city has taken in itself; False when it is there already."""
        return bool(
            await self._run(
                "INSERT INTO own_contact (contact_id, version, contact, state, officer, competent_authority, reason,"
                " is_acknowledged, person, received_at) VALUES (:id, 0, CAST(CAST(:contact AS text) AS jsonb),"
                " 'assigned', :officer, :authority, 'taken in by the city itself', true,"
                " CAST(CAST(:person AS text) AS jsonb), :at) ON CONFLICT DO NOTHING",
                id=contact_id,
                contact=contact.model_dump_json(),
                officer=officer,
                authority=authority,
                person=person.model_dump_json() if person else None,
                at=self._tx.clock.now(),
            )
        )

    async def release(self, told: ContactReleased) -> None:
        """Note that a contact is another's now."""
        await self._run(
            "UPDATE own_contact SET state = 'handed_over', version = :version, reason = :reason"
            " WHERE contact_id = :id AND version < :version",
            id=told.contact_id,
            version=told.version,
            reason=told.reason,
        )

    async def get(self, contact_id: UUID) -> Found | None:
        """Return a contact, locked."""
        return await self._row("SELECT * FROM own_contact WHERE contact_id = :id FOR UPDATE", id=contact_id)

    async def page(self, officer: str | None, state: str | None, limit: int) -> Sequence[Found]:
        """Return contacts, oldest first."""
        return await self._rows(
            "SELECT * FROM own_contact WHERE (CAST(:officer AS text) IS NULL OR officer = :officer)"
            " AND (CAST(:state AS text) IS NULL OR state = :state) ORDER BY received_at, contact_id LIMIT :limit",
            officer=officer,
            state=state,
            limit=limit,
        )

    async def set_state(self, contact_id: UUID, state: ContactState) -> None:
        """Put a contact into a state."""
        await self._run("UPDATE own_contact SET state = :state WHERE contact_id = :id", id=contact_id, state=state)

    async def acknowledge(self, contact_id: UUID) -> None:
        """Note that an officer has taken a hand-over."""
        await self._run("UPDATE own_contact SET is_acknowledged = true WHERE contact_id = :id", id=contact_id)

    async def mark_overdue(self, contact_id: UUID) -> None:
        """Note that a hand-over of the contact is overdue."""
        await self._run("UPDATE own_contact SET is_overdue = true WHERE contact_id = :id", id=contact_id)

    async def adviser(self, officer: str) -> OfficerListed | None:
        """Return an officer's listing, locked."""
        row = await self._row("SELECT listed FROM own_adviser WHERE officer = :officer FOR UPDATE", officer=officer)
        return OfficerListed.model_validate(row.listed) if row else None

    async def advisers(self) -> list[OfficerListed]:
        """Return all listings."""
        rows = await self._rows("SELECT listed FROM own_adviser ORDER BY officer")
        return [OfficerListed.model_validate(row.listed) for row in rows]

    async def list_adviser(self, told: OfficerListed) -> None:
        """Write an officer's listing."""
        await self._run(
            "INSERT INTO own_adviser (officer, listed) VALUES (:officer, CAST(CAST(:listed AS text) AS jsonb))"
            " ON CONFLICT (officer) DO UPDATE SET listed = excluded.listed",
            officer=told.officer,
            listed=told.model_dump_json(),
        )

    async def keep_announcement(self, told: AnnouncementMade) -> bool:
        """Keep an announcement; False when it is here already."""
        return bool(
            await self._run(
                "INSERT INTO own_announcement (announcement_id, announcement, stored_at)"
                " VALUES (:id, CAST(CAST(:told AS text) AS jsonb), :at) ON CONFLICT DO NOTHING",
                id=told.announcement_id,
                told=told.model_dump_json(),
                at=self._tx.clock.now(),
            )
        )

    async def announcements(self) -> Sequence[Found]:
        """Return announcements, newest first."""
        return await self._rows("SELECT * FROM own_announcement ORDER BY stored_at DESC LIMIT 200")

    async def publish_announcement(self, announcement_id: UUID) -> bool | None:
        """Note that an announcement was published; False when it was before, None when there is none."""
        row = await self._row(
            "SELECT published_at FROM own_announcement WHERE announcement_id = :id FOR UPDATE", id=announcement_id
        )
        if row is None or row.published_at is not None:
            return None if row is None else False
        await self._run(
            "UPDATE own_announcement SET published_at = :at WHERE announcement_id = :id",
            id=announcement_id,
            at=self._tx.clock.now(),
        )
        return True

    async def keep_article(self, told: GuidancePublished) -> None:
        """Keep the newest version of an article."""
        await self._run(
            "INSERT INTO own_article (article_id, version, article) VALUES (:id, :version,"
            " CAST(CAST(:article AS text) AS jsonb)) ON CONFLICT (article_id) DO UPDATE SET"
            " version = excluded.version, article = excluded.article WHERE own_article.version < excluded.version",
            id=told.article_id,
            version=told.version,
            article=told.model_dump_json(),
        )

    async def articles(self) -> list[GuidancePublished]:
        """Return the articles in force, as far as they have come here."""
        rows = await self._rows("SELECT article FROM own_article ORDER BY article_id")
        return [GuidancePublished.model_validate(row.article) for row in rows]
