"""Webhooks: a system that files over HTTP says where it wants its receipts. It sees its own alone."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response, status

from services.change_security.domain.webhook import MessageState
from services.change_security.joint.tables import WebhookMessageRow
from services.change_security.joint.webhook_commands import WebhookDesk
from services.change_security.joint.webhook_models import WebhookIn, WebhookLine, WebhookMessageOut, WebhookOut
from services.change_security.joint.webhook_store import Webhooks
from shared.errors import ForbiddenError, UnknownError
from shared.http.auth import Caller, part, permit_system
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import System

router = APIRouter(prefix="/v1/webhooks", route_class=IdempotentRoute, tags=["webhooks"])
TheWebhooks = Annotated[WebhookDesk, Depends(part(WebhookDesk))]
WebhookId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,60}$", description="The system's own name for it.")]


def _filing_system(who: Caller) -> System:
    if not isinstance(who, System):
        raise ForbiddenError("system-needed", "Only a system has webhooks.")
    return permit_system(who, "notices:write")


FilingSystem = Annotated[System, Depends(_filing_system)]


@router.put("/{webhook_id}")
async def put_webhook(
    who: FilingSystem, webhook_id: WebhookId, body: WebhookIn, webhooks: TheWebhooks, tx: WriteTx
) -> WebhookOut:
    """Register a webhook, or change its address and events. The secret is shown once, when it is new."""
    webhook, is_new = await webhooks.put(tx, who.actor, webhook_id, body.url, body.events)
    shown = WebhookLine.model_validate(webhook).model_dump()
    return WebhookOut(**shown, secret=webhook.secret if is_new else None)


@router.get("")
async def list_webhooks(who: FilingSystem, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None) -> Page[WebhookLine]:
    """List the system's webhooks. Secrets are not shown again."""
    rows = await Webhooks(tx).of_owner(who.actor, limit, read_single_cursor(cursor, str))
    return Page.of(rows, limit, lambda row: (row.webhook_id,), WebhookLine.model_validate)


@router.delete("/{webhook_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_webhook(who: FilingSystem, webhook_id: WebhookId, webhooks: TheWebhooks, tx: WriteTx) -> Response:
    """End a webhook, and its secret with it."""
    await webhooks.delete(tx, who.actor, webhook_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/{webhook_id}/deliveries")
async def list_webhook_deliveries(
    who: FilingSystem,
    webhook_id: WebhookId,
    tx: ReadTx,
    state: MessageState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[WebhookMessageOut]:
    """List what was sent to a webhook with every attempt, newest first."""
    if await Webhooks(tx).get(who.actor, webhook_id) is None:
        raise UnknownError("webhook")
    before = read_cursor(cursor, datetime.fromisoformat, UUID)
    rows = await Webhooks(tx).messages(who.actor, webhook_id, state, limit, before)
    return Page.of(rows, limit, lambda row: (row.queued_at, row.message_id), _shown)


@router.post("/{webhook_id}/deliveries/{message_id}/redelivery")
async def send_again(
    who: FilingSystem, webhook_id: WebhookId, message_id: UUID, webhooks: TheWebhooks, tx: WriteTx
) -> WebhookMessageOut:
    """Send a message again, under its own id."""
    return _shown(await webhooks.send_again(tx, who.actor, webhook_id, message_id))


def _shown(row: WebhookMessageRow) -> WebhookMessageOut:
    shown = WebhookMessageOut.model_validate(row)
    return shown if row.state is MessageState.PENDING else shown.model_copy(update={"next_attempt_at": None})
