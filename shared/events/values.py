"""Values that come in from outside, in one form: days and instants within range, counts, business ids.

The limits are validators, not part of the JSON Schemas: a published schema does not narrow.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError
from stdnum.fi import ytunnus

from shared.events.envelope import Part

_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2200
_FIRST_INSTANT: Final = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
_AFTER_LAST_INSTANT: Final = datetime(_LAST_YEAR + 1, 1, 1, tzinfo=UTC)
_MOST: Final = 10_000_000


def _out_of_range() -> PydanticCustomError:
    return PydanticCustomError("date_out_of_range", "The date must lie between 1900 and 2200.")


def _day_in_range(day: date) -> date:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise _out_of_range()
    return day


def _instant_in_range(instant: datetime) -> datetime:
    # Compared in UTC: a store gives every instant back in UTC, and what was accepted once must be so again.
    if not is_instant_in_range(instant):
        raise _out_of_range()
    return instant


def is_instant_in_range(instant: datetime) -> bool:
    """Whether an instant lies between 1900 and 2200."""
    return _FIRST_INSTANT <= instant < _AFTER_LAST_INSTANT


def _count_in_range(count: int) -> int:
    if count > _MOST:
        raise PydanticCustomError("count_out_of_range", "The number is too large.")
    return count


def business_id(given: object) -> object:
    """Return a valid Finnish business id (Y-tunnus) as 1234567-8; anything else as it was given.

    A blank, a missing hyphen and the VAT prefix FI are accepted. Whether an invalid one is refused is for the domain.
    """
    if isinstance(given, str) and ytunnus.is_valid(given):
        return str(ytunnus.format(given))
    return given


def is_business_id(given: str) -> bool:
    """Whether this is a valid business id in its normal form, 1234567-8."""
    return ytunnus.is_valid(given) and ytunnus.format(given) == given


Day = Annotated[date, AfterValidator(_day_in_range)]
"""A calendar day from 1.1.1900 to 31.12.2200. Error type: `date_out_of_range`."""

Instant = Annotated[AwareDatetime, AfterValidator(_instant_in_range)]
"""A time with its offset, from 1900 to 2200 (UTC). Error type: `date_out_of_range`."""

Count = Annotated[int, Field(ge=0), AfterValidator(_count_in_range)]
"""Employees, or days: at least 0, at most ten million. Error type: `count_out_of_range`."""

BusinessId = Annotated[str, Field(max_length=20), BeforeValidator(business_id)]
"""A business id, brought into the form 1234567-8 if it is valid. An invalid one is left as given: the domain
refuses."""


class Absence(Part):
    """Days on which an officer is away, both included."""

    since: Day
    until: Day
