"""A contact's course: new, assigned, answered, handed over, closed; and when two contacts are one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from stdnum.fi import ytunnus

from shared.errors import RefusedError
from shared.events.v1.advisory import Contact

JOIN_WITHIN: Final = timedelta(days=3)


class ContactState(StrEnum):
    """Where a contact stands."""

    NEW = "new"
    ASSIGNED = "assigned"
    ANSWERED = "answered"
    HANDED_OVER = "handed_over"
    CLOSED = "closed"


def check(contact: Contact) -> None:
    """Refuse a contact whose employer's business id does not hold.

    Raises:
        RefusedError
    """
    if contact.business_id is not None and not ytunnus.is_valid(contact.business_id):
        raise RefusedError("/contact/business_id", "wrong-business-id", "The business id (Y-tunnus) is not valid.")


@dataclass(frozen=True, slots=True)
class Earlier:
    """A contact that came before and is not closed. `callers`: telephone numbers and addresses, as written down."""

    contact_id: UUID
    contact: Contact
    callers: frozenset[str]


def joins(contact: Contact, callers: frozenset[str], earlier: Iterable[Earlier]) -> tuple[UUID, str] | None:
    """Return which earlier contact this one is a repetition of, and why; None when it is a matter of its own.

    The same employer, or the same caller, about the same topic, within three days.
    """
    for one in sorted(earlier, key=lambda found: (found.contact.received_at, found.contact_id)):
        if one.contact.topic != contact.topic or not _is_near(one.contact.received_at, contact.received_at):
            continue
        channels = f"{one.contact.channel} and {contact.channel}, both about {contact.topic}, within three days"
        if contact.business_id is not None and one.contact.business_id == contact.business_id:
            return one.contact_id, f"the same employer by {channels}"
        if callers & one.callers and None in {contact.business_id, one.contact.business_id}:
            return one.contact_id, f"the same caller by {channels}"
    return None


def _is_near(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= JOIN_WITHIN
