"""The queries of webhooks: where systems want their receipts, and what is on its way there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.change_security.domain.webhook import MessageState
from services.change_security.joint.tables import WebhookMessageRow, WebhookRow
from shared.database import Bulk, column_types
from shared.store import Store


class Message(NamedTuple):
    """A receipt for every webhook of its owner that wants its type."""

    owner: str
    message_id: UUID
    notice_id: UUID
    event_type: str
    payload: str
    queued_at: datetime


_MESSAGE: Final = Bulk[Message](
    """
    INSERT INTO webhook_message (owner, webhook_id, message_id, notice_id, event_type, payload, state, attempts,
                                 next_attempt_at, queued_at)
    SELECT owner, webhook_id, message_id, notice_id, event_type, payload, 'pending', '[]', queued_at, queued_at
    FROM {rows} JOIN webhook USING (owner)
    WHERE webhook.events @> to_jsonb(event_type)
    ON CONFLICT DO NOTHING
    """,
    column_types(WebhookMessageRow, Message._fields),
)


class Webhooks(Store):
    """Webhooks and their messages. A webhook is its owner's alone."""

    def queue(self, message: Message) -> None:
        """Queue a receipt for the owner's webhooks."""
        self._tx.stage(_MESSAGE, message)

    async def get(self, owner: str, webhook_id: str, *, lock: bool = False) -> WebhookRow | None:
        """Return a webhook."""
        return await self._get(WebhookRow, owner, webhook_id, lock=lock)

    async def of_owner(self, owner: str, limit: int, after: str | None = None) -> Sequence[WebhookRow]:
        """Return a system's webhooks, by id."""
        query = select(WebhookRow).where(WebhookRow.owner == owner)
        if after is not None:
            query = query.where(col(WebhookRow.webhook_id) > after)
        return await self._all(query.order_by(col(WebhookRow.webhook_id)).limit(limit))

    def add(self, webhook: WebhookRow) -> None:
        """Keep a new webhook."""
        self._tx.session.add(webhook)

    async def delete(self, owner: str, webhook_id: str) -> bool:
        """Delete a webhook with its messages; False when there is none."""
        for table in ("webhook_message", "webhook"):
            deleted = await self._run(
                f"DELETE FROM {table} WHERE owner = :owner AND webhook_id = :webhook_id",  # noqa: S608 - constants
                owner=owner,
                webhook_id=webhook_id,
            )
        return bool(deleted)

    async def messages(
        self, owner: str, webhook_id: str, state: MessageState | None, limit: int, before: tuple[datetime, UUID] | None
    ) -> Sequence[WebhookMessageRow]:
        """Return a webhook's messages, newest first."""
        query = select(WebhookMessageRow).where(
            WebhookMessageRow.owner == owner, WebhookMessageRow.webhook_id == webhook_id
        )
        if state is not None:
            query = query.where(WebhookMessageRow.state == state)
        place = tuple_(col(WebhookMessageRow.queued_at), col(WebhookMessageRow.message_id))
        if before is not None:
            query = query.where(place < before)
        return await self._all(
            query.order_by(col(WebhookMessageRow.queued_at).desc(), col(WebhookMessageRow.message_id).desc()).limit(
                limit
            )
        )

    async def message(self, owner: str, webhook_id: str, message_id: UUID) -> WebhookMessageRow | None:
        """Return a message, locked."""
        return await self._get(WebhookMessageRow, owner, webhook_id, message_id, lock=True)

    async def take_due(self) -> WebhookMessageRow | None:
        """Lock and return one message that is due; none that another process has."""
        return await self._first(
            select(WebhookMessageRow)
            .where(
                WebhookMessageRow.state == MessageState.PENDING,
                WebhookMessageRow.next_attempt_at <= self._tx.clock.now(),
            )
            .order_by(col(WebhookMessageRow.next_attempt_at))
            .limit(1)
            .with_for_update(skip_locked=True)
        )

    async def forget(self, after: timedelta) -> int:
        """Delete what ended so long ago; return how many."""
        return await self._run(
            "DELETE FROM webhook_message WHERE state <> 'pending' AND queued_at < :before",
            before=self._tx.clock.now() - after,
        )
