"""Two contacts that are one matter, or are not: officers join what the rules do not, and separate what they joined."""

from dataclasses import dataclass
from uuid import UUID

from services.advisory.domain.contact import ContactState
from services.advisory.joint.commands import JointContacts
from services.advisory.joint.store import Contacts
from services.advisory.joint.tables import ContactRow
from shared.errors import ConflictError, RefusedError
from shared.events.v1.advisory import MAX_REASON
from shared.identity import Officer
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointJoining:
    """Joining and separating. `contacts`: the queue."""

    contacts: JointContacts

    async def join(self, tx: Transaction, contact_id: UUID, into: UUID, reason: str, officer: Officer) -> ContactRow:
        """Join a contact to an earlier one. Repeating it changes nothing.

        Raises:
            UnknownError: no such contact.
            RefusedError: it is the same contact.
            ConflictError: either of them is closed, or this one is answered or handed over.
        """
        if contact_id == into:
            raise RefusedError("/into", "same-contact", "A contact is joined to another one.")
        await Contacts(tx).lock_queue()
        row = await self.contacts.get(tx, contact_id)
        if row.joined_into == into:
            return row
        earlier = await self.contacts.get(tx, into)
        if row.state not in {ContactState.NEW, ContactState.ASSIGNED}:
            raise ConflictError("invalid-state", f"The contact is {row.state}.")
        if earlier.state is ContactState.CLOSED:
            raise ConflictError("invalid-state", "The contact that it would be joined to is closed.")
        had = row.acting_authority
        await self.contacts.join(tx, row, into, reason, officer.actor)
        if had is not None:
            self.contacts.release(tx, row, had, f"joined to another contact: {reason}")
        return row

    async def separate(self, tx: Transaction, contact_id: UUID, reason: str, officer: Officer) -> ContactRow:
        """Make a joined contact a matter of its own again: it is given to an officer, and the other's officer told.

        Raises:
            UnknownError: no such contact.
            ConflictError: it is not joined.
        """
        await Contacts(tx).lock_queue()
        row = await self.contacts.get(tx, contact_id)
        if row.joined_into is None:
            raise ConflictError("invalid-state", "The contact is not joined to another.")
        earlier = await self.contacts.get(tx, row.joined_into)
        earlier.joined = [other for other in earlier.joined if other != contact_id]
        Contacts(tx).note(contact_id, "separated", officer.actor, reason)
        Contacts(tx).note(earlier.contact_id, "separated from another", officer.actor, reason)
        if earlier.state is ContactState.ASSIGNED and earlier.officer and earlier.acting_authority:
            why = f"a later contact is a matter of its own: {reason}"[:MAX_REASON]
            self.contacts.give(tx, earlier, earlier.officer, earlier.acting_authority, why, officer.actor)
        row.joined_into, row.closed_at, row.state = None, None, ContactState.NEW
        row.version += 1
        await self.contacts.assign(tx, row)
        return row
