"""A small OpenID provider for one machine: signs tokens with its own key, and signs in whoever says who they are.

Never for production: whoever can reach it can be anyone. It speaks what a real provider speaks – discovery,
authorization code with PKCE, refresh tokens that are used once, private_key_jwt for systems, logout – so that what
is built against it runs against a real one.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Final
from urllib.parse import urlencode

import uvicorn
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from deploy.local.processes import free_port

AUDIENCE = "employment-services"
_HOURS: Final = 3600
_CODE_SECONDS: Final = 60
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class _Grant:
    """What a person has been granted: by a code first, then by one refresh token after the other."""

    client: str
    subject: str
    authority: str
    roles: tuple[str, ...]
    session: str
    nonce: str | None = None
    challenge: str | None = None
    redirect_uri: str | None = None
    until: float = 0.0


class Issuer:
    """Signs tokens, and serves the provider's addresses.

    Attributes:
        access_seconds: how long a person's access token lasts.
    """

    def __init__(self, port: int | None = None) -> None:
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        self.port = port or free_port()
        self.name = f"http://127.0.0.1:{self.port}"
        self.jwks_url = f"{self.name}/jwks.json"
        self.access_seconds = 600
        self._grants: dict[str, _Grant] = {}
        self._spent: dict[str, str] = {}
        self._systems: dict[str, tuple[ECKey, frozenset[str]]] = {}
        self._assertions: set[str] = set()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve in the background; return when it answers."""
        app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/jwks.json", self._keys),
                Route("/authorize", self._ask_who),
                Route("/authorize", self._grant, methods=["POST"]),
                Route("/token", self._token, methods=["POST"]),
                Route("/end-session", self._end_session),
            ]
        )
        config = uvicorn.Config(app, "127.0.0.1", self.port, log_level="critical", access_log=False, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            self._thread.join(timeout=5)
            self._server = None

    def officer(self, authority: str, *roles: str, subject: str | None = None, lifetime: int = 12 * _HOURS) -> str:
        """Return an officer's token, by default with the role `officer`."""
        return self._sign(
            {
                "sub": subject or f"officer-of-{authority}",
                "authority": authority,
                "roles": list(roles or ("officer",)),
            },
            lifetime,
        )

    def system(self, subject: str, *scopes: str, lifetime: int = 12 * _HOURS) -> str:
        """Return another system's token."""
        return self._sign({"sub": subject, "scope": " ".join(scopes)}, lifetime)

    def register(self, client_id: str, key: ECKey, *scopes: str) -> None:
        """Let a system ask for its own tokens: it proves itself by a JWT that it has signed with its private key."""
        self._systems[client_id] = (ECKey.import_key(key.as_dict(private=False)), frozenset(scopes))

    def _sign(self, claims: dict[str, object], lifetime: int, audience: str = AUDIENCE) -> str:
        now = int(time.time())
        full = {"iss": self.name, "aud": audience, "iat": now, "exp": now + lifetime} | claims
        return jwt.encode({"alg": "ES256", "kid": self._key.kid}, full, self._key)

    # -- what the provider answers

    async def _configuration(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.name,
                "authorization_endpoint": f"{self.name}/authorize",
                "token_endpoint": f"{self.name}/token",
                "jwks_uri": self.jwks_url,
                "end_session_endpoint": f"{self.name}/end-session",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
                "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
                "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse(KeySet([self._key]).as_dict(private=False))

    async def _ask_who(self, request: Request) -> Response:
        given = request.query_params
        if given.get("response_type") != "code" or given.get("code_challenge_method") != "S256":
            return _refused("invalid_request")
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(given.get(name, ""))}">'
            for name in ("client_id", "redirect_uri", "state", "nonce", "code_challenge")
        )
        return HTMLResponse(_PAGE.format(hidden=hidden))

    async def _grant(self, request: Request) -> Response:
        form = await request.form()
        values = {name: str(value) for name, value in form.items()}
        code = secrets.token_urlsafe(24)
        self._grants[code] = _Grant(
            client=values["client_id"],
            subject=values["subject"].strip() or f"officer-of-{values['authority']}",
            authority=values["authority"],
            roles=tuple(str(role) for role in form.getlist("roles")),
            session=secrets.token_urlsafe(12),
            nonce=values.get("nonce") or None,
            challenge=values["code_challenge"],
            redirect_uri=values["redirect_uri"],
            until=time.time() + _CODE_SECONDS,
        )
        back = urlencode({"code": code, "state": values["state"]})
        return RedirectResponse(f"{values['redirect_uri']}?{back}", 303)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        match form.get("grant_type"):
            case "authorization_code":
                return self._by_code(form)
            case "refresh_token":
                return self._by_refresh(form)
            case "client_credentials":
                return self._by_assertion(form)
        return _refused("unsupported_grant_type")

    def _by_code(self, form: dict[str, str]) -> Response:
        grant = self._take(form.get("code", ""))
        if (
            grant is None
            or grant.until < time.time()
            or grant.redirect_uri != form.get("redirect_uri")
            or grant.client != form.get("client_id")
            or grant.challenge != _challenge(form.get("code_verifier", ""))
        ):
            return _refused("invalid_grant")
        return self._tokens(grant)

    def _by_refresh(self, form: dict[str, str]) -> Response:
        grant = self._take(form.get("refresh_token", ""))
        if grant is None or grant.client != form.get("client_id"):
            return _refused("invalid_grant")
        return self._tokens(grant)

    def _take(self, name: str) -> _Grant | None:
        """Take a code or a refresh token: each is good once. One used twice was stolen, so its session ends."""
        stolen = self._spent.get(name)
        if stolen is not None:
            self._grants = {other: grant for other, grant in self._grants.items() if grant.session != stolen}
        grant = self._grants.pop(name, None)
        if grant is not None:
            self._spent[name] = grant.session
        return grant

    def _tokens(self, grant: _Grant) -> Response:
        refresh = secrets.token_urlsafe(24)
        self._grants[refresh] = replace(grant, nonce=None, challenge=None, redirect_uri=None)
        person: dict[str, object] = {"sub": grant.subject, "authority": grant.authority, "roles": list(grant.roles)}
        nonce: dict[str, object] = {"nonce": grant.nonce} if grant.nonce else {}
        return JSONResponse(
            {
                "token_type": "Bearer",
                "access_token": self._sign(person | {"sid": grant.session}, self.access_seconds),
                "id_token": self._sign(person | nonce | {"sid": grant.session}, self.access_seconds, grant.client),
                "refresh_token": refresh,
                "expires_in": self.access_seconds,
                "scope": "openid",
            },
            headers={"Cache-Control": "no-store"},
        )

    def _by_assertion(self, form: dict[str, str]) -> Response:
        """Answer a system that proves itself by private_key_jwt (RFC 7523): each proof is good once."""
        if form.get("client_assertion_type") != _ASSERTION:
            return _refused("invalid_client", 401)
        assertion = form.get("client_assertion", "")
        try:
            client = json.loads(jws.extract_compact(assertion.encode()).payload)["iss"]
            key, scopes = self._systems[client]
            claims = jwt.decode(assertion, key, algorithms=["ES256"]).claims
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": client},
                sub={"essential": True, "value": client},
                aud={"essential": True, "values": [self.name, f"{self.name}/token"]},
                exp={"essential": True},
                jti={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError, LookupError, TypeError):
            return _refused("invalid_client", 401)
        if claims["jti"] in self._assertions:
            return _refused("invalid_client", 401)
        self._assertions.add(claims["jti"])
        wished = frozenset(form.get("scope", "").split()) or scopes
        if not wished <= scopes:
            return _refused("invalid_scope")
        token = self._sign({"sub": client, "scope": " ".join(sorted(wished))}, self.access_seconds)
        return JSONResponse({"token_type": "Bearer", "access_token": token, "expires_in": self.access_seconds})

    async def _end_session(self, request: Request) -> Response:
        try:
            claims = jwt.decode(request.query_params.get("id_token_hint", ""), self._key, algorithms=["ES256"]).claims
            ended = claims.get("sid")
        except (JoseError, ValueError):
            return _refused("invalid_request")
        self._grants = {name: grant for name, grant in self._grants.items() if grant.session != ended}
        back: Any = request.query_params.get("post_logout_redirect_uri")
        return RedirectResponse(back, 303) if back else HTMLResponse("<p>Signed out.</p>")


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _refused(error: str, status: int = 400) -> Response:
    return JSONResponse({"error": error}, status)


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Who are you? – local sign-in</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}}
fieldset{{margin:1rem 0;border:1px solid #888}}label{{display:block;margin:.3rem 0}}
input[type=text],select,button{{font:inherit;padding:.3rem .6rem}}</style></head>
<body><main><h1>Who are you?</h1>
<p>This sign-in is for one machine: it believes whatever you say.</p>
<form method="post" action="/authorize">{hidden}
<label>Authority <select name="authority">
<option>helsinki</option><option>espoo</option><option>vantaa</option></select></label>
<label>Subject <input type="text" name="subject" placeholder="officer-of-the-authority"></label>
<fieldset><legend>Roles</legend>
<label><input type="checkbox" name="roles" value="officer" checked> officer</label>
<label><input type="checkbox" name="roles" value="coordinator"> coordinator</label>
<label><input type="checkbox" name="roles" value="operator"> operator</label></fieldset>
<button>Sign in</button></form></main></body></html>
"""
