"""The authorities' shares of seats: what the agreement says on a day."""

from datetime import date

from services.training import data
from services.training.domain.quotas import quota_on
from shared.figures import Figures
from tests.support.agreement import quota_figure, with_figures

DAY = date(2027, 1, 1)
DECIDED = {"helsinki": 40.0, "espoo": 60.0, "vantaa": 0.0}


def test_until_the_agreement_has_come_the_shipped_shares_are_to_be_checked() -> None:
    quota = quota_on(Figures(), data.shares(), DAY)
    assert (quota.percents, quota.is_verified) == ({"helsinki": 50, "espoo": 25, "vantaa": 25}, False)


def test_a_decision_is_in_force_from_its_day_on_and_the_one_decided_last_counts() -> None:
    figures = Figures(
        with_figures(3, quota_figure(DECIDED, DAY), quota_figure({"helsinki": 0.0, "espoo": 0.0}, DAY, "2/2027"))
    )
    first = Figures(with_figures(2, quota_figure(DECIDED, DAY)))
    assert quota_on(first, data.shares(), date(2026, 12, 31)).percents["helsinki"] == 50
    quota = quota_on(first, data.shares(), DAY)
    assert (quota.percents, quota.reference, quota.is_verified) == ({"helsinki": 40, "espoo": 60}, "1/2027", True)
    assert (quota_on(figures, data.shares(), DAY).percents, quota_on(figures, data.shares(), DAY).reference) == (
        {},
        "2/2027",
    )
