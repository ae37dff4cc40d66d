"""What happens at the joint office when a message comes: from other systems, the cities, training, change security.

Safe to redeliver: by the inbox, and beyond it by version (vacancies, releases) and because a pool's first answer
counts.
"""

from dataclasses import dataclass
from datetime import timedelta

from services.placement.joint.commands import JointAssignments, JointVacancies
from services.placement.joint.referral_commands import JointReferrals
from services.placement.joint.store import Supply
from shared.calendar import local_day
from shared.events.v1.change_security import WorkforceReleased
from shared.events.v1.placement import (
    CandidatesAnswered,
    ConsentEnded,
    JobOfferAnswered,
    OwnPoolAsked,
    ReferralAnswered,
    VacancyStatusSubmitted,
    VacancySubmitted,
    VacancyTaken,
)
from shared.events.v1.training import CandidatesWanted
from shared.messaging.handlers import Handlers
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointHandlers:
    """The handlers of the joint side.

    Attributes:
        supply_counts: how long a release counts as expected supply that does not say its last day.
    """

    vacancies: JointVacancies
    assignments: JointAssignments
    referrals: JointReferrals
    supply_counts: timedelta

    def by_type(self) -> Handlers:
        """Return the handler of each event type."""
        return Handlers(
            self.receive_vacancy,
            self.receive_state,
            self.register,
            self.complete,
            self.gather,
            self.enter_answer,
            self.enter_consent,
            self.end_consent,
            self.enter_offer_answer,
            self.raise_expected_supply,
        )

    async def receive_vacancy(self, event: VacancySubmitted, tx: Transaction) -> None:
        """Take in a vacancy that another system reports, or a revision of one that the same system reported."""
        await self.vacancies.submit(tx, event, _submitter(tx))

    async def receive_state(self, event: VacancyStatusSubmitted, tx: Transaction) -> None:
        """Open, pause, fill or withdraw a vacancy that the same system reported."""
        await self.vacancies.submit_state(tx, event, _submitter(tx))

    async def register(self, event: VacancyTaken, tx: Transaction) -> None:
        """Register a vacancy that a city took in itself."""
        await self.vacancies.register(tx, event)

    async def complete(self, event: OwnPoolAsked, tx: Transaction) -> None:
        """Ask the other pools for a vacancy for which a city asked its own."""
        await self.assignments.complete(tx, event)

    async def gather(self, event: CandidatesWanted, tx: Transaction) -> None:
        """Ask the three pools for a training group's candidates; each answer goes back as it comes."""
        await self.assignments.gather(tx, event)

    async def enter_answer(self, event: CandidatesAnswered, tx: Transaction) -> None:
        """Enter a pool's answer."""
        await self.assignments.enter_answer(tx, event)

    async def enter_consent(self, event: ReferralAnswered, tx: Transaction) -> None:
        """Enter whether the jobseeker consents."""
        await self.referrals.enter_consent(tx, event)

    async def end_consent(self, event: ConsentEnded, tx: Transaction) -> None:
        """Enter that the consent has ended."""
        await self.referrals.end_consent(tx, event)

    async def enter_offer_answer(self, event: JobOfferAnswered, tx: Transaction) -> None:
        """Enter the answer to a job offer."""
        await self.referrals.enter_offer_answer(tx, event)

    async def raise_expected_supply(self, event: WorkforceReleased, tx: Transaction) -> None:
        """Take what change security expects to be released into the expected supply."""
        await Supply(tx).replace(event, local_day(tx.clock.now()), self.supply_counts)


def _submitter(tx: Transaction) -> str:
    assert tx.envelope is not None  # noqa: S101 - a message handler runs with an envelope
    return f"topic:{tx.envelope.source}"  # never to be taken for a system that calls over HTTP
