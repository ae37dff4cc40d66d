"""The authorities' shares of a group's seats: a decision of the coordination group, from a day on.

Until one is recorded the shares that ship with the service are used, marked as to be checked: the agreement's 50/25/25
per cent is staff, not seats.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from services.training.domain.seats import Share, shares_on
from shared.errors import RefusedError
from shared.events.values import Day

_ALL: Final = 100


class QuotaDecision(BaseModel):
    """A decision on the shares of seats, as it is recorded. What the shares leave is pooled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    percents: dict[str, int] = Field(max_length=10, description="Per cent of a group's seats, by authority.")
    valid_from: Day
    decided_by: str = Field(min_length=3, max_length=100, description="The body, such as the coordination group.")
    decided_on: Day
    reference: str = Field(min_length=1, max_length=100, description="By which the decision is found.")
    source: str = Field(default="", max_length=300)


class RecordedQuota(Protocol):
    """What of a recorded decision is looked at."""

    decision: QuotaDecision
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Quota:
    """The shares in force on a day, per cent, and the decision behind them; None: to be checked."""

    percents: Mapping[str, int]
    reference: str | None

    @property
    def is_verified(self) -> bool:
        """Whether a recorded decision stands behind the shares."""
        return self.reference is not None


def check_quota(decision: QuotaDecision, authorities: AbstractSet[str]) -> None:
    """Check a decision on shares of seats.

    Raises:
        RefusedError: an authority is unknown, a share negative, or the shares are more than all seats.
    """
    percents = decision.percents
    if not percents.keys() <= authorities:
        raise RefusedError("/percents", "unknown-authority", "A share is of none of the region's authorities.")
    if min(percents.values(), default=0) < 0 or sum(percents.values()) > _ALL:
        raise RefusedError("/percents", "not-a-division", "The shares must be between 0 and 100 per cent in sum.")


def quota_on(recorded: Iterable[RecordedQuota], shipped: Iterable[Share], day: date) -> Quota:
    """Return the shares in force on a day: of two decisions from the same day on, the one recorded last."""
    in_force = [kept for kept in recorded if kept.decision.valid_from <= day]
    if not in_force:
        return Quota(shares_on(shipped, day), None)
    newest = max(in_force, key=lambda kept: (kept.decision.valid_from, kept.recorded_at))
    return Quota(newest.decision.percents, newest.decision.reference)
