"""Who may know who called; and a query to the city that keeps the caller: granted for some days, refused, or ended."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.advisory.domain.contact import ContactState, Person
from shared.errors import ForbiddenError, UnknownError
from shared.events.v1.advisory import ServiceName

READABLE_FOR: Final = timedelta(days=14)
"""How long an officer may read a caller after the city has granted it. Who needs it longer asks again."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom a contact concerns: its acting and its competent authority, and the services that hold it."""

    authorities: frozenset[str | None]
    services: frozenset[ServiceName | None] = frozenset()


def may_know(contact: Iterable[Concerned], authority: str, service: ServiceName | None) -> bool:
    """Whether an officer may know who called.

    Args:
        contact: whom the contact concerns, and the earlier ones that it was joined to: whoever has to answer those
            answers it too.
        authority: the officer's.
        service: the service for which the officer handles the contact, if it was handed over to one.
    """
    return any(
        authority in concerned.authorities or (service is not None and service in concerned.services)
        for concerned in contact
    )


class QueryState(StrEnum):
    """What a city has answered to a query."""

    GRANTED = "granted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Decision:
    """A city's decision on a query. `reason`: why it is refused."""

    state: QueryState
    reason: str | None = None
    readable_until: datetime | None = None


def decide(state: ContactState | None, person: Person | None, at: datetime) -> Decision:
    """Decide on a query for the caller of a contact; `state` is None where the city has no such contact."""
    if state is None or person is None or not person.model_dump(exclude_none=True):
        return Decision(QueryState.REFUSED, "nobody who called is kept here")
    if state is ContactState.CLOSED:
        return Decision(QueryState.REFUSED, "the contact is closed: it needs nothing more")
    return Decision(QueryState.GRANTED, readable_until=at + READABLE_FOR)


@dataclass(frozen=True, slots=True)
class Asker:
    """An officer, and of which authority."""

    subject: str
    authority: str


def require_readable(decision: Decision, asked_by: Asker, who: Asker, at: datetime) -> None:
    """Let the officer read who asked, while it is granted.

    Raises:
        UnknownError: somebody else asked.
        ForbiddenError: `not-granted`, `expired`.
    """
    if who != asked_by:
        raise UnknownError("caller query")
    if decision.state is QueryState.REFUSED or decision.readable_until is None:
        raise ForbiddenError("not-granted", "The city has refused the query.")
    if decision.readable_until < at:
        raise ForbiddenError("expired", "The query has expired. Ask again.")


def keeper(filed_by: str, authorities: Collection[str]) -> str | None:
    """Return the city that took a contact in itself and keeps its caller; None for all others."""
    return filed_by if filed_by in authorities else None
