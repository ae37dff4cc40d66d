"""What breaks a reader: changes to an event type's schema that are not allowed within its version.

A writer may be newer than its readers, and a stored event older than every reader. So a field may be added if it may be
missing; nothing may be removed, retyped, or newly required, and no set of values may change.
"""

from collections.abc import Iterator
from typing import Any, Final

_Schema = dict[str, Any]
_FIXED: Final = (
    *("type", "const", "enum", "format", "pattern"),
    *("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
)


def breaking_changes(old: _Schema, new: _Schema) -> list[str]:
    """Return what in the new schema breaks readers or events of the old one; empty when nothing does."""
    return list(_compare(old, new, old, new, ""))


def _compare(old: _Schema, new: _Schema, old_root: _Schema, new_root: _Schema, at: str) -> Iterator[str]:
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    for word in _FIXED:
        if old.get(word) != new.get(word):
            yield f"{at or '/'}: {word} changed"
    old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
    for name in old_fields.keys() - new_fields.keys():
        yield f"{at}/{name}: removed"
    for name in set(new.get("required", ())) - set(old.get("required", ())):
        yield f"{at}/{name}: newly required"
    for name in old_fields.keys() & new_fields.keys():
        yield from _compare(old_fields[name], new_fields[name], old_root, new_root, f"{at}/{name}")
    if "items" in old or "items" in new:
        yield from _compare(old.get("items", {}), new.get("items", {}), old_root, new_root, f"{at}/*")
    old_choices, new_choices = old.get("anyOf", []), new.get("anyOf", [])
    if len(old_choices) != len(new_choices):
        yield f"{at}: alternatives changed"
    for one, other in zip(old_choices, new_choices, strict=False):
        yield from _compare(one, other, old_root, new_root, at)


def _resolved(schema: _Schema, root: _Schema) -> _Schema:
    reference = schema.get("$ref")
    return root["$defs"][reference.rpartition("/")[2]] if reference else schema
