"""What can be done at the joint office, each inside one transaction: HTTP, e-mail and the message handlers come here."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field

from services.advisory.domain.assignment import assign
from services.advisory.domain.contact import ContactState, check, joins
from services.advisory.domain.resources import Agreed, agreed_on
from services.advisory.store import Announcements, Contacts, Guidance, Questions, Resources
from shared import topics
from shared.calendar import local_day, start_of
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import Event
from shared.events.v1.advisory import (
    AnnouncementMade,
    Audience,
    Contact,
    ContactAnswered,
    ContactAssigned,
    ContactClosed,
    ContactRegistered,
    ContactReleased,
    ContactTopic,
    GuidancePublished,
    HandOverAcknowledged,
    HandOverAnswered,
    HandOverAsked,
    HandOverOverdue,
    MatterHandedOver,
    ServiceName,
    TimelineRequested,
    Trilingual,
    WorkRequested,
)
from shared.messaging.transaction import Transaction
from shared.store import Found

SERVICES: Final[tuple[ServiceName, ...]] = ("change_security", "placement", "training")
RULE: Final = "rule"


class Person(BaseModel):
    """Who calls, and what about. Stands in the store of the office that took the contact, and in no event."""

    name: str | None = Field(default=None, max_length=200)
    phone: str | None = Field(default=None, max_length=50)
    email: str | None = Field(default=None, max_length=200)
    text: str | None = Field(default=None, max_length=20_000)

    @property
    def callers(self) -> frozenset[str]:
        """The telephone number and the address, written one way."""
        phone = "".join(sign for sign in self.phone or "" if sign.isdigit())
        return frozenset(found for found in (phone, (self.email or "").strip().lower()) if found)


class JointAdvisory:
    """The joint side of advisory."""

    def __init__(
        self,
        offices: tuple[str, ...],
        authority_of: Mapping[str, str],
        agreed: tuple[Agreed, ...],
        open_limit: int,
        acknowledge_within: timedelta,
    ) -> None:
        self.offices = offices
        self._authority_of = authority_of
        self.shipped = agreed
        self._open_limit = open_limit
        self._acknowledge_within = acknowledge_within

    # -- contacts

    async def receive(
        self,
        tx: Transaction,
        contact_id: UUID,
        contact: Contact,
        filed_by: str,
        person: Person | None = None,
        source_reference: str | None = None,
    ) -> bool:
        """Take a contact into the queue: join it to an earlier one, or give it to an officer. False when it is there.

        Raises:
            RefusedError: the business id does not hold.
        """
        check(contact)
        contacts = Contacts(tx)
        await contacts.lock_queue()
        callers = person.callers if person else frozenset[str]()
        competent = self._authority_of.get(contact.municipality or "")
        if not await contacts.add(contact_id, contact, competent, filed_by, callers, person, source_reference):
            return False
        await contacts.note(contact_id, "received", filed_by, f"by {contact.channel}")
        joined = joins(contact, callers, await contacts.earlier(contact_id, contact, callers))
        if joined is not None:
            into, reason = joined
            await contacts.join(contact_id, into, reason)
            await contacts.note(contact_id, "joined", RULE, reason)
            await contacts.note(into, "joined by another", RULE, reason)
            return True
        await self._try_to_assign(tx, contact_id, contact, competent)
        return True

    async def assign_waiting(self, tx: Transaction) -> int:
        """Give the contacts that wait to whoever has room, the oldest first; return how many were given."""
        await Contacts(tx).lock_queue()
        given = 0
        for row in await Contacts(tx).waiting():
            contact = Contact.model_validate(row.contact)
            given += await self._try_to_assign(tx, row.contact_id, contact, row.competent_authority)
        return given

    async def _try_to_assign(self, tx: Transaction, contact_id: UUID, contact: Contact, competent: str | None) -> bool:
        contacts = Contacts(tx)
        today = local_day(tx.clock.now())
        decision = assign(
            contact.topic,
            contact.language,
            await contacts.advisers(),
            await contacts.handled(*year_of(today)),
            await self.agreed(tx, "advisory", today),
            today,
            self._open_limit,
        )
        if decision.adviser is None:
            await contacts.wait(contact_id, decision.reason)
            return False
        await self._give(
            tx,
            contact_id,
            contact,
            competent,
            decision.adviser.officer,
            decision.adviser.authority,
            decision.reason,
            RULE,
        )
        return True

    async def _give(
        self,
        tx: Transaction,
        contact_id: UUID,
        contact: Contact,
        competent: str | None,
        officer: str,
        authority: str,
        reason: str,
        actor: str,
    ) -> None:
        version = await Contacts(tx).assign(contact_id, officer, authority, reason)
        await Contacts(tx).note(contact_id, "assigned", actor, reason)
        told = ContactAssigned(
            contact_id=contact_id,
            version=version,
            contact=contact,
            officer=officer,
            competent_authority=competent,
            acting_authority=authority,
            reason=reason,
        )
        tell(tx, authority, told)

    async def take(self, tx: Transaction, contact_id: UUID, officer: str, authority: str, actor: str) -> None:
        """Let an officer of the competent authority take a contact of the authority's own employer.

        Raises:
            UnknownError: no such contact.
            ConflictError: the employer is another authority's, or the contact is answered or closed.
        """
        await Contacts(tx).lock_queue()
        row = await self._known(tx, contact_id)
        if row.competent_authority != authority:
            raise ConflictError("other-authority", "A city takes its own employers' contacts.")
        if row.state not in {ContactState.NEW, ContactState.ASSIGNED}:
            raise ConflictError("wrong-state", f"The contact is {row.state}.")
        if row.officer == officer:
            return
        before = row.acting_authority
        reason = f"taken by {authority}, whose employer it is"
        await self._give(
            tx, contact_id, Contact.model_validate(row.contact), authority, officer, authority, reason, actor
        )
        if before is not None and before != authority:
            await self._release(tx, contact_id, before, reason)

    async def answered(self, tx: Transaction, told: ContactAnswered) -> None:
        """Enter an answer, and which guidance the employer was given. What waits may be given to the officer now.

        Raises:
            UnknownError: no such contact of that office.
        """
        row = await self._own(tx, told.contact_id, told.office)
        await Guidance(tx).give(told.contact_id, row.business_id, told.guidance, told.answered_at)
        if row.state == ContactState.ASSIGNED:
            await Contacts(tx).move(told.contact_id, ContactState.ANSWERED, told.answered_at, told.minutes)
            await Contacts(tx).note(told.contact_id, "answered", f"officer:{told.officer}", "")
            await self.assign_waiting(tx)

    async def closed(self, tx: Transaction, told: ContactClosed) -> None:
        """Enter that a contact needs nothing more.

        Raises:
            UnknownError: no such contact of that office.
        """
        row = await self._own(tx, told.contact_id, told.office)
        if row.state in {ContactState.ASSIGNED, ContactState.ANSWERED}:
            await Contacts(tx).move(told.contact_id, ContactState.CLOSED, told.closed_at)
            await Contacts(tx).note(told.contact_id, "closed", told.office, "")
            await self.assign_waiting(tx)

    async def registered(self, tx: Transaction, told: ContactRegistered) -> None:
        """Count a contact that a city has taken in and handles itself."""
        competent = self._authority_of.get(told.contact.municipality or "", told.office)
        if await Contacts(tx).add(told.contact_id, told.contact, competent, told.office, (), None):
            await Contacts(tx).assign(told.contact_id, told.officer, told.office, "taken in by the city itself")
            await Contacts(tx).note(told.contact_id, "registered", told.office, "taken in by the city itself")

    # -- hand-overs

    async def ask_hand_over(self, tx: Transaction, told: HandOverAsked) -> None:
        """Hand a contact over to another authority or service. Until it is acknowledged, who has it has it still.

        Raises:
            UnknownError: no such contact of that office.
        """
        await Contacts(tx).lock_queue()
        row = await self._own(tx, told.contact_id, told.office)
        due_at = tx.clock.now() + self._acknowledge_within
        if not await Contacts(tx).ask_hand_over(told, row.officer, due_at):
            return
        target = told.to_authority or told.to_service
        await Contacts(tx).note(
            told.contact_id, "hand-over asked", f"officer:{row.officer}", f"to {target}: {told.reason}"
        )
        contact = Contact.model_validate(row.contact)
        if row.state != ContactState.ASSIGNED:
            await self._refuse_hand_over(tx, row, told.hand_over_id, f"the contact is {row.state}")
        elif told.to_service is not None:
            matter = MatterHandedOver(
                hand_over_id=told.hand_over_id,
                contact_id=told.contact_id,
                to_service=told.to_service,
                topic=contact.topic,
                language=contact.language,
                municipality=contact.municipality,
                business_id=contact.business_id,
                from_authority=told.office,
                due_at=due_at,
            )
            tx.publish(matter, to=topics.ADVISORY_SERVICES)
        else:
            await self._offer_to_authority(tx, row, told, contact)

    async def _offer_to_authority(self, tx: Transaction, row: Found, told: HandOverAsked, contact: Contact) -> None:
        authority = told.to_authority or ""
        today = local_day(tx.clock.now())
        advisers = [one for one in await Contacts(tx).advisers() if one.authority == authority]
        # Between two authorities the officers' limit does not count: it is the receiving officer who acknowledges.
        decision = assign(contact.topic, contact.language, advisers, {}, {authority: 1.0}, today, 10_000)
        if decision.adviser is None:
            await self._refuse_hand_over(tx, row, told.hand_over_id, f"{authority}: {decision.reason}")
            return
        offered = ContactAssigned(
            contact_id=told.contact_id,
            version=await Contacts(tx).next_version(told.contact_id),
            contact=contact,
            officer=decision.adviser.officer,
            competent_authority=row.competent_authority,
            acting_authority=authority,
            reason=f"handed over by {told.office}: {told.reason}"[:400],
            hand_over_id=told.hand_over_id,
        )
        tell(tx, authority, offered)

    async def _refuse_hand_over(self, tx: Transaction, row: Found, hand_over_id: UUID, why: str) -> None:
        await Contacts(tx).answer_hand_over(hand_over_id, "rejected", tx.clock.now(), answer=why)
        await self._give_back(tx, row, f"not handed over: {why}")

    async def _give_back(self, tx: Transaction, row: Found, reason: str) -> None:
        """Tell whoever has a contact that it is still theirs, and why."""
        if row.state != ContactState.ASSIGNED:
            return
        contact = Contact.model_validate(row.contact)
        await self._give(
            tx, row.contact_id, contact, row.competent_authority, row.officer, row.acting_authority, reason[:400], RULE
        )

    async def acknowledge(self, tx: Transaction, told: HandOverAcknowledged) -> None:
        """Enter that an officer of the other authority has taken a contact over; who had it is told.

        Raises:
            UnknownError: no such hand-over to that office.
        """
        await Contacts(tx).lock_queue()
        hand_over = await Contacts(tx).hand_over(told.hand_over_id)
        if hand_over is None or hand_over.to_authority != told.office:
            raise UnknownError("hand-over")
        if hand_over.state != "asked":
            return
        row = await self._known(tx, told.contact_id)
        await Contacts(tx).answer_hand_over(told.hand_over_id, "accepted", told.acknowledged_at)
        if row.state != ContactState.ASSIGNED:
            await self._release(tx, told.contact_id, told.office, f"it was {row.state} meanwhile")
            return
        reason = f"handed over by {hand_over.from_authority}, and acknowledged"
        contact = Contact.model_validate(row.contact)
        await self._give(
            tx,
            row.contact_id,
            contact,
            row.competent_authority,
            told.officer,
            told.office,
            reason,
            f"officer:{told.officer}",
        )
        await self._release(tx, told.contact_id, hand_over.from_authority, reason)

    async def service_answered(self, tx: Transaction, told: HandOverAnswered) -> None:
        """Enter what another service says of a matter that was handed over to it.

        Raises:
            UnknownError: no such hand-over to that service.
        """
        await Contacts(tx).lock_queue()
        hand_over = await Contacts(tx).hand_over(told.hand_over_id)
        if hand_over is None or hand_over.to_service != told.service:
            raise UnknownError("hand-over")
        if hand_over.state not in {"asked", "stored"} or (told.state, hand_over.state) == ("stored", "stored"):
            return
        await Contacts(tx).answer_hand_over(told.hand_over_id, told.state, told.at, told.matter_id, told.reason)
        if told.state == "stored":
            return
        row = await self._known(tx, hand_over.contact_id)
        if told.state == "rejected":
            await self._give_back(tx, row, f"not taken by {told.service}: {told.reason}")
            return
        await Contacts(tx).move(row.contact_id, ContactState.HANDED_OVER, told.at)
        await Contacts(tx).note(row.contact_id, "handed over", told.service, "accepted")
        await self._release(tx, row.contact_id, row.acting_authority, f"{told.service} has it now")
        await self.assign_waiting(tx)

    async def escalate(self, tx: Transaction) -> int:
        """Tell both sides of hand-overs that nobody has acknowledged in time; return how many there are."""
        overdue = await Contacts(tx).overdue_hand_overs()
        for one in overdue:
            told = HandOverOverdue(contact_id=one.contact_id, hand_over_id=one.hand_over_id, due_at=one.due_at)
            for office in {one.from_authority, one.to_authority} - {None}:
                tell(tx, office, told)
            await Contacts(tx).note(
                one.contact_id, "hand-over overdue", RULE, f"to {one.to_authority or one.to_service}"
            )
        return len(overdue)

    async def _release(self, tx: Transaction, contact_id: UUID, office: str, reason: str) -> None:
        version = await Contacts(tx).next_version(contact_id)
        tell(tx, office, ContactReleased(contact_id=contact_id, version=version, reason=reason[:400]))

    # -- resources

    async def agreed(self, tx: Transaction, task: str, day: date) -> dict[str, float]:
        """Return the agreed person-years for a task on a day, by authority."""
        return agreed_on([*self.shipped, *await Resources(tx).decided()], task, day)

    # -- what other services are asked

    async def ask_timeline(self, tx: Transaction, request_id: UUID, business_id: str, authority: str, by: str) -> None:
        """Ask every service what it has of an employer, as far as an authority may see it."""
        question = {"business_id": business_id, "authority": authority}
        await Questions(tx).ask(request_id, "timeline", question, by, SERVICES)
        told = TimelineRequested(request_id=request_id, business_id=business_id, for_authority=authority)
        tx.publish(told, to=topics.ADVISORY_SERVICES)

    async def ask_work(self, tx: Transaction, request_id: UUID, since: date, until: date, by: str) -> None:
        """Ask every service for its acts of handling."""
        question = {"since": since.isoformat(), "until": until.isoformat()}
        await Questions(tx).ask(request_id, "work", question, by, SERVICES)
        tx.publish(WorkRequested(request_id=request_id, since=since, until=until), to=topics.ADVISORY_SERVICES)

    # -- guidance and announcements

    async def approve(self, tx: Transaction, article_id: UUID, version: int, by: str, on: date) -> None:
        """Enter the coordination group's approval; everyone hears of the version.

        Raises:
            UnknownError: no such version.
            ConflictError: a newer version is approved already.
        """
        row = await Guidance(tx).version(article_id, version)
        if row is None:
            raise UnknownError("article")
        if any(one.approved_on and one.version > version for one in await Guidance(tx).versions(article_id)):
            raise ConflictError("newer-version", "A newer version is approved already.")
        if row.approved_on is not None:
            return
        await Guidance(tx).approve(article_id, version, by, on)
        told = GuidancePublished(
            article_id=article_id,
            version=version,
            topic=ContactTopic(row.topic),
            texts=Trilingual.model_validate(row.texts),
            owner=row.owner,
            review_by=row.review_by,
            approved_on=on,
        )
        tx.publish(told, to=topics.ADVISORY_SHARED)

    async def announce(
        self,
        tx: Transaction,
        announcement_id: UUID,
        texts: Trilingual,
        audiences: Sequence[Audience],
        publish_on: date,
        by: str,
    ) -> None:
        """Make a coordinated announcement; each city gets it and receipts it."""
        told = AnnouncementMade(
            announcement_id=announcement_id, texts=texts, audiences=tuple(audiences), publish_on=publish_on
        )
        await Announcements(tx).make(told, by, self.offices)
        for office in self.offices:
            tell(tx, office, told)

    # -- what is there

    async def _known(self, tx: Transaction, contact_id: UUID) -> Found:
        row = await Contacts(tx).get(contact_id)
        if row is None:
            raise UnknownError("contact")
        return row

    async def _own(self, tx: Transaction, contact_id: UUID, office: str) -> Found:
        row = await self._known(tx, contact_id)
        if row.acting_authority != office:
            raise UnknownError("contact")
        return row


def year_of(day: date) -> tuple[datetime, datetime]:
    """Return the instants between which the calendar year of a day lies: shares are kept by the year."""
    return start_of(date(day.year, 1, 1)), start_of(date(day.year + 1, 1, 1))


def tell(tx: Transaction, office: str, event: Event) -> None:
    """Tell a city."""
    tx.publish(event, to=topics.ADVISORY_TO, office=office)
