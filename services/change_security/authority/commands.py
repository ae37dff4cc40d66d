"""What a city's officers can do with their cases, each inside one transaction: decided by the domain, kept by the
store, published through the outbox. All of it works while the joint office is unavailable.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.change_security.authority.acting_store import CaseActs
from services.change_security.authority.case_view import CaseView
from services.change_security.authority.store import Cases, case_of, put, put_filing
from services.change_security.authority.tables import CaseNoteRow, CaseRow
from services.change_security.domain import own_case
from services.change_security.domain.acting import CaseOfficer
from services.change_security.domain.case import (
    CaseAct,
    CaseState,
    CheckItem,
    Step,
    StepState,
    check_count,
    checklists,
)
from services.change_security.domain.filing import masked
from services.change_security.domain.own_case import Case, CaseChange
from services.change_security.domain.reductions import as_known
from services.change_security.domain.rules import Assessment, RuleTable, assess
from shared.calendar import local_day
from shared.errors import RefusedError, UnknownError
from shared.events.v1.change_security import DeclineReason, Filing, Outcome
from shared.messaging.transaction import Transaction
from shared.telemetry import current_trace_id


@dataclass(frozen=True)
class CityCases:
    """A city's own cases.

    Attributes:
        authority: the city's authority, which is competent in them.
        rules: the dated rules.
    """

    authority: str
    rules: RuleTable

    async def register(
        self,
        tx: Transaction,
        notice_id: UUID,
        filing: Filing,
        arrived_at: datetime,
        by: CaseOfficer | None,
        filer_reference: str | None = None,
    ) -> None:
        """Register a notice in this authority's own store. The joint office reconciles it as soon as it can.

        `by`: the officer who does it; None for a system.

        Raises:
            RefusedError: the filing is refused.
        """
        case, event = own_case.register(
            notice_id, self.authority, filing, arrived_at, tx.clock.now(), current_trace_id(), filer_reference
        )
        Cases(tx).add(case)
        tx.publish(event)
        if by is not None:
            CaseActs(tx).add(notice_id, self.authority, by, CaseAct.REGISTERED)

    async def revise(
        self,
        tx: Transaction,
        notice_id: UUID,
        filing: Filing,
        predecessor: int,
        arrived_at: datetime,
        by: CaseOfficer,
    ) -> None:
        """Register a revision that the employer sent to this authority.

        Raises:
            UnknownError, RefusedError
            ConflictError: it does not follow the newest revision, or the case is not open.
        """
        row, case = await self._lock(tx, notice_id)
        change = own_case.revise(case, filing, predecessor, tx.clock.now(), arrived_at)
        self._carry_out(tx, row, change, by, CaseAct.REVISED, str(change.case.revision))

    async def withdraw(self, tx: Transaction, notice_id: UUID, by: CaseOfficer) -> None:
        """Register that the employer withdraws the notice.

        Raises:
            UnknownError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        self._carry_out(tx, row, own_case.withdraw(case), by, CaseAct.WITHDRAWN)

    async def name_specialist(self, tx: Transaction, notice_id: UUID, specialist: str, by: CaseOfficer) -> None:
        """Name this authority's specialist for the case; the step is done with it.

        Raises:
            UnknownError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        self._carry_out(tx, row, own_case.name_specialist(case, specialist), by, CaseAct.SPECIALIST_NAMED, specialist)
        await Cases(tx).set_step(notice_id, Step.SPECIALIST_NAMED, StepState.DONE, by.officer)

    async def acknowledge(self, tx: Transaction, notice_id: UUID, by: CaseOfficer) -> None:
        """Acknowledge a notice: the receipt of a person, after the store's own. Repeating it changes nothing.

        Raises:
            UnknownError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        change = own_case.acknowledge(case, by.authority, tx.clock.now())
        self._carry_out(tx, row, change, by, CaseAct.ACKNOWLEDGED)

    async def decline(self, tx: Transaction, notice_id: UUID, reason: DeclineReason, by: CaseOfficer) -> None:
        """Say that the notice is not this authority's own; a coordinator looks into it.

        Raises:
            UnknownError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        change = own_case.decline(case, reason, tx.clock.now())
        self._carry_out(tx, row, change, by, CaseAct.DECLINED, reason)

    async def take(self, tx: Transaction, notice_id: UUID, parts: Iterable[str], by: CaseOfficer) -> None:
        """Take the own part out of joint handling.

        Raises:
            UnknownError, RefusedError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        self._carry_out(tx, row, own_case.take(case, parts, tx.clock.now()), by, CaseAct.TAKEN)

    async def give_back(self, tx: Transaction, notice_id: UUID, by: CaseOfficer) -> None:
        """Return the own part to joint handling.

        Raises:
            UnknownError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        self._carry_out(tx, row, own_case.give_back(case, row.handling, tx.clock.now()), by, CaseAct.RETURNED)

    async def close(self, tx: Transaction, notice_id: UUID, outcome: Outcome, by: CaseOfficer) -> None:
        """Close this authority's own case with the outcome.

        Raises:
            UnknownError, ConflictError
        """
        row, case = await self._lock(tx, notice_id)
        change = own_case.close(case, outcome, by.authority, tx.clock.now())
        self._carry_out(tx, row, change, by, CaseAct.CLOSED, outcome)

    async def set_step(self, tx: Transaction, notice_id: UUID, step: Step, state: StepState, by: CaseOfficer) -> None:
        """Set how far a step of the course is.

        Raises:
            UnknownError
            ConflictError: the case is released, withdrawn or merged.
        """
        _, case = await self._lock(tx, notice_id)
        own_case.must_be_handled(case)
        await Cases(tx).set_step(notice_id, step, state, by.officer)
        CaseActs(tx).add(notice_id, self.authority, by, CaseAct.STEP_SET, f"{step} {state}")

    async def set_check(
        self,
        tx: Transaction,
        notice_id: UUID,
        group_id: UUID,
        item: CheckItem,
        count: int | None,
        by: CaseOfficer,
    ) -> None:
        """Set to how many employees of a group a checklist item applies; None takes the count back. It decides nothing.

        Raises:
            UnknownError: no such case, or its newest revision has no such group.
            RefusedError: the group has fewer terminations.
            ConflictError: the case is released, withdrawn or merged.
        """
        row, case = await self._lock(tx, notice_id)
        own_case.must_be_handled(case)
        if count is not None:
            filing = await Cases(tx).filing(notice_id, row.revision)
            if filing is None:
                raise UnknownError("employee group")
            check_count(filing, group_id, count)
        await Cases(tx).set_check(notice_id, group_id, item, count, by.officer)
        CaseActs(tx).add(notice_id, self.authority, by, CaseAct.CHECKED, item)

    async def add_note(
        self, tx: Transaction, notice_id: UUID, text: str, by: CaseOfficer, *, shared: bool
    ) -> CaseNoteRow:
        """Add a note. It never leaves this office; officers of an authority that acts here see what is shared.

        Raises:
            UnknownError
            RefusedError: another authority's officer does not share it.
            ConflictError: the case is released, withdrawn or merged.
        """
        if by.is_of_another and not shared:
            raise RefusedError("/shared", "shared-only", "A note of another authority's officer is shared.")
        _, case = await self._lock(tx, notice_id)
        own_case.must_be_handled(case)
        CaseActs(tx).add(notice_id, self.authority, by, CaseAct.NOTE_ADDED)
        return Cases(tx).add_note(notice_id, text, by, shared=shared)

    async def read(self, tx: Transaction, notice_id: UUID) -> CaseView:
        """Return a case as it now is.

        Raises:
            UnknownError
        """
        cases = Cases(tx)
        row = await self.row(tx, notice_id)
        filing = await cases.filing(notice_id, row.revision)
        shown = masked(filing) if filing is not None and row.state is CaseState.RELEASED else filing
        counts = {(check.group_id, check.item): check.count for check in await cases.checks(notice_id)}
        return CaseView(
            row=row,
            filing=shown,
            assessment=self._assess(row, filing),
            steps={step.step: step for step in await cases.steps(notice_id)},
            checklists=checklists(shown, counts, self.rules, local_day(tx.clock.now())) if shown else (),
        )

    def _assess(self, row: CaseRow, filing: Filing | None) -> Assessment | None:
        if filing is None or row.arrived_at is None:
            return None
        return assess(filing, row.arrived_at, self.rules, as_known(row.earlier_reductions))

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

    def _carry_out(
        self,
        tx: Transaction,
        row: CaseRow,
        change: CaseChange,
        by: CaseOfficer,
        act: CaseAct,
        detail: str | None = None,
    ) -> None:
        case = change.case
        CaseActs(tx).add(case.notice_id, case.competent_authority, by, act, detail)
        put(case, row)
        if change.filing is not None:
            at = tx.clock.now()
            Cases(tx).add_revision(case.notice_id, case.revision, change.filing, at, change.filing_arrived_at)
            put_filing(change.filing, row.arrived_at or at, row)
        for event in change.events:
            tx.publish(event)
