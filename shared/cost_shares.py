"""Dividing a price to the cent: by weights, and fair over time.

Everyone pays the exact share rounded down to the cent. The cents that this leaves go, one each, to those whose share
was rounded down the most; what somebody was rounded down or up in earlier divisions of the same account counts along,
so that it is not always the same one who pays the cent more. Of equals, the first by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

_CENTS: Final = 100


@dataclass(frozen=True, slots=True)
class Division:
    """What each pays, in euros, and what each has paid too little so far, in cents: less than 0 is too much."""

    parts: Mapping[str, Decimal]
    short: Mapping[str, Fraction]


def divide(price_eur: Decimal, weights: Mapping[str, int], short: Mapping[str, Fraction]) -> Division:
    """Divide a price that is at least 0 and in whole cents.

    Args:
        price_eur: the price; the parts add up to it exactly.
        weights: by which it is divided; who has none pays nothing.
        short: what each has paid too little in earlier divisions.

    Raises:
        ValueError: the price is negative or not in whole cents, a weight is negative, or nobody has a weight.
    """
    cents, whole = price_eur * _CENTS, sum(weights.values())
    if cents != int(cents) or cents < 0 or not whole or min(weights.values()) < 0:
        raise ValueError("a price in whole cents is divided by weights that are not negative, and not all 0")
    exact = {name: Fraction(int(cents) * weight, whole) for name, weight in sorted(weights.items()) if weight}
    paid = {name: int(part) for name, part in exact.items()}
    due = {name: exact[name] - paid[name] + short.get(name, Fraction(0)) for name in exact}
    left = int(cents) - sum(paid.values())
    for name in sorted(due, key=lambda name: (-due[name], name))[:left]:
        paid[name] += 1
    after = dict(short) | {name: short.get(name, Fraction(0)) + exact[name] - paid[name] for name in exact}
    return Division({name: Decimal(number).scaleb(-2) for name, number in paid.items()}, after)
