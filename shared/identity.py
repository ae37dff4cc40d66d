"""Who calls: bearer tokens (JWT) checked against the issuer's published keys (JWKS).

An officer's token carries `authority` and `roles`; a system's token carries `scope`. Names are never in either.
"""

import asyncio
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

_ALGORITHMS: Final = ["ES256", "RS256", "PS256"]
_REFRESH_SECONDS: Final = 300.0
_UNKNOWN_KEY_SECONDS: Final = 10.0
"""An unknown key id makes us look for new keys at once, but not more often than this: anyone can send one."""


RULE: Final = "rule"
"""Who acts where a written rule decides, for records, beside `Officer.actor` and `System.actor`."""


class Role(StrEnum):
    """What an officer may do: handle matters, coordinate the region's, or operate the processes."""

    OFFICER = "officer"
    COORDINATOR = "coordinator"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Officer:
    """An officer of an employment authority; `subject` is the issuer's opaque id, not a name."""

    subject: str
    authority: str
    roles: frozenset[str] = field(default_factory=frozenset)

    @property
    def actor(self) -> str:
        """Who acts, for records: no name."""
        return f"officer:{self.subject}"


@dataclass(frozen=True)
class System:
    """Another information system."""

    subject: str
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def actor(self) -> str:
        """Which system acts, for records."""
        return f"system:{self.subject}"


class UnauthenticatedError(Exception):
    """The token is missing, malformed, expired, or not signed by the issuer."""


class KeysUnavailableError(Exception):
    """The issuer's keys cannot be fetched, so no token can be judged."""


class Identities:
    """Tells who a bearer token speaks for."""

    def __init__(self, jwks_url: str, issuer: str, audience: str, client: httpx.AsyncClient) -> None:
        self._jwks_url = jwks_url
        self._client = client
        self._claims = jwt.JWTClaimsRegistry(
            leeway=30,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        self._keys: KeySet | None = None
        self._fetched = float("-inf")
        self._lock = asyncio.Lock()

    async def identify(self, token: str) -> Officer | System:
        """Return whom the token speaks for.

        Raises:
            UnauthenticatedError: the token is not valid.
            KeysUnavailableError: the issuer's keys cannot be had.
        """
        claims = await self._verified(token)
        scope = claims.get("scope")
        if isinstance(scope, str):
            return System(str(claims["sub"]), frozenset(scope.split()))
        authority, roles = claims.get("authority"), claims.get("roles")
        if isinstance(authority, str) and isinstance(roles, list):
            return Officer(str(claims["sub"]), authority, frozenset(map(str, roles)))
        raise UnauthenticatedError

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            return self._decode(token, await self._keyset(older_than=_REFRESH_SECONDS))
        except JoseError:
            # The issuer may have changed its keys since we last looked.
            keys = await self._keyset(older_than=_UNKNOWN_KEY_SECONDS)
        except ValueError as error:
            raise UnauthenticatedError from error
        try:
            return self._decode(token, keys)
        except (JoseError, ValueError) as error:
            raise UnauthenticatedError from error

    def _decode(self, token: str, keys: KeySet) -> dict[str, Any]:
        decoded = jwt.decode(token, keys, algorithms=_ALGORITHMS)
        self._claims.validate(decoded.claims)
        return decoded.claims

    async def _keyset(self, older_than: float) -> KeySet:
        async with self._lock:
            if self._keys is None or time.monotonic() - self._fetched > older_than:
                try:
                    answer = await self._client.get(self._jwks_url, timeout=5)
                    answer.raise_for_status()
                    self._keys = KeySet.import_key_set(answer.json())
                    self._fetched = time.monotonic()
                except (httpx.HTTPError, ValueError, JoseError) as error:
                    if self._keys is None:
                        raise KeysUnavailableError from error
            return self._keys
