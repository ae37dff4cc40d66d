"""The queries of letters: to authorities outside the region, and to employers' mailboxes.

A notice is locked before its letters, as in `store`. Index `external_delivery_due` is partial: the periodic look at
what is due reads only that.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.change_security.domain.delivery import DeliveryKind, DeliveryState, Waiting
from services.change_security.joint.tables import DeliveryRow
from shared.database import Bulk, column_types
from shared.store import Store


class Delivery(NamedTuple):
    """A letter to be queued, or to wait for somebody to act."""

    delivery_id: UUID
    notice_id: UUID
    authority: str | None
    version: int
    state: DeliveryState
    next_attempt_at: datetime
    kind: DeliveryKind
    token: str
    queued_at: datetime
    waiting_for: Waiting | None


_COLUMNS: Final = ", ".join(Delivery._fields)
_DELIVERY: Final = Bulk[Delivery](
    f"""
    WITH older AS (
        UPDATE external_delivery SET state = 'superseded', waiting_for = NULL FROM {{rows}}
        WHERE external_delivery.notice_id = rows.notice_id AND external_delivery.kind = rows.kind
          AND external_delivery.authority IS NOT DISTINCT FROM rows.authority
          AND external_delivery.version < rows.version AND external_delivery.state IN ('queued', 'waiting')
    )
    INSERT INTO external_delivery ({_COLUMNS}, attempts, code_attempts)
    SELECT {_COLUMNS}, 0, 0 FROM {{rows}} ON CONFLICT DO NOTHING
    """,  # noqa: S608 - constants
    column_types(DeliveryRow, Delivery._fields),
    key=("delivery_id",),
)
"""A letter that was not sent says nothing that the newer one does not: it is not sent any more."""


class Deliveries(Store):
    """Letters by e-mail."""

    def queue(self, delivery: Delivery) -> None:
        """Queue a letter, once."""
        self._tx.stage(_DELIVERY, delivery)

    async def take_due(self) -> DeliveryRow | None:
        """Lock and return one letter that is due; none that another process has."""
        return await self._first(
            select(DeliveryRow)
            .where(DeliveryRow.state == DeliveryState.QUEUED, DeliveryRow.next_attempt_at <= self._tx.clock.now())
            .order_by(col(DeliveryRow.next_attempt_at))
            .limit(1)
            .with_for_update(skip_locked=True)
        )

    async def read(self, delivery_id: UUID) -> DeliveryRow | None:
        """Return a letter."""
        return await self._get(DeliveryRow, delivery_id)

    async def lock(self, delivery_id: UUID) -> DeliveryRow | None:
        """Return a letter, locked."""
        return await self._get(DeliveryRow, delivery_id, lock=True)

    async def with_token(self, token: str) -> DeliveryRow | None:
        """Return the letter whose pages a token leads to."""
        return await self._first(select(DeliveryRow).where(DeliveryRow.token == token))

    async def of_notice(self, notice_id: UUID, limit: int, after: tuple[int, UUID] | None) -> Sequence[DeliveryRow]:
        """Return a notice's letters, oldest version first."""
        place = tuple_(col(DeliveryRow.version), col(DeliveryRow.delivery_id))
        query = select(DeliveryRow).where(DeliveryRow.notice_id == notice_id)
        if after is not None:
            query = query.where(place > after)
        return await self._all(query.order_by(col(DeliveryRow.version), col(DeliveryRow.delivery_id)).limit(limit))

    async def page(
        self, state: DeliveryState, limit: int, after: tuple[datetime, UUID] | None
    ) -> Sequence[DeliveryRow]:
        """Return letters in a state, oldest first."""
        query = select(DeliveryRow).where(DeliveryRow.state == state)
        if after is not None:
            query = query.where(tuple_(col(DeliveryRow.queued_at), col(DeliveryRow.delivery_id)) > after)
        return await self._all(query.order_by(col(DeliveryRow.queued_at), col(DeliveryRow.delivery_id)).limit(limit))

    async def requeue(self, authority: str, *reasons: Waiting) -> int:
        """Queue again what waited for one of these reasons; return how many."""
        return await self._run(
            "UPDATE external_delivery SET state = 'queued', waiting_for = NULL, next_attempt_at = :now"
            " WHERE authority = :authority AND state = 'waiting' AND waiting_for = ANY(CAST(:reasons AS text[]))",
            authority=authority,
            reasons=[reason.value for reason in reasons],
            now=self._tx.clock.now(),
        )

    async def expire_codes(self) -> int:
        """Let letters wait whose retrieval code nobody used in time; return how many."""
        return await self._run(
            "UPDATE external_delivery SET state = 'waiting', waiting_for = 'code_expired', code_digest = NULL"
            " WHERE state = 'sent' AND protection = 'retrieval' AND code_expires_at < :now",
            now=self._tx.clock.now(),
        )

    async def confirm_all(self, notice_id: UUID, authority: str) -> None:
        """Enter in an authority's sent letters that a coordinator has heard it confirm the notice."""
        await self._run(
            "UPDATE external_delivery SET state = 'confirmed', confirmed_at = :now, confirmed_by = 'coordinator'"
            " WHERE notice_id = :notice_id AND authority = :authority AND state IN ('sent', 'bounced')",
            notice_id=notice_id,
            authority=authority,
            now=self._tx.clock.now(),
        )
