"""The rules and shares that the agreement sets: its figures come on top of what ships with the service."""

from dataclasses import replace
from datetime import date
from typing import Final

from services.change_security.domain.agreed import Agreed, Delegation, Share
from services.change_security.domain.notice import Rulebook
from services.change_security.domain.rules import Certainty, Rule, RuleTable
from shared.events.v1 import agreement as published
from shared.events.v1.agreement import FigureName
from shared.figures import Figures

_TASK: Final = "change_security"
_RULES: Final = {
    FigureName.JOINT_HANDLING_BELOW: "joint_handling_below_affected",
    FigureName.ACKNOWLEDGE_WITHIN: "acknowledge_within",
    FigureName.STORE_WITHIN: "store_within",
    FigureName.ACTING_ANSWERED_WITHIN: "acting_answered_within",
}


def agreed_rules(rules: RuleTable, figures: Figures) -> RuleTable:
    """Return the rules with the agreement's figures on top: the limit of joint handling, and the service levels."""
    agreed = [
        Rule(_RULES[name], None, int(each.value), each.unit, each.valid_from, None, _certainty(each), _source(each))
        for name in _RULES
        for each in figures.history(name)
        if each.value is not None
    ]
    return rules.with_rules(agreed) if agreed else rules


def agreed_book(book: Rulebook, figures: Figures) -> Rulebook:
    """Return the rulebook with the agreement's figures: limit, service levels, shares of the task, delegations."""
    if figures.published is None:
        return book
    shares = [
        Share(authority, years, each.valid_from, None, _certainty(each), _source(each))
        for each in figures.history(FigureName.PERSON_YEARS, _TASK)
        for authority, years in (each.by_authority or {}).items()
    ]
    agreed = Agreed(tuple(shares) or book.agreed.shares, (*book.agreed.delegations, *_delegations(figures)))
    return replace(book, rules=agreed_rules(book.rules, figures), agreed=agreed)


def _delegations(figures: Figures) -> list[Delegation]:
    """Return the delegations as spans of days: each ends on the day before a later word on the same."""
    every = figures.published.delegations if figures.published else ()
    of_task = sorted((each for each in every if each.task == _TASK), key=lambda each: each.valid_from)
    found = []
    for place, each in enumerate(of_task):
        later = [
            other.valid_from
            for other in of_task[place + 1 :]
            if (other.competent_authority, other.acting_authority) == (each.competent_authority, each.acting_authority)
        ]
        if not each.in_force or (later and later[0] == each.valid_from):
            continue
        last = date.fromordinal(later[0].toordinal() - 1) if later else None
        found.append(
            Delegation(
                each.competent_authority, each.acting_authority, each.valid_from, last, _certainty(each), _source(each)
            )
        )
    return found


def _certainty(each: published.Figure | published.Delegation) -> Certainty:
    return "read" if each.certainty == "verified" else "unverified"


def _source(each: published.Figure | published.Delegation) -> str:
    return each.source if each.decision is None else f"{each.decision.reference}: {each.source}"
