"""What a city's officers can do with their cases, each inside one transaction: decided by the domain, kept by the
store, published through the outbox. All of it works while the joint office is unavailable.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.change_security.authority.case_view import CaseView
from services.change_security.authority.store import Cases, case_of, put
from services.change_security.authority.tables import CaseNoteRow, CaseRow
from services.change_security.domain import own_case
from services.change_security.domain.case import CaseState, CheckItem, Step, StepState, check_message
from services.change_security.domain.filing import masked
from services.change_security.domain.own_case import Case, CaseChange
from services.change_security.domain.rules import RuleTable, assess
from shared.calendar import local_day
from shared.errors import UnknownError
from shared.events.v1.change_security import DeclineReason, Filing, Outcome
from shared.messaging.transaction import Transaction
from shared.telemetry import current_trace_id


@dataclass(frozen=True)
class CityCases:
    """A city's own cases.

    Attributes:
        authority: the city's authority, which is competent in them.
        network: all authorities of the region, whose parts one may take.
        rules: the dated rules.
    """

    authority: str
    network: frozenset[str]
    rules: RuleTable

    async def register(self, tx: Transaction, notice_id: UUID, filing: Filing, arrived_at: datetime) -> None:
        """Register a notice in this authority's own store. The joint office reconciles it as soon as it can.

        Raises:
            RefusedError: the filing is refused.
        """
        case, event = own_case.register(
            notice_id, self.authority, filing, arrived_at, tx.clock.now(), current_trace_id()
        )
        Cases(tx).add(case)
        tx.publish(event)

    async def revise(self, tx: Transaction, notice_id: UUID, filing: Filing, predecessor: int) -> None:
        """Register a revision that the employer sent to this authority.

        Raises:
            UnknownError, RefusedError
            ConflictError: it does not follow the newest revision, or the case is not open.
        """
        row, case = await self._lock(tx, notice_id)
        self._carry_out(tx, row, own_case.revise(case, filing, predecessor, tx.clock.now()))

    async def withdraw(self, tx: Transaction, notice_id: UUID) -> None:
        """Register that the employer withdraws the notice.

        Raises:
            UnknownError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        self._carry_out(tx, row, own_case.withdraw(case))

    async def name_specialist(self, tx: Transaction, notice_id: UUID, specialist: str, by: str) -> None:
        """Name this authority's specialist for the case; the step is done with it.

        Raises:
            UnknownError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        self._carry_out(tx, row, own_case.name_specialist(case, specialist))
        await Cases(tx).set_step(notice_id, Step.SPECIALIST_NAMED, StepState.DONE, by)

    async def acknowledge(self, tx: Transaction, notice_id: UUID, acting_authority: str) -> None:
        """Acknowledge a notice: the receipt of a person, after the store's own. Repeating it changes nothing.

        Raises:
            UnknownError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        self._carry_out(tx, row, own_case.acknowledge(case, acting_authority, tx.clock.now()))

    async def decline(self, tx: Transaction, notice_id: UUID, reason: DeclineReason) -> None:
        """Say that the notice is not this authority's own; a coordinator looks into it.

        Raises:
            UnknownError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        self._carry_out(tx, row, own_case.decline(case, reason, tx.clock.now()))

    async def take(self, tx: Transaction, notice_id: UUID, parts: Iterable[str]) -> None:
        """Take the handling of the own part, or of others' on their behalf.

        Raises:
            UnknownError, RefusedError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        self._carry_out(tx, row, own_case.take(case, parts, self.network, tx.clock.now()))

    async def close(self, tx: Transaction, notice_id: UUID, outcome: Outcome) -> None:
        """Close this authority's own case with the outcome.

        Raises:
            UnknownError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        self._carry_out(tx, row, own_case.close(case, outcome, tx.clock.now()))

    async def set_step(self, tx: Transaction, notice_id: UUID, step: Step, state: StepState, by: str) -> None:
        """Set how far a step of the course is.

        Raises:
            UnknownError
        """
        await self._lock(tx, notice_id)
        await Cases(tx).set_step(notice_id, step, state, by)

    async def set_check(self, tx: Transaction, notice_id: UUID, item: str, by: str, *, checked: bool) -> None:
        """Check an item of the checklist, or uncheck it. It decides nothing.

        Raises:
            UnknownError
        """
        if item not in set(CheckItem):
            raise UnknownError("checklist item")
        await self._lock(tx, notice_id)
        await Cases(tx).set_check(notice_id, item, by, checked=checked)

    async def add_note(self, tx: Transaction, notice_id: UUID, text: str, by: str) -> CaseNoteRow:
        """Add a note. It never leaves this office.

        Raises:
            UnknownError
        """
        await self._lock(tx, notice_id)
        return Cases(tx).add_note(notice_id, text, by)

    async def read(self, tx: Transaction, notice_id: UUID) -> CaseView:
        """Return a case as it now is.

        Raises:
            UnknownError
        """
        cases = Cases(tx)
        row = await self.row(tx, notice_id)
        filing = await cases.filing(notice_id, row.revision)
        return CaseView(
            row=row,
            filing=masked(filing) if filing is not None and row.state is CaseState.RELEASED else filing,
            assessment=assess(filing, row.arrived_at, self.rules) if filing and row.arrived_at else None,
            steps={step.step: step for step in await cases.steps(notice_id)},
            checklist=tuple(check_message(item, self.rules, local_day(tx.clock.now())) for item in CheckItem),
            checked=frozenset(check.item for check in await cases.checks(notice_id)),
        )

    async def row(self, tx: Transaction, notice_id: UUID) -> CaseRow:
        """Return a case without what belongs to it.

        Raises:
            UnknownError
        """
        row = await Cases(tx).read(notice_id)
        if row is None:
            raise UnknownError("case")
        return row

    async def _lock(self, tx: Transaction, notice_id: UUID) -> tuple[CaseRow, Case]:
        row = await Cases(tx).lock(notice_id)
        if row is None:
            raise UnknownError("case")
        return row, case_of(row)

    def _carry_out(self, tx: Transaction, row: CaseRow, change: CaseChange) -> None:
        case = change.case
        put(case, row)
        if change.filing is not None:
            Cases(tx).add_revision(case.notice_id, case.revision, change.filing, tx.clock.now())
        for event in change.events:
            tx.publish(event)
