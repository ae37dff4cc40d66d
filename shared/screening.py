"""What no service takes in, over HTTP or from a topic: bodies that are too large, and personal identity codes.

A personal identity code (henkilötunnus) is never in a message, a log, a span or a URL: it is refused at the producer.
"""

import json
import re
from contextlib import suppress
from typing import Final
from urllib.parse import unquote

from fastapi import Request
from stdnum.fi import hetu

from shared.http.problems import MAX_REQUEST_BYTES, ProblemError
from shared.messaging.codec import Rejection
from shared.messaging.parking import Record

PERSONAL_IDENTITY_CODE: Final = "personal-identity-code"
ERASE_ON_DISCARD: Final = frozenset({PERSONAL_IDENTITY_CODE})
"""What should never have been sent is not kept: the payload is erased when the record is given up."""

_DIGIT: Final = rb"[0-9]"
_CODE_LIKE: Final = re.compile(6 * _DIGIT + rb"[-+A-FU-Ya-fu-y]" + 3 * _DIGIT + rb"[0-9A-Za-z]")
"""Digits written out: `re` then looks for the first one at full speed, 13 µs for a filing against 24 with `{6}`."""
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


def screen(record: Record) -> Rejection | None:
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
    """Refuse a request that carries a personal identity code in its body, or anywhere what no store can hold."""
    if has_nul(await request.body()) or "\0" in unquote(f"{request.url.path}?{request.url.query}"):
        raise ProblemError(422, "nul-character", "The request contains a NUL character.", "Send it without.")
    if has_personal_identity_code(await request.body()):
        raise ProblemError(
            422, PERSONAL_IDENTITY_CODE, "The request contains a personal identity code.", "Send it without."
        )
