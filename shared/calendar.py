"""Days in Finland: statutory days are local calendar days; offices are open on business days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays

_SATURDAY: Final = 5
TIME_ZONE: Final = ZoneInfo("Europe/Helsinki")


def local_day(instant: datetime) -> date:
    """Return the calendar day in Finland."""
    return instant.astimezone(TIME_ZONE).date()


def start_of(day: date) -> datetime:
    """Return the instant at which a calendar day begins in Finland."""
    return datetime.combine(day, time(), TIME_ZONE)


@cache
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FI", years=year))


def is_business_day(day: date) -> bool:
    """Whether offices are open: no Saturday, Sunday or Finnish public holiday."""
    return day.weekday() < _SATURDAY and day not in _holidays(day.year)


def business_day_after(day: date, count: int) -> date:
    """Return the business day that comes so many business days after a day."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_business_day(day)
    return day


def is_office_hour(instant: datetime, opens_at: time, closes_at: time) -> bool:
    """Whether offices are open at an instant: on business days between two local times."""
    local = instant.astimezone(TIME_ZONE)
    return is_business_day(local.date()) and opens_at <= local.time() < closes_at


@dataclass(frozen=True)
class OfficeHours:
    """When offices work: on business days between two local times.

    Attributes:
        opens_at, closes_at: local times.
        always_open: every day counts, around the clock.
    """

    opens_at: time = time(8)
    closes_at: time = time(16)
    always_open: bool = False

    def is_open_on(self, day: date) -> bool:
        """Whether anybody works on a day."""
        return self.always_open or is_business_day(day)

    def next_open_day(self, day: date) -> date:
        """Return the first day from `day` on, itself included, on which somebody works."""
        while not self.is_open_on(day):
            day += timedelta(days=1)
        return day

    def after(self, instant: datetime, hours: float) -> datetime:
        """Return when so many office hours have passed since an instant."""
        left = timedelta(hours=hours)
        if self.always_open:
            return instant + left
        day = self.next_open_day(local_day(instant))
        while True:
            opens, closes = (datetime.combine(day, at, TIME_ZONE) for at in (self.opens_at, self.closes_at))
            begins = max(instant, opens)
            # In UTC: hours of office time pass alike on the days on which the clocks are changed.
            room = (closes.astimezone(UTC) - begins.astimezone(UTC)) if begins < closes else timedelta()
            if left <= room:
                return begins.astimezone(UTC) + left
            left -= room
            day = self.next_open_day(day + timedelta(days=1))
