"""Dividing a price: exact to the cent, and fair over time."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cost_shares import divide

PRICES = st.integers(0, 10**9).map(lambda cents: Decimal(cents) / 100)
WEIGHTS = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 50), min_size=1).filter(lambda w: sum(w.values()))


@given(PRICES, WEIGHTS)
def test_the_parts_add_up_and_each_is_within_a_cent_of_its_exact_share(price: Decimal, weights: dict[str, int]) -> None:
    parts = divide(price, weights, {}).parts
    assert sum(parts.values()) == price
    assert parts.keys() == {name for name, weight in weights.items() if weight}
    for name, part in parts.items():
        exact = Fraction(price) * weights[name] / sum(weights.values())
        assert abs(Fraction(part) - exact) < Fraction(1, 100)


@given(st.lists(st.tuples(PRICES, WEIGHTS), min_size=1, max_size=60))
def test_over_time_nobody_pays_more_than_a_few_cents_too_much(prices: list[tuple[Decimal, dict[str, int]]]) -> None:
    short: dict[str, Fraction] = {}
    for price, weights in prices:
        short = dict(divide(price, weights, short).short)
    assert sum(short.values()) == 0
    assert all(abs(cents) < len("abcde") for cents in short.values())


def test_the_cent_that_is_left_goes_round() -> None:
    short: dict[str, Fraction] = {}
    paid = []
    for _ in range(6):
        division = divide(Decimal("100.00"), {"espoo": 1, "helsinki": 1, "vantaa": 1}, short)
        short = dict(division.short)
        paid.append(max(division.parts, key=lambda name: division.parts[name]))
    assert paid == ["espoo", "helsinki", "vantaa"] * 2
    assert set(short.values()) == {Fraction(0)}


@pytest.mark.parametrize(
    ("price", "weights"), [("-0.01", {"a": 1}), ("0.001", {"a": 1}), ("1", {"a": 0}), ("1", {"a": -1, "b": 2})]
)
def test_what_cannot_be_divided_is_an_error(price: str, weights: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="whole cents"):
        divide(Decimal(price), weights, {})
