"""The agreement's figures in change security: limit, service levels, shares and delegations, each from its day on."""

from datetime import date

from services.change_security import data
from services.change_security.domain.agreed_rules import agreed_book, agreed_rules
from services.change_security.domain.notice import Rulebook
from shared.events.v1.agreement import Delegation, FigureName
from shared.figures import Figures
from tests.support.agreement import decided, with_figures

BOOK = Rulebook(data.authorities(), data.rules(), data.agreed())
BEFORE, DAY, BACK = date(2026, 12, 31), date(2027, 1, 1), date(2027, 2, 1)
LIMIT = "joint_handling_below_affected"


def test_until_the_agreement_has_come_what_ships_is_in_force() -> None:
    assert agreed_book(BOOK, Figures()) is BOOK


def test_a_limit_counts_from_its_day_on_and_until_it_is_taken_back() -> None:
    figures = Figures(
        with_figures(
            3,
            decided(FigureName.JOINT_HANDLING_BELOW, DAY, value=80),
            decided(FigureName.JOINT_HANDLING_BELOW, BACK, value=50),
        )
    )
    book = agreed_book(BOOK, figures)
    assert [book.rules.value(LIMIT, day) for day in (BEFORE, DAY, BACK)] == [50, 80, 50]
    assert [book.rules.certainty(LIMIT, day) for day in (BEFORE, DAY)] == ["unverified", "read"]
    assert BOOK.rules.value(LIMIT, DAY) == 50


def test_service_levels_follow_the_agreement_and_the_law_does_not() -> None:
    names = (FigureName.ACKNOWLEDGE_WITHIN, FigureName.STORE_WITHIN, FigureName.ACTING_ANSWERED_WITHIN)
    figures = Figures(with_figures(2, *(decided(name, DAY, value=7) for name in names)))
    rules = agreed_rules(BOOK.rules, figures)
    assert [rules.value(name, DAY) for name in ("acknowledge_within", "store_within", "acting_answered_within")] == [
        7,
        7,
        7,
    ]
    assert rules.value("termination_notice_from", DAY) == BOOK.rules.value("termination_notice_from", DAY)


def test_the_shares_are_those_of_the_task_on_the_day() -> None:
    years = {"helsinki": 1.0, "espoo": 1.0, "vantaa": 2.0}
    figures = Figures(
        with_figures(
            2,
            decided(FigureName.PERSON_YEARS, date(2025, 1, 1), scope="change_security", by_authority={"helsinki": 4.0}),
            decided(FigureName.PERSON_YEARS, DAY, scope="change_security", by_authority=years),
            decided(FigureName.PERSON_YEARS, DAY, scope="training", by_authority={"espoo": 9.0}),
        )
    )
    agreed = agreed_book(BOOK, figures).agreed
    assert (agreed.shares_on(BEFORE), agreed.shares_on(DAY)) == ({"helsinki": 4.0}, years)


def test_a_delegation_is_in_force_until_it_is_ended() -> None:
    def delegation(valid_from: date, *, in_force: bool = True, task: str = "change_security") -> Delegation:
        return Delegation(
            task=task,
            competent_authority="helsinki",
            acting_authority="vantaa",
            in_force=in_force,
            valid_from=valid_from,
            source="decided",
            certainty="verified",
        )

    other_task = delegation(BEFORE, task="training")
    published = with_figures(2, delegations=(delegation(DAY), delegation(BACK, in_force=False), other_task))
    agreed = agreed_book(BOOK, Figures(published)).agreed
    in_force = [agreed.delegation("helsinki", "vantaa", day) is not None for day in (BEFORE, DAY, BACK)]
    assert in_force == [False, True, False]
    assert agreed.delegation("vantaa", "helsinki", DAY) is None
    once = Figures(with_figures(2, delegations=(delegation(DAY), delegation(DAY, in_force=False))))
    assert agreed_book(BOOK, once).agreed.delegation("helsinki", "vantaa", DAY) is None
