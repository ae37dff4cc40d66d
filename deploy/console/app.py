"""The console's pages. Every read and every act goes to the office concerned, with the operator's own token."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, cast
from uuid import UUID

import httpx
from fastapi import FastAPI, Form, Request, Response, status
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from deploy.console.catalogue import document, event_type
from deploy.console.flowmap import flow_map
from deploy.console.overview import overview as overview_of
from deploy.console.settings import Settings
from deploy.console.translations import Lang, translated
from deploy.console.waterfall import waterfall
from deploy.web import STATIC
from deploy.web.offices import Answer, Offices
from deploy.web.sessions import Sessions
from deploy.web.sign_in import SignIn, guard
from shared.calendar import TIME_ZONE
from shared.topics import TOPICS

_HERE: Final = Path(__file__).parent
_LIVE_SECONDS: Final = 2.0
_JOINT: Final = ("change_security", "pks")


def local_time(moment: str | None) -> str:
    """Return an RFC 3339 time of an API as local time to the second, and a dash for none."""
    if moment is None:
        return "–"
    return datetime.fromisoformat(moment).astimezone(TIME_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def build(settings: Settings) -> FastAPI:  # noqa: C901, PLR0915 - one function declares all pages
    """Make the console."""
    client = httpx.AsyncClient()
    offices = Offices(settings.console_offices, client)
    templates = Jinja2Templates(_HERE / "templates")
    templates.env.filters["local_time"] = local_time
    templates.env.policies["json.dumps_kwargs"] = {"ensure_ascii": False}

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await client.aclose()

    app = FastAPI(title="console", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    sign_in = SignIn(settings.console_sign_in)
    app.middleware("http")(guard(sign_in))
    # Added last, so outermost: the guard looks at the session.
    app.add_middleware(Sessions, cookie="console", secure=settings.console_secure_cookie)
    app.include_router(sign_in.router)

    def lang_of(request: Request) -> Lang:
        found = request.query_params.get("lang") or request.cookies.get("lang")
        return cast("Lang", found) if found in {"fi", "sv", "en"} else "fi"

    def page(request: Request, name: str, **values: Any) -> HTMLResponse:
        lang = lang_of(request)
        shared = {
            "t": translated(lang),
            "lang": lang,
            "path": request.url.path,
            "signed_in": "tokens" in request.session,
        }
        answer: HTMLResponse = templates.TemplateResponse(request, name, shared | values)
        if "lang" in request.query_params:
            answer.set_cookie("lang", lang, samesite="strict", httponly=True, secure=settings.console_secure_cookie)
        return answer

    async def ask(
        request: Request, service: str, office: str, path: str, method: str = "GET", body: Any = None
    ) -> Answer:
        return await offices.ask(service, office, path, request.state.token, method, body)

    # -- who

    @app.get("/signed-out")
    async def signed_out(request: Request) -> HTMLResponse:
        return page(request, "signed_out.html")

    # -- overview

    @app.get("/")
    async def overview(request: Request) -> HTMLResponse:
        return page(request, "overview.html", rows=await overview_of(offices, request.state.token))

    @app.get("/overview/rows")
    async def rows(request: Request) -> HTMLResponse:
        return page(request, "rows.html", rows=await overview_of(offices, request.state.token))

    @app.get("/live")
    async def live(request: Request) -> StreamingResponse:
        """Server-sent events: tells the page to look again."""

        async def ticks() -> AsyncIterator[str]:
            while not await request.is_disconnected():
                yield "event: look\ndata: again\n\n"
                await asyncio.sleep(_LIVE_SECONDS)

        return StreamingResponse(ticks(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @app.post("/offices/{service}/{office}/consumer/{act}")
    async def turn(request: Request, service: str, office: str, act: str) -> Response:
        if act not in {"pause", "resume"}:
            return Response(status_code=404)
        await ask(request, service, office, f"/v1/consumer/{act}", "POST")
        return RedirectResponse("/", status_code=303)

    # -- notices

    @app.get("/notices")
    async def notices(request: Request) -> HTMLResponse:
        answer = await ask(request, *_JOINT, "/v1/notices?limit=100")
        return page(request, "notices.html", answer=answer)

    @app.get("/notices/{notice_id}")
    async def notice(request: Request, notice_id: UUID) -> HTMLResponse:
        answer = await ask(request, *_JOINT, f"/v1/notices/{notice_id}/ledger")
        return page(request, "notice.html", answer=answer, notice_id=notice_id)

    @app.get("/unrouted")
    async def unrouted(request: Request) -> HTMLResponse:
        return page(request, "unrouted.html", answer=await ask(request, *_JOINT, "/v1/unrouted"))

    # -- parked

    @app.get("/parked")
    async def parked(request: Request) -> HTMLResponse:
        each = offices.each()
        answers = await asyncio.gather(*(ask(request, *one, "/v1/parked/groups") for one in each))
        asked = list(zip(each, answers, strict=True))
        groups = [
            (service, office, group) for (service, office), answer in asked if answer.is_good for group in answer.body
        ]
        return page(
            request,
            "parked.html",
            groups=groups,
            any_read=any(answer.is_good for answer in answers),
            forbidden=[place for place, answer in asked if answer.is_forbidden],
            unread=[(place, answer) for place, answer in asked if not answer.is_good and not answer.is_forbidden],
        )

    @app.get("/parked/{service}/{office}")
    async def parked_records(request: Request, service: str, office: str, code: str, topic: str) -> HTMLResponse:
        answer = await ask(request, service, office, "/v1/parked?limit=200")
        records = [
            one
            for one in (answer.body["items"] if answer.is_good else [])
            if one["code"] == code and one["topic"] == topic and one["state"] in {"parked", "held"}
        ]
        where = {"service": service, "office": office, "code": code, "topic": topic}
        return page(request, "records.html", answer=answer, records=records, **where)

    @app.post("/parked/{service}/{office}/replays")
    async def replay_group(
        request: Request,
        service: str,
        office: str,
        code: Annotated[str, Form()],
        topic: Annotated[str, Form()],
        reason: Annotated[str, Form()],
        act: Annotated[str, Form()],
    ) -> HTMLResponse:
        body = {"code": code, "topic": topic, "reason": reason, "dry_run": act != "replay"}
        answer = await ask(request, service, office, "/v1/parked/replays", "POST", body)
        return page(
            request, "outcome.html", answer=answer, back=f"/parked/{service}/{office}?code={code}&topic={topic}"
        )

    @app.get("/parked/{service}/{office}/{parked_id}")
    async def record(request: Request, service: str, office: str, parked_id: UUID) -> HTMLResponse:
        answer = await ask(request, service, office, f"/v1/parked/{parked_id}")
        acts = await ask(request, service, office, f"/v1/parked/{parked_id}/audit")
        return page(request, "record.html", answer=answer, acts=acts, service=service, office=office)

    @app.post("/parked/{service}/{office}/{parked_id}/{act}")
    async def act_on_record(
        request: Request, service: str, office: str, parked_id: UUID, act: str, reason: Annotated[str, Form()]
    ) -> HTMLResponse:
        if act not in {"replay", "discard"}:
            return HTMLResponse(status_code=404)
        answer = await ask(request, service, office, f"/v1/parked/{parked_id}/{act}", "POST", {"reason": reason})
        return page(request, "outcome.html", answer=answer, back=f"/parked/{service}/{office}/{parked_id}")

    # -- traces and topics

    @app.get("/traces/{trace_id}")
    async def trace(request: Request, trace_id: str) -> HTMLResponse:
        spans: list[dict[str, Any]] = []
        if settings.console_zipkin and trace_id.isalnum():
            try:
                found = await client.get(f"{settings.console_zipkin}/api/v2/trace/{trace_id}", timeout=5)
                spans = found.json() if found.is_success else []
            except (httpx.HTTPError, ValueError):
                spans = []
        viewer = f"{settings.console_zipkin}/zipkin/traces/{trace_id}" if settings.console_zipkin else None
        return page(request, "trace.html", bars=waterfall(spans), viewer=viewer, trace_id=trace_id)

    @app.get("/topics")
    async def topics_page(request: Request) -> HTMLResponse:
        return page(request, "topics.html", topics=TOPICS, flow=flow_map())

    @app.get("/types/{name}")
    async def type_page(request: Request, name: str) -> HTMLResponse:
        found = event_type(name)
        answer = page(request, "type.html", type_name=name if found else "404", found=found)
        answer.status_code = status.HTTP_200_OK if found else status.HTTP_404_NOT_FOUND
        return answer

    @app.get("/schemas/{name}.json")
    async def schema(name: str) -> Response:
        found = event_type(name)
        return JSONResponse(found.schema) if found else Response(status_code=404)

    @app.get("/asyncapi.json")
    async def asyncapi_document() -> JSONResponse:
        return JSONResponse(document())

    return app
