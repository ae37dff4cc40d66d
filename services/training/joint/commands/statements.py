"""Statements of used seats by home authority: kept as they were, approved, and replaced when they were wrong."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.training.domain.procurement import StatementState, check_approval, check_replacement
from services.training.domain.seats import Actor
from services.training.joint.commands.procurement import JointProcurement
from services.training.joint.procurement_store import Accounts
from services.training.joint.store import Decisions
from services.training.joint.tables import StatementRow
from shared.errors import RefusedError
from shared.events.envelope import derived_id
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointStatements:
    """Keeps and approves statements."""

    procurement: JointProcurement

    async def keep(
        self, tx: Transaction, since: date, until: date, replaces: UUID | None, actor: Actor
    ) -> StatementRow:
        """Keep what the seats of groups that start within the days come to now.

        Args:
            tx: the transaction.
            since: the first day.
            until: the last day.
            replaces: the approved statement that this one corrects, once it is approved itself.
            actor: who keeps it.

        Raises:
            RefusedError: the last day comes before the first.
            UnknownError: there is no statement to be replaced.
            ConflictError: that one is not approved.
        """
        if until < since:
            raise RefusedError("/until", "wrong-dates", "The last day comes before the first.")
        if replaces is not None:
            check_replacement((await Accounts(tx).statement(replaces)).state)
        statement = StatementRow(
            statement_id=derived_id("statement", tx.cause),
            since=since,
            until=until,
            lines=tuple(await self.procurement.account(tx, since, until)),
            state=StatementState.KEPT,
            replaces=replaces,
            made_by=actor.name,
            made_at=tx.clock.now(),
        )
        Accounts(tx).keep(statement)
        return statement

    async def approve(self, tx: Transaction, statement_id: UUID, actor: Actor, reason: str) -> StatementRow:
        """Approve a statement; the one that it corrects is replaced.

        Raises:
            UnknownError: no such statement.
            ConflictError: it is approved or replaced already, or what it corrects is.
        """
        statement = await Accounts(tx).statement(statement_id, lock=True)
        check_approval(statement.state)
        if statement.replaces is not None:
            corrected = await Accounts(tx).statement(statement.replaces, lock=True)
            check_replacement(corrected.state)
            self._move(tx, corrected, StatementState.REPLACED, actor, reason)
        self._move(tx, statement, StatementState.APPROVED, actor, reason)
        return statement

    def _move(self, tx: Transaction, statement: StatementRow, state: StatementState, actor: Actor, reason: str) -> None:
        statement.state = state
        Decisions(tx).enter(statement.statement_id, state, reason, actor)
