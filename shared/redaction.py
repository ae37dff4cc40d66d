"""What an operator may see of a parked record's payload: its shape, and the values that say nothing of a person.

By class: ids, times, event types and true/false are shown; texts and numbers are not, whatever field they stand in,
since a payload that could not be handled may carry anything anywhere.
"""

import json
import re
from typing import Any, Final

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?")
_TYPE: Final = re.compile(r"[a-z-]+\.[a-z-]+\.v\d+")
_KEY: Final = re.compile(r"[a-z][a-z_]{0,39}")
_SHOWN_ITEMS: Final = 20


def redacted(payload: bytes | None) -> Any:
    """Return a payload with what could be personal or sensitive replaced by its class and size."""
    if payload is None:
        return None
    try:
        value = json.loads(payload)
    except ValueError:
        return f"«no JSON, {len(payload)} bytes»"
    return _redact(value)


def _redact(value: Any) -> Any:
    match value:
        case bool() | None:
            return value
        case dict():
            return {
                key if _KEY.fullmatch(key) else f"«key of {len(key)} characters»": _redact(one)
                for key, one in list(value.items())[: _SHOWN_ITEMS * 5]
            }
        case list():
            return [_redact(one) for one in value[:_SHOWN_ITEMS]]
        case str() if _ID.fullmatch(value) or _TIME.fullmatch(value) or _TYPE.fullmatch(value):
            return value
        case str():
            return f"«text of {len(value)} characters»"
        case _:
            return "«number»"
