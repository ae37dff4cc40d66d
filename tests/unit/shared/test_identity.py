"""Whom a token's claims speak for: as Keycloak and other providers write them, and as nobody should."""

import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from shared.identity import Identities, Officer, System, UnauthenticatedError

KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
PUBLISHED = KeySet([KEY]).as_dict(private=False)
OFFICER = {"sub": "u", "authority": "vantaa", "roles": ["officer"]}


async def identify(**claims: Any) -> Officer | System:
    whole = {"iss": "issuer", "aud": "suite", "exp": int(time.time()) + 60} | claims
    token = jwt.encode({"alg": "ES256", "kid": KEY.kid}, whole, KEY)
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=PUBLISHED))) as http:
        return await Identities("http://issuer/jwks", "issuer", "suite", http).identify(token)


@pytest.mark.parametrize("scope", ["openid profile", "", "notices:write"])
async def test_an_officers_token_with_a_scope_stays_an_officers(scope: str) -> None:
    caller = await identify(**OFFICER, scope=scope, azp="console")
    assert caller == Officer("u", "vantaa", frozenset({"officer"}))


@pytest.mark.parametrize(
    ("names", "subject"),
    [({}, "5f0c"), ({"azp": "portal"}, "portal"), ({"client_id": "portal"}, "portal")],
)
async def test_a_system_has_the_name_it_is_registered_under(names: dict[str, str], subject: str) -> None:
    assert await identify(sub="5f0c", scope="notices:write", **names) == System(subject, frozenset({"notices:write"}))


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "u"},
        {"sub": "u", "authority": "vantaa", "scope": "notices:write"},
        {"sub": "u", "roles": ["officer"], "scope": "notices:write"},
        {"sub": "u", "authority": "vantaa", "roles": "officer", "scope": "notices:write"},
        {"sub": "u", "authority": ["vantaa"], "roles": ["officer"]},
        {"sub": "u", "scope": "notices:write", "azp": "portal", "client_id": "jobs"},
    ],
)
async def test_what_is_neither_an_officers_nor_a_systems_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(UnauthenticatedError):
        await identify(**claims)
