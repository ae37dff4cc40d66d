"""What no service takes in, over HTTP or from a topic: bodies that are too large, and personal identity codes.

A personal identity code (henkilötunnus) is never in a message, a log, a span or a URL: it is refused at the producer.
"""

import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from fastapi import Request
from stdnum.fi import hetu

from shared.errors import UnknownError, UnprocessableError
from shared.http.problems import MAX_REQUEST_BYTES, ProblemError
from shared.messaging.codec import Rejection
from shared.messaging.consumer import Handler
from shared.messaging.parking import PERSONAL_IDENTITY_CODE, Record
from shared.messaging.transaction import Transaction
from shared.topics import Topic

_CODE_LIKE: Final = re.compile(rb"\d{6}[-+A-FU-Ya-fu-y]\d{3}[0-9A-Za-z]")
_WORD: Final = re.compile(rb"[0-9A-Za-z]")


def has_personal_identity_code(body: bytes) -> bool:
    """Whether a Finnish personal identity code stands anywhere in a JSON body, escaped or not.

    Test codes (serials 900–999) count too: a code that only looks personal is no loss when refused.
    """
    if b"\\u" in body:
        with suppress(ValueError):  # not JSON at all: the body is looked at as it is
            body = json.dumps(json.loads(body), ensure_ascii=False).encode("utf-8", "replace")
    return any(
        hetu.is_valid(found[0].decode().upper(), allow_temporary=True)
        for found in _CODE_LIKE.finditer(body)
        if not _WORD.match(body, found.end()) and not _WORD.match(body[: found.start()][-1:])
    )


def examine(record: Record) -> Rejection | None:
    """Reject a record that is too large, or that carries a personal identity code."""
    if record.value is None:
        return None
    if len(record.value) > MAX_REQUEST_BYTES:
        return Rejection("body-too-large", f"the body is larger than {MAX_REQUEST_BYTES} bytes")
    if has_nul(record.value):
        return Rejection("nul-character", "the body contains a NUL character, which no store can hold")
    if has_personal_identity_code(record.value):
        return Rejection(PERSONAL_IDENTITY_CODE, "the body contains a personal identity code")
    return None


def has_nul(body: bytes) -> bool:
    """Whether a NUL character stands in a JSON body, escaped or not: PostgreSQL's text cannot hold one."""
    return b"\0" in body or b"\\u0000" in body


async def without_identity_codes(request: Request) -> None:
    """Refuse a request whose body carries a personal identity code, or what no store can hold, anywhere in it."""
    if has_nul(await request.body()):
        raise ProblemError(422, "nul-character", "The request contains a NUL character.", "Send it without.")
    if has_personal_identity_code(await request.body()):
        raise ProblemError(
            422, PERSONAL_IDENTITY_CODE, "The request contains a personal identity code.", "Send it without."
        )


def speaking_for_itself(handler: Handler, topic: Topic, office_of: Callable[[Any], str]) -> Handler:
    """Refuse an event in which an office speaks for another: only its own topic may carry its word.

    Args:
        handler: handles what is not refused.
        topic: the topic per office that the event must have come by.
        office_of: tells for which office an event speaks.
    """

    async def handle(event: Any, tx: Transaction) -> None:
        came_by = tx.envelope.topic if tx.envelope else None
        if came_by != topic.name_for(office_of(event)):
            raise UnprocessableError("the office is not the one whose topic this is", "speaks-for-another")
        await handler(event, tx)

    return handle


async def about_something_known(act: Awaitable[None]) -> None:
    """Do what a message asks for; a message about something that is not there can never succeed.

    Raises:
        UnprocessableError: `unknown-…`, when the act raises `UnknownError`.
    """
    try:
        await act
    except UnknownError as error:
        raise UnprocessableError(f"there is no such {error} of that office", f"unknown-{error}") from error
