"""The desk's application: pages by matter, one middleware for who is signed in. It keeps sessions and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from deploy.desk import cases, contacts, work
from deploy.desk.pages import Desk, page
from deploy.desk.settings import Settings
from deploy.web import STATIC
from deploy.web.offices import Offices
from deploy.web.sessions import Sessions
from deploy.web.sign_in import SignIn, guard


def build(settings: Settings) -> FastAPI:
    """Make the desk of one office."""
    client = httpx.AsyncClient()

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await client.aclose()

    app = FastAPI(title="desk", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    office = settings.desk_office
    addresses = {service: {office: address} for service, address in settings.desk_services.items()}
    app.state.desk = Desk(office, Offices(addresses, client))
    sign_in = SignIn(settings.desk_sign_in)
    app.middleware("http")(guard(sign_in))
    # Added last, so outermost: the guard looks at the session.
    app.add_middleware(Sessions, cookie="desk", secure=settings.desk_secure_cookie)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in (sign_in.router, work.router, cases.router, contacts.router):
        app.include_router(router)
    app.add_exception_handler(HTTPException, _problem)
    return app


async def _problem(request: Request, error: Exception) -> HTMLResponse:
    code = error.status_code if isinstance(error, HTTPException) else 500
    return page(request, "problem.html", code)
