"""Days in Finland: statutory days are local calendar days; offices are open on business days."""

from datetime import date, datetime, time
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


def is_office_hour(instant: datetime, opens_at: time, closes_at: time) -> bool:
    """Whether offices are open at an instant: on business days between two local times."""
    local = instant.astimezone(TIME_ZONE)
    return is_business_day(local.date()) and opens_at <= local.time() < closes_at
