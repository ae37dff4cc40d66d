"""What a city says of its officers who handle change security: the joint office names specialists among them."""

from services.change_security.authority.specialist_store import OwnSpecialists
from services.change_security.authority.tables import OwnSpecialistRow
from services.change_security.domain.handling import SpecialistProfile
from shared.events.v1.change_security import SpecialistListed
from shared.messaging.transaction import Transaction


class CitySpecialists:
    """The city's officers who handle change security."""

    async def put(self, tx: Transaction, officer: str, profile: SpecialistProfile) -> SpecialistListed:
        """Say in which languages an officer works, for how much of a year, and when absent."""
        row = await OwnSpecialists(tx).get(officer)
        event = SpecialistListed(
            officer=officer,
            authority=tx.office,
            version=row.listed.version + 1 if row else 1,
            languages=profile.languages,
            person_years=profile.person_years,
            absences=profile.absences,
        )
        OwnSpecialists(tx).put(OwnSpecialistRow(officer=officer, listed=event))
        tx.publish(event)
        return event
