"""Signing in: the web application against the local OpenID provider, over HTTP."""

import re
from collections.abc import Iterator
from time import time
from typing import Any
from uuid import uuid4

import httpx
import pytest
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.testclient import TestClient

from deploy.local.issuer import AUDIENCE, Issuer
from deploy.web.sessions import Sessions
from deploy.web.sign_in import Provider, SignIn, guard

HERE = "http://testserver"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    issuer.start()
    yield issuer
    issuer.stop()


@pytest.fixture
def browser(issuer: Issuer) -> Iterator[TestClient]:
    app = FastAPI()
    sign_in = SignIn(Provider(issuer=issuer.name, client_id="desk", address=HERE))
    app.middleware("http")(guard(sign_in))
    app.add_middleware(Sessions, cookie="desk", secure=False)
    app.include_router(sign_in.router)

    @app.get("/cases")
    async def cases(request: Request) -> dict[str, Any]:
        return {"token": request.state.token, "who": request.session["who"]["sub"]}

    @app.get("/signed-out")
    async def signed_out() -> dict[str, str]:
        return {}

    with TestClient(app, base_url=HERE, follow_redirects=False) as client:
        yield client


def at_the_issuer(location: str, **said: Any) -> str:
    """Answer the issuer's page as a person would; return where it sends the browser."""
    page = httpx.get(location).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer = httpx.post(
        location.partition("?")[0], data=hidden | {"authority": "vantaa", "subject": "u-1", "roles": ["officer"]} | said
    )
    return answer.headers["location"]


def signed_in(browser: TestClient) -> None:
    begun = browser.get("/sign-in?to=/cases").headers["location"]
    answer = browser.get(at_the_issuer(begun))
    assert answer.headers["location"] == "/cases"


def test_who_is_not_signed_in_is_asked_and_comes_back_to_the_page(browser: TestClient) -> None:
    assert browser.get("/cases?late=true").headers["location"] == "/sign-in?to=/cases%3Flate%3Dtrue"
    signed_in(browser)
    assert browser.get("/cases").json()["who"] == "u-1"


def test_the_session_has_a_new_id_after_signing_in(browser: TestClient) -> None:
    begun = browser.get("/sign-in").headers["location"]
    before = browser.cookies["desk"]
    browser.get(at_the_issuer(begun))
    after = browser.cookies["desk"]
    assert before != after
    browser.cookies.clear()
    assert browser.get("/cases", headers={"Cookie": f"desk={before}"}).status_code == 303
    assert browser.get("/cases", headers={"Cookie": f"desk={after}"}).status_code == 200


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_nobody_is_sent_elsewhere_after_signing_in(browser: TestClient, to: str) -> None:
    begun = browser.get("/sign-in", params={"to": to}).headers["location"]
    assert browser.get(at_the_issuer(begun)).headers["location"] == "/"


def test_a_callback_that_this_browser_did_not_ask_for_is_refused(browser: TestClient) -> None:
    begun = browser.get("/sign-in").headers["location"]
    back = at_the_issuer(begun)
    browser.cookies.clear()
    assert browser.get(back).status_code == 400


def test_a_token_that_ends_is_renewed_and_a_session_ended_at_the_provider_ends_here(
    browser: TestClient, issuer: Issuer
) -> None:
    issuer.access_seconds = 5  # below the margin: renewed at each request
    signed_in(browser)
    first = browser.get("/cases").json()["token"]
    second = browser.get("/cases").json()["token"]
    assert first
    assert second
    issuer._grants.clear()
    assert browser.get("/cases").headers["location"].startswith("/sign-in")


def test_signing_out_ends_the_session_here_and_at_the_provider(browser: TestClient, issuer: Issuer) -> None:
    signed_in(browser)
    cookie = browser.cookies["desk"]
    away = browser.post("/sign-out").headers["location"]
    assert away.startswith(f"{issuer.name}/end-session")
    assert httpx.get(away).headers["location"].startswith(f"{HERE}/signed-out")
    browser.cookies.clear()
    assert browser.get("/cases", headers={"Cookie": f"desk={cookie}"}).status_code == 303
    assert not issuer._grants


def test_an_act_without_a_session_is_401_and_a_form_of_another_site_403(browser: TestClient) -> None:
    assert browser.post("/cases").status_code == 401
    assert browser.post("/cases", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_code_is_good_once_and_for_its_own_verifier(issuer: Issuer) -> None:
    verifier = generate_token(48)
    client = OAuth2Client("desk", redirect_uri="http://x/back", code_challenge_method="S256")
    url, _ = client.create_authorization_url(f"{issuer.name}/authorize", code_verifier=verifier)
    code = httpx.URL(at_the_issuer(url)).params["code"]

    def redeem(code: str, verifier: str) -> httpx.Response:
        given = {"client_id": "desk", "redirect_uri": "http://x/back", "code": code, "code_verifier": verifier}
        return httpx.post(f"{issuer.name}/token", data={"grant_type": "authorization_code"} | given)

    assert redeem(code, "another").json() == {"error": "invalid_grant"}
    url, _ = client.create_authorization_url(f"{issuer.name}/authorize", code_verifier=verifier)
    code = httpx.URL(at_the_issuer(url)).params["code"]
    assert redeem(code, verifier).status_code == 200
    assert redeem(code, verifier).json() == {"error": "invalid_grant"}
    assert not issuer._grants, "a code used twice was stolen: its session ends"


def test_a_system_proves_itself_by_its_own_key_and_no_proof_is_taken_twice(issuer: Issuer) -> None:
    key = ECKey.generate_key("P-256", {"alg": "ES256"})
    issuer.register("employer-portal", key, "notices:write", "notices:read")
    token_url = f"{issuer.name}/token"
    with OAuth2Client("employer-portal", key, token_endpoint_auth_method="private_key_jwt") as client:
        client.register_client_auth_method(PrivateKeyJWT(token_url, alg="ES256"))
        token = client.fetch_token(token_url, grant_type="client_credentials", scope="notices:write")
    claims = jwt.decode(token["access_token"], issuer._key, algorithms=["ES256"]).claims
    assert claims["scope"] == "notices:write"
    assert claims["aud"] == AUDIENCE

    def ask(signed_by: ECKey, **changed: Any) -> httpx.Response:
        proof = {"iss": "employer-portal", "sub": "employer-portal", "aud": token_url, "jti": uuid4().hex}
        assertion = jwt.encode({"alg": "ES256"}, proof | {"exp": int(time()) + 60} | changed, signed_by)
        given = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }
        return httpx.post(token_url, data=given)

    assert ask(key, jti="a").status_code == 200
    assert ask(key, jti="a").status_code == 401
    assert ask(ECKey.generate_key("P-256")).status_code == 401
    assert ask(key, aud="https://elsewhere.example").status_code == 401
    assert ask(key, exp=int(time()) - 60).status_code == 401
