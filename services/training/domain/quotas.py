"""The authorities' shares of a group's seats: a figure of the agreement, decided by the coordination group.

Until the agreement has come the shares that ship with the service are used, marked as to be checked: the agreement's
50/25/25 per cent is staff, not seats.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from services.training.domain.seats import Share, shares_on
from shared.events.v1.agreement import FigureName
from shared.figures import Figures


@dataclass(frozen=True, slots=True)
class Quota:
    """The shares in force on a day, per cent, and the decision behind them; None: to be checked."""

    percents: Mapping[str, int]
    reference: str | None

    @property
    def is_verified(self) -> bool:
        """Whether a decision stands behind the shares."""
        return self.reference is not None


def quota_on(figures: Figures, shipped: Iterable[Share], day: date) -> Quota:
    """Return the shares in force on a day. What they leave of a group's seats is pooled."""
    figure = figures.at(day).figure(FigureName.SEAT_QUOTAS)
    if figure is None or figure.by_authority is None:
        return Quota(shares_on(shipped, day), None)
    percents = {authority: int(percent) for authority, percent in figure.by_authority.items() if percent}
    return Quota(percents, figure.decision.reference if figure.decision is not None else None)
