"""Takes a vacancy that comes again for its next revision, having forgotten that it came before."""

from collections.abc import Iterable
from uuid import UUID

from services.placement.__main__ import main
from services.placement.joint.handlers import JointHandlers
from services.placement.joint.store import Vacancies
from shared.events.v1.placement import VacancySubmitted
from shared.messaging import batch
from shared.messaging.transaction import Transaction

receive = JointHandlers.receive_vacancy


async def claim_everything(_: object, ids: Iterable[UUID]) -> set[UUID]:
    return set(ids)


async def receive_as_next(self: JointHandlers, event: VacancySubmitted, tx: Transaction) -> None:
    known = await Vacancies(tx).lock(event.vacancy_id)
    await receive(self, event.model_copy(update={"revision": known.revision + 1}) if known else event, tx)


batch.claim = claim_everything  # type: ignore[assignment]
JointHandlers.receive_vacancy = receive_as_next  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
