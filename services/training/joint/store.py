"""The queries of the joint side.

The catalogue's lock on a course comes first in every act on its seats (`services.training.catalogue`); the unique index
`seat_offer_held` is the last word: an applicant holds at most one seat.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import tuple_
from sqlalchemy.dialects.postgresql import insert as insert_one
from sqlmodel import col, select

from services.training.domain.procurement import Proposal, ProposalState
from services.training.domain.seats import KEEPS_SEAT, STANDING, Actor, Applicant, SeatOfferState
from services.training.domain.supply import Waiting, demand_of
from services.training.joint.tables import (
    ApplicationRow,
    DecisionRow,
    DemandRow,
    FormationRow,
    InvitationRow,
    PoolCandidatesRow,
    ProposalRow,
    ReleasedRow,
    SeatOfferRow,
)
from shared.database import insert
from shared.events.v1.change_security import WorkforceReleased
from shared.events.v1.placement import VacancyPublished, VacancyState
from shared.events.v1.training import ApplicationReceived, ApplicationState, GroupState
from shared.store import Store

_RELEASED = insert(ReleasedRow, WorkforceReleased, replace=("version", "releases"), version="version")
_DEMAND = insert(
    DemandRow, DemandRow, replace=("version", "occupation", "municipality", "positions"), version="version"
)


class Seat(BaseModel):
    """A seat offer with its applicant's home authority and opaque reference."""

    model_config = ConfigDict(frozen=True)

    offer_id: UUID
    application_id: UUID
    authority: str
    reference: str
    state: SeatOfferState
    reason: str
    made_at: datetime
    answer_by: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """An application's place in the joint queue. `position` counts from 1."""

    position: int
    application_id: UUID
    office: str
    reference: str
    points: int
    queued_at: datetime


class StandingProposal(BaseModel):
    """A proposal with the state of its group, once it is planned."""

    model_config = ConfigDict(frozen=True)

    proposal_id: UUID
    proposed: Proposal
    proposed_by: str
    proposed_at: datetime
    state: ProposalState
    group_id: UUID | None
    group_state: GroupState | None


_SEAT = (
    "SELECT offer_id, application_id, application.office AS authority, reference, seat_offer.state, seat_offer.reason,"
    " made_at, answer_by, answered_at FROM seat_offer JOIN application USING (application_id)"
)


class Queue(Store):
    """The joint queue: applications by opaque reference, and who holds which seat."""

    async def receive(self, event: ApplicationReceived) -> bool:
        """Put an application into the queue; False when it is there already."""
        application = event.application
        row = ApplicationRow(
            application_id=event.application_id,
            course_id=event.course_id,
            office=event.office,
            reference=application.reference,
            points=application.points,
            queued_at=application.queued_at,
            languages=list(application.languages),
            municipality=application.municipality,
            travel=list(application.travel),
            can_start_from=application.can_start_from,
            state=ApplicationState.WAITING,
            version=1,
            reason="",
        )
        return bool(await self._run(insert_one(ApplicationRow).values(**row.model_dump()).on_conflict_do_nothing()))

    async def get(self, application_id: UUID) -> ApplicationRow | None:
        """Return an application."""
        return await self._get(ApplicationRow, application_id)

    async def waiting(self, course_id: UUID) -> list[Applicant]:
        """Return who waits for a course, in the order of the decision rule."""
        rows = await self._all(
            select(ApplicationRow)
            .where(ApplicationRow.course_id == course_id, ApplicationRow.state == ApplicationState.WAITING)
            .order_by(
                col(ApplicationRow.points).desc(), col(ApplicationRow.queued_at), col(ApplicationRow.application_id)
            )
        )
        return [_applicant(row) for row in rows]

    async def page(self, course_id: UUID, after: UUID | None, limit: int) -> list[QueuePlace]:
        """Return a part of a course's waiting list: who comes after an application, each with the position."""
        return await self._values(
            QueuePlace,
            "SELECT position, application_id, office, reference, points, queued_at FROM ("
            " SELECT *, row_number() OVER (ORDER BY points DESC, queued_at, application_id) AS position"
            " FROM application WHERE course_id = :id AND state = 'waiting') AS queue"
            " WHERE CAST(:after AS uuid) IS NULL OR (-points, queued_at, application_id) >"
            " (SELECT -points, queued_at, application_id FROM application WHERE application_id = :after)"
            " ORDER BY position LIMIT :limit",
            id=course_id,
            after=after,
            limit=limit,
        )

    async def position(self, application: ApplicationRow) -> int | None:
        """Return an application's place in the waiting list, from 1; None when it does not wait."""
        if application.state is not ApplicationState.WAITING:
            return None
        (ahead,) = await self._values(
            int,
            "SELECT count(*) FROM application WHERE course_id = :id AND state = 'waiting'"
            " AND (-points, queued_at, application_id) < (:points, :queued_at, :application_id)",
            id=application.course_id,
            points=-application.points,
            queued_at=application.queued_at,
            application_id=application.application_id,
        )
        return ahead + 1

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

    async def seats(self, group_id: UUID) -> list[Seat]:
        """Return a group's seats that are accepted, or offered and not answered, oldest first."""
        return await self._values(
            Seat,
            f"{_SEAT} WHERE seat_offer.group_id = :id AND seat_offer.state = ANY (:states) ORDER BY made_at",
            id=group_id,
            states=sorted(KEEPS_SEAT),
        )

    async def offers(self, group_id: UUID, after: tuple[datetime, UUID] | None, limit: int) -> list[Seat]:
        """Return seat offers of a group, whatever became of them, oldest first."""
        made_at, offer_id = after or (None, None)
        return await self._values(
            Seat,
            f"{_SEAT} WHERE seat_offer.group_id = :id AND (CAST(:offer_id AS uuid) IS NULL"
            " OR (made_at, offer_id) > (:made_at, :offer_id)) ORDER BY made_at, offer_id LIMIT :limit",
            id=group_id,
            made_at=made_at,
            offer_id=offer_id,
            limit=limit,
        )

    async def seat(self, offer_id: UUID) -> Seat | None:
        """Return a seat offer with its applicant's home."""
        rows = await self._values(Seat, f"{_SEAT} WHERE offer_id = :id", id=offer_id)
        return rows[0] if rows else None

    async def holders(self, group_id: UUID) -> list[UUID]:
        """Return the seats of a group that were accepted, whether or not they were left later."""
        return await self._values(
            UUID,
            "SELECT offer_id FROM seat_offer WHERE group_id = :id AND state IN ('accepted', 'dropped_out')",
            id=group_id,
        )

    async def turned_down(self, group_id: UUID) -> set[UUID]:
        """Return who was offered a seat in this group before and holds none now."""
        kept = [*KEEPS_SEAT, SeatOfferState.MOVED, SeatOfferState.CORRECTED]
        query = select(SeatOfferRow.application_id).where(
            SeatOfferRow.group_id == group_id, col(SeatOfferRow.state).not_in(kept)
        )
        return set(await self._all(query.distinct()))

    async def add_offer(self, offer: SeatOfferRow) -> None:
        """Record a seat offer.

        What frees the applicant's seat is written before: the session inserts before it updates, and the index allows
        one seat.
        """
        await self._tx.flush()
        self._tx.session.add(offer)

    async def held_offer(self, application_id: UUID) -> SeatOfferRow | None:
        """Return the seat offer that an application holds."""
        return await self._first(
            select(SeatOfferRow).where(
                SeatOfferRow.application_id == application_id, col(SeatOfferRow.state).in_(KEEPS_SEAT)
            )
        )

    async def last_offer(self, application_id: UUID) -> SeatOfferRow | None:
        """Return the newest seat offer to an application, whatever became of it."""
        return await self._first(
            select(SeatOfferRow)
            .where(SeatOfferRow.application_id == application_id)
            .order_by(col(SeatOfferRow.made_at).desc(), col(SeatOfferRow.offer_id).desc())
            .limit(1)
        )

    async def has_applied_anew(self, application: ApplicationRow) -> bool:
        """Whether the applicant has another application to the course that has not ended."""
        other = select(ApplicationRow.application_id).where(
            ApplicationRow.course_id == application.course_id,
            ApplicationRow.office == application.office,
            ApplicationRow.reference == application.reference,
            ApplicationRow.application_id != application.application_id,
            col(ApplicationRow.state).in_(STANDING),
        )
        return await self._first(other.limit(1)) is not None

    async def offer(self, offer_id: UUID) -> SeatOfferRow | None:
        """Return a seat offer."""
        return await self._get(SeatOfferRow, offer_id)


class Formations(Store):
    """Groups that were proposed from the queue."""

    def add(self, formation: FormationRow) -> None:
        """Keep proposed groups."""
        self._tx.session.add(formation)

    async def get(self, formation_id: UUID) -> FormationRow | None:
        """Return proposed groups."""
        return await self._get(FormationRow, formation_id)

    async def lock(self, formation_id: UUID) -> FormationRow | None:
        """Return proposed groups to be adopted."""
        return await self._get(FormationRow, formation_id, lock=True)


class Decisions(Store):
    """Who decided what, why, and for whose authority."""

    def enter(self, subject_id: UUID, act: str, reason: str, actor: Actor, competent: str | None = None) -> None:
        """Enter a decision about an application, a group or a proposal. `competent`: the competent authority."""
        self._tx.session.add(
            DecisionRow(
                subject_id=subject_id,
                act=act,
                reason=reason,
                actor=actor.name,
                competent_authority=competent,
                acting_authority=actor.authority,
                at=self._tx.clock.now(),
            )
        )

    async def selection(self, application_id: UUID, decision_id: int) -> DecisionRow | None:
        """Return the decision to offer an application a seat, or to reject it; None when it is no such decision."""
        return await self._first(
            select(DecisionRow).where(
                DecisionRow.decision_id == decision_id,
                DecisionRow.subject_id == application_id,
                col(DecisionRow.act).in_((ApplicationState.OFFERED, ApplicationState.REJECTED)),
            )
        )

    async def about(self, subject_id: UUID) -> Sequence[DecisionRow]:
        """Return the decisions about an application, a group or a proposal, oldest first."""
        return await self._all(
            select(DecisionRow).where(DecisionRow.subject_id == subject_id).order_by(col(DecisionRow.decision_id))
        )


_PROPOSAL = (
    "SELECT proposal_id, proposed, proposed_by, proposed_at, proposal.state, group_id,"
    " course_group.state AS group_state FROM proposal LEFT JOIN course_group USING (group_id)"
)


class Procurement(Store):
    """Employers' proposals of joint-procurement training."""

    def add(self, proposal: ProposalRow) -> None:
        """Record a proposal."""
        self._tx.session.add(proposal)

    async def get(self, proposal_id: UUID) -> StandingProposal | None:
        """Return a proposal with the state of its group."""
        rows = await self._values(StandingProposal, f"{_PROPOSAL} WHERE proposal_id = :id", id=proposal_id)
        return rows[0] if rows else None

    async def lock(self, proposal_id: UUID) -> ProposalRow | None:
        """Return a proposal to be decided."""
        return await self._get(ProposalRow, proposal_id, lock=True)

    async def page(
        self, proposed_by: str | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[StandingProposal]:
        """Return proposals, newest first."""
        proposed_at, proposal_id = after or (None, None)
        return await self._values(
            StandingProposal,
            f"{_PROPOSAL} WHERE (CAST(:by AS text) IS NULL OR proposed_by = :by)"
            " AND (CAST(:proposal_id AS uuid) IS NULL OR (proposed_at, proposal_id) < (:proposed_at, :proposal_id))"
            " ORDER BY proposed_at DESC, proposal_id DESC LIMIT :limit",
            by=proposed_by,
            proposed_at=proposed_at,
            proposal_id=proposal_id,
            limit=limit,
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

    async def lock(self, request_id: UUID, office: str) -> PoolCandidatesRow | None:
        """Return what a pool was asked for, to enter its answer."""
        return await self._get(PoolCandidatesRow, request_id, office, lock=True)

    async def page(self, group_id: UUID, after: tuple[UUID, str] | None, limit: int) -> Sequence[PoolCandidatesRow]:
        """Return the pools that were asked for a group, by request and office."""
        request_id, office = after or (None, None)
        return await self._rows(
            PoolCandidatesRow,
            "SELECT * FROM pool_candidates WHERE group_id = :id AND (CAST(:request_id AS uuid) IS NULL"
            " OR (request_id, office) > (:request_id, :office)) ORDER BY request_id, office LIMIT :limit",
            id=group_id,
            request_id=request_id,
            office=office,
            limit=limit,
        )

    async def answers(self, group_id: UUID, office: str) -> Sequence[PoolCandidatesRow]:
        """Return what a pool has answered for a group."""
        return await self._all(
            select(PoolCandidatesRow).where(
                PoolCandidatesRow.group_id == group_id,
                PoolCandidatesRow.office == office,
                col(PoolCandidatesRow.received_at).is_not(None),
            )
        )

    async def invite(self, invitation: InvitationRow) -> bool:
        """Record an invitation; False when this candidate was invited to the group before."""
        statement = insert_one(InvitationRow).values(**invitation.model_dump()).on_conflict_do_nothing()
        return bool(await self._run(statement))

    async def invitation(self, invitation_id: UUID, office: str) -> InvitationRow | None:
        """Lock and return an invitation; None when the office has no such one."""
        row = await self._get(InvitationRow, invitation_id, lock=True)
        return row if row is not None and row.office == office else None

    async def invitations(
        self, group_id: UUID, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[InvitationRow]:
        """Return the invitations to a group, the oldest first."""
        order = (col(InvitationRow.invited_at), col(InvitationRow.invitation_id))
        query = select(InvitationRow).where(InvitationRow.group_id == group_id).order_by(*order).limit(limit)
        return await self._all(query if after is None else query.where(tuple_(*order) > after))


@dataclass(frozen=True, slots=True)
class _Count:
    occupation: str
    municipality: str
    n: int


@dataclass(frozen=True, slots=True)
class _Seats:
    occupation: str
    n: int


@dataclass(frozen=True, slots=True)
class _Sizes:
    occupation: str
    least: int
    most: int


class Planning(Store):
    """What supply planning starts from."""

    def enter_release(self, event: WorkforceReleased) -> None:
        """Put a notice's newest releases in the place of its older ones; an older version changes nothing."""
        self._tx.stage(_RELEASED, event)

    def enter_vacancy(self, event: VacancyPublished) -> None:
        """Put a vacancy's newest version in the place of its older ones; one that is not open demands nobody."""
        vacancy = event.vacancy if event.status is VacancyState.OPEN else None
        row = DemandRow(
            vacancy_id=event.vacancy_id,
            version=event.version,
            occupation=vacancy.occupation.code if vacancy else "",
            municipality=vacancy.municipality if vacancy else "",
            positions=demand_of(event),
        )
        self._tx.stage(_DEMAND, row)

    async def applications(self, since: datetime) -> list[Waiting]:
        """Return applications that wait, or came since an instant."""
        return await self._values(
            Waiting,
            "SELECT occupation, municipality, queued_at, state = 'waiting' AS is_open FROM application"
            " JOIN course USING (course_id) WHERE state = 'waiting' OR queued_at >= :since",
            since=since,
        )

    async def released(self) -> dict[tuple[str, str], int]:
        """Return how many are expected to be released, by occupation and municipality; masked counts are left out."""
        rows = await self._values(
            _Count,
            "SELECT release -> 'occupation' ->> 'code' AS occupation,"
            " coalesce(release ->> 'municipality', '') AS municipality,"
            " sum(CAST(release ->> 'count' AS integer)) AS n FROM released, jsonb_array_elements(releases) AS release"
            " WHERE release ->> 'count' IS NOT NULL AND release -> 'occupation' ->> 'code' IS NOT NULL GROUP BY 1, 2",
        )
        return {(row.occupation, row.municipality): row.n for row in rows}

    async def vacancies(self) -> dict[tuple[str, str], int]:
        """Return open positions by occupation and municipality."""
        rows = await self._values(
            _Count, "SELECT occupation, municipality, sum(positions) AS n FROM demand WHERE positions > 0 GROUP BY 1, 2"
        )
        return {(row.occupation, row.municipality): row.n for row in rows}

    async def free_seats(self) -> dict[str, int]:
        """Return seats that nobody has yet in groups not ended, by occupation."""
        rows = await self._values(
            _Seats,
            "SELECT occupation, CAST(sum(CAST(details ->> 'seats' AS integer) - (SELECT count(*) FROM seat_offer"
            " WHERE seat_offer.group_id = g.group_id AND state = ANY (:states))) AS integer) AS n"
            " FROM course_group AS g JOIN course USING (course_id)"
            " WHERE g.state NOT IN ('running', 'completed', 'cancelled') GROUP BY 1",
            states=sorted(KEEPS_SEAT),
        )
        return {row.occupation: row.n for row in rows}

    async def sizes(self) -> dict[str, tuple[int, int]]:
        """Return the least and the largest group of each occupation's courses."""
        rows = await self._values(
            _Sizes,
            "SELECT occupation, min(CAST(course ->> 'min_size' AS integer)) AS least,"
            " max(CAST(course ->> 'max_size' AS integer)) AS most FROM course WHERE occupation <> '' GROUP BY 1",
        )
        return {row.occupation: (row.least, row.most) for row in rows}


def _applicant(row: ApplicationRow) -> Applicant:
    return Applicant(
        application_id=row.application_id,
        authority=row.office,
        points=row.points,
        queued_at=row.queued_at,
        languages=frozenset(row.languages),
        travel=frozenset(row.travel),
        can_start_from=row.can_start_from,
    )
