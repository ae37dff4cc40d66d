"""Contracts with providers: recorded, options taken, seats called off, ended."""

from dataclasses import dataclass
from uuid import UUID

from services.training.catalogue import Catalogue
from services.training.domain.contracts import (
    ContractTerms,
    check_call_off,
    check_option,
    check_terms,
    remaining,
)
from services.training.domain.course import check_not_ended
from services.training.domain.seats import Actor
from services.training.joint.contract_store import Contracts
from services.training.joint.store import Decisions
from services.training.joint.tables import CallOffRow, ContractRow
from shared.calendar import local_day
from shared.errors import ConflictError
from shared.events.envelope import derived_id
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointContracts:
    """Records contracts, and orders seats from them. `cities`: those that can have a volume."""

    cities: frozenset[str]

    def record(self, tx: Transaction, terms: ContractTerms, actor: Actor) -> ContractRow:
        """Record a contract.

        Raises:
            RefusedError: what it says is not valid.
        """
        check_terms(terms, self.cities)
        row = ContractRow(
            contract_id=derived_id("contract", tx.cause),
            terms=terms,
            options_taken=[],
            recorded_by=actor.name,
            recorded_at=tx.clock.now(),
        )
        Contracts(tx).add(row)
        return row

    async def take_option(
        self, tx: Transaction, contract_id: UUID, name: str, actor: Actor, reason: str
    ) -> ContractRow:
        """Take an option: its seats are added to the contract's.

        Raises:
            UnknownError: no such contract.
            RefusedError: it has no such option.
            ConflictError: the contract has ended, the option is taken, or its day has gone.
        """
        row = await self._standing(tx, contract_id)
        check_option(row.terms, row.options_taken, name, local_day(tx.clock.now()))
        row.options_taken = [*row.options_taken, name]
        Decisions(tx).enter(contract_id, "option taken", f"{name}: {reason}"[:300], actor)
        return row

    async def end(self, tx: Transaction, contract_id: UUID, actor: Actor, reason: str) -> ContractRow:
        """End a contract: nothing more is ordered from it. Its call-offs stand.

        Raises:
            UnknownError: no such contract.
            ConflictError: it has ended.
        """
        row = await self._standing(tx, contract_id)
        row.ended_at = tx.clock.now()
        Decisions(tx).enter(contract_id, "contract ended", reason, actor)
        return row

    async def call_off(
        self, tx: Transaction, contract_id: UUID, volume: dict[str, int], group_id: UUID | None, actor: Actor
    ) -> CallOffRow:
        """Order seats from a contract, for a group if it is known.

        Raises:
            UnknownError: no such contract or group.
            RefusedError: a city is not in the contract.
            ConflictError: the contract is not in force or has too few seats left, or the group has ended.
        """
        if group_id is not None:
            check_not_ended(await Catalogue(tx).group(group_id))
        row = await self._standing(tx, contract_id)
        check_call_off(row.terms, await self.left(tx, row), volume, local_day(tx.clock.now()))
        call_off = CallOffRow(
            call_off_id=derived_id("call-off", tx.cause),
            contract_id=contract_id,
            group_id=group_id,
            volume=volume,
            ordered_by=actor.name,
            ordered_at=tx.clock.now(),
        )
        Contracts(tx).add(call_off)
        return call_off

    async def cancel(self, tx: Transaction, call_off_id: UUID, actor: Actor, reason: str) -> CallOffRow:
        """Cancel a call-off: its seats are the contract's again.

        Raises:
            UnknownError: no such call-off.
            ConflictError: it is cancelled already.
        """
        row = await Contracts(tx).call_off(call_off_id, lock=True)
        if row.cancelled_at is not None:
            raise ConflictError("cancelled", "The call-off is cancelled already.")
        row.cancelled_at = tx.clock.now()
        Decisions(tx).enter(row.contract_id, "call-off cancelled", reason, actor)
        return row

    async def left(self, tx: Transaction, row: ContractRow) -> dict[str, int]:
        """Return the seats that are left of a contract, by city."""
        standing = await Contracts(tx).standing(row.contract_id)
        return remaining(row.terms, row.options_taken, (call_off.volume for call_off in standing))

    async def _standing(self, tx: Transaction, contract_id: UUID) -> ContractRow:
        row = await Contracts(tx).get(contract_id, lock=True)
        if row.ended_at is not None:
            raise ConflictError("ended", "The contract has ended.")
        return row
