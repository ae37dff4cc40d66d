"""Every event type by its name. A type that is listed here once is listed for ever."""

from collections.abc import Mapping
from typing import Final

from shared.events.envelope import Event
from shared.events.v1 import advisory, agreement, change_security, placement, training

REGISTRY: Final[Mapping[str, type[Event]]] = {
    event.type_name(): event
    for event in (*change_security.EVENTS, *placement.EVENTS, *training.EVENTS, *advisory.EVENTS, *agreement.EVENTS)
}
