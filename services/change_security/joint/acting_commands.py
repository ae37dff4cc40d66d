"""What the joint office does with one authority's acting for another: it brings each side the other's word.

The competent authority's own store decides who may act in its cases; here it is counted, shown and passed on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.change_security.domain import acting as acting_for
from services.change_security.domain.acting import RULE
from services.change_security.domain.agreed_rules import agreed_book
from services.change_security.domain.ledger import EntryState
from services.change_security.domain.notice import Notice, NoticeState, Rulebook
from services.change_security.joint.acting_store import Actings
from services.change_security.joint.store import Notices
from shared.agreement import Agreements
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
        book = agreed_book(self.book, await Agreements(tx).figures())
        acting = acting_for.report(known, event.acting, event.authority, book.agreed, now)
        if known is None and (obstacle := await self._obstacle(tx, notice, acting)) is not None:
            acting = acting.model_copy(
                update={"state": ActingState.REFUSED, "ended_by": RULE, "end_reason": obstacle, "ended_at": now}
            )
        elif acting.state in acting_for.OPEN and (over := _over(notice, acting.competent_authority)) is not None:
            acting = acting_for.end(acting, RULE, over, now)
        if acting != known:
            await _put(tx, notice, acting)

    async def ask(self, tx: Transaction, notice_id: UUID, asked_by: str, competent: str, at: datetime) -> None:
        """Take an older version's taking of another's part as a request to act in it."""
        book = agreed_book(self.book, await Agreements(tx).figures())
        acting = acting_for.ask(
            derived_id("acting", notice_id, competent, asked_by, at),
            asked_by,
            competent,
            asked_by,
            "taken, as an older version of the authority's system has it",
            at,
            self.network,
            book.rules,
        )
        await self.enter(tx, ActingReported(notice_id=notice_id, authority=asked_by, acting=acting))

    async def _obstacle(self, tx: Transaction, notice: Notice, acting: Acting) -> str | None:
        if (over := _over(notice, acting.competent_authority)) is not None:
            return over
        others = await Actings(tx).of(notice.notice_id, acting.competent_authority)
        if any(
            other.state in acting_for.OPEN and other.acting.acting_authority == acting.acting_authority
            for other in others
        ):
            return "it was asked for already"
        return None


async def end_acting_of_released(tx: Transaction, notice: Notice) -> Notice:
    """End the acting in parts that a change of the notice has ended; both sides hear of it. Return the notice."""
    over = {entry.authority: reason for entry in notice.entries if (reason := _over(notice, entry.authority))}
    return await _end(tx, notice, over)


async def end_acting_of_taken(tx: Transaction, notice: Notice, authority: str) -> Notice:
    """End the acting in a part that its authority takes; both sides hear of it. Return the notice."""
    return await _end(tx, notice, {authority: "the authority has taken its part"})


async def _end(tx: Transaction, notice: Notice, over: Mapping[str, str]) -> Notice:
    """End what is asked or in force in these parts, each for a reason."""
    actings = Actings(tx)
    # Most notices have none: no query is made for them.
    parts = [authority for authority in over if actings.is_open(notice.notice_id, authority)]
    for authority in parts:
        for row in await actings.of(notice.notice_id, authority):
            if row.state in acting_for.OPEN:
                await _put(tx, notice, acting_for.end(row.acting, RULE, over[authority], tx.clock.now()))
    return await _known(tx, notice.notice_id) if parts else notice


def _over(notice: Notice, authority: str) -> str | None:
    """Say why nobody may act in a part any more; None while somebody may."""
    entry = notice.entry(authority)
    if notice.state in _ENDED:
        return _ENDED[notice.state]
    if entry is None or entry.office is None or entry.state is EntryState.RELEASED:
        return "the notice does not concern the authority"
    return None


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
