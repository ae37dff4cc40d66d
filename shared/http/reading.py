"""Reading: entity tags, pages and cursors."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Query, Request, Response
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel

from shared.events.values import is_instant_in_range
from shared.http.problems import ProblemError

_INTEGER: Final = range(-(2**31), 2**31)
_BIGINT: Final = range(-(2**63), 2**63)

Item = TypeVar("Item")
Row = TypeVar("Row")
Value = TypeVar("Value")
Other = TypeVar("Other")


def tagged(request: Request, content: Any) -> Response:
    """Answer a read with an entity tag of its content, or 304 when the caller has it already."""
    body = json.dumps(jsonable_encoder(content), ensure_ascii=False, separators=(",", ":")).encode()
    return tagged_body(request, body, "application/json")


def tagged_body(request: Request, body: bytes, media_type: str) -> Response:
    """Answer a read with an entity tag of its body, or 304 when the caller has it already."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


class Page(BaseModel, Generic[Item]):
    """One page of a list. `next` is the cursor of the following page; absent on the last one."""

    items: list[Item]
    next: str | None = None

    @classmethod
    def of(
        cls, rows: Sequence[Row], limit: int, place: Callable[[Row], Sequence[object]], show: Callable[[Row], Item]
    ) -> "Page[Item]":
        """Make a page of rows that were read with `limit`; `place` gives the values by which the list is sorted."""
        following = write_cursor(*place(rows[-1])) if len(rows) == limit else None
        return cls(items=[show(row) for row in rows], next=following)


Limit = Annotated[int, Query(ge=1, le=200, description="At most so many items.")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.", max_length=400)]


def write_cursor(*values: object) -> str:
    """Make a cursor from the sort values of the last item of a page."""
    return base64.urlsafe_b64encode(json.dumps([str(value) for value in values]).encode()).decode().rstrip("=")


def read_cursor(
    cursor: str | None, first: Callable[[str], Value], second: Callable[[str], Other]
) -> tuple[Value, Other] | None:
    """Return the two sort values in a cursor, parsed; None without a cursor.

    Raises:
        ProblemError: 400 when it is not one of ours.
    """
    place = read_long_cursor(cursor, first, second)
    return None if place is None else (place[0], place[1])


def read_single_cursor(cursor: str | None, parse: Callable[[str], Value]) -> Value | None:
    """Return the one sort value in a cursor, parsed; None without a cursor.

    Raises:
        ProblemError: 400 when it is not one of ours.
    """
    place = read_long_cursor(cursor, parse)
    return None if place is None else place[0]


def read_long_cursor(cursor: str | None, *parsers: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """Return the sort values in a cursor, each parsed; None without a cursor.

    Raises:
        ProblemError: 400 when it is not one of ours.
    """
    if cursor is None:
        return None
    try:
        values = tuple(parse(part) for parse, part in zip(parsers, _parts(cursor, len(parsers)), strict=True))
    except (ValueError, OverflowError) as error:
        raise invalid_cursor() from error
    if not all(map(_is_storable, values)):
        raise invalid_cursor()
    return values


def integer(part: str) -> int:
    """Parse the sort value of an `integer` column, which holds less than Python's.

    Raises:
        ValueError: it is none.
    """
    number = int(part)
    if number not in _INTEGER:
        raise ValueError
    return number


def _is_storable(value: object) -> bool:
    """Whether the database can compare with it: no list holds a place that its columns could not."""
    match value:
        case datetime():
            return value.tzinfo is not None and is_instant_in_range(value)
        case int():
            return value in _BIGINT
        case str():
            return not any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in value)
        case _:
            return True


def _parts(cursor: str, count: int) -> list[str]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise invalid_cursor() from error
    if not isinstance(values, list) or len(values) != count or not all(isinstance(value, str) for value in values):
        raise invalid_cursor()
    return values


def invalid_cursor() -> ProblemError:
    """Return the problem of a cursor that is not one of ours."""
    return ProblemError(400, "invalid-cursor", "Invalid cursor.")
