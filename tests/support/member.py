"""Runs a rig's consumer in a process of its own, to be killed: the rig's settings as JSON, schema and topics."""

import asyncio
import sys

from shared.database import engine_for
from shared.settings import ProcessSettings
from tests.support.rig import Rig


async def run(settings: str, schema: str, topic: str, second_topic: str) -> None:
    """Read until killed."""
    made = ProcessSettings.model_validate_json(settings)
    consumer = Rig(engine_for(made, schema), made, topic, second_topic, {}).consumer()
    consumer.start()
    while True:
        await asyncio.sleep(0.02)
        if consumer.assigned:
            print("assigned", flush=True)  # noqa: T201 - the parent waits for it
            await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
