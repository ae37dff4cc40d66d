"""The client of every office's API, with the caller's own token. It never reads a database."""

from dataclasses import dataclass
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
