"""What a city does with the joint office's messages.

Idempotent by the inbox; beyond it, by version (decisions, courses, groups) and because an offer is kept once.
"""

from dataclasses import dataclass

from services.training.authority.commands import CityApplications
from services.training.catalogue import Catalogue
from shared.events.v1.training import (
    ApplicantInvited,
    ApplicationDecided,
    ApplicationHandedOver,
    CoursePublished,
    GroupPublished,
    QueuePlacesChanged,
    SeatOffered,
)
from shared.messaging.handlers import Handlers
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class CityHandlers:
    """The handlers of a city's side."""

    applications: CityApplications

    async def receive_offer(self, event: SeatOffered, tx: Transaction) -> None:
        """Keep a seat offer for the applicant to answer."""
        await self.applications.receive_offer(tx, event)

    async def receive_decision(self, event: ApplicationDecided, tx: Transaction) -> None:
        """Keep where an application stands at the joint office."""
        await self.applications.receive_decision(tx, event)

    async def receive_places(self, event: QueuePlacesChanged, tx: Transaction) -> None:
        """Keep where applicants stand in a joint queue."""
        await self.applications.receive_places(tx, event)

    async def take_over(self, event: ApplicationHandedOver, tx: Transaction) -> None:
        """Keep an application whose applicant has moved here."""
        await self.applications.take_over(tx, event)

    async def receive_invitation(self, event: ApplicantInvited, tx: Transaction) -> None:
        """Keep an invitation for an officer."""
        self.applications.receive_invitation(tx, event)


async def keep_course(event: CoursePublished, tx: Transaction) -> None:
    """Copy a course: the city takes applications with the joint office down."""
    Catalogue(tx).save_course(event)


async def keep_group(event: GroupPublished, tx: Transaction) -> None:
    """Copy a group."""
    Catalogue(tx).save_group(event)


def handlers_of(applications: CityApplications) -> Handlers:
    """Return the handler of each event type that a city reads."""
    city = CityHandlers(applications)
    return Handlers(
        keep_course,
        keep_group,
        city.receive_offer,
        city.receive_decision,
        city.take_over,
        city.receive_invitation,
        city.receive_places,
    )
