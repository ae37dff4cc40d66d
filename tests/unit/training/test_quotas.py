"""The authorities' shares of seats: which decision is in force, and what is no division of seats."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from services.training import data
from services.training.domain.quotas import QuotaDecision, check_quota, quota_on
from shared.errors import RefusedError

CITIES = frozenset({"helsinki", "espoo", "vantaa"})
DAY = date(2027, 1, 1)


@dataclass
class Kept:
    decision: QuotaDecision
    recorded_at: datetime


def decision(
    percents: dict[str, int] | None = None, valid_from: date = DAY, reference: str = "1/2027"
) -> QuotaDecision:
    return QuotaDecision(
        percents={"helsinki": 40, "espoo": 30, "vantaa": 30} if percents is None else percents,
        valid_from=valid_from,
        decided_by="koordinaatioryhmä",
        decided_on=date(2026, 12, 1),
        reference=reference,
    )


def kept(given: QuotaDecision, hour: int = 8) -> Kept:
    return Kept(given, datetime(2026, 12, 2, hour, tzinfo=UTC))


def test_until_a_decision_is_recorded_the_shipped_shares_are_to_be_checked() -> None:
    quota = quota_on([kept(decision())], data.shares(), date(2026, 12, 31))
    assert (quota.percents, quota.is_verified) == ({"helsinki": 50, "espoo": 25, "vantaa": 25}, False)


def test_a_decision_is_in_force_from_its_day_on_and_the_last_recorded_one_counts() -> None:
    first, corrected = kept(decision()), kept(decision({}, reference="2/2027"), 9)
    later = kept(decision({"espoo": 100}, date(2027, 6, 1), "3/2027"), 7)
    for recorded in ([first, corrected, later], [later, corrected, first]):
        quota = quota_on(recorded, data.shares(), DAY)
        assert (quota.percents, quota.reference, quota.is_verified) == ({}, "2/2027", True)
        assert quota_on(recorded, data.shares(), date(2027, 6, 1)).reference == "3/2027"


@pytest.mark.parametrize(
    ("percents", "code"),
    [
        ({"tampere": 10}, "unknown-authority"),
        ({"helsinki": 60, "espoo": 41}, "not-a-division"),
        ({"helsinki": -1}, "not-a-division"),
    ],
)
def test_shares_are_a_division_of_the_seats_between_the_authorities(percents: dict[str, int], code: str) -> None:
    check_quota(decision(), CITIES)
    check_quota(decision({}), CITIES)
    with pytest.raises(RefusedError) as refused:
        check_quota(decision(percents), CITIES)
    assert refused.value.code == code


def test_a_decision_has_a_reference_and_nothing_unknown() -> None:
    body = decision().model_dump()
    for wrong in (body | {"reference": ""}, body | {"certainty": "read"}):
        with pytest.raises(ValidationError):
            QuotaDecision.model_validate(wrong)
