"""A contact's course: new, assigned, answered, handed over, closed; and when two contacts are one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import phonenumbers
from pydantic import Field

from shared.errors import ConflictError, RefusedError
from shared.events.envelope import Part
from shared.events.v1.advisory import Contact, ContactTopic
from shared.events.values import is_business_id

JOIN_WITHIN: Final = timedelta(days=3)
MAX_ADDRESS: Final = 200
MAX_TEXT: Final = 20_000
"""How much of a caller's e-mail address and words is kept, in characters."""


class ContactState(StrEnum):
    """Where a contact stands."""

    NEW = "new"
    ASSIGNED = "assigned"
    ANSWERED = "answered"
    HANDED_OVER = "handed_over"
    CLOSED = "closed"


_FROM: Final[Mapping[ContactState, frozenset[ContactState]]] = {
    ContactState.NEW: frozenset(),
    ContactState.ASSIGNED: frozenset({ContactState.NEW, ContactState.ASSIGNED}),
    ContactState.ANSWERED: frozenset({ContactState.ASSIGNED}),
    ContactState.HANDED_OVER: frozenset({ContactState.ASSIGNED}),
    ContactState.CLOSED: frozenset({ContactState.ASSIGNED, ContactState.ANSWERED}),
}


def can_become(state: ContactState, to: ContactState) -> bool:
    """Whether an officer's act may bring a contact from one state to another."""
    return state in _FROM[to]


def require(state: ContactState, to: ContactState) -> None:
    """Let an act through that the contact's state allows.

    Raises:
        ConflictError: `invalid-state`.
    """
    if not can_become(state, to):
        raise ConflictError("invalid-state", f"The contact is {state}.")


def reason_of_taking(state: ContactState, competent: str | None, authority: str) -> str:
    """Return why an authority may take a contact: it is competent, or nobody is known to be and the contact waits.

    Raises:
        ConflictError: `other-authority`, `invalid-state`.
    """
    if competent is None and state is ContactState.NEW:
        return f"taken by {authority}: it waited, and no authority is known to be competent"
    if competent != authority:
        raise ConflictError("other-authority", "A city takes its own employers' contacts.")
    require(state, ContactState.ASSIGNED)
    return f"taken by {authority}, whose employer it is"


def require_reopening(state: ContactState) -> None:
    """Let an answer or a closing be taken back.

    Raises:
        ConflictError: `invalid-state`.
    """
    if state not in {ContactState.ANSWERED, ContactState.CLOSED}:
        raise ConflictError("invalid-state", f"The contact is {state}.")


UNDELIVERED: Final = "the answer could not be delivered by e-mail"
"""Why a contact is reopened whose answer no server took."""


REOPENS: Final = frozenset({ContactState.ANSWERED, ContactState.HANDED_OVER})
"""A contact in these states must be answered again when a later one about the same joins it."""


def ends(state: ContactState, to: ContactState, seen: int | None, reopened: int | None) -> bool:
    """Whether an officer's answer or closing ends a contact: not if a later contact joined it that was not seen.

    Args:
        state: where the contact stands.
        to: answered, or closed.
        seen: the version that the officer saw; None when it is not known.
        reopened: the version with which the contact was last reopened.
    """
    return can_become(state, to) and (seen is None or reopened is None or seen >= reopened)


def reopened_by_city(seen: int | None, reopened: int | None) -> int | None:
    """Return the version with which a contact counts as reopened that a city has reopened.

    Never above what the city saw: the answer that it gives next may be on its way already, and ends the contact.

    Args:
        seen: the version that the city saw; None when it is not known.
        reopened: the version with which the contact was last reopened.
    """
    return max((version for version in (seen, reopened) if version is not None), default=None)


class Person(Part):
    """Who calls, and what about. Stands in the store of the office that took the contact, and in no event."""

    name: str | None = Field(default=None, max_length=200)
    phone: str | None = Field(default=None, max_length=50)
    email: str | None = Field(default=None, max_length=MAX_ADDRESS)
    text: str | None = Field(default=None, max_length=MAX_TEXT)

    @property
    def callers(self) -> frozenset[str]:
        """The telephone number in E.164 and the address in lower case."""
        return frozenset(filter(None, (telephone_number(self.phone or ""), (self.email or "").strip().lower())))


def telephone_number(given: str) -> str | None:
    """Return a telephone number in E.164 (+358401234567), read as a Finnish one without a country code.

    None where it is none: two callers are not the same because both left something unreadable.
    """
    try:
        number = phonenumbers.parse(given, "FI")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    number.extension = None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def check_business_id(business_id: str | None) -> None:
    """Refuse a business id that is not valid. None is: it may not be known.

    Raises:
        RefusedError: `wrong-business-id`.
    """
    if business_id is not None and not is_business_id(business_id):
        raise RefusedError("/business_id", "wrong-business-id", "The business id (Y-tunnus) is not valid.")


@dataclass(frozen=True, slots=True)
class Earlier:
    """A contact that came before and is not closed. `callers`: telephone numbers in E.164, and addresses."""

    contact_id: UUID
    contact: Contact
    callers: frozenset[str]


def joins(contact: Contact, callers: frozenset[str], earlier: Iterable[Earlier]) -> tuple[UUID, str] | None:
    """Return which earlier contact this one is a repetition of, and why; None when it is a matter of its own.

    The same employer, or the same caller, about the same topic, within three days. "Other" names no topic: whether
    two of those are one matter is for an officer.
    """
    if contact.topic is ContactTopic.OTHER:
        return None
    for other in sorted(earlier, key=lambda one: (one.contact.received_at, one.contact_id)):
        if other.contact.topic != contact.topic or not _is_near(other.contact.received_at, contact.received_at):
            continue
        channels = f"{other.contact.channel} and {contact.channel}, both about {contact.topic}, within three days"
        if contact.business_id is not None and other.contact.business_id == contact.business_id:
            return other.contact_id, f"the same employer by {channels}"
        if callers & other.callers and None in {contact.business_id, other.contact.business_id}:
            return other.contact_id, f"the same caller by {channels}"
    return None


def _is_near(instant: datetime, other: datetime) -> bool:
    return abs(instant - other) <= JOIN_WITHIN
