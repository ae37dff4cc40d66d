"""What breaks a caller: changes to an OpenAPI document that are not allowed within a version.

A caller sends what the old document asks for and reads what it promises. So a request may ask for no more, and take no
less; an answer may promise no less, and hold no value that the caller does not know.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal

_Json = dict[str, Any]
_Direction = Literal["request", "answer"]
_METHODS: Final = ("get", "put", "post", "delete", "patch")
_FIXED: Final = ("type", "const", "format", "pattern")


def breaking_changes(old: _Json, new: _Json) -> list[str]:
    """Return what in the new document breaks callers of the old one; empty when nothing does."""
    return list(_Comparison(old, new).documents())


class _Comparison:
    def __init__(self, old: _Json, new: _Json) -> None:
        self._old = old
        self._new = new
        self._seen: set[tuple[str, str, str]] = set()

    def documents(self) -> Iterator[str]:
        for path, methods in self._old["paths"].items():
            for method in (one for one in _METHODS if one in methods):
                at = f"{method.upper()} {path}"
                now = self._new["paths"].get(path, {}).get(method)
                if now is None:
                    yield f"{at}: removed"
                else:
                    yield from self._operations(methods[method], now, at)

    def _operations(self, old: _Json, new: _Json, at: str) -> Iterator[str]:
        before = {(one["in"], one["name"]): one for one in old.get("parameters", ())}
        after = {(one["in"], one["name"]): one for one in new.get("parameters", ())}
        for place, name in sorted(before.keys() - after.keys()):
            yield f"{at}: {place} parameter {name} removed"
        for key, parameter in after.items():
            if parameter.get("required") and not before.get(key, {}).get("required"):
                yield f"{at}: {key[0]} parameter {key[1]} newly required"
        for key in sorted(before.keys() & after.keys()):
            yield from self._schemas(before[key]["schema"], after[key]["schema"], "request", f"{at} ?{key[1]}")
        yield from self._bodies(old.get("requestBody", {}), new.get("requestBody", {}), "request", f"{at} request")
        for status, answer in old.get("responses", {}).items():
            if status not in new.get("responses", {}):
                yield f"{at}: answer {status} removed"
            else:
                yield from self._bodies(answer, new["responses"][status], "answer", f"{at} {status}")

    def _bodies(self, old: _Json, new: _Json, direction: _Direction, at: str) -> Iterator[str]:
        if direction == "request" and new.get("required") and not old.get("required"):
            yield f"{at}: newly required"
        for kind, content in old.get("content", {}).items():
            if kind not in new.get("content", {}):
                yield f"{at}: {kind} removed"
            else:
                yield from self._schemas(
                    content.get("schema", {}), new["content"][kind].get("schema", {}), direction, at
                )

    def _schemas(self, old: _Json, new: _Json, direction: _Direction, at: str) -> Iterator[str]:
        if "$ref" in old and "$ref" in new:
            key = (direction, old["$ref"], new["$ref"])
            if key in self._seen:
                return
            self._seen.add(key)
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        for word in _FIXED:
            if old.get(word) != new.get(word):
                yield f"{at}: {word} changed"
        yield from _values(old, new, direction, at)
        yield from self._fields(old, new, direction, at)
        for word in ("items", "additionalProperties"):
            if isinstance(old.get(word), dict) and isinstance(new.get(word), dict):
                yield from self._schemas(old[word], new[word], direction, f"{at}/*")
        old_choices, new_choices = old.get("anyOf", []), new.get("anyOf", [])
        if len(old_choices) != len(new_choices):
            yield f"{at}: alternatives changed"
        for one, other in zip(old_choices, new_choices, strict=False):
            yield from self._schemas(one, other, direction, at)

    def _fields(self, old: _Json, new: _Json, direction: _Direction, at: str) -> Iterator[str]:
        old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
        for name in sorted(old_fields.keys() - new_fields.keys()):
            yield f"{at}/{name}: removed"
        was, now = set(old.get("required", ())), set(new.get("required", ()))
        if direction == "request":
            for name in sorted(now - was):
                yield f"{at}/{name}: newly required"
        else:
            for name in sorted((was - now) & new_fields.keys()):
                yield f"{at}/{name}: may now be missing"
        for name in sorted(old_fields.keys() & new_fields.keys()):
            yield from self._schemas(old_fields[name], new_fields[name], direction, f"{at}/{name}")


def _values(old: _Json, new: _Json, direction: _Direction, at: str) -> Iterator[str]:
    if "enum" not in old and "enum" not in new:
        return
    before, after = old.get("enum"), new.get("enum")
    if direction == "request" and after is not None:
        gone = [value for value in before or ("any value",) if value not in after]
        yield from (f"{at}: {value} is no longer taken" for value in gone)
    if direction == "answer" and before is not None:
        added = [value for value in after or ("any value",) if value not in before]
        yield from (f"{at}: {value} is a value that callers do not know" for value in added)


def _resolved(schema: _Json, root: _Json) -> _Json:
    reference = schema.get("$ref")
    return root["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema
