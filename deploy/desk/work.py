"""My work: what awaits the officer first, from every service; a service that does not answer says so in its part."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from deploy.desk.pages import TheDesk, page
from deploy.web.offices import Answer

router = APIRouter()


@dataclass(frozen=True)
class Part:
    """One list of the page.

    Attributes:
        name: its heading's text.
        service, path: what is asked of the office.
        template: how a line is shown.
        is_mine: whether it awaits this officer, or anybody of the office.
    """

    name: str
    service: str
    path: str
    template: str
    is_mine: bool = False


@dataclass(frozen=True)
class Shown:
    """A list as it was answered."""

    part: Part
    answer: Answer
    rows: list[dict[str, Any]] = field(default_factory=list)
    has_more: bool = False


PARTS: Final = (
    Part("my_contacts", "advisory", "/v1/contacts?mine=true&state=assigned", "_contacts.html", is_mine=True),
    Part("my_cases", "change_security", "/v1/cases?mine=true&state=open", "_cases.html", is_mine=True),
    Part("late_cases", "change_security", "/v1/cases?late=true&state=open", "_cases.html"),
    Part("unacknowledged_cases", "change_security", "/v1/cases?acknowledged=false&state=open", "_cases.html"),
)
_LIMIT: Final = 20


@router.get("/")
async def my_work(request: Request, desk: TheDesk) -> HTMLResponse:
    """Show what awaits: the officer's own first, then what is late, then what is new."""
    answers = await asyncio.gather(*(desk.ask(request, part.service, f"{part.path}&limit={_LIMIT}") for part in PARTS))
    return page(request, "work.html", lists=[_shown(*asked) for asked in zip(PARTS, answers, strict=True)])


def _shown(part: Part, answer: Answer) -> Shown:
    if not answer.is_good:
        return Shown(part, answer)
    return Shown(part, answer, answer.body["items"], answer.body["next"] is not None)


@router.get("/signed-out")
async def signed_out(request: Request) -> HTMLResponse:
    """Say that nobody is signed in any more."""
    return page(request, "signed_out.html")
