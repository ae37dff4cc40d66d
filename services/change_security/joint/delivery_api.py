"""Letters: what coordinators see and do, and the pages that authorities outside the region reach by their links.

The pages have no login: the link is known to its recipient alone. Looking changes nothing, since mail servers look too.
"""

import json
from datetime import datetime
from html import escape
from typing import Annotated
from urllib.parse import parse_qs
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel

from services.change_security.domain.delivery import ConfirmedBy, DeliveryState
from services.change_security.joint.api import TheOffice, ledger
from services.change_security.joint.delivery_commands import Letters
from services.change_security.joint.delivery_models import (
    CertificateIn,
    CertificateOut,
    CodeOut,
    DeliveryOut,
    EmailIn,
    EmailOut,
    LetterOut,
    RetrievedOut,
)
from services.change_security.joint.delivery_store import Deliveries
from services.change_security.joint.models import LedgerOut
from shared.http.auth import Coordinator, part
from shared.http.problems import ProblemError
from shared.http.reading import Cursor, Limit, Page, read_cursor
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.messaging.transaction import Database

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["external"])
pages = APIRouter(prefix="/v1", tags=["letters"])  # no caller, hence no keys of one: a letter's state makes acts single
TheLetters = Annotated[Letters, Depends(part(Letters))]
TheDatabase = Annotated[Database, Depends(part(Database))]

_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@router.get("/deliveries")
async def list_by_state(
    _: Coordinator, tx: ReadTx, state: DeliveryState, limit: Limit = 50, cursor: Cursor = None
) -> Page[DeliveryOut]:
    """List letters in a state, oldest first: what waits for somebody to act, what came back, what is not confirmed."""
    rows = await Deliveries(tx).page(state, limit, read_cursor(cursor, datetime.fromisoformat, UUID))
    return Page.of(rows, limit, lambda row: (row.queued_at, row.delivery_id), DeliveryOut.model_validate)


@router.post("/deliveries/{delivery_id}/retrieval")
async def make_code(_: Coordinator, delivery_id: UUID, letters: TheLetters, tx: WriteTx) -> CodeOut:
    """Make a code with which the authority fetches the filing once. Shown once; tell it by telephone."""
    delivery, code = await letters.make_code(tx, delivery_id)
    expires_at = delivery.code_expires_at or tx.clock.now()
    return CodeOut(delivery=DeliveryOut.model_validate(delivery), code=code, expires_at=expires_at)


@router.post("/deliveries/{delivery_id}/resending")
async def send_again(_: Coordinator, delivery_id: UUID, letters: TheLetters, tx: WriteTx) -> DeliveryOut:
    """Send a letter again, to the address that the authority now has."""
    return DeliveryOut.model_validate(await letters.send_again(tx, delivery_id))


@router.post("/notices/{notice_id}/authorities/{authority}/acknowledgement")
async def acknowledge_outside(
    _: Coordinator, notice_id: UUID, authority: str, letters: TheLetters, tx: WriteTx
) -> LedgerOut:
    """Enter that an authority outside the region has confirmed a notice otherwise: by telephone, on paper."""
    notice = await letters.acknowledge_outside(tx, notice_id, authority)
    return await ledger(notice, tx)


@router.put("/authorities/{authority}/email")
async def set_email(_: Coordinator, authority: str, body: EmailIn, office: TheOffice, tx: WriteTx) -> EmailOut:
    """Set the address of an authority outside the region; what waited for one is sent."""
    await office.set_email(tx, authority, body.email)
    return EmailOut(authority=authority, email=body.email)


@router.put("/authorities/{authority}/certificate")
async def set_certificate(
    _: Coordinator, authority: str, body: CertificateIn, letters: TheLetters, tx: WriteTx
) -> CertificateOut:
    """Set the certificate to which letters to an authority are encrypted; what waited for one is sent."""
    return CertificateOut.of(authority, await letters.set_certificate(tx, authority, body.certificate))


@router.delete("/authorities/{authority}/certificate", status_code=status.HTTP_204_NO_CONTENT)
async def remove_certificate(_: Coordinator, authority: str, letters: TheLetters, tx: WriteTx) -> Response:
    """Remove an authority's certificate: what is not public then waits for a code."""
    await letters.remove_certificate(tx, authority)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@pages.get("/confirmations/{token}", response_model=LetterOut)
async def show_confirmation(request: Request, token: str, letters: TheLetters, tx: ReadTx) -> Response:
    """Show what is confirmed by a POST to the same address."""
    delivery = await letters.read_letter(tx, token)
    shown = LetterOut(notice_id=delivery.notice_id, state=delivery.state)
    done = delivery.state is DeliveryState.CONFIRMED
    return _page(request, shown, "" if done else "<button>Vahvista / Bekräfta / Confirm</button>")


@pages.post("/confirmations/{token}", response_model=LetterOut)
async def confirm(request: Request, token: str, letters: TheLetters, database: TheDatabase) -> Response:
    """Confirm receipt of a letter. Repeating it changes nothing."""
    async with database.transaction(uuid4()) as tx:
        delivery = await letters.read_letter(tx, token)
        delivery = await letters.confirm(tx, delivery.delivery_id, ConfirmedBy.LINK)
        shown = LetterOut(notice_id=delivery.notice_id, state=delivery.state)
    return _page(request, shown)


@pages.get("/retrievals/{token}", response_model=LetterOut)
async def show_retrieval(request: Request, token: str, letters: TheLetters, tx: ReadTx) -> Response:
    """Show what is fetched by a POST with the code to the same address."""
    delivery = await letters.read_letter(tx, token)
    form = (
        '<label>Koodi / Kod / Code <input name="code" autocomplete="off" required></label>'
        " <button>Nouda / Hämta / Fetch</button>"
    )
    shown = LetterOut(notice_id=delivery.notice_id, state=delivery.state)
    return _page(request, shown, form if delivery.code_digest is not None else "")


@pages.post("/retrievals/{token}", response_model=RetrievedOut)
async def retrieve(request: Request, token: str, letters: TheLetters, database: TheDatabase) -> Response:
    """Fetch a filing once, with the code: JSON `{"code": …}` or a form. That is the authority's receipt.

    The fifth wrong code locks the letter; a coordinator then makes a new one.
    """
    code = await _code(request)
    async with database.transaction(uuid4()) as tx:
        # A wrong code is counted: the transaction commits before it is refused.
        answer, notice = await letters.retrieve(tx, token, code)
    if notice is None:
        raise ProblemError(403, f"code-{answer.value}", "The code does not open this letter.")
    return _page(
        request,
        RetrievedOut(
            notice_id=notice.notice_id,
            revision=notice.revision,
            arrived_at=notice.receipt.arrived_at,
            filing=notice.filing,
        ),
    )


async def _code(request: Request) -> str:
    body = await request.body()
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            given = json.loads(body)
            code = given.get("code") if isinstance(given, dict) else None
        else:
            code = parse_qs(body.decode(), max_num_fields=5).get("code", [None])[0]
    except ValueError:
        code = None
    if not isinstance(code, str) or not code:
        raise ProblemError(422, "invalid-request", "A code is needed.")
    return code[:100]


def _page(request: Request, shown: BaseModel, form: str = "") -> Response:
    """Answer with JSON, or with a page for a person whose browser asks for one."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse(shown.model_dump(mode="json", exclude_none=True), headers=_PRIVATE)
    text = escape(shown.model_dump_json(exclude_none=True, indent=2))
    content = (
        '<!doctype html><html lang="fi"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>Muutosturva / Omställningsskydd / Change security</title>"
        f"<h1>Muutosturva / Omställningsskydd / Change security</h1><pre>{text}</pre>"
        + (f'<form method="post">{form}</form>' if form else "")
        + "</html>"
    )
    policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'"
    return HTMLResponse(content, headers=_PRIVATE | {"Content-Security-Policy": policy})
