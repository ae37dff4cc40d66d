"""Every process at a glance, read from each office with the operator's own token."""

import asyncio
from dataclasses import dataclass, field

from deploy.web.offices import Offices


@dataclass
class Row:
    """One process in the overview."""

    service: str
    office: str
    state: str
    lag: int | None = None
    lag_seconds: float | None = None
    outbox: int | None = None
    outbox_seconds: float | None = None
    parked: int | None = None
    permitted: bool = True
    topics: list[str] = field(default_factory=list)


async def overview(offices: Offices, token: str) -> list[Row]:
    """Read every process at once."""
    return list(await asyncio.gather(*(_row(offices, service, office, token) for service, office in offices.each())))


async def _row(offices: Offices, service: str, office: str, token: str) -> Row:
    ready = await offices.ask(service, office, "/readyz", token)
    if not ready.status:
        return Row(service, office, "unreachable")
    consumer, lag, outbox, parked = await asyncio.gather(
        *(
            offices.ask(service, office, path, token)
            for path in ("/v1/consumer", "/v1/consumer/lag", "/v1/outbox", "/v1/parked/groups")
        )
    )
    row = Row(service, office, "ready" if ready.is_good else "not_ready")
    row.permitted = consumer.status not in {401, 403}
    if consumer.is_good and consumer.body["paused"]:
        row.state = "paused"
    if lag.is_good:
        row.lag = sum(one["records"] for one in lag.body)
        row.lag_seconds = max((one["seconds"] for one in lag.body), default=0.0)
    if outbox.is_good:
        row.outbox, row.outbox_seconds = outbox.body["waiting"], outbox.body["seconds"]
    if parked.is_good:
        row.parked = sum(one["count"] for one in parked.body)
    return row
