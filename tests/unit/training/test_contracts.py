"""Contracts with providers: volumes, options, call-offs."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.training.domain.contracts import (
    ContractTerms,
    Option,
    check_call_off,
    check_option,
    check_terms,
    price_of,
    remaining,
)
from shared.errors import ConflictError, RefusedError

CITIES = frozenset({"helsinki", "espoo", "vantaa"})
DAY = date(2027, 3, 1)
MORE = Option(name="toinen vuosi", volume={"espoo": 5}, until=date(2027, 6, 30))


def terms(**changes: Any) -> ContractTerms:
    given = {
        "provider": "Esimerkkikoulutus Oy",
        "business_id": "2077474-0",
        "title": "Kokin koulutus",
        "reference": "HEL 2027-1",
        "valid_from": date(2027, 1, 1),
        "valid_to": date(2027, 12, 31),
        "seat_price_eur": Decimal("3500.50"),
        "volume": {"helsinki": 20, "espoo": 10},
        "options": (MORE,),
    }
    return ContractTerms(**(given | changes))


def test_call_offs_are_taken_from_each_citys_volume_and_options_add_to_it() -> None:
    assert remaining(terms(), [], [{"espoo": 4}, {"espoo": 4, "helsinki": 1}]) == {"espoo": 2, "helsinki": 19}
    assert remaining(terms(), ["toinen vuosi"], [{"espoo": 8}]) == {"espoo": 7, "helsinki": 20}
    assert price_of(terms(), {"espoo": 2, "helsinki": 1}) == Decimal("10501.50")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"business_id": "2077474-1"}, "/business_id"),
        ({"valid_to": date(2026, 12, 31)}, "/valid_to"),
        ({"volume": {"tampere": 1}}, "/volume"),
        ({"volume": {"espoo": 0}}, "/volume"),
        ({"options": (MORE.model_copy(update={"volume": {"tampere": 1}}),)}, "/options/0/volume"),
        ({"options": (MORE, MORE)}, "/options"),
    ],
)
def test_a_contract_says_nothing_that_does_not_hold(changes: dict[str, Any], pointer: str) -> None:
    check_terms(terms(), CITIES)
    with pytest.raises(RefusedError) as refused:
        check_terms(terms(**changes), CITIES)
    assert refused.value.pointer == pointer


def test_an_option_is_taken_once_until_its_day() -> None:
    check_option(terms(), [], "toinen vuosi", MORE.until)
    with pytest.raises(RefusedError):
        check_option(terms(), [], "kolmas vuosi", DAY)
    for taken, today, code in ((["toinen vuosi"], DAY, "taken"), ([], date(2027, 7, 1), "too-late")):
        with pytest.raises(ConflictError) as refused:
            check_option(terms(), taken, "toinen vuosi", today)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("volume", "today", "code"),
    [
        ({"espoo": 11}, DAY, "no-volume-left"),
        ({"espoo": 1}, date(2028, 1, 1), "not-in-force"),
        ({"espoo": 1}, date(2026, 12, 31), "not-in-force"),
        ({"vantaa": 1}, DAY, "unknown-city"),
        ({"espoo": -1}, DAY, "no-seats"),
    ],
)
def test_no_more_is_ordered_than_a_contract_in_force_has_left(volume: dict[str, int], today: date, code: str) -> None:
    left = remaining(terms(), [], [])
    check_call_off(terms(), left, {"espoo": 10}, DAY)
    with pytest.raises((ConflictError, RefusedError)) as refused:
        check_call_off(terms(), left, volume, today)
    assert getattr(refused.value, "code", None) == code
