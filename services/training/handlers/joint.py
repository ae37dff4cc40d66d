"""The joint side: what the cities tell of their applicants, the pools' candidates, and what planning starts from.

Idempotent by the inbox; beyond it, because an application is queued once, an offer's first answer counts, and releases
and vacancies carry versions. The same messages again give the same seats.
"""

from collections.abc import Mapping

from services.training.commands import JointTraining
from services.training.store import Candidates, Planning, Queue
from shared.errors import UnprocessableError
from shared.events.v1.change_security import WorkforceReleased
from shared.events.v1.placement import CandidatesGathered, VacancyPublished
from shared.events.v1.training import (
    ApplicationIdentified,
    ApplicationReceived,
    ApplicationTransferred,
    ApplicationWithdrawn,
    SeatAnswered,
)
from shared.messaging.handlers import Handler
from shared.messaging.transaction import Transaction


class JointHandlers:
    """The handlers of the joint side."""

    def __init__(self, training: JointTraining) -> None:
        self._training = training

    def by_type(self) -> Mapping[str, Handler]:
        """Return the handler of each event type."""
        return {
            ApplicationReceived.type_name(): self.receive,
            ApplicationWithdrawn.type_name(): self.withdraw,
            SeatAnswered.type_name(): self.answer,
            ApplicationTransferred.type_name(): self.transfer,
            ApplicationIdentified.type_name(): identify,
            CandidatesGathered.type_name(): enter_candidates,
            WorkforceReleased.type_name(): plan_release,
            VacancyPublished.type_name(): plan_vacancy,
        }

    async def receive(self, event: ApplicationReceived, tx: Transaction) -> None:
        """Put an application into its queue; a free seat is offered at once."""
        await self._training.receive(tx, event)

    async def withdraw(self, event: ApplicationWithdrawn, tx: Transaction) -> None:
        """Withdraw an application; its seat goes on."""
        await self._training.withdraw(tx, event.application_id, event.office)

    async def answer(self, event: SeatAnswered, tx: Transaction) -> None:
        """Enter an answer; a seat that is turned down goes on."""
        await self._training.answer(tx, event)

    async def transfer(self, event: ApplicationTransferred, tx: Transaction) -> None:
        """Give an application to the city that its applicant has moved to."""
        await self._training.hand_over(tx, event.application_id, event.office, event.to_office)


async def identify(event: ApplicationIdentified, tx: Transaction) -> None:
    """Put the new city's reference to an application that was handed over."""
    if not await Queue(tx).identify(event.application_id, event.office, event.reference):
        raise UnprocessableError("the application is not that city's", "unknown-application")


async def enter_candidates(event: CandidatesGathered, tx: Transaction) -> None:
    """Enter a pool's candidates for a group."""
    if not await Candidates(tx).enter(event):
        raise UnprocessableError("that pool was not asked", "not-asked")


async def plan_release(event: WorkforceReleased, tx: Transaction) -> None:
    """Take what change security expects to be released into supply planning."""
    await Planning(tx).enter_release(event)


async def plan_vacancy(event: VacancyPublished, tx: Transaction) -> None:
    """Take a vacancy into supply planning, as demand."""
    await Planning(tx).enter_vacancy(event)
