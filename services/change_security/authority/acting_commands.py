"""What a city does with acting for another: it asks or offers, consents, refuses, ends, and knows who may act.

The competent city's own store decides, with the joint office down too: who may act in its cases, and until when.
"""

from dataclasses import dataclass
from uuid import UUID

from services.change_security.authority.acting_store import CaseActs, OwnActings
from services.change_security.authority.store import Cases
from services.change_security.authority.tables import OwnActingRow
from services.change_security.domain import acting as acting_for
from services.change_security.domain.acting import CaseOfficer
from services.change_security.domain.agreed_rules import agreed_rules
from services.change_security.domain.case import CaseAct, CaseState
from services.change_security.domain.rules import RuleTable
from shared.agreement import Agreements
from shared.errors import ConflictError, ForbiddenError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.change_security import Acting, ActingChanged, ActingReported, ActingState, LegalGround
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class CityActing:
    """Acting for another, in a city.

    Attributes:
        authority: the city's authority.
        network: all authorities of the region.
        rules: the dated rules.
    """

    authority: str
    network: frozenset[str]
    rules: RuleTable

    async def ask(
        self, tx: Transaction, notice_id: UUID, competent: str, acting: str, reason: str, by: CaseOfficer
    ) -> OwnActingRow:
        """Ask to act for another authority in a matter that both have, or offer another the own part.

        Raises:
            UnknownError: this authority has no case of the notice.
            RefusedError: not between this authority and one other of the region.
            ConflictError: the case is not open, or it was asked already.
        """
        case = await Cases(tx).lock(notice_id)
        if case is None:
            raise UnknownError("case")
        if case.state is not CaseState.OPEN:
            raise ConflictError("not-open", f"The case is {case.state}.")
        asked = acting_for.ask(
            derived_id("acting", tx.cause),
            self.authority,
            competent,
            acting,
            reason,
            tx.clock.now(),
            self.network,
            agreed_rules(self.rules, await Agreements(tx).figures()),
        )
        if any(
            (row.acting.competent_authority, row.acting_authority) == (competent, acting)
            for row in await OwnActings(tx).open_of(notice_id)
        ):
            raise ConflictError("asked-already", "It is asked already, or in force.")
        return await self._report(tx, notice_id, asked, by, CaseAct.ACTING_ASKED)

    async def answer(
        self, tx: Transaction, acting_id: UUID, by: CaseOfficer, reason: str | None, *, accepted: bool
    ) -> OwnActingRow:
        """Consent, or refuse. Repeating the same answer changes nothing.

        Raises:
            UnknownError, ForbiddenError, ConflictError
        """
        row = await self._lock(tx, acting_id)
        if accepted and row.acting.competent_authority == self.authority:
            await self._must_be_open(tx, row.notice_id)
        now = tx.clock.now()
        answered = acting_for.answer(row.acting, self.authority, by.officer, now, reason=reason, accepted=accepted)
        if answered == row.acting:
            return row
        return await self._report(tx, row.notice_id, answered, by, CaseAct.ACTING_ANSWERED)

    async def end(self, tx: Transaction, acting_id: UUID, by: CaseOfficer, reason: str) -> OwnActingRow:
        """End it, at once here. Repeating it changes nothing.

        Raises:
            UnknownError, ForbiddenError, ConflictError
        """
        row = await self._lock(tx, acting_id)
        ended = acting_for.end(row.acting, by.authority, reason, tx.clock.now())
        if ended == row.acting:
            return row
        return await self._report(tx, row.notice_id, ended, by, CaseAct.ACTING_ENDED)

    async def receive(self, tx: Transaction, event: ActingChanged) -> None:
        """Take in what the joint office says. What is known to be further stays."""
        row = await OwnActings(tx).get(event.acting.acting_id)
        known = row.acting if row is not None else None
        merged = acting_for.merge(known, event.acting)
        if merged != known:
            await self._put(tx, event.notice_id, merged)

    async def permit(
        self, tx: Transaction, notice_id: UUID, officer: str, authority: str, *, hold: bool
    ) -> CaseOfficer:
        """Return another authority's officer as one who may act in a case now.

        Raises:
            ForbiddenError: nothing in force lets the authority act, or the case is no longer this authority's.
        """
        for row in await OwnActings(tx).in_force(notice_id, authority, hold=hold):
            case = await Cases(tx).read(notice_id)
            if (
                row.acting.competent_authority == self.authority
                and case is not None
                and case.state not in {CaseState.RELEASED, CaseState.WITHDRAWN, CaseState.MERGED}
            ):
                ground = row.acting.legal_ground or LegalGround.CONSENT
                return CaseOfficer(officer, authority, ground, row.acting_id)
        raise ForbiddenError("other-authority", "This office does not work for the officer's authority.")

    async def _lock(self, tx: Transaction, acting_id: UUID) -> OwnActingRow:
        row = await OwnActings(tx).get(acting_id)
        if row is None:
            raise UnknownError("acting for another")
        return row

    async def _must_be_open(self, tx: Transaction, notice_id: UUID) -> None:
        case = await Cases(tx).read(notice_id)
        if case is not None and case.state is not CaseState.OPEN:
            raise ConflictError("not-open", f"The case is {case.state}.")

    async def _report(
        self, tx: Transaction, notice_id: UUID, acting: Acting, by: CaseOfficer, act: CaseAct
    ) -> OwnActingRow:
        row = await self._put(tx, notice_id, acting)
        CaseActs(tx).add(notice_id, acting.competent_authority, by, act, acting.state)
        tx.publish(ActingReported(notice_id=notice_id, authority=self.authority, acting=acting))
        return row

    async def _put(self, tx: Transaction, notice_id: UUID, acting: Acting) -> OwnActingRow:
        actings = OwnActings(tx)
        await actings.put(notice_id, acting)
        case = await Cases(tx).lock(notice_id)
        if case is not None and acting.competent_authority == self.authority:
            in_force = [
                row.acting_authority
                for row in await actings.open_of(notice_id)
                if row.state is ActingState.IN_FORCE and row.acting.competent_authority == self.authority
            ]
            case.acting_authority = next(iter(in_force), self.authority)
        return await self._lock(tx, acting.acting_id)
