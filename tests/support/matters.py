"""What tests do with notices, over HTTP."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer

from deploy.local.client import Callers, wait_for
from deploy.local.sample_data import proposal_json


@dataclass
class Matters:
    """Notices of one test."""

    callers: Callers
    unique: str

    def file(self, **changes: Any) -> dict[str, Any]:
        """File a notice as a system."""
        return dict(self.callers.system.send("/v1/notices", {"filing": proposal_json(**changes)}))

    def ledger(self, notice_id: str) -> dict[str, Any]:
        """Return a notice's ledger."""
        return dict(self.callers.coordinator.read(f"/v1/notices/{notice_id}/ledger"))

    def states(self, notice_id: str) -> dict[str, str]:
        """Return each authority's state."""
        return {entry["authority"]: entry["state"] for entry in self.ledger(notice_id)["entries"]}

    def complete(self, notice_id: str, version: int = 1, seconds: float = 30) -> dict[str, Any]:
        """Wait until every store has confirmed a version, and return the ledger."""

        def look() -> dict[str, Any] | None:
            answer = self.callers.coordinator.get(f"/v1/notices/{notice_id}/ledger")
            found = answer.json() if answer.is_success else {}
            return found if found.get("complete") and found["version"] >= version else None

        return wait_for(look, "a complete ledger", seconds)

    def case(self, city: str, notice_id: str) -> dict[str, Any]:
        """Return a city's case."""
        return dict(self.callers.officer[city].read(f"/v1/cases/{notice_id}"))

    def wait_case(self, city: str, notice_id: str, **wanted: Any) -> dict[str, Any]:
        """Wait until a city's case has these values."""

        def look() -> dict[str, Any] | None:
            answer = self.callers.officer[city].get(f"/v1/cases/{notice_id}")
            found = answer.json() if answer.is_success else {}
            return found if found and all(found[name] == value for name, value in wanted.items()) else None

        return wait_for(look, f"{city}'s case with {wanted}")


def submit(
    client: Mapping[str, Any],
    *records: tuple[str, str, Any, str],
    source: str = "/systems/portal",
    topic: str = "inbound.change-notices.v1",
) -> None:
    """Send (notice id, type, body, event id) to the inbound topic, as another system does, or to another topic."""

    async def send() -> None:
        producer = AIOKafkaProducer(**client, acks="all")
        await producer.start()
        try:
            for notice_id, kind, body, event_id in records:
                await producer.send_and_wait(
                    topic,
                    body if isinstance(body, bytes) else json.dumps(body).encode(),
                    key=notice_id.encode(),
                    headers=[
                        ("ce_specversion", b"1.0"),
                        ("ce_id", event_id.encode()),
                        ("ce_type", kind.encode()),
                        ("ce_source", source.encode()),
                    ],
                )
        finally:
            await producer.stop()

    asyncio.run(send())
