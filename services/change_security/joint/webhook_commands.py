"""What a system does with its webhooks."""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.change_security.domain.receipt import Receipt
from services.change_security.domain.webhook import SECRET_BYTES, MessageState, check_url, secret_of
from services.change_security.joint.tables import WebhookMessageRow, WebhookRow
from services.change_security.joint.webhook_store import Message, Webhooks
from shared.errors import ConflictError, UnknownError
from shared.messaging.transaction import Transaction

MOST_WEBHOOKS: Final = 10


def queue_receipt(tx: Transaction, receipt: Receipt, event_id: UUID) -> None:
    """Queue a receipt for the webhooks of the system that filed; `event_id` is that of the same receipt on the topic.

    The body has the form that Standard Webhooks recommends: type, timestamp and data.
    """
    now = tx.clock.now()
    data = receipt.model_dump(mode="json", exclude_none=True, exclude={"type"})
    body = json.dumps({"type": receipt.type, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False)
    Webhooks(tx).queue(Message(receipt.filed_by, event_id, receipt.notice_id, receipt.type, body, now))


@dataclass(frozen=True)
class WebhookDesk:
    """Webhooks of the systems that file over HTTP.

    Attributes:
        allow_loopback: whether they may lead to this machine: in development alone.
    """

    allow_loopback: bool

    async def put(
        self, tx: Transaction, owner: str, webhook_id: str, url: str, events: Iterable[str]
    ) -> tuple[WebhookRow, bool]:
        """Register a webhook, or change its address and events; return it, and whether it is new.

        What is on its way goes to the new address.

        Raises:
            RefusedError: the address is not one that may be called.
            ConflictError: the system has too many.
        """
        check_url(url, loopback=self.allow_loopback)
        webhooks = Webhooks(tx)
        webhook = await webhooks.get(owner, webhook_id, lock=True)
        if webhook is not None:
            webhook.url, webhook.events = url, tuple(events)
            return webhook, False
        if len(await webhooks.of_owner(owner, MOST_WEBHOOKS)) == MOST_WEBHOOKS:
            raise ConflictError("too-many-webhooks", f"A system has at most {MOST_WEBHOOKS} webhooks.")
        webhook = WebhookRow(
            owner=owner,
            webhook_id=webhook_id,
            url=url,
            events=tuple(events),
            secret=secret_of(secrets.token_bytes(SECRET_BYTES)),
            created_at=tx.clock.now(),
        )
        webhooks.add(webhook)
        return webhook, True

    async def delete(self, tx: Transaction, owner: str, webhook_id: str) -> None:
        """End a webhook: nothing more is sent, and its log goes.

        Raises:
            UnknownError
        """
        if not await Webhooks(tx).delete(owner, webhook_id):
            raise UnknownError("webhook")

    async def send_again(self, tx: Transaction, owner: str, webhook_id: str, message_id: UUID) -> WebhookMessageRow:
        """Send a message again, whatever became of it; the receiver knows it by its id.

        Raises:
            UnknownError
        """
        message = await Webhooks(tx).message(owner, webhook_id, message_id)
        if message is None:
            raise UnknownError("delivery")
        message.state, message.next_attempt_at = MessageState.PENDING, tx.clock.now()
        return message
