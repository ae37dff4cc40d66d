"""Records on their way to Kafka, put into batches by the sender itself.

Sending record by record, aiokafka makes a future for each, asks for the partition in pure Python and looks up metadata
each time: 17 µs of processor time for a record, against 4.
"""

import struct
from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.messaging.codec import Headers

Outgoing = tuple[str, bytes, bytes, Headers]
"""Topic, key, value and headers of a record."""

Place = tuple[str, int]
"""Topic and partition."""

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_WORD: Final = 0xFFFFFFFF
_TAIL: Final = 3


async def batches_of(records: Iterable[Outgoing], producer: AIOKafkaProducer) -> list[tuple[Place, BatchBuilder]]:
    """Put records into batches, those of a partition in order. Batches of one partition are to be sent in order, too.

    Raises:
        KafkaError: a topic is not known, or the broker does not answer.
    """
    partitions: dict[str, list[int]] = {}
    hashes: dict[bytes, int] = {}
    filled: list[tuple[Place, BatchBuilder]] = []
    current: dict[Place, BatchBuilder] = {}
    for topic, key, value, headers in records:
        if topic not in partitions:
            partitions[topic] = sorted(await producer.partitions_for(topic))
        if key not in hashes:  # several offices are sent something under the same key
            hashes[key] = partition_hash(key)
        choice = partitions[topic]
        place = (topic, choice[hashes[key] % len(choice)])
        batch = current.get(place)
        if batch is None or batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            batch = current[place] = producer.create_batch()
            filled.append((place, batch))
            batch.append(timestamp=None, key=key, value=value, headers=headers)
    for _, batch in filled:
        batch.close()  # nothing else may be added
    return filled


def partition_hash(key: bytes) -> int:
    """Return the hash that a key's partition is chosen by: murmur2, made positive, as Kafka's default partitioner does.

    The same as `aiokafka.partitioner.murmur2`, which reads byte by byte: 4 µs for a UUID, against 2 µs here.
    """
    length = len(key)
    words = length // 4
    h = _SEED ^ length
    for k in struct.unpack_from(f"<{words}I", key):
        k = k * _M & _WORD  # noqa: PLW2901 - the algorithm's own name
        k = (k ^ k >> 24) * _M & _WORD  # noqa: PLW2901 - as above
        h = h * _M & _WORD ^ k
    if tail := length & _TAIL:
        h = (h ^ int.from_bytes(key[-tail:], "little")) * _M & _WORD
    h = (h ^ h >> 13) * _M & _WORD
    return (h ^ h >> 15) & 0x7FFFFFFF
