"""Events and their envelope, after CloudEvents 1.0.

An event type once published stays for ever: its name is a `Literal`, pinned by a committed example and JSON Schema.
A reader ignores fields it does not know, so that a newer writer does not break an older reader.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha1
from typing import ClassVar, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

NAMESPACE = UUID("6a1d1f5e-58a1-5c0c-9d4b-6b0f3c6f9f11")
"""Names every id that is derived from another id. Changing it would make every replay look new."""

_HASH: Final = sha1(NAMESPACE.bytes, usedforsecurity=False)
_VERSION_5: Final = (5 << 76) | (2 << 62)
_RANDOM_BITS: Final = ~((0xF << 76) | (3 << 62))
"""All but the four bits of the version and the two of the variant."""


class Part(BaseModel):
    """A frozen value inside an event."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Part):
    """The body of a message. `KEY` names the field whose order matters; it becomes the Kafka key.

    `SHARED` names a field whose value, a large one, is sent to several offices unchanged: it is written last, and once.
    """

    KEY: ClassVar[str]
    SHARED: ClassVar[str | None] = None
    type: str

    @property
    def key(self) -> str:
        """The Kafka key: messages with the same key keep their order."""
        return str(getattr(self, self.KEY))

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents type of this class."""
        return str(cls.model_fields["type"].default)


@dataclass(frozen=True)
class Envelope:
    """The CloudEvents attributes of one message, and the trace it belongs to.

    `id` is unique within `source`; the two together are the message's identity, whatever topic it came by.
    `topic` is where it was read, which says who may have written it. `received_at` is when Kafka had it: unlike the
    reader's clock, neither redelivery nor replay moves it.
    """

    id: str
    source: str
    type: str
    time: datetime | None = None
    traceparent: str | None = None
    topic: str | None = None
    received_at: datetime | None = None

    @cached_property
    def identity(self) -> UUID:
        """One UUID for (source, id): what the inbox remembers and derived ids start from."""
        return derived_id(self.source, self.id)


def derived_id(*parts: object) -> UUID:
    """Return the UUID that these parts always give: version 5 (RFC 9562) in our namespace, of one part a line.

    `uuid.uuid5` gives the same; it hashes the namespace each time and checks what it has just made: 11 µs against 6.
    A notice takes fourteen.
    """
    digest = _HASH.copy()
    digest.update("\n".join([part if type(part) is str else str(part) for part in parts]).encode())
    return UUID(int=int.from_bytes(digest.digest()[:16]) & _RANDOM_BITS | _VERSION_5)
