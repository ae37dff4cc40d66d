"""The client of every office's API, with the caller's own token. It never reads a database."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True)
class Answer:
    """What an office answered: its JSON, or the problem's title."""

    status: int
    body: Any = None

    @property
    def is_good(self) -> bool:
        """Whether the office did what was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004

    @property
    def is_forbidden(self) -> bool:
        """Whether the token lacks a role, or is of another authority."""
        return self.status == 403  # noqa: PLR2004

    @property
    def problem(self) -> str:
        """The problem, for people."""
        if isinstance(self.body, dict):
            return f"{self.status} {self.body.get('title', '')} {self.body.get('detail') or ''}".strip()
        return str(self.status or "")


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


class Offices:
    """Every process of every office, by its address."""

    def __init__(self, addresses: dict[str, dict[str, str]], client: httpx.AsyncClient) -> None:
        self.addresses = addresses
        self._client = client

    def each(self) -> list[tuple[str, str]]:
        """Return every (service, office)."""
        return [(service, office) for service, offices in self.addresses.items() for office in offices]

    async def ask(
        self,
        service: str,
        office: str,
        path: str,
        token: str,
        method: str = "GET",
        body: Any = None,
        key: str | None = None,
    ) -> Answer:
        """Ask one office, under an idempotency key if it is an act; status 0 when it does not answer."""
        address = self.addresses.get(service, {}).get(office)
        if address is None:
            return Answer(404, {"title": "There is no such office."})
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        try:
            answer = await self._client.request(method, f"{address}{path}", json=body, headers=headers, timeout=5)
        except httpx.HTTPError:
            return Answer(0)
        try:
            return Answer(answer.status_code, answer.json() if answer.content else None)
        except ValueError:
            return Answer(answer.status_code)

    async def overview(self, token: str) -> list[Row]:
        """Read every process at once."""
        return list(await asyncio.gather(*(self._row(service, office, token) for service, office in self.each())))

    async def _row(self, service: str, office: str, token: str) -> Row:
        ready = await self.ask(service, office, "/readyz", token)
        if not ready.status:
            return Row(service, office, "unreachable")
        consumer, lag, outbox, parked = await asyncio.gather(
            *(
                self.ask(service, office, path, token)
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


@dataclass(frozen=True)
class Bar:
    """A span in a waterfall. `left` and `width` are per cent of the whole trace; times are milliseconds."""

    office: str
    service: str
    name: str
    depth: int
    left: float
    width: float
    begun: float
    took: float


def waterfall(spans: list[dict[str, Any]]) -> list[Bar]:
    """Return a trace's spans in the order of a tree, as bars."""
    if not spans:
        return []
    start = min(span["timestamp"] for span in spans)
    whole = max(1, max(span["timestamp"] + span.get("duration", 0) for span in spans) - start)
    known = {span["id"] for span in spans}
    below: dict[str | None, list[dict[str, Any]]] = {}
    for span in sorted(spans, key=lambda one: one["timestamp"]):
        parent = span.get("parentId")
        below.setdefault(parent if parent in known else None, []).append(span)
    bars: list[Bar] = []

    def grow(parent: str | None, depth: int) -> None:
        for span in below.get(parent, ()):
            service, _, office = span["localEndpoint"]["serviceName"].rpartition(".")
            begun, took = span["timestamp"] - start, span.get("duration", 0)
            bars.append(
                Bar(
                    office,
                    service,
                    span["name"],
                    depth,
                    100 * begun / whole,
                    max(0.3, 100 * took / whole),
                    begun / 1000,
                    took / 1000,
                )
            )
            grow(span["id"], depth + 1)

    grow(None, 0)
    return bars
