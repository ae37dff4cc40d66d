"""The queries of the places in the queues that the cities know."""

from uuid import UUID

from services.training.domain.places import Place
from services.training.joint.tables import QueuePlaceRow
from shared.database import insert
from shared.store import Store

_PLACE = insert(QueuePlaceRow, QueuePlaceRow, replace=("course_id", "office", "position", "estimated_start"))


class Places(Store):
    """Places in the queues, as the applicants' cities were last told."""

    async def courses(self) -> list[UUID]:
        """Return the courses that somebody waits for, or of which a city knows places."""
        return await self._values(
            UUID, "SELECT course_id FROM application WHERE state = 'waiting' UNION SELECT course_id FROM queue_place"
        )

    async def known(self, course_id: UUID) -> list[Place]:
        """Return the places of a course that the cities know."""
        return await self._values(
            Place,
            "SELECT application_id, office AS authority, position, estimated_start FROM queue_place"
            " WHERE course_id = :id",
            id=course_id,
        )

    def keep(self, course_id: UUID, place: Place) -> None:
        """Keep what a city is told."""
        row = QueuePlaceRow(
            application_id=place.application_id,
            course_id=course_id,
            office=place.authority,
            position=place.position,
            estimated_start=place.estimated_start,
        )
        self._tx.stage(_PLACE, row)

    async def forget(self, course_id: UUID) -> None:
        """Forget the places of who waits no more: who waits again is told anew."""
        await self._run(
            "DELETE FROM queue_place USING application WHERE queue_place.course_id = :id"
            " AND application.application_id = queue_place.application_id AND application.state <> 'waiting'",
            id=course_id,
        )
