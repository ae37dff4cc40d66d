"""A handler says once which event it is for."""

from functools import partial
from typing import Any, ClassVar, Literal

import pytest

from shared.events.envelope import Event
from shared.messaging.handlers import Handlers
from shared.messaging.transaction import Transaction


class Opened(Event):
    KEY: ClassVar[str] = "door"
    type: Literal["test.opened.v1"] = "test.opened.v1"
    door: str


class Closed(Event):
    KEY: ClassVar[str] = "door"
    type: Literal["test.closed.v1"] = "test.closed.v1"
    door: str


class Office:
    async def open(self, event: Opened, tx: Transaction) -> None: ...

    async def change(self, event: Opened | Closed, tx: Transaction) -> None: ...


async def close(event: "Closed", tx: Transaction) -> None: ...


async def open_with(office: Office, event: Opened, tx: Transaction) -> None: ...


def test_a_decorated_function_handles_the_event_of_its_first_parameter_and_stays_as_it_is() -> None:
    handles = Handlers()

    @handles
    async def open_door(event: Opened, tx: Transaction) -> None: ...

    assert dict(handles) == {"test.opened.v1": open_door}


def test_bound_methods_functions_and_partials_are_built_into_one_mapping() -> None:
    office = Office()
    assert dict(Handlers(office.open, close)) == {"test.opened.v1": office.open, "test.closed.v1": close}
    assert list(Handlers(partial(open_with, office))) == ["test.opened.v1"]


def test_a_union_handles_each_of_its_events() -> None:
    change = Office().change
    assert dict(Handlers(change)) == {"test.opened.v1": change, "test.closed.v1": change}


async def without_annotation(event, tx): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - that is the point


async def with_anything(event: Any, tx: Transaction) -> None: ...


async def with_any_event(event: Event, tx: Transaction) -> None: ...


async def with_something_else(event: Opened | str, tx: Transaction) -> None: ...


async def with_nothing() -> None: ...


async def with_what_is_not_there(
    event: "Missing",  # type: ignore[name-defined]  # noqa: F821
    tx: Transaction,
) -> None: ...


@pytest.mark.parametrize(
    "handler",
    [
        without_annotation,
        with_anything,
        with_any_event,
        with_something_else,
        with_nothing,
        with_what_is_not_there,
        Office.open,
    ],
    ids=lambda handler: handler.__name__,
)
def test_a_handler_of_no_event_is_refused_when_it_is_named(handler: Any) -> None:
    with pytest.raises(TypeError, match=handler.__name__):
        Handlers(handler)


def test_an_event_has_one_handler() -> None:
    with pytest.raises(TypeError, match=r"test\.opened\.v1 has two handlers"):
        Handlers(Office().open, Office().change)
