"""The notices that both sides are measured with: three stores each, about 1.2 KB."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer

from deploy.local.sample_data import proposal_json
from shared.topics import CHANGE_NOTICES_INBOUND

SUBMITTED = "change-security.notice-submitted.v1"


def notice_id(number: int) -> UUID:
    """Return the id of the n-th notice."""
    return UUID(int=(0xBE << 120) | (4 << 76) | (8 << 60) | number)


def filing(number: int) -> dict[str, Any]:
    """Return the n-th filing."""
    sample = proposal_json()
    return sample | {
        "employer": sample["employer"] | {"name": f"Esimerkkitehdas {number} Oy"},
        "negotiations": sample["negotiations"] | {"matters": "Tuotannon uudelleenjärjestely " * 4},
    }


Sent = tuple[str, bytes, list[tuple[str, bytes]]]
"""Key, value and headers of a record."""


async def send_all(client: Mapping[str, Any], topic: str, records: Iterable[Sent]) -> None:
    """Put records on a topic, a thousand under way at a time."""
    producer = AIOKafkaProducer(**client, acks="all", max_batch_size=262_144, linger_ms=5)
    await producer.start()
    try:
        futures = []
        for key, value, headers in records:
            futures.append(await producer.send(topic, value, key=key.encode(), headers=headers))
            if len(futures) == 1000:  # noqa: PLR2004
                await asyncio.gather(*futures)
                futures.clear()
        await asyncio.gather(*futures)
    finally:
        await producer.stop()


def headers(number: int, kind: str, source: bytes) -> list[tuple[str, bytes]]:
    """Return the CloudEvents headers of the n-th notice's record."""
    return [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", str(notice_id(number)).encode()),
        ("ce_type", kind.encode()),
        ("ce_source", source),
        ("traceparent", b"00-%032x-%016x-01" % (number + 1, number + 1)),
    ]


def submissions(count: int) -> Iterator[Sent]:
    """Return so many submissions."""
    for number in range(count):
        one = str(notice_id(number))
        body = {"type": SUBMITTED, "notice_id": one, "revision": 1, "filing": filing(number)}
        yield one, json.dumps(body, ensure_ascii=False).encode(), headers(number, SUBMITTED, b"/systems/bench")


async def preload(client: Mapping[str, Any], count: int) -> None:
    """Put so many submissions on the inbound topic."""
    await send_all(client, CHANGE_NOTICES_INBOUND.name, submissions(count))
