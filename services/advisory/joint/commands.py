"""What can be done with contacts at the joint office, each inside one transaction: assignment, hand-overs, resources.

HTTP, e-mail and the message handlers come here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from services.advisory.domain.assignment import assign
from services.advisory.domain.contact import (
    ContactState,
    Person,
    can_become,
    check_business_id,
    ends,
    joins,
    reason_of_taking,
)
from services.advisory.domain.hand_over import (
    Change,
    Effect,
    HandOverState,
    acknowledge,
    answer,
    refuse,
    withdraw,
)
from services.advisory.domain.resources import Agreed, Share, agreed_in, agreed_on, counted, shares
from services.advisory.joint.responses_commands import JointResponses
from services.advisory.joint.store import Advisers, Contacts, Guidance, HandOvers
from services.advisory.joint.tables import ContactRow, HandOverRow
from shared.agreement import Agreements
from shared.calendar import OfficeHours, local_day
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.advisory import (
    MAX_REASON,
    Contact,
    ContactAnswered,
    ContactAssigned,
    ContactClosed,
    ContactRegistered,
    ContactReleased,
    HandOverAcknowledged,
    HandOverAnswered,
    HandOverAsked,
    HandOverOverdue,
    MatterHandedOver,
    OfficerListed,
    ServiceName,
    Task,
)
from shared.identity import RULE, Officer
from shared.messaging.transaction import Transaction

TAKEN_IN: Final = "taken in by the city itself"


@dataclass(frozen=True)
class JointResources:
    """Agreed person-years: the agreement's, as the management group decides.

    Attributes:
        shipped: those that hold until the agreement is published.
        authorities: those of the region.
    """

    shipped: tuple[Agreed, ...]
    authorities: frozenset[str]

    async def every(self, tx: Transaction) -> tuple[Agreed, ...]:
        """Return what was, is and will be agreed, in the order in which it was decided."""
        published = (await Agreements(tx).figures()).published
        return self.shipped if published is None else agreed_in(published.figures)

    async def agreed(self, tx: Transaction, task: str, day: date) -> dict[str, float]:
        """Return the agreed person-years for a task on a day, by authority."""
        return agreed_on(await self.every(tx), task, day)

    async def rules(self, tx: Transaction, task: Task) -> list[Agreed]:
        """Return what is agreed for a task, as shipped and as decided since, oldest first."""
        rules = [rule for rule in await self.every(tx) if rule.task == task]
        return sorted(rules, key=lambda rule: (rule.valid_from, rule.authority))

    async def handled(self, tx: Transaction, day: date) -> dict[str, int]:
        """Return the contacts that each authority was given since the shares of a day count, this year."""
        return await Contacts(tx).handled(*counted(await self.every(tx), "advisory", day))

    async def shares(self, tx: Transaction, day: date) -> list[Share]:
        """Return each authority's agreed and actual share of the contacts since the shares of a day count."""
        return shares(await self.agreed(tx, "advisory", day), await self.handled(tx, day))


@dataclass(frozen=True)
class JointContacts:
    """The queue of contacts.

    Attributes:
        authority_of: the competent authority by municipality.
        resources: the agreed person-years.
        open_limit: an officer has at most so many contacts that are not answered.
        responses: how soon a contact is answered.
    """

    authority_of: Mapping[str, str]
    resources: JointResources
    open_limit: int
    responses: JointResponses

    @property
    def hours(self) -> OfficeHours:
        """When officers work."""
        return self.responses.hours

    async def bring(self, tx: Transaction, contact: Contact, filed_by: str, person: Person | None) -> ContactRow:
        """Take a contact in that somebody brings; return it as it is then.

        Raises:
            RefusedError: the business id is not valid.
        """
        contact_id = derived_id("contact", tx.cause)
        await self.receive(tx, contact_id, contact, filed_by, person)
        return await self.get(tx, contact_id)

    async def receive(
        self,
        tx: Transaction,
        contact_id: UUID,
        contact: Contact,
        filed_by: str,
        person: Person | None = None,
        source_reference: str | None = None,
    ) -> None:
        """Take a contact into the queue: join it to an earlier one, or give it to an officer. Once for each id.

        Raises:
            RefusedError: the business id is not valid.
        """
        check_business_id(contact.business_id)
        contacts = Contacts(tx)
        await contacts.lock_queue()
        row = self.row_of(contact_id, contact, filed_by, person, source_reference)
        if not await contacts.add(row):
            return
        contacts.note(contact_id, "received", filed_by, f"by {contact.channel}")
        row.due_at = await self.responses.due_at(tx, contact)
        callers = frozenset(row.callers)
        joined = joins(contact, callers, await contacts.earlier(contact_id, contact, callers))
        if joined is None:
            await self.assign(tx, row)
        else:
            await self.join(tx, row, *joined, RULE)

    def row_of(
        self, contact_id: UUID, contact: Contact, filed_by: str, person: Person | None, source_reference: str | None
    ) -> ContactRow:
        """Make the row of a new contact."""
        return ContactRow(
            contact_id=contact_id,
            contact=contact,
            topic=contact.topic,
            business_id=contact.business_id,
            received_at=contact.received_at,
            competent_authority=self.authority_of.get(contact.municipality or ""),
            filed_by=filed_by,
            state=ContactState.NEW,
            version=1,
            reason="",
            callers=sorted(person.callers) if person else [],
            person=person,
            source_reference=source_reference,
        )

    async def join(self, tx: Transaction, row: ContactRow, into: UUID, reason: str, actor: str) -> None:
        """Join a contact to an earlier one: whoever has that one must answer it, again if it is answered already.

        An answer that is under way was given without knowing of this contact, so that it does not end the earlier one.
        """
        earlier = await self.get(tx, into)
        row.joined_into, row.reason = into, reason
        self.move(row, ContactState.CLOSED, tx.clock.now())
        Contacts(tx).note(row.contact_id, "joined", actor, reason)
        Contacts(tx).note(into, "joined by another", actor, reason)
        earlier.joined = [*earlier.joined, row.contact_id]
        if earlier.officer is None or earlier.acting_authority is None:
            return
        if earlier.state is not ContactState.ASSIGNED:
            Contacts(tx).note(into, "reopened", actor, f"it was {earlier.state}")
            earlier.answered_at, earlier.due_at = None, row.due_at
        earlier.reopened_version, earlier.reopened_at = earlier.version + 1, tx.clock.now()
        self.give(tx, earlier, earlier.officer, earlier.acting_authority, f"to be answered: {reason}", actor)

    async def assign_waiting(self, tx: Transaction) -> int:
        """Give the contacts that wait to whoever has room, the oldest first; return how many were given."""
        await Contacts(tx).lock_queue()
        return sum([await self.assign(tx, row) for row in await Contacts(tx).waiting()])

    async def assign(self, tx: Transaction, row: ContactRow) -> bool:
        """Give a contact to whoever's turn it is; False if it waits. The queue is locked."""
        today = local_day(tx.clock.now())
        if not self.hours.is_open_on(today):
            row.reason = f"the offices are closed today: it is given on {self.hours.next_open_day(today)}"
            return False
        decision = assign(
            row.contact.topic,
            row.contact.language,
            await Advisers(tx).all(),
            await self.resources.handled(tx, today),
            await self.resources.agreed(tx, "advisory", today),
            today,
            self.open_limit,
        )
        if decision.adviser is None:
            row.reason = decision.reason
            return False
        self.give(tx, row, decision.adviser.officer, decision.adviser.authority, decision.reason, RULE)
        return True

    def give(self, tx: Transaction, row: ContactRow, officer: str, authority: str, reason: str, actor: str) -> None:
        """Give a contact to an officer, or tell whoever has it that it is still theirs, and why."""
        reason = reason[:MAX_REASON]
        row.state, row.officer, row.acting_authority, row.reason = ContactState.ASSIGNED, officer, authority, reason
        row.version += 1
        row.assigned_at = row.assigned_at or tx.clock.now()
        Contacts(tx).note(row.contact_id, "assigned", actor, reason)
        event = ContactAssigned(
            contact_id=row.contact_id,
            version=row.version,
            contact=row.contact,
            officer=officer,
            competent_authority=row.competent_authority,
            acting_authority=authority,
            reason=reason,
            joined=tuple(row.joined) or None,
            due_at=row.due_at,
            reopened_version=row.reopened_version,
        )
        tx.publish(event, to=authority)

    def release(self, tx: Transaction, row: ContactRow, office: str, reason: str) -> None:
        """Tell an office that a contact is no longer its own."""
        row.version += 1
        event = ContactReleased(contact_id=row.contact_id, version=row.version, reason=reason[:MAX_REASON])
        tx.publish(event, to=office)

    def move(self, row: ContactRow, state: ContactState, at: datetime) -> None:
        """Put a contact into a state."""
        row.state = state
        row.version += 1
        if state is ContactState.ANSWERED:
            row.answered_at = at
        if state is ContactState.CLOSED:
            row.closed_at = at

    async def take(self, tx: Transaction, contact_id: UUID, officer: Officer) -> ContactRow:
        """Let an officer take a contact of the authority's own employer, or one that waits and has no known authority.

        Raises:
            UnknownError: no such contact.
            ConflictError: the employer is another authority's, or the contact is answered or closed.
        """
        await Contacts(tx).lock_queue()
        row = await self.get(tx, contact_id)
        if row.state is ContactState.ASSIGNED and row.officer == officer.subject:
            return row
        reason = reason_of_taking(row.state, row.competent_authority, officer.authority)
        earlier = row.acting_authority
        self.give(tx, row, officer.subject, officer.authority, reason, officer.actor)
        if earlier is not None and earlier != officer.authority:
            self.release(tx, row, earlier, reason)
        for offer in await HandOvers(tx).offers(contact_id):
            self.withdraw(tx, row, offer, withdraw(reason), tx.clock.now())
        return row

    def withdraw(self, tx: Transaction, row: ContactRow, offer: HandOverRow, change: Change, at: datetime) -> None:
        """End a hand-over to another authority, which is told that the contact is not its own, unless it has it."""
        offer.state, offer.answer, offer.answered_at = change.state, change.answer, at
        Contacts(tx).note(row.contact_id, "hand-over withdrawn", RULE, f"to {offer.to_authority}: {change.reason}")
        if offer.to_authority is not None and offer.to_authority != row.acting_authority:
            self.release(tx, row, offer.to_authority, change.reason)

    async def enter_answer(self, tx: Transaction, event: ContactAnswered) -> None:
        """Enter an answer, and which guidance the employer was given. What waits may be given to the officer now.

        Raises:
            UnknownError: no such contact of that office.
        """
        await Contacts(tx).lock_queue()
        row = await self.own(tx, event.contact_id, event.office)
        Guidance(tx).give(event.contact_id, row.business_id, event.guidance, event.answered_at)
        if ends(row.state, ContactState.ANSWERED, event.version, row.reopened_version):
            self.move(row, ContactState.ANSWERED, event.answered_at)
            row.minutes = event.minutes
            Contacts(tx).note(event.contact_id, "answered", f"officer:{event.officer}", "")
            await self.assign_waiting(tx)
        elif row.state is ContactState.ASSIGNED:
            Contacts(tx).note(event.contact_id, "answered before it was reopened", f"officer:{event.officer}", "")

    async def enter_closed(self, tx: Transaction, event: ContactClosed) -> None:
        """Enter that a contact needs nothing more.

        Raises:
            UnknownError: no such contact of that office.
        """
        await Contacts(tx).lock_queue()
        row = await self.own(tx, event.contact_id, event.office)
        if ends(row.state, ContactState.CLOSED, event.version, row.reopened_version):
            self.move(row, ContactState.CLOSED, event.closed_at)
            Contacts(tx).note(event.contact_id, "closed", event.office, "")
            await self.assign_waiting(tx)

    async def enter_registered(self, tx: Transaction, event: ContactRegistered) -> None:
        """Count a contact that a city has taken in and handles itself."""
        row = self.row_of(event.contact_id, event.contact, event.office, None, None)
        row.competent_authority = self.authority_of.get(event.contact.municipality or "", event.office)
        if await Contacts(tx).add(row):
            row.state, row.officer, row.acting_authority = ContactState.ASSIGNED, event.officer, event.office
            row.reason, row.version, row.assigned_at = TAKEN_IN, 2, tx.clock.now()
            row.due_at = await self.responses.due_at(tx, event.contact)
            Contacts(tx).note(event.contact_id, "registered", event.office, TAKEN_IN)

    async def list_adviser(self, tx: Transaction, event: OfficerListed) -> None:
        """Take a city's officer into assignment; what waits may have an officer now."""
        await Advisers(tx).list_adviser(event)
        await self.assign_waiting(tx)

    async def get(self, tx: Transaction, contact_id: UUID) -> ContactRow:
        """Return a contact, locked.

        Raises:
            UnknownError
        """
        row = await Contacts(tx).get(contact_id)
        if row is None:
            raise UnknownError("contact")
        return row

    async def own(self, tx: Transaction, contact_id: UUID, office: str) -> ContactRow:
        """Return a contact of an office, locked.

        Raises:
            UnknownError: another office has it, or none.
        """
        row = await self.get(tx, contact_id)
        if row.acting_authority != office:
            raise UnknownError("contact")
        return row


@dataclass(frozen=True)
class JointHandOvers:
    """Hand-overs of contacts to another authority or service.

    Attributes:
        contacts: the queue.
        acknowledge_hours: how many office hours a hand-over waits before it is overdue.
    """

    contacts: JointContacts
    acknowledge_hours: float

    async def ask(self, tx: Transaction, event: HandOverAsked) -> None:
        """Hand a contact over to another authority or service. Until it is acknowledged, who has it has it still.

        Raises:
            UnknownError: no such contact of that office.
        """
        await Contacts(tx).lock_queue()
        contact = await self.contacts.own(tx, event.contact_id, event.office)
        row = HandOverRow(
            hand_over_id=event.hand_over_id,
            contact_id=event.contact_id,
            from_authority=event.office,
            from_officer=contact.officer or "",
            to_authority=event.to_authority,
            to_service=event.to_service,
            reason=event.reason,
            asked_at=tx.clock.now(),
            due_at=self.contacts.hours.after(tx.clock.now(), self.acknowledge_hours),
            state=HandOverState.ASKED,
        )
        if not await HandOvers(tx).add(row):
            return
        target = event.to_authority or event.to_service
        actor = f"officer:{contact.officer}"
        Contacts(tx).note(event.contact_id, "hand-over asked", actor, f"to {target}: {event.reason}")
        if not can_become(contact.state, ContactState.HANDED_OVER):
            change = refuse(contact.state, f"the contact is {contact.state}")
            await self._carry_out(tx, row, contact, change, tx.clock.now())
        elif event.to_service is not None:
            tx.publish(_matter(row, event.to_service, contact.contact))
        elif event.to_authority is not None:
            await self._offer(tx, row, event.to_authority, contact)

    async def _offer(self, tx: Transaction, row: HandOverRow, authority: str, contact: ContactRow) -> None:
        """Offer a contact to another authority's officer; an earlier offer that nobody has acknowledged ends.

        Open contacts have no limit: the officer acknowledges.
        """
        advisers = [adviser for adviser in await Advisers(tx).all() if adviser.authority == authority]
        today = self.contacts.hours.next_open_day(local_day(tx.clock.now()))
        topic, language = contact.contact.topic, contact.contact.language
        decision = assign(topic, language, advisers, {}, {authority: 1.0}, today, open_limit=None)
        if decision.adviser is None:
            change = refuse(contact.state, f"{authority}: {decision.reason}")
            await self._carry_out(tx, row, contact, change, tx.clock.now())
            return
        for earlier in await HandOvers(tx).offers(row.contact_id):
            if earlier.hand_over_id != row.hand_over_id:
                instead = withdraw(f"handed over to {authority} instead")
                self.contacts.withdraw(tx, contact, earlier, instead, tx.clock.now())
        contact.version += 1
        event = ContactAssigned(
            contact_id=contact.contact_id,
            version=contact.version,
            contact=contact.contact,
            officer=decision.adviser.officer,
            competent_authority=contact.competent_authority,
            acting_authority=authority,
            reason=f"handed over by {row.from_authority}: {row.reason}"[:MAX_REASON],
            hand_over_id=row.hand_over_id,
            joined=tuple(contact.joined) or None,
            due_at=contact.due_at,
            reopened_version=contact.reopened_version,
        )
        tx.publish(event, to=authority)

    async def acknowledge(self, tx: Transaction, event: HandOverAcknowledged) -> None:
        """Enter that an officer of the other authority has taken a contact over; who had it is told.

        If the contact has gone elsewhere meanwhile, the other authority is told that it is not its own.

        Raises:
            UnknownError: no such hand-over to that office.
        """
        await Contacts(tx).lock_queue()
        row = await HandOvers(tx).get(event.hand_over_id)
        if row is None or row.to_authority != event.office:
            raise UnknownError("hand-over")
        contact = await self.contacts.get(tx, row.contact_id)
        change = acknowledge(row.state, contact.state, row.from_authority, contact.acting_authority, event.officer)
        if change is not None:
            await self._carry_out(tx, row, contact, change, event.acknowledged_at)

    async def enter_answer(self, tx: Transaction, event: HandOverAnswered) -> None:
        """Enter what another service says of a matter that was handed over to it.

        Raises:
            UnknownError: no such hand-over to that service.
        """
        await Contacts(tx).lock_queue()
        row = await HandOvers(tx).get(event.hand_over_id)
        if row is None or row.to_service != event.service:
            raise UnknownError("hand-over")
        contact = await self.contacts.get(tx, row.contact_id)
        row.matter_id = event.matter_id or row.matter_id
        row.draft_id = event.draft_id or row.draft_id
        change = answer(row.state, contact.state, event.service, HandOverState(event.state), event.reason)
        if change is not None:
            await self._carry_out(tx, row, contact, change, event.at)

    async def _carry_out(
        self, tx: Transaction, row: HandOverRow, contact: ContactRow, change: Change, at: datetime
    ) -> None:
        row.state, row.answer, row.answered_at = change.state, change.answer, at
        match change.effect:
            case Effect.STAY | Effect.RETURN if contact.officer is not None and contact.acting_authority is not None:
                if change.effect is Effect.RETURN:
                    contact.answered_at = None
                    contact.reopened_version, contact.reopened_at = contact.version + 1, at
                self.contacts.give(tx, contact, contact.officer, contact.acting_authority, change.reason, RULE)
            case Effect.MOVE if change.officer is not None and row.to_authority is not None:
                actor = f"officer:{change.officer}"
                self.contacts.give(tx, contact, change.officer, row.to_authority, change.reason, actor)
                self.contacts.release(tx, contact, row.from_authority, change.reason)
            case Effect.WITHDRAW:
                self.contacts.withdraw(tx, contact, row, change, at)
            case Effect.LEAVE if row.to_service is not None and contact.acting_authority is not None:
                self.contacts.move(contact, ContactState.HANDED_OVER, at)
                Contacts(tx).note(contact.contact_id, "handed over", row.to_service, "accepted")
                self.contacts.release(tx, contact, contact.acting_authority, change.reason)
                await self.contacts.assign_waiting(tx)

    async def sweep(self, tx: Transaction) -> None:
        """Assign what waits - an absence may have ended - and tell both sides of hand-overs that are overdue."""
        await self.contacts.assign_waiting(tx)
        for row in await HandOvers(tx).mark_overdue():
            event = HandOverOverdue(contact_id=row.contact_id, hand_over_id=row.hand_over_id, due_at=row.due_at)
            for office in filter(None, (row.from_authority, row.to_authority)):
                tx.publish(event, to=office)
            Contacts(tx).note(row.contact_id, "hand-over overdue", RULE, f"to {row.to_authority or row.to_service}")


def _matter(row: HandOverRow, service: ServiceName, contact: Contact) -> MatterHandedOver:
    return MatterHandedOver(
        hand_over_id=row.hand_over_id,
        contact_id=row.contact_id,
        to_service=service,
        topic=contact.topic,
        language=contact.language,
        municipality=contact.municipality,
        business_id=contact.business_id,
        from_authority=row.from_authority,
        due_at=row.due_at,
        reason=row.reason,
    )
