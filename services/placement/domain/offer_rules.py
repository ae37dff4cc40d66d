"""What the answer to a binding job offer leads to: dated rules, chosen by the day on which the offer was made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared.events.v1.placement import OfferState

Answer = Literal[OfferState.ACCEPTED, OfferState.DECLINED, OfferState.EXPIRED]
Consequence = Literal["none", "ask_reason", "assess_unemployment_security"]


@dataclass(frozen=True, slots=True)
class OfferRule:
    """One row of the table: what an answer leads to, from when to when, and how sure that is."""

    valid_from: date
    valid_to: date | None
    answer: Answer
    consequence: Consequence
    source: str
    certainty: Literal["verified", "to_be_checked"]


def rule_for(rules: Iterable[OfferRule], made_on: date, answer: Answer) -> OfferRule | None:
    """Return the rule that was in force when an offer was made; None when there is none."""
    for rule in rules:
        is_in_force = rule.valid_from <= made_on and (rule.valid_to is None or made_on <= rule.valid_to)
        if is_in_force and rule.answer is answer:
            return rule
    return None
