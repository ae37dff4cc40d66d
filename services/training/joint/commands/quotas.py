"""The authorities' shares of seats: decisions that are recorded, with their history."""

from dataclasses import dataclass

from services.training.domain.quotas import QuotaDecision, check_quota
from services.training.domain.seats import Actor
from services.training.joint.quota_store import Quotas
from services.training.joint.store import Decisions
from services.training.joint.tables import SeatQuotaRow
from shared.events.envelope import derived_id
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointQuotas:
    """Records decisions on shares of seats. `authorities`: those that can have a share."""

    authorities: frozenset[str]

    def record(self, tx: Transaction, decision: QuotaDecision, actor: Actor) -> SeatQuotaRow:
        """Record a decision; one from the same day on takes the place of the one before, which is kept.

        Seats that are offered or accepted stay as they are: a decision counts for those that are offered later.

        Raises:
            RefusedError: the shares are no division of the seats between the authorities.
        """
        check_quota(decision, self.authorities)
        row = SeatQuotaRow(
            quota_id=derived_id("seat quota", tx.cause),
            decision=decision,
            recorded_by=actor.name,
            recorded_at=tx.clock.now(),
        )
        Quotas(tx).add(row)
        Decisions(tx).enter(row.quota_id, "seat quota recorded", decision.reference, actor)
        return row
