"""Who called: read here by a logged query, or asked of the city that took the contact in and keeps the caller."""

from dataclasses import dataclass
from uuid import UUID

from services.advisory.domain.caller import Concerned, keeper, may_know
from services.advisory.domain.contact import Person
from services.advisory.domain.hand_over import HELD_BY_A_SERVICE
from services.advisory.joint.commands import JointContacts
from services.advisory.joint.store import Contacts, HandOvers
from services.advisory.joint.tables import CallerQueryRow
from services.advisory.outgoing import Letters
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.advisory import CallerAnswered, CallerRequested, ServiceName
from shared.identity import Officer
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class Answer:
    """What is answered to a query here.

    Attributes:
        query: as it is logged.
        person: who called; None where the officer may not know, or a city is asked.
        answers: what was written to the caller from here.
        source_reference: how the system that brought the contact finds the caller.
    """

    query: CallerQueryRow
    person: Person | None = None
    answers: tuple[str, ...] = ()
    source_reference: str | None = None


@dataclass(frozen=True)
class JointCallers:
    """Queries for callers. `contacts`: the queue."""

    contacts: JointContacts

    async def ask(
        self, tx: Transaction, contact_id: UUID, officer: Officer, purpose: str, service: ServiceName | None = None
    ) -> Answer:
        """Answer who called, to those who may know (`may_know`); ask the city that keeps the caller. Logged each time.

        Args:
            tx: where it happens.
            contact_id: whose caller.
            officer: who asks.
            purpose: what for.
            service: the service for which the officer handles the contact, if it was handed over to one.

        Raises:
            UnknownError: no such contact.
        """
        row = await self.contacts.get(tx, contact_id)
        permitted = may_know(await self._concerned(tx, contact_id), officer.authority, service)
        city = keeper(row.filed_by, self.contacts.resources.authorities) if permitted else None
        query = CallerQueryRow(
            contact_id=contact_id,
            asked_by=officer.actor,
            authority=officer.authority,
            purpose=purpose,
            service=service,
            answered=permitted and city is None,
            at=tx.clock.now(),
            request_id=derived_id("caller query", tx.cause) if city is not None else None,
            asked_of=city,
        )
        Contacts(tx).log_query(query)
        if not permitted:
            return Answer(query)
        if city is not None and query.request_id is not None:
            event = CallerRequested(
                contact_id=contact_id,
                request_id=query.request_id,
                asked_by=officer.subject,
                authority=officer.authority,
                service=service,
                purpose=purpose,
            )
            tx.publish(event, to=city)
            return Answer(query)
        written = tuple(letter.body for letter in await Letters(tx).of(contact_id))
        return Answer(query, row.person or Person(), written, row.source_reference)

    async def _concerned(self, tx: Transaction, contact_id: UUID | None) -> list[Concerned]:
        """Return whom a contact concerns, and each earlier one that it was joined to."""
        concerned = []
        while contact_id is not None:
            row = await self.contacts.get(tx, contact_id)
            handed = [one for one in await HandOvers(tx).of_contact(contact_id) if one.state in HELD_BY_A_SERVICE]
            authorities = frozenset((row.acting_authority, row.competent_authority))
            concerned.append(Concerned(authorities, frozenset(one.to_service for one in handed)))
            contact_id = row.joined_into
        return concerned

    async def enter_answer(self, tx: Transaction, event: CallerAnswered) -> None:
        """Enter a city's answer: where and until when the caller is read, or why not.

        Raises:
            UnknownError: that city was not asked.
        """
        query = await Contacts(tx).query(event.request_id)
        if query is None or query.asked_of != event.office or query.contact_id != event.contact_id:
            raise UnknownError("caller query")
        query.answered = event.state == "granted"
        query.readable_until, query.refusal = event.readable_until, event.reason

    async def read(self, tx: Transaction, request_id: UUID) -> CallerQueryRow:
        """Return a query that was put to a city.

        Raises:
            UnknownError
        """
        query = await Contacts(tx).query(request_id)
        if query is None:
            raise UnknownError("caller query")
        return query
