"""What the joint office does with one authority's acting for another: it brings each side the other's word.

The competent authority's own store decides who may act in its cases; here it is counted, shown and passed on.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.change_security.domain import acting as acting_for
from services.change_security.domain.acting import RULE
from services.change_security.domain.ledger import EntryState
from services.change_security.domain.notice import Notice, NoticeState, Rulebook
from services.change_security.joint.acting_store import Actings
from services.change_security.joint.store import Notices
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.change_security import Acting, ActingChanged, ActingReported, ActingState
from shared.messaging.transaction import Transaction

_ENDED: Final = {
    NoticeState.WITHDRAWN: "the notice is withdrawn",
    NoticeState.MERGED: "the notice continues in another one",
}
"""In a notice that is closed, what is open may still be finished."""


@dataclass(frozen=True)
class JointActing:
    """Acting for another, at the joint office.

    Attributes:
        book: the standing delegations.
        network: the authorities of the region.
    """

    book: Rulebook
    network: frozenset[str]

    async def enter(self, tx: Transaction, event: ActingReported) -> None:
        """Enter what an authority says; both sides hear of it.

        Raises:
            UnknownError: no such notice.
            ForbiddenError: the authority speaks where only the other one may.
        """
        notice = await _known(tx, event.notice_id)
        row = await Actings(tx).get(event.acting.acting_id)
        known = row.acting if row is not None else None
        now = tx.clock.now()
        acting = acting_for.report(known, event.acting, event.authority, self.book.agreed, now)
        if known is None and (obstacle := await self._obstacle(tx, notice, acting)) is not None:
            acting = acting.model_copy(
                update={"state": ActingState.REFUSED, "ended_by": RULE, "end_reason": obstacle, "ended_at": now}
            )
        if acting != known:
            await _put(tx, notice, acting)

    async def ask(self, tx: Transaction, notice_id: UUID, asked_by: str, competent: str, at: datetime) -> None:
        """Take an older version's taking of another's part as a request to act in it."""
        acting = acting_for.ask(
            derived_id("acting", notice_id, competent, asked_by, at),
            asked_by,
            competent,
            asked_by,
            "taken, as an older version of the authority's system has it",
            at,
            self.network,
            self.book.rules,
        )
        await self.enter(tx, ActingReported(notice_id=notice_id, authority=asked_by, acting=acting))

    async def _obstacle(self, tx: Transaction, notice: Notice, acting: Acting) -> str | None:
        entry = notice.entry(acting.competent_authority)
        if entry is None or entry.office is None or entry.state is EntryState.RELEASED:
            return "the notice does not concern the authority"
        if notice.state in _ENDED:
            return _ENDED[notice.state]
        others = await Actings(tx).of(notice.notice_id, acting.competent_authority)
        if any(
            other.state in acting_for.OPEN and other.acting.acting_authority == acting.acting_authority
            for other in others
        ):
            return "it was asked for already"
        return None


async def end_acting_of_released(tx: Transaction, notice: Notice) -> Notice:
    """End the acting in parts that a change of the notice has ended; both sides hear of it. Return the notice."""
    for entry in notice.entries:
        over = entry.state is EntryState.RELEASED or notice.state in _ENDED
        if not over or entry.acting_authority == entry.authority:
            continue
        reason = _ENDED.get(notice.state, "the part is released")
        for row in await Actings(tx).of(notice.notice_id, entry.authority):
            if row.state in acting_for.OPEN:
                await _put(tx, notice, acting_for.end(row.acting, RULE, reason, tx.clock.now()))
        notice = await _known(tx, notice.notice_id)
    return notice


async def _put(tx: Transaction, notice: Notice, acting: Acting) -> None:
    actings = Actings(tx)
    await actings.put(notice.notice_id, acting)
    entry = await Notices(tx).entry(notice.notice_id, acting.competent_authority)
    if entry is not None:
        rows = await actings.of(notice.notice_id, acting.competent_authority)
        in_force = [row.acting.acting_authority for row in rows if row.state is ActingState.IN_FORCE]
        Notices(tx).save_entry(replace(entry, acting_authority=next(iter(in_force), entry.authority)))
    for office in (acting.competent_authority, acting.acting_authority):
        tx.publish(ActingChanged(notice_id=notice.notice_id, acting=acting), to=office)


async def _known(tx: Transaction, notice_id: UUID) -> Notice:
    notice = await Notices(tx).get(notice_id)
    if notice is None:
        raise UnknownError("notice")
    return notice
