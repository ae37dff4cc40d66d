"""All of this service's queries.

Every act on the seats of a course begins with the lock on the course's row (`Catalogue.lock`), so acts on one course
follow each other whatever process or message they come from; acts on two courses never wait for each other. The unique
index `seat_offer_held` is the last word: an applicant holds at most one seat.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.training.domain.course import Entry, Held
from services.training.domain.seats import Applicant
from services.training.domain.supply import Waiting
from shared.events.v1.advisory import Fact, Withheld, WorkDone
from shared.events.v1.change_security import WorkforceReleased
from shared.events.v1.placement import CandidatesGathered, VacancyPublished, VacancyStatus
from shared.events.v1.training import (
    ApplicantInvited,
    Application,
    ApplicationDecided,
    ApplicationReceived,
    ApplicationState,
    Course,
    CoursePublished,
    Group,
    GroupPublished,
    GroupState,
    SeatOffered,
)
from shared.store import Found, Store

HELD = "('open', 'accepted')"
"""Seat offers that keep a seat."""


class Catalogue(Store):
    """Courses and groups: the joint office's own, or a city's copy."""

    async def lock(self, course_id: UUID) -> Entry | None:
        """Return a course, locked: whoever has it alone gives and takes seats of its groups."""
        row = await self._row("SELECT * FROM course WHERE course_id = :id FOR UPDATE", id=course_id)
        return _entry(row) if row else None

    async def course(self, course_id: UUID) -> Entry | None:
        """Return a course."""
        row = await self._row("SELECT * FROM course WHERE course_id = :id", id=course_id)
        return _entry(row) if row else None

    async def courses(self, kind: str | None, after: UUID | None, limit: int) -> list[Entry]:
        """Return courses by id."""
        rows = await self._rows(
            "SELECT * FROM course WHERE (CAST(:kind AS text) IS NULL OR course ->> 'kind' = :kind)"
            " AND (CAST(:after AS uuid) IS NULL OR course_id > :after) ORDER BY course_id LIMIT :limit",
            kind=kind,
            after=after,
            limit=limit,
        )
        return [_entry(row) for row in rows]

    async def save_course(self, told: CoursePublished) -> bool:
        """Write a course; False when an equal or newer version is there already."""
        written = await self._run(
            "INSERT INTO course (course_id, version, course, occupation)"
            " VALUES (:id, :version, CAST(CAST(:course AS text) AS jsonb), :occupation)"
            " ON CONFLICT (course_id) DO UPDATE SET version = excluded.version, course = excluded.course,"
            " occupation = excluded.occupation WHERE course.version < excluded.version",
            id=told.course_id,
            version=told.version,
            course=told.course.model_dump_json(exclude_none=True),
            occupation=told.course.occupation.code if told.course.occupation else "",
        )
        return bool(written)

    async def group(self, group_id: UUID) -> Held | None:
        """Return a group."""
        row = await self._row("SELECT * FROM course_group WHERE group_id = :id", id=group_id)
        return _held(row) if row else None

    async def groups(self, course_id: UUID | None, state: str | None = None) -> list[Held]:
        """Return groups, of a course or in a state, those that start first first."""
        rows = await self._rows(
            "SELECT * FROM course_group WHERE (CAST(:course_id AS uuid) IS NULL OR course_id = :course_id)"
            " AND (CAST(:state AS text) IS NULL OR state = :state) ORDER BY starts_on, group_id LIMIT 1000",
            course_id=course_id,
            state=state,
        )
        return [_held(row) for row in rows]

    async def save_group(self, told: GroupPublished) -> bool:
        """Write a group; False when an equal or newer version is there already."""
        written = await self._run(
            "INSERT INTO course_group (group_id, course_id, version, state, details, starts_on)"
            " VALUES (:id, :course_id, :version, :state, CAST(CAST(:details AS text) AS jsonb), :starts_on)"
            " ON CONFLICT (group_id) DO UPDATE SET version = excluded.version, state = excluded.state,"
            " details = excluded.details, starts_on = excluded.starts_on"
            " WHERE course_group.version < excluded.version",
            id=told.group_id,
            course_id=told.course_id,
            version=told.version,
            state=told.state,
            details=told.group.model_dump_json(exclude_none=True),
            starts_on=told.group.starts_on,
        )
        return bool(written)


# -- the joint office -------------------------------------------------------------------------------------------------


class Queue(Store):
    """The joint queue: applications by opaque reference, and who holds which seat."""

    async def receive(self, told: ApplicationReceived) -> bool:
        """Put an application into the queue; False when it is there already."""
        one = told.application
        written = await self._run(
            "INSERT INTO application (application_id, course_id, office, reference, points, queued_at, languages,"
            " municipality, travel, can_start_from, state, version, reason) VALUES (:id, :course_id, :office,"
            " :reference, :points, :queued_at, :languages, :municipality, :travel, :can_start_from, 'waiting', 1, '')"
            " ON CONFLICT DO NOTHING",
            id=told.application_id,
            course_id=told.course_id,
            office=told.office,
            reference=one.reference,
            points=one.points,
            queued_at=one.queued_at,
            languages=list(one.languages),
            municipality=one.municipality,
            travel=list(one.travel),
            can_start_from=one.can_start_from,
        )
        return bool(written)

    async def get(self, application_id: UUID) -> Found | None:
        """Return an application."""
        return await self._row("SELECT * FROM application WHERE application_id = :id", id=application_id)

    async def move(
        self, application_id: UUID, state: ApplicationState, group_id: UUID | None, reason: str
    ) -> ApplicationDecided:
        """Change where an application stands; return what its city is told."""
        row = await self._row(
            "UPDATE application SET state = :state, group_id = :group_id, reason = :reason, version = version + 1"
            " WHERE application_id = :id RETURNING version",
            id=application_id,
            state=state,
            group_id=group_id,
            reason=reason,
        )
        if row is None:
            raise LookupError("application")
        return ApplicationDecided(
            application_id=application_id, version=row.version, state=state, group_id=group_id, reason=reason
        )

    async def waiting(self, course_id: UUID) -> list[Applicant]:
        """Return who waits for a course, in the order of the decision rule."""
        rows = await self._rows(
            "SELECT * FROM application WHERE course_id = :id AND state = 'waiting'"
            " ORDER BY points DESC, queued_at, application_id",
            id=course_id,
        )
        return [_applicant(row) for row in rows]

    async def page(self, course_id: UUID, after: int, limit: int) -> Sequence[Found]:
        """Return a part of a course's waiting list, with each one's position."""
        return await self._rows(
            "SELECT *, row_number() OVER (ORDER BY points DESC, queued_at, application_id) AS position"
            " FROM application WHERE course_id = :id AND state = 'waiting' ORDER BY position OFFSET :after LIMIT :limit",
            id=course_id,
            after=after,
            limit=limit,
        )

    async def position(self, row: Found) -> int | None:
        """Return an application's place in the waiting list, from 1; None when it does not wait."""
        if row.state != ApplicationState.WAITING:
            return None
        before = await self._row(
            "SELECT count(*) AS n FROM application WHERE course_id = :id AND state = 'waiting'"
            " AND (-points, queued_at, application_id) < (:points, :queued_at, :application_id)",
            id=row.course_id,
            points=-row.points,
            queued_at=row.queued_at,
            application_id=row.application_id,
        )
        return before.n + 1 if before else None

    async def hand_over(self, application_id: UUID, office: str) -> Found | None:
        """Give an application to another city; return it as it then is."""
        return await self._row(
            "UPDATE application SET office = :office WHERE application_id = :id RETURNING *",
            id=application_id,
            office=office,
        )

    async def identify(self, application_id: UUID, office: str, reference: str) -> bool:
        """Put the new city's reference; False when the application is not that city's."""
        return bool(
            await self._run(
                "UPDATE application SET reference = :reference WHERE application_id = :id AND office = :office",
                id=application_id,
                office=office,
                reference=reference,
            )
        )

    # -- seats

    async def seats(self, group_id: UUID) -> Sequence[Found]:
        """Return a group's seats that are accepted, or offered and not answered, with their home authority."""
        return await self._rows(
            "SELECT seat_offer.*, application.office AS authority FROM seat_offer JOIN application"  # noqa: S608
            f" USING (application_id) WHERE seat_offer.group_id = :id AND seat_offer.state IN {HELD} ORDER BY made_at",
            id=group_id,
        )

    async def offers(self, group_id: UUID) -> Sequence[Found]:
        """Return every seat offer of a group, oldest first."""
        return await self._rows(
            "SELECT seat_offer.*, application.office AS authority, application.reference FROM seat_offer"
            " JOIN application USING (application_id) WHERE seat_offer.group_id = :id ORDER BY made_at, offer_id",
            id=group_id,
        )

    async def turned_down(self, group_id: UUID) -> set[UUID]:
        """Return who was offered a seat in this group before and holds none now."""
        rows = await self._rows(
            "SELECT DISTINCT application_id FROM seat_offer WHERE group_id = :id"
            " AND state NOT IN ('open', 'accepted', 'moved')",
            id=group_id,
        )
        return {row.application_id for row in rows}

    async def offer(
        self, offer_id: UUID, group_id: UUID, application_id: UUID, reason: str, answer_by: datetime
    ) -> None:
        """Record a seat offer."""
        await self._run(
            "INSERT INTO seat_offer (offer_id, group_id, application_id, state, reason, made_at, answer_by)"
            " VALUES (:id, :group_id, :application_id, 'open', :reason, :at, :answer_by)",
            id=offer_id,
            group_id=group_id,
            application_id=application_id,
            reason=reason,
            at=self._tx.clock.now(),
            answer_by=answer_by,
        )

    async def held_offer(self, application_id: UUID) -> Found | None:
        """Return the seat offer that an application holds."""
        return await self._row(
            f"SELECT * FROM seat_offer WHERE application_id = :id AND state IN {HELD}",  # noqa: S608
            id=application_id,
        )

    async def get_offer(self, offer_id: UUID) -> Found | None:
        """Return a seat offer."""
        return await self._row("SELECT * FROM seat_offer WHERE offer_id = :id", id=offer_id)

    async def end_offer(self, offer_id: UUID, state: str, at: datetime) -> None:
        """Enter what became of a seat offer."""
        await self._run(
            "UPDATE seat_offer SET state = :state, answered_at = :at WHERE offer_id = :id",
            id=offer_id,
            state=state,
            at=at,
        )

    async def accounting(self, since: date, until: date) -> Sequence[Found]:
        """Return accepted seats by group and home authority, for groups that start within the days."""
        return await self._rows(
            "SELECT course_group.group_id, course_group.starts_on, course_group.state, application.office AS authority,"
            " count(*) AS seats, proposal.proposed FROM seat_offer JOIN application USING (application_id)"
            " JOIN course_group ON course_group.group_id = seat_offer.group_id"
            " LEFT JOIN proposal ON proposal.group_id = course_group.group_id"
            " WHERE seat_offer.state = 'accepted' AND course_group.state IN ('confirmed', 'running', 'completed')"
            " AND starts_on BETWEEN :since AND :until GROUP BY 1, 2, 3, 4, 6 ORDER BY starts_on, group_id, authority",
            since=since,
            until=until,
        )

    # -- formations

    async def keep_formation(
        self, formation_id: UUID, course_id: UUID, slots: Sequence[BaseModel], placements: Any, by: str
    ) -> None:
        """Keep a proposal of groups."""
        await self._run(
            "INSERT INTO formation (formation_id, course_id, slots, placements, made_by, made_at) VALUES (:id,"
            " :course_id, CAST(CAST(:slots AS text) AS jsonb), CAST(CAST(:placements AS text) AS jsonb), :by, :at)",
            id=formation_id,
            course_id=course_id,
            slots=json.dumps([slot.model_dump(mode="json") for slot in slots]),
            placements=json.dumps(placements),
            by=by,
            at=self._tx.clock.now(),
        )

    async def formation(self, formation_id: UUID) -> Found | None:
        """Return a proposal of groups, locked."""
        return await self._row("SELECT * FROM formation WHERE formation_id = :id FOR UPDATE", id=formation_id)

    async def adopt(self, formation_id: UUID) -> None:
        """Note that a proposal of groups was put into effect."""
        await self._run(
            "UPDATE formation SET adopted_at = :at WHERE formation_id = :id",
            id=formation_id,
            at=self._tx.clock.now(),
        )


class Decisions(Store):
    """Who decided what, why, and for whose authority."""

    async def enter(
        self, subject_id: UUID, act: str, reason: str, actor: str, competent: str | None, acting: str | None
    ) -> None:
        """Enter a decision."""
        await self._run(
            "INSERT INTO decision (subject_id, act, reason, actor, competent_authority, acting_authority, at)"
            " VALUES (:id, :act, :reason, :actor, :competent, :acting, :at)",
            id=subject_id,
            act=act,
            reason=reason,
            actor=actor,
            competent=competent,
            acting=acting,
            at=self._tx.clock.now(),
        )

    async def about(self, subject_id: UUID) -> Sequence[Found]:
        """Return the decisions about an application, a group or a proposal, oldest first."""
        return await self._rows("SELECT * FROM decision WHERE subject_id = :id ORDER BY decision_id", id=subject_id)


class Procurement(Store):
    """Employers' proposals of joint-procurement training."""

    async def propose(self, proposal_id: UUID, proposed: BaseModel, by: str) -> bool:
        """Record a proposal; False when it is there already."""
        return bool(
            await self._run(
                "INSERT INTO proposal (proposal_id, proposed, proposed_by, proposed_at, state) VALUES (:id,"
                " CAST(CAST(:proposed AS text) AS jsonb), :by, :at, 'proposed') ON CONFLICT DO NOTHING",
                id=proposal_id,
                proposed=proposed.model_dump_json(),
                by=by,
                at=self._tx.clock.now(),
            )
        )

    async def get(self, proposal_id: UUID) -> Found | None:
        """Return a proposal with the state of its group, locked."""
        return await self._row(
            "SELECT proposal.*, course_group.state AS group_state FROM proposal LEFT JOIN course_group USING (group_id)"
            " WHERE proposal_id = :id FOR UPDATE OF proposal",
            id=proposal_id,
        )

    async def page(self, proposed_by: str | None, limit: int) -> Sequence[Found]:
        """Return proposals, newest first."""
        return await self._rows(
            "SELECT proposal.*, course_group.state AS group_state FROM proposal LEFT JOIN course_group USING (group_id)"
            " WHERE (CAST(:by AS text) IS NULL OR proposed_by = :by) ORDER BY proposed_at DESC, proposal_id LIMIT :limit",
            by=proposed_by,
            limit=limit,
        )

    async def decide(self, proposal_id: UUID, state: str, group_id: UUID | None) -> None:
        """Enter that a proposal is planned, or rejected."""
        await self._run(
            "UPDATE proposal SET state = :state, group_id = :group_id WHERE proposal_id = :id",
            id=proposal_id,
            state=state,
            group_id=group_id,
        )


class Candidates(Store):
    """Candidates for groups, as the jobseeker pools answered placement, and whom of them we invited."""

    async def ask(self, request_id: UUID, group_id: UUID, offices: Iterable[str]) -> None:
        """Record a request for candidates and whose pools are asked."""
        await self._run(
            "INSERT INTO pool_candidates (request_id, group_id, office)"
            " SELECT :request_id, :group_id, unnest(CAST(:offices AS text[]))",
            request_id=request_id,
            group_id=group_id,
            offices=list(offices),
        )

    async def enter(self, told: CandidatesGathered) -> bool:
        """Enter a pool's answer; the first one counts. False when nobody asked."""
        known = await self._row(
            "UPDATE pool_candidates SET candidates = coalesce(candidates, CAST(CAST(:candidates AS text) AS jsonb)),"
            " received_at = coalesce(received_at, :at) WHERE request_id = :id AND office = :office RETURNING 1",
            id=told.request_id,
            office=told.office,
            candidates=json.dumps([one.model_dump(mode="json") for one in told.candidates]),
            at=self._tx.clock.now(),
        )
        return known is not None

    async def of(self, group_id: UUID) -> Sequence[Found]:
        """Return the answers for a group."""
        return await self._rows(
            "SELECT * FROM pool_candidates WHERE group_id = :id ORDER BY request_id, office", id=group_id
        )

    async def invite(self, invitation_id: UUID, group_id: UUID, office: str, reference: str) -> bool:
        """Record an invitation; False when this candidate was invited to the group before."""
        return bool(
            await self._run(
                "INSERT INTO invitation (invitation_id, group_id, office, reference, invited_at)"
                " VALUES (:id, :group_id, :office, :reference, :at) ON CONFLICT DO NOTHING",
                id=invitation_id,
                group_id=group_id,
                office=office,
                reference=reference,
                at=self._tx.clock.now(),
            )
        )


class Planning(Store):
    """What supply planning starts from."""

    async def enter_release(self, told: WorkforceReleased) -> None:
        """Put a notice's newest releases in the place of its older ones; an older version changes nothing."""
        await self._run(
            "INSERT INTO released (notice_id, version, releases) VALUES (:id, :version,"
            " CAST(CAST(:releases AS text) AS jsonb)) ON CONFLICT (notice_id) DO UPDATE SET version = excluded.version,"
            " releases = excluded.releases WHERE released.version < excluded.version",
            id=told.notice_id,
            version=told.version,
            releases=json.dumps([one.model_dump(mode="json") for one in told.releases]),
        )

    async def enter_vacancy(self, told: VacancyPublished) -> None:
        """Put a vacancy's newest version in the place of its older ones; one that is not open demands nobody."""
        shown = told.vacancy if told.status is VacancyStatus.OPEN else None
        await self._run(
            "INSERT INTO demand (vacancy_id, version, occupation, municipality, positions)"
            " VALUES (:id, :version, :occupation, :municipality, :positions) ON CONFLICT (vacancy_id) DO UPDATE SET"
            " version = excluded.version, occupation = excluded.occupation, municipality = excluded.municipality,"
            " positions = excluded.positions WHERE demand.version < excluded.version",
            id=told.vacancy_id,
            version=told.version,
            occupation=shown.occupation.code if shown else "",
            municipality=shown.municipality if shown else "",
            positions=shown.positions if shown else 0,
        )

    async def applications(self, since: datetime) -> list[Waiting]:
        """Return applications that wait, or came since an instant."""
        rows = await self._rows(
            "SELECT occupation, municipality, queued_at, state = 'waiting' AS is_open FROM application"
            " JOIN course USING (course_id) WHERE state = 'waiting' OR queued_at >= :since",
            since=since,
        )
        return [Waiting(row.occupation, row.municipality, row.queued_at, row.is_open) for row in rows]

    async def released(self) -> dict[tuple[str, str], int]:
        """Return how many are expected to be released, by occupation and municipality; masked counts are left out."""
        rows = await self._rows(
            "SELECT one -> 'occupation' ->> 'code' AS occupation, one ->> 'municipality' AS municipality,"
            " sum(CAST(one ->> 'count' AS integer)) AS n FROM released, jsonb_array_elements(releases) AS one"
            " WHERE one ->> 'count' IS NOT NULL AND one -> 'occupation' ->> 'code' IS NOT NULL GROUP BY 1, 2"
        )
        return {(row.occupation, row.municipality or ""): int(row.n) for row in rows}

    async def vacancies(self) -> dict[tuple[str, str], int]:
        """Return open positions by occupation and municipality."""
        rows = await self._rows(
            "SELECT occupation, municipality, sum(positions) AS n FROM demand WHERE positions > 0 GROUP BY 1, 2"
        )
        return {(row.occupation, row.municipality): int(row.n) for row in rows}

    async def free_seats(self) -> dict[str, int]:
        """Return seats that nobody has yet in groups not ended, by occupation."""
        rows = await self._rows(
            "SELECT occupation, sum(CAST(details ->> 'seats' AS integer)"  # noqa: S608
            f" - (SELECT count(*) FROM seat_offer WHERE seat_offer.group_id = g.group_id AND state IN {HELD})) AS n"
            " FROM course_group AS g JOIN course USING (course_id)"
            " WHERE g.state NOT IN ('running', 'completed', 'cancelled') GROUP BY 1"
        )
        return {row.occupation: int(row.n) for row in rows}

    async def sizes(self) -> dict[str, tuple[int, int]]:
        """Return the least and the largest group of each occupation's courses."""
        rows = await self._rows(
            "SELECT occupation, min(CAST(course ->> 'min_size' AS integer)) AS least,"
            " max(CAST(course ->> 'max_size' AS integer)) AS most FROM course WHERE occupation <> '' GROUP BY 1"
        )
        return {row.occupation: (row.least, row.most) for row in rows}


class ForAdvisory(Store):
    """What advisory may know of proposals and of the work on applications and groups."""

    async def facts(self, business_id: str, _authority: str) -> tuple[list[Fact], list[Withheld]]:
        """Return an employer's proposals: the three authorities procure jointly."""
        rows = await self._rows(
            "SELECT proposal_id, proposed ->> 'kind' AS kind, coalesce(course_group.state, proposal.state) AS state,"
            " proposed_at FROM proposal LEFT JOIN course_group USING (group_id)"
            " WHERE proposed ->> 'business_id' = :business_id ORDER BY proposed_at, proposal_id LIMIT 500",
            business_id=business_id,
        )
        facts = [Fact(matter_id=row.proposal_id, what=row.kind, state=row.state, at=row.proposed_at) for row in rows]
        return facts, []

    async def work(self, since: datetime, until: datetime) -> list[WorkDone]:
        """Return how many decisions each authority's officers made, on training and on coaching."""
        rows = await self._rows(
            "SELECT acting_authority AS authority, CASE WHEN course ->> 'kind' LIKE '%coaching' THEN 'coaching'"
            " ELSE 'training' END AS task, count(*) AS n FROM decision"
            " LEFT JOIN application ON application_id = subject_id"
            " LEFT JOIN course_group ON course_group.group_id = subject_id"
            " LEFT JOIN course ON course.course_id = coalesce(application.course_id, course_group.course_id)"
            " WHERE acting_authority IS NOT NULL AND at >= :since AND at < :until GROUP BY 1, 2 ORDER BY 1, 2",
            since=since,
            until=until,
        )
        return [WorkDone(task=row.task, authority=row.authority, acts=row.n) for row in rows]


# -- a city's office --------------------------------------------------------------------------------------------------


class OwnApplications(Store):
    """A city's own applicants. Who they are never leaves it."""

    async def receive(
        self,
        application_id: UUID,
        applicant_id: str | None,
        course_id: UUID,
        application: Application,
        assessment: dict[str, int],
        by: str,
    ) -> bool:
        """Record an application; False when the applicant has one to this course that is not ended."""
        return bool(
            await self._run(
                "INSERT INTO own_application (application_id, applicant_id, course_id, application, assessment, state,"
                " version, reason, received_by, received_at) VALUES (:id, :applicant_id, :course_id,"
                " CAST(CAST(:application AS text) AS jsonb), CAST(CAST(:assessment AS text) AS jsonb), 'waiting', 1, '',"
                " :by, :at) ON CONFLICT DO NOTHING",
                id=application_id,
                applicant_id=applicant_id,
                course_id=course_id,
                application=application.model_dump_json(),
                assessment=json.dumps(assessment),
                by=by,
                at=self._tx.clock.now(),
            )
        )

    async def get(self, application_id: UUID) -> Found | None:
        """Return an application, locked."""
        return await self._row("SELECT * FROM own_application WHERE application_id = :id FOR UPDATE", id=application_id)

    async def page(self, state: str | None, after: UUID | None, limit: int) -> Sequence[Found]:
        """Return applications by id."""
        return await self._rows(
            "SELECT * FROM own_application WHERE (CAST(:state AS text) IS NULL OR state = :state)"
            " AND (CAST(:after AS uuid) IS NULL OR application_id > :after) ORDER BY application_id LIMIT :limit",
            state=state,
            after=after,
            limit=limit,
        )

    async def decided(self, told: ApplicationDecided) -> None:
        """Put where the joint office says the application stands; an older version changes nothing.

        An offer that is open here and no longer there is closed with it.
        """
        written = await self._run(
            "UPDATE own_application SET state = :state, group_id = :group_id, version = :version, reason = :reason"
            " WHERE application_id = :id AND version < :version",
            id=told.application_id,
            state=told.state,
            group_id=told.group_id,
            version=told.version,
            reason=told.reason,
        )
        if written and told.state is not ApplicationState.OFFERED:
            await self._run(
                "UPDATE own_offer SET state = 'closed' WHERE application_id = :id AND state = 'open'",
                id=told.application_id,
            )

    async def set_state(self, application_id: UUID, state: ApplicationState) -> None:
        """Put what the city itself has heard of the applicant, before the joint office has confirmed it."""
        await self._run(
            "UPDATE own_application SET state = :state WHERE application_id = :id", id=application_id, state=state
        )

    async def moved(self, application_id: UUID, to_office: str) -> None:
        """Note that the applicant has moved."""
        await self._run(
            "UPDATE own_application SET moved_to = :office WHERE application_id = :id",
            id=application_id,
            office=to_office,
        )
        await self._run(
            "UPDATE own_offer SET state = 'closed' WHERE application_id = :id AND state = 'open'", id=application_id
        )

    async def take_over(
        self, application_id: UUID, course_id: UUID, application: Application, state: ApplicationState, version: int
    ) -> None:
        """Record an application that comes from another city, or comes back."""
        await self._run(
            "INSERT INTO own_application (application_id, course_id, application, assessment, state, version, reason,"
            " received_by, received_at) VALUES (:id, :course_id, CAST(CAST(:application AS text) AS jsonb), '{}', :state,"
            " :version, '', 'another city', :at) ON CONFLICT (application_id) DO UPDATE SET state = excluded.state,"
            " version = excluded.version, moved_to = NULL WHERE own_application.version <= excluded.version",
            id=application_id,
            course_id=course_id,
            application=application.model_dump_json(),
            state=state,
            version=version,
            at=self._tx.clock.now(),
        )

    async def identify(self, application_id: UUID, applicant_id: str) -> bool:
        """Enter whose application it is; False when that applicant has another to the course that is not ended."""
        return bool(
            await self._run(
                "UPDATE own_application AS one SET applicant_id = :applicant_id WHERE application_id = :id"
                " AND NOT EXISTS (SELECT FROM own_application AS other WHERE other.applicant_id = :applicant_id"
                " AND other.course_id = one.course_id AND other.application_id <> one.application_id"
                " AND other.state IN ('waiting', 'offered', 'accepted') AND other.moved_to IS NULL)",
                id=application_id,
                applicant_id=applicant_id,
            )
        )

    async def receive_offer(self, told: SeatOffered) -> bool:
        """Keep a seat offer; False when it is here already."""
        return bool(
            await self._run(
                "INSERT INTO own_offer (offer_id, application_id, group_id, starts_on, answer_by, reason, state)"
                " VALUES (:id, :application_id, :group_id, :starts_on, :answer_by, :reason, 'open')"
                " ON CONFLICT DO NOTHING",
                id=told.offer_id,
                application_id=told.application_id,
                group_id=told.group_id,
                starts_on=told.starts_on,
                answer_by=told.answer_by,
                reason=told.reason,
            )
        )

    async def offer(self, offer_id: UUID) -> Found | None:
        """Return a seat offer, locked."""
        return await self._row("SELECT * FROM own_offer WHERE offer_id = :id FOR UPDATE", id=offer_id)

    async def offers(self, application_id: UUID) -> Sequence[Found]:
        """Return an application's seat offers."""
        return await self._rows(
            "SELECT * FROM own_offer WHERE application_id = :id ORDER BY answer_by, offer_id", id=application_id
        )

    async def answer_offer(self, offer_id: UUID, state: str) -> None:
        """Enter what became of a seat offer."""
        await self._run(
            "UPDATE own_offer SET state = :state, answered_at = :at WHERE offer_id = :id",
            id=offer_id,
            state=state,
            at=self._tx.clock.now(),
        )

    async def offers_past(self, limit: int = 200) -> Sequence[Found]:
        """Lock and return open offers whose deadline has gone; none that another process has."""
        return await self._rows(
            "SELECT * FROM own_offer WHERE state = 'open' AND answer_by < :now ORDER BY offer_id LIMIT :limit"
            " FOR UPDATE SKIP LOCKED",
            now=self._tx.clock.now(),
            limit=limit,
        )

    async def receive_invitation(self, told: ApplicantInvited) -> None:
        """Keep an invitation."""
        await self._run(
            "INSERT INTO own_invitation (invitation_id, group_id, course_id, reference, invited_at)"
            " VALUES (:id, :group_id, :course_id, :reference, :at) ON CONFLICT DO NOTHING",
            id=told.invitation_id,
            group_id=told.group_id,
            course_id=told.course_id,
            reference=told.reference,
            at=self._tx.clock.now(),
        )

    async def invitations(self, limit: int) -> Sequence[Found]:
        """Return invitations, newest first."""
        return await self._rows(
            "SELECT * FROM own_invitation ORDER BY invited_at DESC, invitation_id LIMIT :limit", limit=limit
        )


# -- rows and values --------------------------------------------------------------------------------------------------


def _entry(row: Found) -> Entry:
    return Entry(row.course_id, row.version, Course.model_validate(row.course))


def _held(row: Found) -> Held:
    return Held(row.group_id, row.course_id, row.version, GroupState(row.state), Group.model_validate(row.details))


def _applicant(row: Found) -> Applicant:
    return Applicant(
        application_id=row.application_id,
        authority=row.office,
        points=row.points,
        queued_at=row.queued_at,
        languages=frozenset(row.languages),
        travel=frozenset(row.travel),
        can_start_from=row.can_start_from,
    )
