"""A hand-over's course: asked, stored by a service, then accepted or rejected. Until then the contact stays.

To another authority a hand-over is asked and acknowledged by its officer; to another service it is asked, confirmed
stored, and accepted or rejected by an officer there. Each function returns what an answer changes; commands carry it
out.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.advisory.domain.contact import ContactState
from shared.errors import RefusedError


class HandOverState(StrEnum):
    """How far a hand-over is."""

    ASKED = "asked"
    STORED = "stored"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """Another authority has the contact, or its course went on, before anybody acknowledged."""


OPEN: Final = frozenset({HandOverState.ASKED, HandOverState.STORED})
"""Nobody has answered yet."""


HELD_BY_A_SERVICE: Final = frozenset({HandOverState.STORED, HandOverState.ACCEPTED})
"""The service has it, to decide on or to handle: its officers may have to talk with the caller."""


class Effect(StrEnum):
    """What becomes of the contact."""

    NONE = "none"
    STAY = "stay"
    """Who handed it over keeps it, and is told why."""
    MOVE = "move"
    """The officer who acknowledged it has it now."""
    LEAVE = "leave"
    """It is the service's matter now."""
    RETURN = "return"
    """The service took it and gives it back: who handed it over has it again."""
    WITHDRAW = "withdraw"
    """The authority that it was offered to does not get it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an answer to a hand-over changes.

    Attributes:
        state: the hand-over's new state.
        effect: what becomes of the contact.
        reason: why, for those whom the effect concerns.
        answer: what is kept with the hand-over: why it was rejected.
        officer: who has the contact now, if it moves.
    """

    state: HandOverState
    effect: Effect = Effect.NONE
    reason: str = ""
    answer: str | None = None
    officer: str | None = None


def check_target(to_authority: str | None, to_service: str | None, others: Collection[str]) -> None:
    """Refuse a hand-over that is not to one service, or to one of the region's other authorities.

    Raises:
        RefusedError: `either-authority-or-service`, `no-other-authority`.
    """
    if (to_authority is None) == (to_service is None):
        text = "A contact is handed over to one authority or to one service."
        raise RefusedError("/to_authority", "either-authority-or-service", text)
    if to_authority is not None and to_authority not in others:
        raise RefusedError("/to_authority", "no-other-authority", "This is no other authority of the region.")


def refuse(contact: ContactState, why: str) -> Change:
    """Reject a hand-over at once: nobody can take the contact, or it cannot be handed over."""
    return Change(HandOverState.REJECTED, _stay(contact), f"not handed over: {why}", why)


def withdraw(why: str) -> Change:
    """End an offer to another authority that nobody has acknowledged, or that was acknowledged too late."""
    return Change(HandOverState.WITHDRAWN, Effect.WITHDRAW, why, why)


def acknowledge(
    state: HandOverState, contact: ContactState, from_authority: str, acting: str | None, officer: str
) -> Change | None:
    """Enter that an officer of the other authority has taken the contact over; None if it was answered before.

    Args:
        state: the hand-over's state.
        contact: the contact's state.
        from_authority: who handed it over.
        acting: who has the contact now.
        officer: who acknowledges.
    """
    if state not in OPEN:
        return None
    if contact is not ContactState.ASSIGNED:
        return withdraw(f"it was {contact} meanwhile")
    if acting != from_authority:
        return withdraw(f"{acting} has it meanwhile")
    reason = f"handed over by {from_authority}, and acknowledged"
    return Change(HandOverState.ACCEPTED, Effect.MOVE, reason, officer=officer)


def answer(
    state: HandOverState, contact: ContactState, service: str, to: HandOverState, reason: str | None
) -> Change | None:
    """Enter what a service says of a matter; None if that changes nothing.

    Args:
        state: the hand-over's state.
        contact: the contact's state.
        service: who answers.
        to: its answer.
        reason: why, if it rejects.
    """
    if (state, to) == (HandOverState.ACCEPTED, HandOverState.REJECTED):
        return Change(to, _back(contact), f"given back by {service}: {reason}", reason)
    if state not in OPEN or to == state:
        return None
    match to:
        case HandOverState.ACCEPTED:
            effect = Effect.NONE if contact is ContactState.CLOSED else Effect.LEAVE
            return Change(to, effect, f"{service} has it now", reason)
        case HandOverState.REJECTED:
            # Another service may have it; one that was answered meanwhile was answered as handed over.
            effect = Effect.NONE if contact is ContactState.HANDED_OVER else _back(contact)
            return Change(to, effect, f"not taken by {service}: {reason}", reason)
        case _:
            return Change(to)


def _back(contact: ContactState) -> Effect:
    """Return what becomes of a contact that a service does not keep: somebody must act, unless it is closed."""
    return Effect.RETURN if contact in {ContactState.ANSWERED, ContactState.HANDED_OVER} else _stay(contact)


def _stay(contact: ContactState) -> Effect:
    return Effect.STAY if contact is ContactState.ASSIGNED else Effect.NONE
