"""Business days in Finland, which service levels count."""

from datetime import date, datetime, time
from functools import cache
from typing import Final

from shared.calendar import TIME_ZONE, business_day_after, local_day

CLOSES: Final = time(16)
"""When a day of service ends, by agreement."""


def business_days_after(instant: datetime, days: int) -> datetime:
    """Return the end of office hours on the n-th business day after the day of an instant."""
    return _end_of_business_day(local_day(instant), days)


@cache
def _end_of_business_day(day: date, days: int) -> datetime:
    return datetime.combine(business_day_after(day, days), CLOSES, TIME_ZONE)
