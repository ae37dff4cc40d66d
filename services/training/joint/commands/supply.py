"""Supply planning: the queue as it is now, and the groups that the written rule would procure."""

from services.training.domain.supply import GROUP_DIGITS, LOOK_BACK, Line, Planned, lines, plan
from services.training.joint.store import Planning
from shared.messaging.transaction import Transaction


async def queue_lines(tx: Transaction, digits: int = GROUP_DIGITS) -> list[Line]:
    """Return the queue by occupation group and municipality, as it is now."""
    now, planning = tx.clock.now(), Planning(tx)
    applications = await planning.applications(now - LOOK_BACK)
    return lines(applications, await planning.released(), await planning.vacancies(), now, digits)


async def planned_groups(
    tx: Transaction, queue: list[Line], uptake: float, digits: int = GROUP_DIGITS
) -> list[Planned]:
    """Return the groups to procure. `uptake`: the part of the released that is assumed to apply."""
    return plan(queue, await Planning(tx).free_seats(), await Planning(tx).sizes(), uptake, digits)
