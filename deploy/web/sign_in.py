"""Signing in with OpenID Connect: authorization code with PKCE, tokens kept in the session on this side alone."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse
from httpx2 import HTTPError
from joserfc.errors import JoseError
from pydantic import BaseModel, Field

from deploy.web.sessions import rotate

_EARLY_SECONDS: Final = 30
"""A token is renewed so long before it ends: an act that an officer has begun must not fail on the way."""


class Provider(BaseModel, frozen=True):
    """The OpenID provider, and what this application is to it.

    Attributes:
        issuer: its address; the rest is read from `/.well-known/openid-configuration` below it.
        client_id: this application's id there.
        client_secret: its secret; none for a public client, which PKCE protects.
        address: this application's own address in a browser, where the provider sends people back to.
    """

    issuer: str
    client_id: str
    client_secret: str | None = None
    address: str = Field(pattern="^https?://[^/]+$")


class SignIn:
    """The routes for signing in and out, and the token of whoever is signed in."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._back = f"{provider.address}/signed-in"
        self._client: Any = OAuth().register(
            "provider",
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            server_metadata_url=f"{provider.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic" if provider.client_secret else "none",
            },
        )
        self.router = APIRouter()
        self.router.add_api_route("/sign-in", self._begin, methods=["GET"])
        self.router.add_api_route("/signed-in", self._finish, methods=["GET"])
        self.router.add_api_route("/sign-out", self._end, methods=["POST"])

    async def token(self, request: Request) -> str | None:
        """Return the access token of whoever is signed in, renewed if it is about to end; None if nobody is."""
        tokens = request.session.get("tokens")
        if tokens is None:
            return None
        if tokens["expires_at"] - _EARLY_SECONDS <= time.time():
            tokens = await self._renewed(request, tokens.get("refresh_token"))
        return tokens["access_token"] if tokens else None

    async def _renewed(self, request: Request, refresh: str | None) -> dict[str, Any] | None:
        try:
            if refresh is None:
                raise OAuthError(description="no refresh token")  # noqa: TRY301 - as when the provider refuses one
            answer = await self._client.fetch_access_token(grant_type="refresh_token", refresh_token=refresh)
        except (OAuthError, HTTPError):
            request.session.clear()  # the provider has ended the session, or cannot say: sign in again
            return None
        self._keep(request, answer)
        kept: dict[str, Any] = request.session["tokens"]
        return kept

    def _keep(self, request: Request, answer: dict[str, Any]) -> None:
        before = request.session.get("tokens", {})
        request.session["tokens"] = before | {
            name: answer[name] for name in ("access_token", "refresh_token", "id_token", "expires_at") if name in answer
        }

    async def _begin(self, request: Request, to: str = "/") -> Response:
        # Only a path of this application: nobody is sent elsewhere after having signed in here.
        request.session["to"] = to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
        try:
            answer: Response = await self._client.authorize_redirect(request, self._back)
        except HTTPError as error:
            raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "The sign-in service does not answer.") from error
        return answer

    async def _finish(self, request: Request) -> Response:
        try:
            answer = await self._client.authorize_access_token(request)
        except (OAuthError, JoseError, ValueError) as error:
            raise HTTPException(status.HTTP_400_BAD_REQUEST, "The sign-in did not succeed. Try again.") from error
        except HTTPError as error:
            raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "The sign-in service does not answer.") from error
        self._keep(request, answer)
        request.session["who"] = dict(answer["userinfo"])
        rotate(request.session)
        return RedirectResponse(request.session.pop("to", "/"), status.HTTP_303_SEE_OTHER)

    async def _end(self, request: Request) -> Response:
        tokens = request.session.get("tokens", {})
        request.session.clear()
        try:
            answer = await self._client.create_logout_url(
                f"{self._provider.address}/signed-out", tokens.get("id_token"), client_id=self._provider.client_id
            )
        except (HTTPError, RuntimeError):  # a provider without an end-session address
            return RedirectResponse("/signed-out", status.HTTP_303_SEE_OTHER)
        return RedirectResponse(answer["url"], status.HTTP_303_SEE_OTHER)


OPEN_PATHS: Final = ("/static/", "/sign-in", "/signed-in", "/signed-out")


def guard(sign_in: SignIn) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """Return the middleware that lets nobody in without a session, and takes forms from this application alone."""

    async def check(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        # Beside the cookie's SameSite: a browser tells where a form was sent from.
        if request.method == "POST" and request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return Response("forms of other sites are not taken", status_code=status.HTTP_403_FORBIDDEN)
        if not request.url.path.startswith(OPEN_PATHS):
            request.state.token = await sign_in.token(request)
            if request.state.token is None:
                if request.headers.get("hx-request") or request.method != "GET":
                    return Response(status_code=status.HTTP_401_UNAUTHORIZED, headers={"HX-Redirect": "/sign-in"})
                query = f"?{request.url.query}" if request.url.query else ""
                to = quote(f"{request.url.path}{query}", safe="/")
                return RedirectResponse(f"/sign-in?to={to}", status.HTTP_303_SEE_OTHER)
        answer = await call_next(request)
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "same-origin"
        if not request.url.path.startswith("/static/"):
            answer.headers["Cache-Control"] = "no-store"
        return answer

    return check


_POLICY: Final = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
