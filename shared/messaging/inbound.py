"""What a process reads, and what it does with it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.events.envelope import Envelope, Event
from shared.messaging.codec import Rejection
from shared.messaging.handlers import Handler
from shared.messaging.parking import Record
from shared.messaging.transaction import Transaction
from shared.topics import Topic

Prepare = Callable[[Sequence[Any], Transaction], Awaitable[None]]
Screen = Callable[[Record], Rejection | None]


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that is being parked for the first time.

    Attributes:
        record: the record; its body is not for the sender's eyes alone, and never for a log.
        envelope: None where its headers cannot be read.
        code: why it is parked.
    """

    record: Record
    envelope: Envelope | None
    code: str


OnParked = Callable[[Parked, Transaction], Awaitable[None]]


def nothing_to_screen(_: Record) -> Rejection | None:
    """Reject nothing."""
    return None


async def nothing_to_prepare(_: Sequence[Any], __: Transaction) -> None:
    """Prepare nothing."""


async def nobody_to_answer(_: Parked, __: Transaction) -> None:
    """Answer nobody."""


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
        on_parked: answers the sender of a record that is parked, in the transaction that parks it; what it publishes
            is told once. What is only held behind such a record is not answered: it has not been judged.
        erase_on_discard: the payload of a record parked with one of these codes is erased when it is discarded.
    """

    group: str
    topics: Mapping[str, Topic]
    types: Mapping[str, type[Event]]
    handlers: Mapping[str, Handler]
    screen: Screen = nothing_to_screen
    prepare: Prepare = nothing_to_prepare
    on_parked: OnParked = nobody_to_answer
    erase_on_discard: frozenset[str] = frozenset()
