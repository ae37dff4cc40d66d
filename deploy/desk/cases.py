"""Change situations: the list of the city's cases, one page for each, and every act on it."""

import asyncio
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import HTMLResponse

from deploy.desk.pages import Form, TheDesk, act, back, listed, page

router = APIRouter()
_SERVICE: Final = "change_security"
_FILTERS: Final = (
    "business_id", "employer", "filer_reference", "kind", "municipality", "measure", "state",
    "arrived_from", "arrived_until", "late", "declined", "acknowledged", "mine",
)  # fmt: skip


@router.get("/cases")
async def list_cases(request: Request) -> HTMLResponse:
    """List the city's cases, newest first."""
    return await listed(request, _SERVICE, "/cases", _FILTERS, "cases.html")


@router.get("/cases/{notice_id}")
async def read_case(request: Request, notice_id: UUID, desk: TheDesk) -> HTMLResponse:
    """Show one case: who has it, its clocks, the filing by revisions, steps, plan, notes, acts of others."""
    place = f"/v1/cases/{notice_id}"
    case, revisions, plan, notes, acts = await asyncio.gather(
        *(
            desk.ask(request, _SERVICE, place + path)
            for path in ("", "/revisions?limit=50", "/plan", "/notes?limit=50", "/acts?limit=50")
        )
    )
    filings = _items(revisions)
    return page(
        request,
        "case.html",
        status.HTTP_404_NOT_FOUND if case.status == status.HTTP_404_NOT_FOUND else status.HTTP_200_OK,
        answer=case,
        case=case.body,
        changes=[(later, differences(earlier["filing"], later["filing"])) for earlier, later in pairwise(filings)][
            ::-1
        ],
        filing=flat(case.body["filing"]) if case.is_good and case.body["filing"] else {},
        plan=_items(plan),
        notes=_items(notes),
        acts=_items(acts),
    )


def _items(answer: Any) -> list[dict[str, Any]]:
    """Return the items of a page, or of a plain list; none if the office did not show them."""
    if not answer.is_good:
        return []
    items: list[dict[str, Any]] = answer.body["items"] if isinstance(answer.body, dict) else answer.body
    return items


def flat(value: Any, at: str = "") -> dict[str, Any]:
    """Return a filing's values by their place, without those that are not given."""
    if isinstance(value, dict):
        return {place: leaf for name, part in value.items() for place, leaf in flat(part, f"{at}/{name}").items()}
    if isinstance(value, list):
        return {place: leaf for n, part in enumerate(value, 1) for place, leaf in flat(part, f"{at}/{n}").items()}
    return {} if value is None else {at: value}


def differences(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    """Return what changed between two filings: place, what stood there, what stands there now."""
    old, new = flat(before), flat(after)
    return [(place, old.get(place), new.get(place)) for place in sorted(old | new) if old.get(place) != new.get(place)]


@router.post("/cases/{notice_id}/{deed}")
async def act_on_case(request: Request, notice_id: UUID, deed: str, form: Form) -> Response:
    """Do one thing in the case, in the officer's name, and show the case again."""
    place = f"/v1/cases/{notice_id}"
    match deed:
        case "acknowledgement" | "returning":
            await act(request, _SERVICE, f"{place}/{deed}", form, None)
        case "decline":
            await act(request, _SERVICE, f"{place}/decline", form, {"reason": form["reason"]})
        case "taking":
            await act(request, _SERVICE, f"{place}/taking", form, {"parts": []})
        case "closing":
            await act(request, _SERVICE, f"{place}/closing", form, {"outcome": form["outcome"]})
        case "steps":
            await act(request, _SERVICE, f"{place}/steps/{form['step']}", form, {"state": form["state"]}, "PUT")
        case "specialist":
            who = request.session["who"]["sub"]
            await act(request, _SERVICE, f"{place}/specialist", form, {"specialist": who}, "PUT")
        case "notes":
            body = {"text": form["text"], "shared": "shared" in form}
            await act(request, _SERVICE, f"{place}/notes", form, body)
        case "plan":
            fields = ("step", "municipality", "language", "planned_on", "detail")
            given = {name: form[name] for name in fields if form[name].strip()}
            await act(request, _SERVICE, f"{place}/plan", form, given)
        case _:
            return Response(status_code=status.HTTP_404_NOT_FOUND)
    return back(f"/cases/{notice_id}")
