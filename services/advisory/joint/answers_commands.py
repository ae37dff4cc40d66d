"""Answers that are written at the joint office, which has the caller, and telephone calls that are logged there."""

from dataclasses import dataclass
from uuid import UUID

from services.advisory.domain import letters
from services.advisory.domain.contact import ContactState, Person, check_business_id, require
from services.advisory.domain.hand_over import check_target
from services.advisory.domain.letters import LetterKind, Reader
from services.advisory.joint.commands import JointHandOvers
from services.advisory.joint.store import Contacts, Guidance
from services.advisory.joint.tables import ContactRow
from services.advisory.models import AnswerIn, CallIn
from services.advisory.outgoing import Letters
from shared.errors import ConflictError
from shared.events.envelope import derived_id
from shared.events.v1.advisory import AnswerEntered, HandOverAsked
from shared.identity import Officer
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointAnswers:
    """Answers and calls.

    Attributes:
        hand_overs: hands contacts over.
        authorities: those of the region.
    """

    hand_overs: JointHandOvers
    authorities: frozenset[str]

    async def answer(self, tx: Transaction, contact_id: UUID, answer: AnswerIn, officer: Officer) -> ContactRow:
        """Answer a contact of the officer's authority; the text goes to the caller. Repeating it changes nothing.

        Raises:
            UnknownError: no such contact.
            ConflictError: another authority has it; its state does not allow it; a city has the caller.
        """
        contacts = self.hand_overs.contacts
        await Contacts(tx).lock_queue()
        row = await contacts.get(tx, contact_id)
        if row.acting_authority != officer.authority:
            raise ConflictError("other-authority", "Another authority has the contact, or none yet.")
        if row.state is ContactState.ANSWERED:
            return row
        require(row.state, ContactState.ANSWERED)
        matter = await self._matter(tx, row)
        if answer.text is not None and all(one.person is None for one in matter):
            raise ConflictError("caller-elsewhere", "The joint office does not have the caller: ask who called.")
        now = tx.clock.now()
        contacts.move(row, ContactState.ANSWERED, now)
        row.minutes = answer.minutes
        Contacts(tx).note(contact_id, "answered", officer.actor, "")
        Guidance(tx).give(contact_id, row.business_id, answer.guidance, now)
        if answer.text is not None:
            await self._write(tx, matter, answer.text, officer.actor)
        event = AnswerEntered(contact_id=contact_id, version=row.version, answered_at=now)
        tx.publish(event, to=officer.authority)
        await contacts.assign_waiting(tx)
        return row

    async def _matter(self, tx: Transaction, row: ContactRow) -> list[ContactRow]:
        """Return a contact and those that were joined to it: they are answered with it."""
        matter = [row]
        for contact_id in row.joined:
            matter += await self._matter(tx, await self.hand_overs.contacts.get(tx, contact_id))
        return matter

    async def _write(self, tx: Transaction, matter: list[ContactRow], text: str, by: str) -> None:
        """Write to the matter's callers, each in the language of the own contact."""
        languages = {row.contact_id: row.contact.language for row in matter}
        callers = [
            Reader(
                row.contact_id,
                row.person.email if row.person else None,
                is_written=any(one.kind is LetterKind.ANSWER for one in await Letters(tx).of(row.contact_id)),
            )
            for row in matter
        ]
        for reader in letters.readers(*callers):
            language = languages[reader.contact_id]
            words = letters.answer(language, text)
            Letters(tx).write(LetterKind.ANSWER, reader.contact_id, reader.address or None, language, words, by)

    async def log_call(self, tx: Transaction, call: CallIn, officer: Officer) -> ContactRow:
        """Log a telephone call that the officer has taken: answered, or handed over. It joins no earlier contact.

        Raises:
            RefusedError: the business id is not valid, or it is handed over to nobody or to two.
        """
        contact = call.contact(tx.clock.now())
        check_business_id(contact.business_id)
        if call.hand_over is not None:
            others = self.authorities - {officer.authority}
            check_target(call.hand_over.to_authority, call.hand_over.to_service, others)
        contacts = self.hand_overs.contacts
        await Contacts(tx).lock_queue()
        contact_id = derived_id("contact", tx.cause)
        row = contacts.row_of(contact_id, contact, officer.actor, call.person or Person(), None)
        row.due_at = await contacts.responses.due_at(tx, contact)
        if not await Contacts(tx).add(row):
            return await contacts.get(tx, contact_id)
        Contacts(tx).note(contact_id, "received", officer.actor, "by phone")
        contacts.give(tx, row, officer.subject, officer.authority, "the officer took the call", officer.actor)
        if call.hand_over is None:
            return await self.answer(tx, contact_id, call.answer(), officer)
        event = HandOverAsked(
            contact_id=contact_id,
            office=officer.authority,
            hand_over_id=derived_id("hand over", tx.cause),
            to_authority=call.hand_over.to_authority,
            to_service=call.hand_over.to_service,
            reason=call.hand_over.reason,
        )
        await self.hand_overs.ask(tx, event)
        return row
