"""Employers' contacts: the officer's own, a telephone call logged while it ends, answers, hand-overs."""

import asyncio
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import HTMLResponse

from deploy.desk.pages import Form, TheDesk, act, back, listed, page

router = APIRouter()
_SERVICE: Final = "advisory"
_FILTERS: Final = ("state", "topic", "mine", "reopened")


@router.get("/contacts")
async def list_contacts(request: Request) -> HTMLResponse:
    """List the city's contacts, oldest first."""
    return await listed(request, _SERVICE, "/contacts", _FILTERS, "contacts.html")


@router.get("/contacts/{contact_id}")
async def read_contact(request: Request, contact_id: UUID, desk: TheDesk) -> HTMLResponse:
    """Show a contact with what it may be answered with."""
    place = f"/v1/contacts/{contact_id}"
    contact, answers = await asyncio.gather(
        desk.ask(request, _SERVICE, place), desk.ask(request, _SERVICE, f"{place}/answers")
    )
    guidance: list[Any] = []
    if contact.is_good:
        topic = contact.body["contact"]["topic"]
        articles = await desk.ask(request, _SERVICE, f"/v1/guidance?topic={topic}&limit=50")
        guidance = articles.body["items"] if articles.is_good else []
    return page(
        request,
        "contact.html",
        status.HTTP_404_NOT_FOUND if contact.status == status.HTTP_404_NOT_FOUND else status.HTTP_200_OK,
        answer=contact,
        contact=contact.body,
        answers=answers.body if answers.is_good else [],
        guidance=guidance,
    )


@router.get("/calls/new")
async def new_call(request: Request) -> HTMLResponse:
    """Show the form for a telephone call: by keyboard alone, the fields in the order of the talk."""
    return page(request, "call.html")


@router.post("/calls")
async def log_call(request: Request, form: Form) -> Response:
    """Log a call: answered, or handed over."""
    given = {name: value.strip() for name, value in form.items() if value.strip()}
    body: dict[str, Any] = {
        name: given[name] for name in ("topic", "language", "minutes", "business_id", "municipality") if name in given
    }
    person = {name: given[name] for name in ("name", "phone", "email") if name in given}
    body |= {"person": person} if person else {}
    if "to" in given:
        body["hand_over"] = _to(given["to"]) | {"reason": given.get("reason", "")}
    elif "text" in given:
        body["text"] = given["text"]
    logged = await act(request, _SERVICE, "/v1/calls", form, body)
    return back(f"/contacts/{logged['contact_id']}" if logged else "/calls/new")


@router.post("/contacts/{contact_id}/{deed}")
async def act_on_contact(request: Request, contact_id: UUID, deed: str, form: Form) -> Response:
    """Do one thing with the contact, in the officer's name, and show it again."""
    place = f"/v1/contacts/{contact_id}"
    match deed:
        case "acknowledgement" | "closing":
            await act(request, _SERVICE, f"{place}/{deed}", form, None)
        case "answer":
            given: dict[str, Any] = {name: form[name] for name in ("minutes", "text") if form[name].strip()}
            article, _, version = form.get("guidance", "").partition("/")
            given |= {"guidance": [{"article_id": article, "version": int(version)}]} if version else {}
            await act(request, _SERVICE, f"{place}/answer", form, given)
        case "hand-overs":
            await act(request, _SERVICE, f"{place}/hand-overs", form, _to(form["to"]) | {"reason": form["reason"]})
        case _:
            return Response(status_code=status.HTTP_404_NOT_FOUND)
    return back(f"/contacts/{contact_id}")


def _to(wished: str) -> dict[str, str]:
    """Return whom a contact is handed over to: `authority:vantaa` or `service:training`."""
    kind, _, name = wished.partition(":")
    return {f"to_{kind}": name} if kind in {"authority", "service"} else {}
