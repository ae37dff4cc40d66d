"""Business days in Finland, which service levels count."""

from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final

from shared.calendar import TIME_ZONE, is_business_day, local_day

CLOSES: Final = time(16)
"""When a day of service ends, by agreement."""


def business_days_after(instant: datetime, days: int) -> datetime:
    """Return the end of office hours on the n-th business day after the day of an instant."""
    return _end_of_business_day(local_day(instant), days)


@cache
def _end_of_business_day(day: date, days: int) -> datetime:
    while days > 0:
        day += timedelta(days=1)
        days -= is_business_day(day)
    return datetime.combine(day, CLOSES, TIME_ZONE)
