"""The queries of a city's side. Who its applicants are never leaves it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlalchemy.dialects.postgresql import insert as insert_one
from sqlmodel import col, select

from services.training.authority.tables import OwnApplicationRow, OwnInvitationRow, OwnOfferRow
from services.training.domain.own_application import OwnOfferState
from services.training.domain.seats import STANDING
from shared.database import insert
from shared.events.v1.training import ApplicationState, QueuePlace
from shared.store import Store

_INVITATION = insert(OwnInvitationRow, OwnInvitationRow)


class OwnApplications(Store):
    """A city's own applications."""

    async def add(self, application: OwnApplicationRow) -> bool:
        """Record an application; False when the applicant has one to this course that is not ended."""
        statement = insert_one(OwnApplicationRow).values(**application.model_dump()).on_conflict_do_nothing()
        return bool(await self._run(statement))

    async def take_over(self, application: OwnApplicationRow) -> None:
        """Record an application that comes from another city, or comes back."""
        statement = insert_one(OwnApplicationRow).values(**application.model_dump())
        await self._run(
            statement.on_conflict_do_update(
                index_elements=["application_id"],
                set_={"state": statement.excluded.state, "version": statement.excluded.version, "moved_to": None},
                where=col(OwnApplicationRow.version) <= statement.excluded.version,
            )
        )

    async def get(self, application_id: UUID) -> OwnApplicationRow | None:
        """Return an application."""
        return await self._get(OwnApplicationRow, application_id)

    async def lock(self, application_id: UUID) -> OwnApplicationRow | None:
        """Return an application to be changed."""
        return await self._get(OwnApplicationRow, application_id, lock=True)

    async def has_another(self, application: OwnApplicationRow) -> bool:
        """Whether the applicant has another application to the course that has not ended and goes on here."""
        if application.applicant_id is None:
            return False
        another = select(OwnApplicationRow.application_id).where(
            OwnApplicationRow.applicant_id == application.applicant_id,
            OwnApplicationRow.course_id == application.course_id,
            OwnApplicationRow.application_id != application.application_id,
            col(OwnApplicationRow.state).in_(STANDING),
            col(OwnApplicationRow.moved_to).is_(None),
        )
        return await self._first(another.limit(1)) is not None

    async def page(
        self, state: ApplicationState | None, after: UUID | None, limit: int, *, is_identified: bool | None = None
    ) -> Sequence[OwnApplicationRow]:
        """Return applications by id; `is_identified`: those whose applicant is known here, or is not yet."""
        query = select(OwnApplicationRow).order_by(col(OwnApplicationRow.application_id)).limit(limit)
        if state is not None:
            query = query.where(OwnApplicationRow.state == state)
        if is_identified is not None:
            applicant = col(OwnApplicationRow.applicant_id)
            query = query.where(applicant.is_not(None) if is_identified else applicant.is_(None))
        if after is not None:
            query = query.where(col(OwnApplicationRow.application_id) > after)
        return await self._all(query)

    async def place(self, course_id: UUID, as_of: datetime, places: Sequence[QueuePlace]) -> None:
        """Keep the places in a course's queue, unless newer ones are known; who has moved away is passed over."""
        await self._run(
            "UPDATE own_application AS own SET position = given.position, estimated_start = given.estimated_start,"
            " place_as_of = :as_of FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS integer[]),"
            " CAST(:starts AS date[])) AS given(application_id, position, estimated_start)"
            " WHERE own.application_id = given.application_id AND own.course_id = :course_id AND moved_to IS NULL"
            " AND (place_as_of IS NULL OR place_as_of < :as_of)",
            course_id=course_id,
            as_of=as_of,
            ids=[place.application_id for place in places],
            positions=[place.position for place in places],
            starts=[place.estimated_start for place in places],
        )

    async def identify(self, application_id: UUID, applicant_id: str) -> bool:
        """Enter whose application it is; False when that applicant has another to the course that is not ended."""
        return bool(
            await self._run(
                "UPDATE own_application AS own SET applicant_id = :applicant_id WHERE application_id = :id"
                " AND NOT EXISTS (SELECT FROM own_application AS other WHERE other.applicant_id = :applicant_id"
                " AND other.course_id = own.course_id AND other.application_id <> own.application_id"
                " AND other.state IN ('waiting', 'offered', 'accepted') AND other.moved_to IS NULL)",
                id=application_id,
                applicant_id=applicant_id,
            )
        )

    # -- seat offers

    async def add_offer(self, offer: OwnOfferRow) -> bool:
        """Keep a seat offer; False when it is here already."""
        return bool(await self._run(insert_one(OwnOfferRow).values(**offer.model_dump()).on_conflict_do_nothing()))

    async def lock_offer(self, offer_id: UUID) -> OwnOfferRow | None:
        """Return a seat offer to be answered."""
        return await self._get(OwnOfferRow, offer_id, lock=True)

    async def offers(self, application_ids: Iterable[UUID]) -> Sequence[OwnOfferRow]:
        """Return the seat offers of applications, by deadline."""
        return await self._all(
            select(OwnOfferRow)
            .where(col(OwnOfferRow.application_id).in_(list(application_ids)))
            .order_by(col(OwnOfferRow.answer_by), col(OwnOfferRow.offer_id))
        )

    async def close_offers(self, application_id: UUID) -> None:
        """Close the open seat offers of an application: the joint office has ended them."""
        await self._run(
            "UPDATE own_offer SET state = 'closed' WHERE application_id = :id AND state = 'open'", id=application_id
        )

    async def offers_past(self, limit: int = 200) -> Sequence[OwnOfferRow]:
        """Lock and return open offers whose deadline has gone; none that another process has."""
        return await self._all(
            select(OwnOfferRow)
            .where(OwnOfferRow.state == OwnOfferState.OPEN, OwnOfferRow.answer_by < self._tx.clock.now())
            .order_by(col(OwnOfferRow.offer_id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

    # -- invitations

    def add_invitation(self, invitation: OwnInvitationRow) -> None:
        """Keep an invitation; one that is here already stays as it is."""
        self._tx.stage(_INVITATION, invitation)

    async def lock_invitation(self, invitation_id: UUID) -> OwnInvitationRow | None:
        """Return an invitation to be answered."""
        return await self._get(OwnInvitationRow, invitation_id, lock=True)

    async def invitations(
        self, after: tuple[datetime, UUID] | None, limit: int, *, is_answered: bool | None = None
    ) -> Sequence[OwnInvitationRow]:
        """Return invitations, newest first; `is_answered`: those of which something came, or those that wait."""
        order = (col(OwnInvitationRow.invited_at), col(OwnInvitationRow.invitation_id))
        query = select(OwnInvitationRow).order_by(*(column.desc() for column in order)).limit(limit)
        if is_answered is not None:
            answer = col(OwnInvitationRow.answer)
            query = query.where(answer.is_not(None) if is_answered else answer.is_(None))
        return await self._all(query if after is None else query.where(tuple_(*order) < after))
