"""Days in Finland."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

HELSINKI: Final = ZoneInfo("Europe/Helsinki")


def local_day(instant: datetime) -> date:
    """Return the calendar day in Finland."""
    return instant.astimezone(HELSINKI).date()
