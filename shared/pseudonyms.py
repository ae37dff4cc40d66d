"""Opaque references: what stands for a person outside the own city."""

import hashlib
import hmac
from base64 import b32encode


def reference_of(key: bytes, person_id: str) -> str:
    """Return the opaque reference that stands for a person outside the own city.

    Keyed by the city's own secret: without it nobody can link a reference to a person, or to another city's reference.
    """
    return b32encode(hmac.new(key, person_id.encode(), hashlib.sha256).digest()[:15]).decode().lower()
