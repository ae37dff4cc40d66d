"""What happens in a city when a message of the joint office comes.

Safe to redeliver: by the inbox, and beyond it because the joint office counts a pool's first answer, and a referral or
an offer is kept once.
"""

from dataclasses import dataclass

from services.placement.authority.commands import CityPool, CityReferrals
from services.placement.authority.vacancy_commands import CityVacancies
from shared.events.v1.placement import (
    CandidatesRequested,
    JobOfferConsequence,
    JobOfferMade,
    JobOfferWithdrawn,
    ReferralEnded,
    ReferralRequested,
    VacancyRegistered,
)
from shared.messaging.handlers import Handlers
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class CityHandlers:
    """The handlers of a city's side."""

    pool: CityPool
    referrals: CityReferrals
    vacancies: CityVacancies

    def by_type(self) -> Handlers:
        """Return the handler of each event type."""
        return Handlers(
            self.answer_for_pool,
            self.receive_referral,
            self.receive_offer,
            self.receive_consequence,
            self.end_referral,
            self.register_vacancy,
            self.withdraw_offer,
        )

    async def answer_for_pool(self, event: CandidatesRequested, tx: Transaction) -> None:
        """Answer with this pool's best candidates."""
        await self.pool.answer(tx, event)

    async def receive_referral(self, event: ReferralRequested, tx: Transaction) -> None:
        """Keep a referral for an officer to ask the jobseeker's consent."""
        await self.referrals.receive(tx, event)

    async def receive_offer(self, event: JobOfferMade, tx: Transaction) -> None:
        """Keep a job offer for the jobseeker to answer."""
        await self.referrals.receive_offer(tx, event)

    async def receive_consequence(self, event: JobOfferConsequence, tx: Transaction) -> None:
        """Keep what a binding offer's answer leads to."""
        await self.referrals.receive_consequence(tx, event)

    async def end_referral(self, event: ReferralEnded, tx: Transaction) -> None:
        """Note how a referral ended; of who was hired, ask whether they stay in the pool."""
        await self.referrals.end(tx, event)

    async def register_vacancy(self, event: VacancyRegistered, tx: Transaction) -> None:
        """Note that the joint office has a vacancy that this city took in."""
        await self.vacancies.register(tx, event)

    async def withdraw_offer(self, event: JobOfferWithdrawn, tx: Transaction) -> None:
        """Close an open job offer that the joint office takes back."""
        await self.referrals.close_offer(tx, event)
