"""How soon a contact is answered: agreed per channel, dated, in office hours; and what was reached."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

from pydantic import Field

from shared.errors import RefusedError
from shared.events.envelope import Part
from shared.events.v1.advisory import Contact
from shared.events.values import Day


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
        certainty: `decided`, or `unverified` while nobody has decided it.
        source: who says so.
    """

    channel: Channel
    hours: float
    valid_from: date
    certainty: str
    source: str


class ResponseDecision(Part):
    """The management group's decision on how soon contacts by a channel are answered."""

    hours: float = Field(gt=0, le=400, description="Office hours.")
    valid_from: Day
    decided_on: Day
    reason: str = Field(min_length=3, max_length=300)


def check_decision(decision: ResponseDecision, today: date) -> None:
    """Refuse a decision that was made in the future, or that counts before it was made.

    Raises:
        RefusedError
    """
    if decision.decided_on > today:
        raise RefusedError("/decided_on", "in-the-future", "A decision is entered once it is made.")
    if decision.valid_from < decision.decided_on:
        raise RefusedError("/valid_from", "before-the-decision", "A response time counts from its decision on.")


def read_response_times(lines: Iterable[str]) -> tuple[ResponseTime, ...]:
    """Read response times from a CSV file's lines."""
    return tuple(ResponseTime.model_validate(row, strict=False) for row in csv.DictReader(lines))


def in_force(rules: Sequence[ResponseTime], channel: Channel, day: date) -> ResponseTime | None:
    """Return what is agreed for a channel on a day: of those that began, the latest; of one day, the last entered."""
    begun = [rule for rule in rules if rule.channel is channel and rule.valid_from <= day]
    return max(begun, key=lambda rule: rule.valid_from, default=None) if begun else None


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
