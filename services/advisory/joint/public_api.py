"""What everyone may read without a token: announcements as feeds; and the mailing lists, joined and left by e-mail.

A link in a letter opens a page that acts only when its button is pressed: programs that look at mail follow links. The
button of a mail program (RFC 8058) posts at once.
"""

from typing import Annotated, Final, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from services.advisory.domain.letters import list_title
from services.advisory.joint import feeds
from services.advisory.joint.mailing_commands import JointMailing
from services.advisory.joint.mailing_store import Publications, Subscriptions
from shared.calendar import local_day
from shared.events.v1.advisory import Audience, Language
from shared.http.auth import part
from shared.http.problems import ProblemError
from shared.http.reading import tagged
from shared.http.transactions import ReadTx
from shared.messaging.transaction import Database

router = APIRouter(prefix="/v1", tags=["public"])
TheMailing = Annotated[JointMailing, Depends(part(JointMailing))]
TheDatabase = Annotated[Database, Depends(part(Database))]
_ADDRESS: Final = r"^[^\s@<>,;:()\[\]\"\\]{1,64}@[A-Za-z0-9.-]{1,125}\.[A-Za-z]{2,24}$"
_WORDS: Final[dict[Language, dict[str, str]]] = {
    "fi": {"confirmation": "Vahvista tilaus", "removal": "Peru tilaus", "done": "Valmis."},
    "sv": {"confirmation": "Bekräfta prenumerationen", "removal": "Avsluta prenumerationen", "done": "Klart."},
    "en": {"confirmation": "Confirm the subscription", "removal": "Unsubscribe", "done": "Done."},
}


class SubscriptionIn(BaseModel):
    """Whose announcements somebody wants by e-mail."""

    address: str = Field(max_length=200, pattern=_ADDRESS)
    audience: Audience
    language: Language = "fi"


class SubscriptionOut(BaseModel):
    """That the address is asked for its confirmation, unless it is on the list already."""

    state: Literal["asked"] = "asked"


@router.get("/feeds/{audience}/{language}.atom", response_class=Response)
async def read_atom(audience: Audience, language: Language, mailing: TheMailing, tx: ReadTx) -> Response:
    """Read the announcements for an audience as an Atom feed, newest first; none before its day."""
    rows = await Publications(tx).shown(audience, local_day(tx.clock.now()))
    url = f"{mailing.public_url.rstrip('/')}/v1/feeds/{audience}/{language}.atom"
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(feeds.atom(rows, audience, language, url), headers=headers, media_type="application/atom+xml")


@router.get("/feeds/{audience}/{language}.json", response_class=Response)
async def read_json_feed(
    request: Request, audience: Audience, language: Language, mailing: TheMailing, tx: ReadTx
) -> Response:
    """Read the announcements for an audience as a JSON Feed, newest first; none before its day."""
    rows = await Publications(tx).shown(audience, local_day(tx.clock.now()))
    url = f"{mailing.public_url.rstrip('/')}/v1/feeds/{audience}/{language}.json"
    answer = tagged(request, feeds.json_feed(rows, audience, language, url))
    if answer.status_code == 200:  # noqa: PLR2004 - OK
        answer.headers["Content-Type"] = "application/feed+json"
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@router.post("/subscriptions", status_code=202)
async def subscribe(body: SubscriptionIn, mailing: TheMailing, database: TheDatabase) -> SubscriptionOut:
    """Ask for an audience's announcements by e-mail. The address confirms it by the link that it is sent."""
    async with database.transaction(uuid4()) as tx:
        taken = await mailing.subscribe(tx, body.address.lower(), body.audience, body.language)
    if not taken:
        raise ProblemError(429, "too-many-requests", "Too many subscriptions wait for confirmation. Try again later.")
    return SubscriptionOut()


@router.get("/subscriptions/{subscription_id}/{act}", response_class=HTMLResponse)
async def show_act(subscription_id: UUID, act: Literal["confirmation", "removal"], tx: ReadTx) -> HTMLResponse:
    """Show the page with the button that confirms or ends a subscription."""
    row = await Subscriptions(tx).get(subscription_id)
    if row is None:
        return HTMLResponse(_page("en", list_title(Audience.EMPLOYERS, "en"), _WORDS["en"]["done"]), 404)
    button = f'<form method="post"><button>{_WORDS[row.language][act]}</button></form>'
    return HTMLResponse(_page(row.language, list_title(row.audience, row.language), button))


@router.post("/subscriptions/{subscription_id}/confirmation", response_class=HTMLResponse)
async def confirm(subscription_id: UUID, mailing: TheMailing, database: TheDatabase) -> HTMLResponse:
    """Confirm a subscription. Repeating it changes nothing."""
    async with database.transaction(uuid4()) as tx:
        row = await mailing.confirm(tx, subscription_id)
    return HTMLResponse(_page(row.language, list_title(row.audience, row.language), _WORDS[row.language]["done"]))


@router.post("/subscriptions/{subscription_id}/removal", response_class=HTMLResponse)
async def unsubscribe(subscription_id: UUID, mailing: TheMailing, database: TheDatabase) -> HTMLResponse:
    """End a subscription and erase the address. Repeating it changes nothing."""
    async with database.transaction(uuid4()) as tx:
        await mailing.unsubscribe(tx, subscription_id)
    done = " ".join(words["done"] for words in _WORDS.values())
    return HTMLResponse(_page("fi", _WORDS["fi"]["removal"], done))


def _page(language: Language, title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><main><h1>{title}</h1>{content}</main></html>"
    )
