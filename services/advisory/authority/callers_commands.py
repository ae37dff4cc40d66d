"""Who called, where this city took the contact in and keeps the caller: granted to officers who handle the contact.

The caller stands in no event. Whoever is granted a query reads the caller here, and may write to the caller from here.
"""

from dataclasses import dataclass
from uuid import UUID

from services.advisory.authority.callers_store import OwnCallerQueries
from services.advisory.authority.store import OwnContacts
from services.advisory.authority.tables import OwnCallerQueryRow
from services.advisory.domain import letters
from services.advisory.domain.caller import Asker, Decision, QueryState, decide, require_readable
from services.advisory.domain.contact import Person
from services.advisory.domain.letters import LetterKind
from services.advisory.outgoing import Letters
from shared.errors import ConflictError, UnknownError
from shared.events.v1.advisory import CallerAnswered, CallerRequested
from shared.identity import Officer
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class Caller:
    """Who called, and what was written to the caller from here, oldest first."""

    person: Person
    answers: tuple[str, ...]


class CityCallers:
    """Queries for the callers that this city keeps."""

    async def receive(self, tx: Transaction, event: CallerRequested) -> None:
        """Decide on a query of another office, and answer it. Once for each."""
        if await OwnCallerQueries(tx).get(event.request_id) is not None:
            return
        contact = await OwnContacts(tx).get(event.contact_id)
        now = tx.clock.now()
        decision = decide(contact.state if contact else None, contact.person if contact else None, now)
        row = OwnCallerQueryRow(
            request_id=event.request_id,
            contact_id=event.contact_id,
            asked_by=event.asked_by,
            authority=event.authority,
            service=event.service,
            purpose=event.purpose,
            asked_at=now,
            state=decision.state,
            reason=decision.reason,
            readable_until=decision.readable_until,
        )
        OwnCallerQueries(tx).add(row)
        _answer(tx, row)

    async def refuse(self, tx: Transaction, request_id: UUID, reason: str, officer: Officer) -> OwnCallerQueryRow:
        """End what was granted: from now on the caller is not read. Repeating it changes nothing.

        Raises:
            UnknownError: no such query.
        """
        row = await OwnCallerQueries(tx).get(request_id)
        if row is None:
            raise UnknownError("caller query")
        if row.state is QueryState.GRANTED:
            row.state, row.reason, row.readable_until = QueryState.REFUSED, reason, None
            row.refused_by = officer.actor
            _answer(tx, row)
        return row

    async def read(self, tx: Transaction, request_id: UUID, officer: Officer) -> Caller:
        """Return who called, to the officer who asked and was granted it. Counted each time.

        Raises:
            UnknownError: somebody else asked, or nobody.
            ForbiddenError: the query was refused, or has expired.
        """
        row, person = await self._readable(tx, request_id, officer)
        row.readings, row.last_read_at = row.readings + 1, tx.clock.now()
        return Caller(person, tuple(letter.body for letter in await Letters(tx).of(row.contact_id)))

    async def write(self, tx: Transaction, request_id: UUID, text: str, officer: Officer) -> OwnCallerQueryRow:
        """Send the caller a letter of the officer who asked, from the city that has the address.

        Raises:
            UnknownError: somebody else asked, or nobody.
            ForbiddenError: the query was refused, or has expired.
            ConflictError: `no-address`: the caller left none.
        """
        row, person = await self._readable(tx, request_id, officer)
        contact = await OwnContacts(tx).get(row.contact_id)
        if contact is None or not person.email:
            raise ConflictError("no-address", "The caller left no e-mail address.")
        language = contact.contact.language
        words = letters.answer(language, text)
        Letters(tx).write(LetterKind.ANSWER, row.contact_id, person.email, language, words, officer.actor)
        return row

    async def _readable(self, tx: Transaction, request_id: UUID, officer: Officer) -> tuple[OwnCallerQueryRow, Person]:
        row = await OwnCallerQueries(tx).get(request_id)
        if row is None:
            raise UnknownError("caller query")
        decision = Decision(row.state, row.reason, row.readable_until)
        asked_by, who = Asker(row.asked_by, row.authority), Asker(officer.subject, officer.authority)
        require_readable(decision, asked_by, who, tx.clock.now())
        contact = await OwnContacts(tx).get(row.contact_id)
        if contact is None or contact.person is None:
            raise UnknownError("caller")
        return row, contact.person


def _answer(tx: Transaction, row: OwnCallerQueryRow) -> None:
    tx.publish(
        CallerAnswered(
            contact_id=row.contact_id,
            office=tx.office,
            request_id=row.request_id,
            state="granted" if row.state is QueryState.GRANTED else "refused",
            reason=row.reason,
            readable_until=row.readable_until,
            at=tx.clock.now(),
        )
    )
