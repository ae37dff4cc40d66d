"""Reading: entity tags, pages and cursors."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Header, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel

from shared.http.problems import ProblemError

Item = TypeVar("Item")
Row = TypeVar("Row")
Value = TypeVar("Value")
Other = TypeVar("Other")


def tagged(request: Request, content: Any) -> Response:
    """Answer a read with an entity tag of its content, or 304 when the caller has it already."""
    body = _body(content)
    tag = _tag(body)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in _tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=400, description="The `ETag` that was read: nothing is changed by it since."),
]


def check_match(if_match: str | None, content: Any) -> None:
    """Let a change through whose caller knows the newest content, or asks no such thing.

    Raises:
        ProblemError: 412, the content has changed since.
    """
    if if_match is not None and if_match.strip() != "*" and _tag(_body(content)) not in _tags(if_match):
        raise ProblemError(412, "changed-meanwhile", "It has changed since it was read. Read it again.")


def _body(content: Any) -> bytes:
    return json.dumps(jsonable_encoder(content), ensure_ascii=False, separators=(",", ":")).encode()


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _tags(header: str) -> list[str]:
    return [part.strip().removeprefix("W/") for part in header.split(",")]


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
    if cursor is None:
        return None
    one, other = _parts(cursor, 2)
    try:
        return first(one), second(other)
    except (ValueError, OverflowError) as error:
        raise invalid_cursor() from error


def read_single_cursor(cursor: str | None, parse: Callable[[str], Value]) -> Value | None:
    """Return the one sort value in a cursor, parsed; None without a cursor.

    Raises:
        ProblemError: 400 when it is not one of ours.
    """
    if cursor is None:
        return None
    try:
        return parse(_parts(cursor, 1)[0])
    except (ValueError, OverflowError) as error:
        raise invalid_cursor() from error


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
