"""Business days in Finland, which service levels count."""

from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final

import holidays

from shared.calendar import TIME_ZONE, local_day

_OFFICE_CLOSES: Final = time(16, 0)
_SATURDAY: Final = 5


@cache
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FI", years=year))


def is_business_day(day: date) -> bool:
    """Whether offices are open: no Saturday, Sunday or Finnish public holiday."""
    return day.weekday() < _SATURDAY and day not in _holidays(day.year)


def business_days_after(instant: datetime, days: int) -> datetime:
    """Return the end of office hours on the n-th business day after the day of an instant."""
    return _end_of_business_day(local_day(instant), days)


@cache
def _end_of_business_day(day: date, days: int) -> datetime:
    while days > 0:
        day += timedelta(days=1)
        days -= is_business_day(day)
    return datetime.combine(day, _OFFICE_CLOSES, TIME_ZONE)
