"""What the joint office does with messages: of the cities' applicants, of the pools' candidates, for planning.

Idempotent by the inbox; beyond it, because an application is queued once, an offer's first answer counts, and releases
and vacancies carry versions. The same messages again give the same seats.
"""

from dataclasses import dataclass

from services.training.joint.commands.candidates import JointCandidates
from services.training.joint.commands.seats import JointSeats
from services.training.joint.store import Planning
from shared.agreement import keep_agreement
from shared.errors import UnprocessableError
from shared.events.v1.change_security import WorkforceReleased
from shared.events.v1.placement import CandidatesGathered, VacancyPublished
from shared.events.v1.training import (
    ApplicationIdentified,
    ApplicationReceived,
    ApplicationTransferred,
    ApplicationWithdrawn,
    InvitationAnswered,
    SeatAnswered,
)
from shared.messaging.handlers import Handlers
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointHandlers:
    """The handlers of the joint side."""

    seats: JointSeats
    candidates: JointCandidates

    async def receive(self, event: ApplicationReceived, tx: Transaction) -> None:
        """Put an application into its queue; a free seat is offered at once."""
        await self.seats.receive(tx, event)

    async def withdraw(self, event: ApplicationWithdrawn, tx: Transaction) -> None:
        """Withdraw an application; its seat goes on."""
        await self.seats.withdraw(tx, event.application_id, event.office)

    async def answer(self, event: SeatAnswered, tx: Transaction) -> None:
        """Enter an answer; a seat that is turned down goes on."""
        await self.seats.answer(tx, event)

    async def transfer(self, event: ApplicationTransferred, tx: Transaction) -> None:
        """Give an application to the city that its applicant has moved to."""
        await self.seats.hand_over(tx, event.application_id, event.office, event.to_office)

    async def identify(self, event: ApplicationIdentified, tx: Transaction) -> None:
        """Put the new city's reference to an application that was handed over."""
        await self.seats.identify(tx, event.application_id, event.office, event.reference)

    async def enter_candidates(self, event: CandidatesGathered, tx: Transaction) -> None:
        """Enter a pool's candidates for a group."""
        if not await self.candidates.enter(tx, event):
            raise UnprocessableError("that pool was not asked", "unsolicited-answer")

    async def enter_invitation_answer(self, event: InvitationAnswered, tx: Transaction) -> None:
        """Enter what came of an invitation."""
        await self.candidates.enter_invitation_answer(tx, event)


async def plan_release(event: WorkforceReleased, tx: Transaction) -> None:
    """Take what change security expects to be released into supply planning."""
    Planning(tx).enter_release(event)


async def plan_vacancy(event: VacancyPublished, tx: Transaction) -> None:
    """Take a vacancy into supply planning, as demand."""
    Planning(tx).enter_vacancy(event)


def handlers_of(seats: JointSeats, candidates: JointCandidates) -> Handlers:
    """Return the handler of each event type that the joint office reads of cities, pools and planning."""
    joint = JointHandlers(seats, candidates)
    return Handlers(
        joint.receive,
        joint.withdraw,
        joint.answer,
        joint.transfer,
        joint.identify,
        joint.enter_candidates,
        joint.enter_invitation_answer,
        plan_release,
        plan_vacancy,
        keep_agreement,
    )
