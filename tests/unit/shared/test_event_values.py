"""Values that come in from outside: in range, in one form, and what is refused echoes nothing."""

import types
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, get_args, get_origin

import pytest
from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from deploy.local.sample_data import BUSINESS_ID, proposal_json
from shared.events.envelope import Event
from shared.events.registry import REGISTRY
from shared.events.v1.change_security import Filing
from shared.events.values import BusinessId, Count, Day, Instant, is_business_id
from tests.support.filings import BAD_BUSINESS_ID, proposal

DAY: TypeAdapter[date] = TypeAdapter(Day)
INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
COUNT: TypeAdapter[int] = TypeAdapter(Count)
ADAPTER: TypeAdapter[str] = TypeAdapter(BusinessId)


def error_types(adapter: TypeAdapter[Any], value: object) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    return [error["type"] for error in caught.value.errors()]


@pytest.mark.parametrize("value", ["1900-01-01", "2200-12-31"])
def test_a_day_from_1900_to_2200_is_taken(value: str) -> None:
    assert DAY.validate_python(value) == date.fromisoformat(value)


@pytest.mark.parametrize("value", ["0001-01-01", "1899-12-31", "2201-01-01", "9999-12-31"])
def test_a_day_out_of_range_has_its_own_code(value: str) -> None:
    assert error_types(DAY, value) == ["date_out_of_range"]


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00+14:00",
        "1899-12-31T23:59:59Z",
        "1900-01-01T00:00:00+02:00",  # still 1899 in UTC, which a store gives back
        "2200-12-31T23:00:00-05:00",  # already 2201 in UTC
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_an_instant_out_of_range_has_its_own_code_in_any_offset(value: str) -> None:
    assert error_types(INSTANT, value) == ["date_out_of_range"]


def test_an_instant_that_is_accepted_is_accepted_again_in_utc() -> None:
    for value in ("1900-01-01T02:00:00+02:00", "2201-01-01T01:59:59+02:00"):
        accepted = INSTANT.validate_python(value)
        assert INSTANT.validate_python(accepted.astimezone(UTC)) == accepted


def test_an_instant_without_its_offset_is_refused() -> None:
    assert error_types(INSTANT, "2026-11-24T09:00:00") == ["timezone_aware"]


def test_a_count_is_neither_negative_nor_endless() -> None:
    assert COUNT.validate_python(10_000_000) == 10_000_000
    assert error_types(COUNT, -1) == ["greater_than_equal"]
    assert error_types(COUNT, 10**400) == ["count_out_of_range"]


@pytest.mark.parametrize("given", ["2077474-0", "20774740", "FI20774740", "FI 2077474-0", " 2077474-0 ", "fi20774740"])
def test_a_valid_business_id_has_one_form_however_it_is_written(given: str) -> None:
    assert ADAPTER.validate_python(given) == BUSINESS_ID
    assert proposal(employer={"business_id": given}).employer.business_id == BUSINESS_ID


@pytest.mark.parametrize("given", [BAD_BUSINESS_ID, "20774741", "SE20774740", "", "2077474", "²0774740"])
def test_an_invalid_business_id_is_left_as_given_for_the_domain_to_refuse(given: str) -> None:
    assert ADAPTER.validate_python(given) == given
    assert not is_business_id(given)


def test_a_business_id_of_the_wrong_type_or_length_is_refused() -> None:
    assert error_types(ADAPTER, 20774740) == ["string_type"]
    assert error_types(ADAPTER, "2" * 21) == ["string_too_long"]


@pytest.mark.parametrize(
    "changes",
    [
        {"negotiations": {"starts_at": "9999-12-31T09:00:00+02:00"}},
        {"negotiations": {"given_on": "0001-01-01"}},
        {"negotiations": {"personnel_informed_on": "2201-01-01"}},
        {"terminations": [{"ends_from": "1066-10-14"}]},
    ],
)
def test_a_filing_with_a_date_out_of_range_is_refused_with_the_code(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Filing.model_validate(proposal_json(**changes))
    assert [error["type"] for error in caught.value.errors()] == ["date_out_of_range"]


def _parts(annotation: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Yield every plain type within an annotation, with the metadata it stands under."""
    if hasattr(annotation, "__metadata__"):
        for plain, metadata in _parts(annotation.__origin__):
            yield plain, (*metadata, *annotation.__metadata__)
    elif get_origin(annotation) is not None or isinstance(annotation, types.UnionType):
        for argument in get_args(annotation):
            yield from _parts(argument)
    else:
        yield annotation, ()


def _unlimited(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    if model in seen:
        return
    seen.add(model)
    for name, field in model.model_fields.items():
        for plain, metadata in _parts(field.annotation):
            under = (*metadata, *field.metadata)
            if isinstance(plain, type) and issubclass(plain, BaseModel):
                yield from _unlimited(plain, seen)
            elif (plain in {date, datetime, AwareDatetime} and not any(hasattr(one, "func") for one in under)) or (
                name == "business_id" and plain is str and not any(hasattr(one, "func") for one in under)
            ):
                yield f"{model.__name__}.{name}"


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_date_and_business_id_of_every_event_is_one_of_these_values(name: str) -> None:
    assert list(_unlimited(REGISTRY[name], set())) == []


def test_the_check_of_all_events_sees_a_plain_date() -> None:
    class Plain(Event):
        day: date | None
        at: datetime
        business_id: str
        good: Day | None
        also_good: tuple[Instant, ...]

    assert list(_unlimited(Plain, set())) == ["Plain.day", "Plain.at", "Plain.business_id"]
