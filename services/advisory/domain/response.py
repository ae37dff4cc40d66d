"""How soon a contact is answered: agreed per channel, dated, in office hours; and what was reached."""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

from shared.events.envelope import Part
from shared.events.v1.advisory import Contact
from shared.events.v1.agreement import Figure, FigureName


class Channel(StrEnum):
    """How an employer came to us, a live telephone call among them."""

    PHONE = "phone"
    CALL_BACK = "call_back"
    FORM = "form"
    EMAIL = "email"


def channel_of(contact: Contact) -> Channel:
    """Return how a contact came."""
    return Channel.PHONE if contact.is_live_call else Channel(contact.channel.value)


class ResponseTime(Part):
    """That contacts by a channel are answered within so many office hours.

    Attributes:
        channel: how they come.
        hours: office hours from arrival to the answer.
        valid_from: from which day it counts, until a later one does.
        certainty: `verified`, or `unverified` while nobody has decided it.
        source: who says so.
    """

    channel: Channel
    hours: float
    valid_from: date
    certainty: str
    source: str


def response_times_in(figures: Iterable[Figure]) -> tuple[ResponseTime, ...]:
    """Return the response times among the agreement's figures, in the order in which they were decided."""
    return tuple(
        ResponseTime(
            channel=Channel(figure.scope),
            hours=figure.value,
            valid_from=figure.valid_from,
            certainty=figure.certainty,
            source=figure.source if figure.decision is None else f"{figure.decision.reference}: {figure.source}",
        )
        for figure in figures
        if figure.name == FigureName.RESPONSE_HOURS and figure.scope in set(Channel) and figure.value is not None
    )


def in_force(rules: Sequence[ResponseTime], channel: Channel, day: date) -> ResponseTime | None:
    """Return what is agreed for a channel on a day: of those that began, the latest; of one day, the last entered."""
    begun = [rule for rule in rules if rule.channel is channel and rule.valid_from <= day]
    return max(reversed(begun), key=lambda rule: rule.valid_from, default=None)


class Reached(Part):
    """What was reached by a channel within some days.

    Attributes:
        channel: how the contacts came.
        hours: what is agreed on the last of the days, in office hours.
        certainty: whether that is decided.
        received: how many came.
        in_time, late: how many were answered in time, and how many were not or are open past their time.
        open: how many are open and have time left.
    """

    channel: Channel
    hours: float | None
    certainty: str | None
    received: int
    in_time: int
    late: int
    open: int
