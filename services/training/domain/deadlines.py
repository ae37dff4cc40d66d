"""Until when a seat offer is answered: business days, to the end of office hours."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from shared.calendar import TIME_ZONE, business_day_after, local_day, start_of

_DAY: Final = timedelta(days=1)


def answer_by(made_at: datetime, within: timedelta, last_entry_day: date, closes_at: time) -> datetime:
    """Return until when a seat offer is answered.

    Every day, also one begun, is a business day and ends with office hours. Less than a day is counted by the clock: a
    coordinator has said that it is urgent. No answer is awaited after the last day on which the group may be entered.

    Args:
        made_at: when the offer is made, on that day at the latest.
        within: how long the applicant has.
        last_entry_day: the last day on which the group may be entered.
        closes_at: the end of office hours, local time.
    """
    due = made_at + within
    if within >= _DAY:
        day = business_day_after(local_day(made_at), -(-within // _DAY))
        due = datetime.combine(day, closes_at, TIME_ZONE).astimezone(UTC)
    return min(due, start_of(last_entry_day + _DAY).astimezone(UTC))
