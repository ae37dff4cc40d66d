"""Days in Finland: statutory days are local calendar days."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

TIME_ZONE: Final = ZoneInfo("Europe/Helsinki")


def local_day(instant: datetime) -> date:
    """Return the calendar day in Finland."""
    return instant.astimezone(TIME_ZONE).date()
