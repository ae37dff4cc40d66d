"""What ends with its date: expected supply, and the rules of job offers."""

from datetime import date, timedelta

import pytest

from services.placement import data
from services.placement.domain.offer_rules import Answer, rule_for
from services.placement.domain.supply import ends_on
from shared.events.v1.change_security import WorkforceRelease
from shared.events.v1.placement import OfferState

TODAY = date(2026, 11, 24)
NINETY = timedelta(days=90)
ANSWERS: tuple[Answer, ...] = (OfferState.ACCEPTED, OfferState.DECLINED, OfferState.EXPIRED)


def test_a_release_counts_through_its_last_day_or_so_long_after_its_first() -> None:
    first, last = date(2026, 10, 1), date(2026, 12, 31)
    assert ends_on(WorkforceRelease(available_from=first, available_until=last), TODAY, NINETY) == last
    assert ends_on(WorkforceRelease(available_from=first), TODAY, NINETY) == first + NINETY
    assert ends_on(WorkforceRelease(), TODAY, NINETY) == TODAY + NINETY


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_answer_has_one_rule_on_every_day_since_2025_and_all_are_to_be_checked(answer: Answer) -> None:
    days = [date(2025, 1, 1), date(2026, 8, 31), date(2026, 9, 1), date(2030, 1, 1)]
    for day in days:
        (rule,) = [one for one in data.offer_rules() if rule_for([one], day, answer)]
        assert rule_for(data.offer_rules(), day, answer) is rule
        assert rule.certainty == "to_be_checked"
    assert rule_for(data.offer_rules(), date(2024, 12, 31), answer) is None


def test_the_rule_is_that_of_the_day_on_which_the_offer_was_made() -> None:
    rules = data.offer_rules()
    before = rule_for(rules, date(2026, 8, 31), OfferState.DECLINED)
    after = rule_for(rules, date(2026, 9, 1), OfferState.DECLINED)
    assert before is not None
    assert after is not None
    assert (before.valid_from, after.valid_from) == (date(2025, 1, 1), date(2026, 9, 1))
