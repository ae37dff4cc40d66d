"""No route of any process takes a personal identity code, or a character that no store can hold, wherever it stands."""

from importlib import import_module

import httpx
import pytest

from deploy.local.stack import CITIES, JOINT, SERVICES
from tests.support.filings import TEST_IDENTITY_CODE


def caller(service: str, office: str) -> httpx.AsyncClient:
    settings = import_module(f"services.{service}.settings").Settings(
        office=office,
        joint_office=JOINT,
        city_offices=",".join(CITIES),
        database_url="postgresql://localhost/none",
        kafka_bootstrap_servers="localhost:9092",
        kafka_security="plaintext",
        jwks_url="https://localhost/jwks.json",
        token_issuer="https://localhost",
        pool_key="none",
    )
    process = import_module(f"services.{service}.app").build(settings)
    return httpx.AsyncClient(transport=httpx.ASGITransport(process), base_url="http://process")


@pytest.mark.parametrize(("service", "office"), [*((service, JOINT) for service in SERVICES), (SERVICES[0], CITIES[0])])
async def test_what_no_store_can_hold_and_an_identity_code_are_refused_by_every_process(
    service: str, office: str
) -> None:
    async with caller(service, office) as client:
        for place in ("/v1/parked?state=%00", "/v1/parked/a%00b", "/v1/parked?state=%2500"):
            expected = 401 if "%25" in place else 422  # a text that only looks like one is as good as any
            assert (await client.get(place)).status_code == expected
        for content in (f'{{"reason": "{TEST_IDENTITY_CODE}"}}', '{"reason": "a\\u0000b"}'):
            answer = await client.post("/v1/parked/replays", content=content)
            assert answer.status_code == 422
            assert TEST_IDENTITY_CODE not in answer.text
