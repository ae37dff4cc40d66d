"""Receipts to systems' webhooks, signed as Standard Webhooks prescribes: from the queue to the receiver.

At least once: `webhook-id` stays the same, so that a repeated message is recognised. No transaction is open while a
receiver dawdles, no redirect is followed, and nothing of an answer is read but its status.
"""

import asyncio
import socket
from datetime import timedelta
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import structlog

from services.change_security.domain.webhook import Attempt, MessageState, follow_up, is_loopback, is_public, sign
from services.change_security.instruments import WEBHOOK_ATTEMPTS
from services.change_security.joint.webhook_store import Webhooks
from services.change_security.settings import Settings
from shared.messaging.transaction import Database

_AT_ONCE: Final = 4
"""So many receivers are waited for side by side: a slow one holds up none but itself."""

_log = structlog.get_logger("services.change_security.webhook_delivery")


class _Taken(NamedTuple):
    owner: str
    webhook_id: str
    message_id: UUID
    url: str
    secret: str
    body: bytes


class WebhookDelivery:
    """Sends what is due."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    async def send_due(self) -> int:
        """Send every message that is due; return how many were delivered. A failed one is tried again later."""
        first = await self._take()
        if first is None:
            return 0
        async with httpx.AsyncClient(follow_redirects=False, timeout=self._settings.webhook_timeout_seconds) as client:
            turns = (self._send_in_turn(client, first if number == 0 else None) for number in range(_AT_ONCE))
            return sum(await asyncio.gather(*turns))

    async def forget(self) -> None:
        """Delete the log of what ended long ago."""
        async with self._database.transaction(uuid4()) as tx:
            await Webhooks(tx).forget(timedelta(days=self._settings.archive_days))

    async def _send_in_turn(self, client: httpx.AsyncClient, first: _Taken | None) -> int:
        delivered = 0
        taken = first or await self._take()
        while taken is not None:
            delivered += await self._settle(taken, await self._attempt(client, taken))
            taken = await self._take()
        return delivered

    async def _take(self) -> _Taken | None:
        """Take one message that is due, and put its next attempt off for longer than the receiver may take."""
        async with self._database.transaction(uuid4()) as tx:
            webhooks = Webhooks(tx)
            message = await webhooks.take_due()
            if message is None:
                return None
            message.next_attempt_at = tx.clock.now() + timedelta(
                seconds=60 + 2 * self._settings.webhook_timeout_seconds
            )
            webhook = await webhooks.get(message.owner, message.webhook_id)
            if webhook is None:
                message.state = MessageState.FAILED
                return None
            body = message.payload.encode()
            return _Taken(message.owner, message.webhook_id, message.message_id, webhook.url, webhook.secret, body)

    async def _attempt(self, client: httpx.AsyncClient, taken: _Taken) -> Attempt:
        now = self._database.clock.now()
        timestamp = int(now.timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": str(taken.message_id),
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(taken.secret, str(taken.message_id), timestamp, taken.body),
        }
        try:
            async with asyncio.timeout(2 * self._settings.webhook_timeout_seconds):
                if not await self._may_call(taken.url):
                    return Attempt(at=now, problem="address-not-public")
                async with client.stream("POST", taken.url, content=taken.body, headers=headers) as answer:
                    return Attempt(at=now, status=answer.status_code)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            return Attempt(at=now, problem=type(error).__name__)

    async def _may_call(self, url: str) -> bool:
        """Look where the name leads now: a public name may have been pointed into a closed network since."""
        host = urlsplit(url).hostname or ""
        if self._settings.webhook_allow_loopback and is_loopback(host):
            return True
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return is_public(str(address[4][0]) for address in found)

    async def _settle(self, taken: _Taken, attempt: Attempt) -> bool:
        async with self._database.transaction(uuid4()) as tx:
            message = await Webhooks(tx).message(taken.owner, taken.webhook_id, taken.message_id)
            if message is None:
                return False
            message.attempts = (*message.attempts, attempt)
            message.state, pause = follow_up(len(message.attempts), attempt)
            if pause is not None:
                message.next_attempt_at = tx.clock.now() + pause
            state = message.state
        WEBHOOK_ATTEMPTS.labels(state.value).inc()
        if state is MessageState.FAILED:
            _log.warning("webhook message given up", owner=taken.owner, webhook=taken.webhook_id)
        return state is MessageState.DELIVERED
