"""How many are concerned, and what the employer reduced before."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from deploy.local.sample_data import BUSINESS_ID, proposal_json
from services.change_security.domain.reductions import (
    StoredFiling,
    Tally,
    affected,
    as_known,
    earlier_for,
    earlier_reductions,
    terminations,
)
from shared.events.v1.change_security import Filing, FilingKind, LayoffGround, Measure
from tests.support.filings import proposal, termination_notice

OWN, OTHER, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)
ARRIVED = datetime(2026, 10, 1, 21, 30, tzinfo=UTC)  # the 2nd of October in Helsinki


def of(count: int, **negotiations: Any) -> Filing:
    told = proposal_json()["negotiations"] | {"personnel_informed_on": None} | negotiations
    return proposal(negotiations=told, measures=[{"measure": "termination", "count": count}])


def test_the_number_affected_counts_every_measure_and_the_terminations_only_their_own() -> None:
    filing = proposal(measures=[{"measure": "termination", "count": 3}, {"measure": "layoff", "count": 40}])
    assert (affected(filing), terminations(filing)) == (Tally(43), Tally(3))


def test_the_number_affected_is_unknown_when_no_number_is_given() -> None:
    least = Filing.model_validate({"kind": "negotiation_proposal", "employer": {"business_id": BUSINESS_ID}})
    assert [number.code for number in affected(least).missing] == ["measures_missing"]


@pytest.mark.parametrize(("limit", "reaches", "below"), [(5, True, False), (6, False, False)])
def test_a_tally_with_a_number_missing_reaches_what_is_given_and_stays_below_nothing(
    limit: int, *, reaches: bool, below: bool
) -> None:
    tally = terminations(termination_notice(terminations=[{"count": 5}, {}]))
    assert (tally.reaches(limit), tally.stays_below(limit)) == (reaches, below)


def test_own_revisions_do_not_count() -> None:
    stored = [StoredFiling(OWN, 1, ARRIVED, of(30)), StoredFiling(OWN, 2, ARRIVED, of(20))]
    assert earlier_reductions(stored, OWN) == ()


def test_of_another_notice_the_newest_revision_counts_whatever_the_order() -> None:
    stored = [StoredFiling(OTHER, 2, ARRIVED, of(12)), StoredFiling(OTHER, 1, ARRIVED, of(30))]
    for filings in (stored, stored[::-1]):
        assert [reduction.count for reduction in earlier_reductions(filings, OWN)] == [12]


def test_a_reduction_has_the_day_the_proposal_was_given_or_its_local_day_of_arrival() -> None:
    stored = [StoredFiling(OTHER, 1, ARRIVED, of(12, given_on="2026-09-20")), StoredFiling(THIRD, 1, ARRIVED, of(5))]
    assert [(one.day, one.count) for one in earlier_reductions(stored, OWN)] == [
        (date(2026, 9, 20), 12),
        (date(2026, 10, 2), 5),
    ]


def test_a_reduction_keeps_what_decides_whether_a_layoff_is_exempt() -> None:
    layoff = {"measure": "layoff", "count": 8, "layoff_days": 60, "layoff_ground": "temporary_reduction"}
    (reduction,) = earlier_reductions([StoredFiling(OTHER, 1, ARRIVED, proposal(measures=[layoff]))], OWN)
    assert (reduction.measure, reduction.count) == (Measure.LAYOFF, 8)
    assert (reduction.layoff_days, reduction.layoff_ground) == (60, LayoffGround.TEMPORARY_REDUCTION)


def test_a_notice_of_terminations_reduces_too_and_what_names_nothing_is_unknown() -> None:
    stored = [
        StoredFiling(OTHER, 1, ARRIVED, termination_notice(6, 4)),
        StoredFiling(THIRD, 1, ARRIVED, proposal(measures=[])),
    ]
    found = [(one.kind, one.measure, one.count) for one in earlier_reductions(stored, OWN)]
    assert sorted(found, key=str) == [
        (FilingKind.NEGOTIATION_PROPOSAL, None, None),
        (FilingKind.TERMINATION_NOTICE, Measure.TERMINATION, 4),
        (FilingKind.TERMINATION_NOTICE, Measure.TERMINATION, 6),
    ]


def test_an_authority_knows_what_concerns_it_and_of_the_rest_no_count_that_could_identify() -> None:
    stored = [
        StoredFiling(OTHER, 1, ARRIVED, of(3), frozenset({"vantaa"})),
        StoredFiling(THIRD, 1, ARRIVED, of(4), frozenset({"espoo"})),
    ]
    shared = {name: earlier_for(name, stored, OWN) for name in ("vantaa", "helsinki")}
    counts = {name: [one.count for one in known or ()] for name, known in shared.items()}
    assert counts == {"vantaa": [3, None], "helsinki": [None, None]}
    whole = [StoredFiling(OTHER, 1, ARRIVED, of(12), frozenset({"vantaa"}))]
    assert as_known(earlier_for("vantaa", whole, OWN)) == earlier_reductions(whole, OWN)


def test_where_a_filing_that_is_not_public_is_withheld_nothing_is_known() -> None:
    """Without it the sum would be too small, and the notice would seem to be out of scope."""
    secret = of(40).model_copy(update={"not_public": True})
    stored = [StoredFiling(OTHER, 1, ARRIVED, secret, frozenset({"vantaa"}))]
    assert earlier_for("helsinki", stored, OWN) is None
    assert as_known(None) is None
    assert [one.count for one in earlier_for("vantaa", stored, OWN) or ()] == [40]
