"""Contracts with providers: price, volume per city, options, and the call-offs that order seats from them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import ConflictError, RefusedError
from shared.events.values import BusinessId, Day, is_business_id


class Option(BaseModel):
    """More seats that the contract lets us take, until a day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=60)
    volume: dict[str, int] = Field(min_length=1, max_length=10, description="Seats, by city.")
    until: Day


class ContractTerms(BaseModel):
    """What was agreed with a provider. Prices are euros without VAT."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = Field(min_length=1, max_length=200)
    business_id: BusinessId = Field(description="The provider's Y-tunnus, 1234567-8.")
    title: str = Field(min_length=1, max_length=200)
    reference: str = Field(min_length=1, max_length=100, description="By which the contract is found.")
    valid_from: Day
    valid_to: Day
    seat_price_eur: Decimal = Field(gt=0, max_digits=12, decimal_places=2)
    volume: dict[str, int] = Field(min_length=1, max_length=10, description="Seats, by city.")
    options: tuple[Option, ...] = Field(default=(), max_length=20)


def check_terms(terms: ContractTerms, cities: AbstractSet[str]) -> None:
    """Check what a contract says.

    Raises:
        RefusedError: naming what is not valid.
    """
    if not is_business_id(terms.business_id):
        raise RefusedError("/business_id", "wrong-business-id", "The business id (Y-tunnus) is not valid.")
    if terms.valid_to < terms.valid_from:
        raise RefusedError("/valid_to", "wrong-dates", "The contract ends before it begins.")
    volumes = {"/volume": terms.volume}
    volumes |= {f"/options/{number}/volume": option.volume for number, option in enumerate(terms.options)}
    for pointer, volume in volumes.items():
        _check_volume(pointer, volume, cities)
    if len({option.name for option in terms.options}) < len(terms.options):
        raise RefusedError("/options", "same-name-twice", "Each option needs a name of its own.")


def remaining(terms: ContractTerms, taken: Iterable[str], called_off: Iterable[dict[str, int]]) -> dict[str, int]:
    """Return the seats that are left, by city.

    Args:
        terms: the contract.
        taken: the names of the options that were taken.
        called_off: the seats of each call-off that stands.
    """
    left = Counter(terms.volume)
    names = set(taken)
    for option in terms.options:
        if option.name in names:
            left.update(option.volume)
    for volume in called_off:
        left.subtract(volume)
    return dict(sorted(left.items()))


def check_option(terms: ContractTerms, taken: Sequence[str], name: str, today: date) -> None:
    """Check that an option may be taken.

    Raises:
        RefusedError: the contract has no such option.
        ConflictError: it is taken already, or its day has gone.
    """
    option = next((option for option in terms.options if option.name == name), None)
    if option is None:
        raise RefusedError("/name", "unknown-option", "The contract has no such option.")
    if name in taken:
        raise ConflictError("taken", "The option is taken already.")
    if today > option.until:
        raise ConflictError("too-late", f"The option could be taken until {option.until.isoformat()}.")


def check_call_off(terms: ContractTerms, left: dict[str, int], volume: dict[str, int], today: date) -> None:
    """Check that seats may be ordered from a contract. `left`: those that are left, by city.

    Raises:
        RefusedError: a city is not in the contract, or the number is none.
        ConflictError: the contract is not in force, or has not so many seats left for a city.
    """
    _check_volume("/volume", volume, left.keys())
    if not terms.valid_from <= today <= terms.valid_to:
        raise ConflictError("not-in-force", f"The contract is in force {terms.valid_from}–{terms.valid_to}.")
    short = sorted(city for city, seats in volume.items() if seats > left[city])
    if short:
        raise ConflictError("no-volume-left", f"Too few seats are left for {', '.join(short)}.")


def price_of(terms: ContractTerms, volume: dict[str, int]) -> Decimal:
    """Return what a call-off costs, in euros without VAT."""
    return terms.seat_price_eur * sum(volume.values())


def _check_volume(pointer: str, volume: dict[str, int], cities: AbstractSet[str]) -> None:
    if not volume or not volume.keys() <= cities:
        raise RefusedError(pointer, "unknown-city", "The seats are of a city that has no part in it.")
    if min(volume.values()) < 1:
        raise RefusedError(pointer, "no-seats", "Each city that is named has at least one seat.")
