"""Supply planning: the queue as it is now, and the groups that the written rule would procure."""

from services.training.domain.supply import LOOK_BACK, Line, Planned, lines, plan
from services.training.joint.store import Planning
from shared.messaging.transaction import Transaction


async def queue_lines(tx: Transaction) -> list[Line]:
    """Return the queue by occupation and municipality, as it is now."""
    now, planning = tx.clock.now(), Planning(tx)
    return lines(
        await planning.applications(now - LOOK_BACK), await planning.released(), await planning.vacancies(), now
    )


async def planned_groups(tx: Transaction, queue: list[Line], uptake: float) -> list[Planned]:
    """Return the groups to procure. `uptake`: the part of the released that is assumed to apply."""
    return plan(queue, await Planning(tx).free_seats(), await Planning(tx).sizes(), uptake)
