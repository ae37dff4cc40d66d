"""A clock for tests of days to come."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass
class SettableClock:
    """A clock that stands still until it is told to move."""

    instant: datetime

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.instant

    def advance(self, by: timedelta) -> None:
        """Move forward by a duration."""
        self.instant += by
