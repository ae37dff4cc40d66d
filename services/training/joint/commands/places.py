"""Places in the joint queues: who is where and when each may start, told to the applicants' own cities."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from services.training.catalogue import Catalogue
from services.training.domain.places import TAKES_LATER, Place, Room, changed, places
from services.training.joint.commands.seats import JointSeats
from services.training.joint.quota_store import Places
from services.training.joint.store import Queue
from shared.calendar import local_day
from shared.events.v1.training import QueuePlace, QueuePlacesChanged
from shared.messaging.transaction import Database, Transaction

_AT_MOST = 500
"""Places in one message."""


@dataclass(frozen=True)
class JointPlaces:
    """Tells each city the places of its applicants, as far as they have changed."""

    seats: JointSeats

    async def tell_all(self, database: Database) -> None:
        """Tell the places of every course that have changed since the cities were told; each course by itself."""
        async with database.read() as tx:
            courses = await Places(tx).courses()
        for course_id in courses:
            async with database.transaction(uuid4()) as tx:
                await self.tell(tx, course_id)

    async def tell(self, tx: Transaction, course_id: UUID) -> None:
        """Tell the places of a course that have changed: a message for each city and 500 places."""
        if await Catalogue(tx).lock(course_id) is None:
            return
        await Places(tx).forget(course_id)
        news = changed(await self.places(tx, course_id), await Places(tx).known(course_id))
        for place in news:
            Places(tx).keep(course_id, place)
        for authority in sorted({place.authority for place in news}):
            own = [_told(place) for place in news if place.authority == authority]
            for start in range(0, len(own), _AT_MOST):
                told = tuple(own[start : start + _AT_MOST])
                tx.publish(QueuePlacesChanged(course_id=course_id, as_of=tx.clock.now(), places=told), to=authority)

    async def places(self, tx: Transaction, course_id: UUID) -> Sequence[Place]:
        """Return everyone's place in a course's queue as it is now."""
        course, today = await Catalogue(tx).course(course_id), local_day(tx.clock.now())
        rooms = []
        for group in await Catalogue(tx).groups_of(course_id):
            if group.state in TAKES_LATER and today <= group.last_entry_day(course.course):
                taken = [seat.authority for seat in await Queue(tx).seats(group.group_id)]
                passed_over = frozenset(await Queue(tx).turned_down(group.group_id))
                seats = group.group.seats - await self.seats.staff(tx, group.group_id)
                rooms.append(Room(group.slot(course.course), seats, taken, passed_over))
        quota = await self.seats.quota(tx, today)
        return places(await Queue(tx).waiting(course_id), rooms, quota.percents, today)


def _told(place: Place) -> QueuePlace:
    return QueuePlace(
        application_id=place.application_id, position=place.position, estimated_start=place.estimated_start
    )
