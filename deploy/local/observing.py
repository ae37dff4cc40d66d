"""Reads a stack from outside: every record that stands on topics now, and the spans of a trace."""

from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer

from deploy.local.processes import TLS
from deploy.local.stack import Stack


async def records_on(stack: Stack, *topics: str) -> list[Any]:
    """Return the records that stand on topics now. It ends although heartbeats go on coming."""
    consumer = AIOKafkaConsumer(*topics, **stack.client(), auto_offset_reset="earliest", group_id=None)
    await consumer.start()
    found: list[Any] = []
    try:
        ends = {one: end for one, end in (await consumer.end_offsets(list(consumer.assignment()))).items() if end}
        while any([await consumer.position(one) < end for one, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
    finally:
        await consumer.stop()
    return found


def spans_of(stack: Stack, trace_id: str) -> list[Any]:
    """Return a trace's spans; none before the trace viewer has it, or where none runs."""
    if stack.zipkin is None:
        return []
    answer = httpx.get(f"{stack.zipkin.url}/api/v2/trace/{trace_id}", verify=TLS)
    return list(answer.json()) if answer.is_success else []
