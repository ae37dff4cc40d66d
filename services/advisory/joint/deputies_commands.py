"""An absent officer's open contacts are given to another officer of the same city, with the reason."""

from dataclasses import dataclass

from services.advisory.domain.assignment import deputy
from services.advisory.joint.commands import JointContacts
from services.advisory.joint.store import Advisers, Contacts
from shared.calendar import local_day
from shared.identity import RULE
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointDeputies:
    """Who takes over for whom. `contacts`: the queue."""

    contacts: JointContacts

    async def sweep(self, tx: Transaction) -> int:
        """Give the open contacts of officers who are absent today to others of their city; return how many moved.

        One that nobody there can take stays where it is and says why. On days without office hours nothing moves.
        """
        today = local_day(tx.clock.now())
        if not self.contacts.hours.is_open_on(today):
            return 0
        await Contacts(tx).lock_queue()
        absent = [adviser for adviser in await Advisers(tx).all() if adviser.open and not adviser.is_present(today)]
        moved = 0
        for officer in absent:
            for row in await Contacts(tx).open_of(officer.officer):
                advisers = await Advisers(tx).all()
                decision = deputy(row.contact.topic, row.contact.language, advisers, officer, today)
                if decision.adviser is not None:
                    chosen = decision.adviser
                    self.contacts.give(tx, row, chosen.officer, chosen.authority, decision.reason, RULE)
                    moved += 1
                elif row.reason != decision.reason:
                    row.reason = decision.reason
                    Contacts(tx).note(row.contact_id, "stays", RULE, decision.reason)
        return moved
