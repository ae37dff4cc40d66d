"""Handlers by the event type they are for. A handler names its event once: in the annotation of its first parameter."""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from shared.events.envelope import Event
from shared.messaging.transaction import Transaction

Handler = Callable[[Any, Transaction], Awaitable[None]]
_H = TypeVar("_H", bound=Handler)


class Handlers(Mapping[str, Handler]):
    """The handlers of a process by event type name: `Handlers(office.receive, enter_receipt)`, or as a decorator.

    Functions, bound methods and partials will do. An annotation may be a union of events.

    Raises:
        TypeError: a handler's first parameter is annotated with no event, or its event has a handler already.
    """

    def __init__(self, *handlers: Handler) -> None:
        self._by_type: dict[str, Handler] = {}
        for handler in handlers:
            self(handler)

    def __call__(self, handler: _H) -> _H:
        """Add a handler and return it."""
        for event in _events(handler):
            name = event.type_name()
            if name in self._by_type:
                raise TypeError(f"{name} has two handlers: {_name(self._by_type[name])} and {_name(handler)}")
            self._by_type[name] = handler
        return handler

    def __getitem__(self, name: str) -> Handler:
        return self._by_type[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_type)

    def __len__(self) -> int:
        return len(self._by_type)


def _events(handler: Handler) -> list[type[Event]]:
    try:
        first = next(iter(inspect.signature(handler, eval_str=True).parameters.values()), None)
    except NameError as error:
        raise TypeError(f"{_name(handler)}: an annotation cannot be resolved: {error.name}") from error
    annotation = None if first is None else first.annotation
    events = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    for event in events:
        if not (isinstance(event, type) and issubclass(event, Event)) or event.model_fields["type"].is_required():
            raise TypeError(f"{_name(handler)}: the first parameter must be annotated with the event it handles")
    return list(events)


def _name(handler: Handler) -> str:
    return getattr(handler, "__qualname__", repr(handler))
