"""Sessions of a web application: kept in its memory, under a random id in a cookie that scripts cannot read.

The browser never holds a token. A restart of the application signs everybody out, and the issuer signs them in again
without a question while its own session lasts.
"""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_IDLE_SECONDS: Final = 3600.0
_MOST: Final = 10_000
"""Sessions kept at once: somebody who asks again and again without a cookie fills no memory."""


@dataclass
class _Kept:
    values: dict[str, Any] = field(default_factory=dict)
    used: float = field(default_factory=time.monotonic)


class Sessions:
    """ASGI middleware: `request.session` is a dictionary that stays until it has not been used for an hour."""

    def __init__(self, app: ASGIApp, cookie: str, *, secure: bool) -> None:
        self._app = app
        # The prefix makes a browser refuse the cookie from any other host or over plain HTTP.
        self._cookie = f"__Host-{cookie}" if secure else cookie
        self._attributes = f"Path=/; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"
        self._kept: dict[str, _Kept] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the request its session, and the answer the session's cookie when it is new, moved or ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._forget_unused()
        sent = _cookie(scope, self._cookie)
        kept = self._kept.get(sent) if sent else None
        session = kept or _Kept()
        session.used = time.monotonic()
        scope["session"] = session.values

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answer(MutableHeaders(scope=message), sent if kept else None, session)
            await send(message)

        await self._app(scope, receive, send_with_cookie)

    def _answer(self, headers: MutableHeaders, sent: str | None, session: _Kept) -> None:
        rotated = session.values.pop(_ROTATE, False)
        if sent and (rotated or not session.values):
            self._kept.pop(sent, None)
        if session.values and (rotated or sent is None):
            new = secrets.token_urlsafe(32)
            self._kept[new] = session
            headers.append("set-cookie", f"{self._cookie}={new}; {self._attributes}")
        elif sent and not session.values:
            headers.append("set-cookie", f"{self._cookie}=; Max-Age=0; {self._attributes}")

    def _forget_unused(self) -> None:
        oldest = time.monotonic() - _IDLE_SECONDS
        for name in [name for name, kept in self._kept.items() if kept.used < oldest]:
            del self._kept[name]
        while len(self._kept) >= _MOST:
            del self._kept[next(iter(self._kept))]


_ROTATE: Final = "_rotate"


def rotate(session: dict[str, Any]) -> None:
    """Give the session a new id with this answer: an id known from before signing in is then worth nothing."""
    session[_ROTATE] = True


def _cookie(scope: Scope, name: str) -> str | None:
    for key, value in scope["headers"]:
        if key == b"cookie":
            found = cookie_parser(value.decode("latin-1")).get(name)
            if found:
                return found
    return None
