"""What a city does with vacancies that it takes in itself, whether or not the joint office answers."""

from dataclasses import dataclass
from uuid import UUID

from services.placement.authority.commands import CityPool
from services.placement.authority.store import OwnVacancies
from services.placement.authority.tables import OwnAssignmentRow, OwnVacancyRow
from services.placement.catalogue import checked_group
from services.placement.domain import vacancy as lifecycle
from shared.calendar import local_day
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.placement import OwnPoolAsked, Vacancy, VacancyRegistered, VacancyTaken
from shared.messaging.transaction import Transaction


@dataclass(frozen=True, slots=True)
class CityVacancies:
    """Vacancies that a city takes in itself. The joint office registers them as soon as it can.

    Attributes:
        pool: the city's own.
    """

    pool: CityPool

    async def take(self, tx: Transaction, vacancy: Vacancy, by: str) -> OwnVacancyRow:
        """Take in a vacancy, to be registered by the joint office.

        Raises:
            RefusedError: a value is not valid, or the occupation is not known.
        """
        lifecycle.check(vacancy)
        now = tx.clock.now()
        row = OwnVacancyRow(
            vacancy_id=derived_id("vacancy", tx.cause),
            vacancy=vacancy,
            isco=await checked_group(tx, vacancy.occupation, "/vacancy/occupation"),
            taken_at=now,
            taken_by=by,
        )
        OwnVacancies(tx).add(row)
        tx.publish(
            VacancyTaken(vacancy_id=row.vacancy_id, office=tx.office, vacancy=vacancy, taken_at=now, isco=row.isco)
        )
        return row

    async def ask(self, tx: Transaction, vacancy_id: UUID, at_most: int, by: str) -> OwnAssignmentRow:
        """Ask the own pool for candidates. The joint office asks the other pools as soon as it can.

        Raises:
            UnknownError: the city took in no such vacancy.
        """
        vacancy = await OwnVacancies(tx).read(vacancy_id)
        if vacancy is None:
            raise UnknownError("vacancy")
        now = tx.clock.now()
        assignment_id = derived_id("assignment", tx.cause)
        wanted = lifecycle.wanted_for(vacancy.vacancy, vacancy.isco)
        found = await self.pool.best(tx, assignment_id, wanted, local_day(now), at_most)
        row = OwnAssignmentRow(
            assignment_id=assignment_id,
            vacancy_id=vacancy_id,
            at_most=at_most,
            asked_at=now,
            asked_by=by,
            considered=found.considered,
            candidates=found.candidates,
            stages=found.stages,
        )
        OwnVacancies(tx).add_assignment(row)
        tx.publish(
            OwnPoolAsked(
                vacancy_id=vacancy_id,
                office=tx.office,
                assignment_id=assignment_id,
                wanted=wanted,
                at_most=at_most,
                asked_at=now,
                considered=found.considered,
                candidates=found.candidates,
                stages=found.stages,
            )
        )
        return row

    async def register(self, tx: Transaction, event: VacancyRegistered) -> None:
        """Note that the joint office has the vacancy.

        Raises:
            UnknownError: the city took in no such vacancy.
        """
        row = await OwnVacancies(tx).lock(event.vacancy_id)
        if row is None:
            raise UnknownError("vacancy")
        row.registered_at = row.registered_at or event.registered_at
