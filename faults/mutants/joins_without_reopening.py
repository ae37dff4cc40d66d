"""Joins a contact to an earlier one, and leaves that one as it is: answered, so that nobody answers the later one."""

from uuid import UUID

from services.advisory.__main__ import main
from services.advisory.domain.contact import ContactState
from services.advisory.joint.commands import JointContacts
from services.advisory.joint.store import Contacts
from services.advisory.joint.tables import ContactRow
from shared.messaging.transaction import Transaction


async def join_only(self: JointContacts, tx: Transaction, row: ContactRow, into: UUID, reason: str, actor: str) -> None:
    earlier = await self.get(tx, into)
    row.joined_into, row.reason = into, reason
    self.move(row, ContactState.CLOSED, tx.clock.now())
    Contacts(tx).note(row.contact_id, "joined", actor, reason)
    Contacts(tx).note(into, "joined by another", actor, reason)
    earlier.joined = [*earlier.joined, row.contact_id]


JointContacts.join = join_only  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
