"""The least that reads the suite's topics, in plain aiokafka: `consumer.py BOOTSTRAP TOPIC GROUP COUNT FOLDER`."""

import asyncio
import json
import ssl
import sys

from aiokafka import AIOKafkaConsumer


async def main(bootstrap: str, topic: str, group: str, count: int, folder: str) -> None:
    """Print type and id of some records, then commit."""
    tls = ssl.create_default_context(cafile=f"{folder}/ca.crt")
    tls.load_cert_chain(f"{folder}/client.pem")
    security = {"security_protocol": "SSL", "ssl_context": tls}
    reading = {"group_id": group, "enable_auto_commit": False, "auto_offset_reset": "earliest"}
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, **security, **reading)
    await consumer.start()
    seen: set[bytes] = set()  # in your own database, in the transaction of the effect
    try:
        async for record in consumer:
            attributes = dict(record.headers)
            if attributes.get("ce_type") == b"messaging.heartbeat.v1" or attributes["ce_id"] in seen:
                continue
            seen.add(attributes["ce_id"])
            body = json.loads(record.value)  # pass over fields you do not know
            print(body["type"], record.key.decode(), flush=True)
            await consumer.commit()  # only after the effect is committed
            if len(seen) == count:
                return
    finally:
        await consumer.stop()


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]))
