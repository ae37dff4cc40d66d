"""An answer or a closing that is taken back: by its officer, or because the answer did not arrive."""

from dataclasses import dataclass
from uuid import UUID

from services.advisory.domain.contact import UNDELIVERED, ContactState, reopened_by_city, require_reopening
from services.advisory.joint.commands import JointContacts
from services.advisory.joint.store import Contacts
from services.advisory.joint.tables import ContactRow
from services.advisory.outgoing import LetterRow
from shared.errors import ConflictError
from shared.events.v1.advisory import ContactReopened
from shared.identity import RULE, Officer
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointReopening:
    """Reopening. `contacts`: the queue."""

    contacts: JointContacts

    async def reopen(self, tx: Transaction, contact_id: UUID, reason: str, officer: Officer) -> ContactRow:
        """Take back an answer or a closing: whoever had the contact has it again. Repeating it changes nothing.

        Raises:
            UnknownError: no such contact.
            ConflictError: another authority has it; it was not answered or closed; it was joined to another.
        """
        await Contacts(tx).lock_queue()
        row = await self.contacts.get(tx, contact_id)
        if row.acting_authority != officer.authority:
            raise ConflictError("other-authority", "Another authority has the contact, or none yet.")
        if row.state is ContactState.ASSIGNED:
            return row
        require_reopening(row.state)
        if row.joined_into is not None:
            raise ConflictError("invalid-state", "The contact is joined to another: separate it.")
        self._reopen(tx, row, reason, officer.actor, row.version + 1)
        return row

    async def enter(self, tx: Transaction, event: ContactReopened) -> None:
        """Enter that a city must answer a contact again.

        Raises:
            UnknownError: no such contact of that office.
        """
        await Contacts(tx).lock_queue()
        row = await self.contacts.own(tx, event.contact_id, event.office)
        if row.state in {ContactState.ANSWERED, ContactState.CLOSED} and row.joined_into is None:
            row.officer = event.officer
            version = reopened_by_city(event.version, row.reopened_version)
            self._reopen(tx, row, event.reason, event.office, version)

    async def undelivered(self, tx: Transaction, letter: LetterRow) -> None:
        """Reopen the contact whose answer did not arrive, if nobody has it."""
        await Contacts(tx).lock_queue()
        row = await Contacts(tx).get(letter.about)
        while row is not None and row.joined_into is not None:
            row = await Contacts(tx).get(row.joined_into)
        if row is not None and row.state in {ContactState.ANSWERED, ContactState.CLOSED}:
            self._reopen(tx, row, UNDELIVERED, RULE, row.version + 1)

    def _reopen(self, tx: Transaction, row: ContactRow, reason: str, actor: str, version: int | None) -> None:
        """Give a contact back. `version`: an answer that was given to an earlier one does not end it."""
        if row.officer is None or row.acting_authority is None:
            return
        Contacts(tx).note(row.contact_id, "reopened", actor, f"it was {row.state}")
        row.answered_at = row.closed_at = None
        row.reopened_version, row.reopened_at = version, tx.clock.now()
        self.contacts.give(tx, row, row.officer, row.acting_authority, f"to be answered: {reason}", actor)
