"""Liveness, readiness and metrics of a process."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], Awaitable[bool]]


def router(checks: dict[str, Check]) -> APIRouter:
    """Make `/livez`, `/readyz` and `/metrics`. The process is ready when every check holds."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "live"}

    @routes.get("/readyz")
    async def readyz() -> Response:
        found = {name: await _holds(check) for name, check in checks.items()}
        return JSONResponse(found, status_code=200 if all(found.values()) else 503)

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _holds(check: Check) -> bool:
    try:
        return await check()
    except Exception:  # noqa: BLE001 - whatever goes wrong, the check fails
        return False
