"""The joint side: vacancies from other systems, the pools' answers, and what change security expects to be released.

Idempotent by the inbox; beyond it, by version (vacancies, releases) and because the first answer of a pool counts.
"""

from collections.abc import Mapping

from services.placement.commands import JointPlacement
from services.placement.domain.vacancy import ConflictError
from services.placement.store import Assignments, Supply, Vacancies
from shared import topics
from shared.errors import RefusedError, UnknownError, UnprocessableError
from shared.events.v1.change_security import WorkforceReleased
from shared.events.v1.placement import (
    CandidatesAnswered,
    CandidatesGathered,
    JobOfferAnswered,
    ReferralAnswered,
    VacancyStatusSubmitted,
    VacancySubmitted,
)
from shared.events.v1.training import CandidatesWanted
from shared.intake import speaking_for_itself
from shared.messaging.consumer import Handler
from shared.messaging.transaction import Transaction


class JointHandlers:
    """The handlers of the joint side."""

    def __init__(self, placement: JointPlacement) -> None:
        self._placement = placement

    def by_type(self) -> Mapping[str, Handler]:
        """Return the handler of each event type."""
        return {
            VacancySubmitted.type_name(): self.receive_vacancy,
            VacancyStatusSubmitted.type_name(): self.receive_status,
            CandidatesAnswered.type_name(): _own_word(enter_answer),
            ReferralAnswered.type_name(): _own_word(enter_referral_answer),
            JobOfferAnswered.type_name(): _own_word(enter_offer_answer),
            WorkforceReleased.type_name(): raise_expected_supply,
            CandidatesWanted.type_name(): self.gather,
        }

    async def receive_vacancy(self, event: VacancySubmitted, tx: Transaction) -> None:
        """Take in a vacancy that another system reports, or a revision of one that the same system reported."""
        source = _source(tx)
        known = await Vacancies(tx).get(event.vacancy_id)
        if known is not None and known.filed_by != source:
            raise UnprocessableError("the vacancy was reported by another system", "not-the-filer")
        if known is not None and known.revision == event.revision and known.vacancy == event.vacancy:
            return
        try:
            if known is None and event.revision == 1:
                await self._placement.report(tx, event.vacancy_id, event.vacancy, event.status, source)
            elif known is None:
                raise UnprocessableError("its first revision has not come", "unknown-vacancy")
            else:
                await self._placement.revise(tx, event.vacancy_id, event.vacancy, event.revision - 1)
        except (RefusedError, ConflictError) as error:
            raise UnprocessableError(error.text, error.code) from error

    async def receive_status(self, event: VacancyStatusSubmitted, tx: Transaction) -> None:
        """Open, pause, fill or withdraw a vacancy that the same system reported."""
        known = await Vacancies(tx).get(event.vacancy_id)
        if known is not None and known.filed_by != _source(tx):
            raise UnprocessableError("the vacancy was reported by another system", "not-the-filer")
        try:
            await self._placement.move(tx, event.vacancy_id, event.status)
        except UnknownError as error:
            raise UnprocessableError("there is no such vacancy", "unknown-vacancy") from error
        except ConflictError as error:
            raise UnprocessableError(error.text, error.code) from error

    async def gather(self, event: CandidatesWanted, tx: Transaction) -> None:
        """Ask the three pools for a training group's candidates; each answer goes back as it comes."""
        await self._placement.gather(tx, event)


async def enter_answer(event: CandidatesAnswered, tx: Transaction) -> None:
    """Enter a pool's answer, in time or late; one for a training group goes on to it."""
    asked = await Assignments(tx).enter_answer(event)
    if asked is None:
        raise UnprocessableError("that pool was not asked", "not-asked")
    if asked.is_first and asked.group_id is not None:
        told = CandidatesGathered(
            group_id=asked.group_id,
            request_id=asked.request_id,
            office=event.office,
            considered=event.considered,
            candidates=event.candidates,
        )
        tx.publish(told)


async def enter_referral_answer(event: ReferralAnswered, tx: Transaction) -> None:
    """Enter whether the jobseeker consents."""
    if not await Assignments(tx).answer_referral(event.referral_id, event.office, event.state, event.answered_at):
        raise UnprocessableError("that office was not asked", "not-asked")


async def enter_offer_answer(event: JobOfferAnswered, tx: Transaction) -> None:
    """Enter the answer to a job offer."""
    if not await Assignments(tx).answer_offer(event.offer_id, event.office, event.state, event.answered_at):
        raise UnprocessableError("there is no such offer", "not-asked")


async def raise_expected_supply(event: WorkforceReleased, tx: Transaction) -> None:
    """Take what change security expects to be released into the expected supply."""
    await Supply(tx).replace(event)


def _own_word(handler: Handler) -> Handler:
    return speaking_for_itself(handler, topics.PLACEMENT_FROM, lambda event: str(event.office))


def _source(tx: Transaction) -> str:
    if tx.envelope is None:
        message = "a message handler runs with an envelope"
        raise RuntimeError(message)
    return f"topic:{tx.envelope.source}"  # never to be taken for a system that calls over HTTP
