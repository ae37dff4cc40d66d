"""What a process reads, and what it does with it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.events.envelope import Event
from shared.messaging.codec import Rejection
from shared.messaging.handlers import Handler
from shared.messaging.parking import Record
from shared.messaging.transaction import Transaction
from shared.topics import Topic

Prepare = Callable[[Sequence[Any], Transaction], Awaitable[None]]
Screen = Callable[[Record], Rejection | None]


def nothing_to_screen(_: Record) -> Rejection | None:
    """Reject nothing."""
    return None


async def nothing_to_prepare(_: Sequence[Any], __: Transaction) -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Inbound:
    """What a process reads: topics by name, event types, and the handler of each type.

    Attributes:
        group: the Kafka consumer group, `<service>.<office>`.
        topics: topic by its name in Kafka.
        types: the event types known to the process; a known type without a handler is passed over.
        handlers: what to do with each type.
        screen: looks at a raw record before it is read, and may reject it.
        prepare: reads at once what the handlers of a batch will need one by one.
        erase_on_discard: the payload of a record parked with one of these codes is erased when it is discarded.
    """

    group: str
    topics: Mapping[str, Topic]
    types: Mapping[str, type[Event]]
    handlers: Mapping[str, Handler]
    screen: Screen = nothing_to_screen
    prepare: Prepare = nothing_to_prepare
    erase_on_discard: frozenset[str] = frozenset()
