"""Sends the recorded stream to a city's topic, and compares what the city's API and receipts say with the expectations.

The stream (`stream.jsonl`) holds an initial notice, a duplicate, one out of order, an amendment, a withdrawal, a poison
record, an unknown type, an unknown enum member, and a last good one. Every run has notices of its own.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

SERVICE: Final = "change-security"
_STORED: Final = b"change-security.notice-stored.v1"


@dataclass(frozen=True)
class Finding:
    """One expectation, and whether it holds."""

    what: str
    holds: bool


@dataclass
class Seen:
    """What a city shows after the stream: cases by notice, parked records by key's offset, receipts by notice."""

    cases: dict[str, dict[str, Any]]
    parked: Counter[str]
    receipts: dict[str, list[tuple[str, int]]]


Expectation = tuple[str, Callable[[Seen], bool]]

EXPECTED: Final[tuple[Expectation, ...]] = (
    ("an initial notice opens a case", lambda seen: _case(seen, "initial") == (1, "open")),
    ("an initial notice is confirmed stored", lambda seen: _confirmed(seen, "initial") == {1}),
    ("a duplicate opens one case", lambda seen: _case(seen, "duplicate") == (1, "open")),
    (
        "a duplicate is confirmed stored once",
        lambda seen: len({one for one, _ in seen.receipts.get("duplicate", ())}) == 1,
    ),
    ("an older version that comes late changes nothing", lambda seen: _case(seen, "out-of-order") == (2, "open")),
    ("an amendment is put in force", lambda seen: _case(seen, "amendment") == (2, "open")),
    ("an amendment is confirmed stored", lambda seen: _confirmed(seen, "amendment") == {1, 2}),
    ("a withdrawal ends the case", lambda seen: _case(seen, "withdrawal") == (1, "withdrawn")),
    ("a poison record is parked", lambda seen: seen.parked["invalid-body"] >= 1),
    (
        "a later record of a poisoned key waits behind it",
        lambda seen: seen.parked["held-back"] == 1 and "poison" not in seen.cases,
    ),
    ("an unknown type is parked", lambda seen: seen.parked["unknown-type"] == 1),
    (
        "an unknown enum member is parked, never guessed",
        lambda seen: seen.parked["invalid-body"] > 1 and "enum-member" not in seen.cases,
    ),
    ("another key goes on behind all that", lambda seen: _case(seen, "after-all") == (1, "open")),
)


def _case(seen: Seen, notice: str) -> tuple[int, str] | None:
    found = seen.cases.get(notice)
    return (found["revision"], found["state"]) if found else None


def _confirmed(seen: Seen, notice: str) -> set[int]:
    return {version for _, version in seen.receipts.get(notice, ())}


class Kit:
    """Tries one city's consumer.

    Args:
        bootstrap: Kafka's `host:port`.
        api: the address of the city's API.
        office: the city.
        token: of an officer and operator of that city.
        patience: seconds to wait for what is expected.
    """

    def __init__(self, bootstrap: str, api: str, office: str, token: str, patience: float = 20.0) -> None:
        self._bootstrap = bootstrap
        self._office = office
        self._patience = patience
        self._run = uuid4()
        self._http = httpx.Client(base_url=api, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        text = files("deploy.conformance").joinpath("stream.jsonl").read_text(encoding="utf-8")
        self._records = [json.loads(line) for line in text.splitlines()]
        self._notices = {one["notice"]: uuid5(self._run, one["notice"]) for one in self._records}

    def run(self) -> list[Finding]:
        """Send the stream, look until everything holds or patience ends, and tidy up what was parked."""
        try:
            return asyncio.run(self._tried())
        finally:
            self._http.close()

    async def _tried(self) -> list[Finding]:
        before = {one["id"] for one in self._parked()}
        consumer = AIOKafkaConsumer(
            f"from.{self._office}.{SERVICE}.v1",
            bootstrap_servers=self._bootstrap,
            group_id=None,
            auto_offset_reset="latest",
        )
        await consumer.start()
        await consumer.seek_to_end()
        await asyncio.gather(*(consumer.position(one) for one in consumer.assignment()))
        seen = Seen({}, Counter(), {})
        try:
            await self._send(lambda: self._look(seen, before))
            deadline = time.monotonic() + self._patience
            while time.monotonic() < deadline and not all(holds(seen) for _, holds in EXPECTED):
                await self._read_receipts(consumer, seen)
                self._look(seen, before)
            await self._read_receipts(consumer, seen)  # what should not be there would come right behind
            self._look(seen, before)
        finally:
            await consumer.stop()
            self._tidy(before)
        return [Finding(what, holds(seen)) for what, holds in EXPECTED]

    async def _send(self, look: Callable[[], None]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all")
        await producer.start()
        try:
            for one in self._records:
                key = str(self._notices[one["notice"]])
                headers = [
                    ("ce_specversion", b"1.0"),
                    ("ce_id", str(uuid5(self._run, one["id"])).encode()),
                    ("ce_type", one["type"].encode()),
                    ("ce_source", b"/conformance"),
                ]
                await producer.send_and_wait(
                    f"to.{self._office}.{SERVICE}.v1", self._body(one["body"]), key=key.encode(), headers=headers
                )
                # One at a time, so that a consumer that reads in batches meets them in batches of their own too.
                await asyncio.sleep(0.3)
                look()
        finally:
            await producer.stop()

    def _body(self, body: Any) -> bytes:
        text = body if isinstance(body, str) else json.dumps(body)
        for name, notice_id in self._notices.items():
            text = text.replace(f'"{{{name}}}"', f'"{notice_id}"')
        return text.replace('"{office}"', f'"{self._office}"').encode()

    def _look(self, seen: Seen, before: set[str]) -> None:
        for name, notice_id in self._notices.items():
            answer = self._http.get(f"/v1/cases/{notice_id}")
            if answer.is_success:
                seen.cases[name] = answer.json()
        seen.parked = Counter(one["code"] for one in self._parked() if one["id"] not in before)

    def _parked(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for state in ("parked", "held"):
            answer = self._http.get("/v1/parked", params={"state": state, "limit": 200})
            found += answer.raise_for_status().json()["items"]
        return found

    async def _read_receipts(self, consumer: AIOKafkaConsumer, seen: Seen) -> None:
        names: dict[UUID, str] = {notice_id: name for name, notice_id in self._notices.items()}
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                headers = dict(record.headers)
                if headers.get("ce_type") != _STORED:
                    continue
                body = json.loads(record.value)
                name = names.get(UUID(body["notice_id"]))
                if name is not None:
                    seen.receipts.setdefault(name, []).append((headers["ce_id"].decode(), body["version"]))

    def _tidy(self, before: set[str]) -> None:
        for one in self._parked():
            if one["id"] not in before and one["state"] == "parked":
                self._http.post(f"/v1/parked/{one['id']}/discard", json={"reason": "sent by the conformance kit"})
