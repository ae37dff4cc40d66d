"""What a city's officer does with a contact. Each act returns what it changes, or None when that was done before."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.advisory.domain.contact import ContactState, require, require_reopening
from shared.errors import ConflictError
from shared.events.envelope import Event
from shared.events.v1.advisory import ContactAnswered, ContactClosed, ContactReopened, Given, HandOverAcknowledged


@dataclass(frozen=True, slots=True)
class OwnContact:
    """A contact as acts see it.

    Attributes:
        contact_id: whose it is.
        state: where it stands.
        hand_over_id: it was handed over to this office.
        is_acknowledged: and an officer has taken it over.
        version: the joint office's number of what was last assigned here.
    """

    contact_id: UUID
    state: ContactState
    hand_over_id: UUID | None = None
    is_acknowledged: bool = True
    version: int | None = None


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, in which office, and when."""

    office: str
    officer: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """The contact after an act, and what the joint office is told."""

    contact: OwnContact
    event: Event


def answer(contact: OwnContact, by: By, minutes: int | None, guidance: tuple[Given, ...]) -> Change | None:
    """Answer the employer; `minutes`: how long it took.

    Raises:
        ConflictError: `invalid-state`.
    """
    if contact.state is ContactState.ANSWERED:
        return None
    require(contact.state, ContactState.ANSWERED)
    event = ContactAnswered(
        contact_id=contact.contact_id,
        office=by.office,
        officer=by.officer,
        answered_at=by.at,
        minutes=minutes,
        guidance=guidance,
        version=contact.version,
    )
    return Change(replace(contact, state=ContactState.ANSWERED), event)


def close(contact: OwnContact, by: By) -> Change | None:
    """Close a contact that needs nothing more.

    Raises:
        ConflictError: `invalid-state`.
    """
    if contact.state is ContactState.CLOSED:
        return None
    require(contact.state, ContactState.CLOSED)
    event = ContactClosed(contact_id=contact.contact_id, office=by.office, closed_at=by.at, version=contact.version)
    return Change(replace(contact, state=ContactState.CLOSED), event)


def reopen(contact: OwnContact, by: By, officer: str, reason: str) -> Change | None:
    """Take back an answer or a closing: the contact is `officer`'s again.

    Raises:
        ConflictError: `invalid-state`: another has it now.
    """
    if contact.state is ContactState.ASSIGNED:
        return None
    require_reopening(contact.state)
    event = ContactReopened(
        contact_id=contact.contact_id,
        office=by.office,
        officer=officer,
        reason=reason,
        at=by.at,
        version=contact.version,
    )
    return Change(replace(contact, state=ContactState.ASSIGNED), event)


def acknowledge(contact: OwnContact, by: By) -> Change | None:
    """Take over a contact that another authority hands over.

    Raises:
        ConflictError: `invalid-state`.
    """
    if contact.is_acknowledged:
        return None
    if contact.state is not ContactState.ASSIGNED or contact.hand_over_id is None:
        raise ConflictError("invalid-state", f"The contact is {contact.state}.")
    event = HandOverAcknowledged(
        contact_id=contact.contact_id,
        office=by.office,
        hand_over_id=contact.hand_over_id,
        officer=by.officer,
        acknowledged_at=by.at,
    )
    return Change(replace(contact, is_acknowledged=True), event)
