"""What every page of the desk needs: the office's answer, the texts, and forms that are sent once."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, cast
from urllib.parse import urlencode

from fastapi import Depends, HTTPException, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates

from deploy.desk.translations import Lang, translated
from deploy.web.offices import Answer, Offices
from shared.calendar import TIME_ZONE

_TEMPLATES: Final = Jinja2Templates(Path(__file__).parent / "templates")


def _local_day(moment: str | None) -> str:
    if moment is None:
        return "–"
    at = datetime.fromisoformat(moment)
    return f"{at.day}.{at.month}.{at.year}" if len(moment) == len("2026-01-01") else _local_time(at)


def _local_time(at: datetime) -> str:
    local = at.astimezone(TIME_ZONE)
    return f"{local.day}.{local.month}.{local.year} {local:%H.%M}"


_TEMPLATES.env.filters["when"] = _local_day


@dataclass(frozen=True)
class Desk:
    """One office's APIs."""

    office: str
    offices: Offices

    async def ask(
        self, request: Request, service: str, path: str, method: str = "GET", body: Any = None, key: str | None = None
    ) -> Answer:
        """Ask the office's own API with the officer's own token."""
        return await self.offices.ask(service, self.office, path, request.state.token, method, body, key)


async def _desk(request: Request) -> Desk:
    return cast("Desk", request.app.state.desk)


TheDesk = Annotated[Desk, Depends(_desk)]


async def _form(request: Request) -> Mapping[str, str]:
    form = {name: str(value) for name, value in (await request.form()).items()}
    # A form is taken from a page that this session was shown, whatever other site the browser has open.
    if not secrets.compare_digest(form.pop("csrf", ""), csrf(request)):
        raise HTTPException(status.HTTP_403_FORBIDDEN)
    return form


Form = Annotated[Mapping[str, str], Depends(_form)]
"""What a form holds, once its token has been checked."""


def csrf(request: Request) -> str:
    """Return the session's token for forms."""
    return cast("str", request.session.setdefault("csrf", secrets.token_urlsafe(24)))


def language(request: Request) -> Lang:
    """Return the language of the page: asked for now, or before; Finnish otherwise."""
    wished = request.query_params.get("lang") or request.session.get("lang")
    return cast("Lang", wished) if wished in {"fi", "sv", "en"} else "fi"


def page(request: Request, name: str, code: int = status.HTTP_200_OK, **values: Any) -> HTMLResponse:
    """Make a page."""
    lang = language(request)
    request.session["lang"] = lang
    given = {
        "t": translated(lang),
        "lang": lang,
        "path": request.url.path,
        "csrf": csrf(request),
        "key": secrets.token_urlsafe(18),
        "who": request.session.get("who"),
        "office": request.app.state.desk.office,
        "done": request.session.pop("done", None),
        "refused": request.session.pop("refused", None),
    }
    return cast("HTMLResponse", _TEMPLATES.TemplateResponse(request, name, given | values, status_code=code))


async def act(
    request: Request, service: str, path: str, form: Mapping[str, str], body: Any, method: str = "POST"
) -> Any:
    """Have the office do something, and keep what came of it for the next page.

    The form's key makes a second press of the button, or a reload, the same act.

    Returns:
        What the office answered, or None if it refused or did not answer.
    """
    desk: Desk = request.app.state.desk
    answer = await desk.ask(request, service, path, method, body, form.get("key"))
    if answer.is_good:
        request.session["done"] = True
        return answer.body or {}
    request.session["refused"] = {"status": answer.status, "problem": answer.problem}
    return None


async def listed(request: Request, service: str, path: str, filters: Iterable[str], template: str) -> HTMLResponse:
    """Make the page of a list, at the path of the office's own, filtered as asked: its address is the saved view."""
    desk: Desk = request.app.state.desk
    asked = request.query_params
    wanted = {name: value for name in filters if (value := asked.get(name, "").strip())}
    query = wanted | ({"cursor": asked["cursor"]} if "cursor" in asked else {})
    answer = await desk.ask(request, service, f"/v1{path}?{urlencode(query | {'limit': 50})}")
    next_cursor = answer.body["next"] if answer.is_good else None
    more = f"{path}?{urlencode(wanted | {'cursor': next_cursor})}" if next_cursor else None
    return page(request, template, answer=answer, wanted=wanted, more=more)


def back(path: str) -> RedirectResponse:
    """Go to a page after an act."""
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
