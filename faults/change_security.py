"""Kills everything that can be killed in the middle of a stream of notices, then checks every store.

`python -m faults.change_security --notices 5000 --rounds 6`: each round kills, in a seeded order, a city's process, the
joint office's process (consumer and relay), a city's PostgreSQL, the joint office's PostgreSQL, and Kafka. Afterwards
no notice may be lost, none appear that was not filed, none have a double effect, and each notice's versions must have
been sent in order.
"""

import argparse
import asyncio
import json
import logging
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.local.stack import CITIES, JOINT, Stack
from shared.topics import CHANGE_NOTICES_INBOUND, CHANGE_SECURITY_TO

_PLACES = {"091": "helsinki", "092": "vantaa", "049": "espoo", "235": "espoo"}
_SUBMITTED = "change-security.notice-submitted.v1"
_WITHDRAWN = "change-security.notice-withdrawal-submitted.v1"


@dataclass
class Plan:
    """What is sent for one notice, and what must be true afterwards."""

    notice_id: UUID
    revisions: list[list[str]]
    withdrawn: bool

    @property
    def version(self) -> int:
        """The version that every store must reach."""
        return len(self.revisions) + self.withdrawn

    @property
    def active(self) -> set[str]:
        """The authorities that the last revision concerns."""
        return {_PLACES[place] for place in self.revisions[-1]}

    @property
    def ever(self) -> set[str]:
        """The authorities that any revision concerned."""
        return {_PLACES[place] for places in self.revisions for place in places}

    def records(self) -> list[tuple[str, bytes]]:
        """The records to send, in order."""
        made = [
            (_SUBMITTED, {"revision": number, "filing": _filing(places)})
            for number, places in enumerate(self.revisions, 1)
        ]
        if self.withdrawn:
            made.append((_WITHDRAWN, {}))
        return [
            (kind, json.dumps({"type": kind, "notice_id": str(self.notice_id)} | body).encode()) for kind, body in made
        ]


def _filing(places: list[str]) -> dict[str, Any]:
    return {
        "kind": "negotiation_proposal",
        "employer": {"business_id": "2077474-0", "name": "Esimerkki Oy", "domicile": places[0]},
        "measures": [{"measure": "termination", "personnel_group": "kaikki", "count": 12}],
        "sites": [{"municipality": place} for place in places[1:]],
    }


def plans(count: int, chance: random.Random) -> list[Plan]:
    """Make notices: most with one revision, some with up to four that add and drop cities, some withdrawn."""
    made = []
    for _ in range(count):
        revisions = chance.choice([1, 1, 1, 2, 3, 4])
        made.append(
            Plan(
                UUID(int=chance.getrandbits(128), version=4),
                [chance.sample(list(_PLACES), chance.randint(1, 4)) for _ in range(revisions)],
                withdrawn=chance.random() < 0.1,  # noqa: PLR2004
            )
        )
    return made


class Sender(threading.Thread):
    """Sends the plans' records at a pace, through every outage, each notice's in order."""

    def __init__(self, bootstrap: str, work: list[Plan], seconds: float, seed: int) -> None:
        super().__init__(name="sender")
        self._servers = bootstrap
        self._work = work
        self._seconds = seconds
        self._chance = random.Random(seed)
        self.error: BaseException | None = None

    def run(self) -> None:
        """Send everything."""
        try:
            asyncio.run(self._send_all())
        except BaseException as error:  # noqa: BLE001 - told to the main thread
            self.error = error

    async def _send_all(self) -> None:
        # Round by round, so that many notices are under way at once.
        queue: list[tuple[int, Plan, str, bytes]] = []
        for place, plan in enumerate(self._work):
            queue += [
                (place + number * len(self._work) // 8, plan, kind, body)
                for number, (kind, body) in enumerate(plan.records())
            ]
        queue.sort(key=lambda one: one[0])
        size = 50
        pause = self._seconds / max(1, len(queue) / size)
        numbers: Counter[UUID] = Counter()
        for start in range(0, len(queue), size):
            batch = []
            for _, plan, kind, body in queue[start : start + size]:
                numbers[plan.notice_id] += 1
                batch.append((plan.notice_id, kind, body, f"{plan.notice_id}/{numbers[plan.notice_id]}"))
            await self._send(batch)
            await asyncio.sleep(pause)

    async def _send(self, batch: list[tuple[UUID, str, bytes, str]]) -> None:
        while True:
            producer = AIOKafkaProducer(bootstrap_servers=self._servers, acks="all", enable_idempotence=True)
            try:
                await producer.start()
                futures = [
                    await producer.send(
                        CHANGE_NOTICES_INBOUND.name,
                        body,
                        key=str(notice_id).encode(),
                        headers=[
                            ("ce_specversion", b"1.0"),
                            ("ce_id", event_id.encode()),
                            ("ce_type", kind.encode()),
                            ("ce_source", b"/systems/faults"),
                        ],
                    )
                    for notice_id, kind, body, event_id in batch
                ]
                await asyncio.gather(*futures)
            except KafkaError:
                # Sent again whole: a sender, too, is at least once.
                await asyncio.sleep(0.5)
            else:
                if self._chance.random() < 0.05:  # noqa: PLR2004 - now and then a sender repeats itself
                    continue
                return
            finally:
                await producer.stop()


@dataclass
class Verdict:
    """What was found wrong, by kind; empty when nothing was."""

    counts: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, found: list[str]) -> None:
        """Add findings of a kind."""
        self.counts[kind] = len(found)
        if found:
            self.wrong[kind] = found[:5]

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def kill_everything_once(stack: Stack, chance: random.Random, tell: Any = print) -> int:
    """Kill a city's process, the joint office's, two databases and Kafka, in a random order; start each again."""

    def process(office: str) -> None:
        child = stack.child("change_security", office)
        child.kill()
        time.sleep(chance.uniform(0, 0.5))
        child.start()

    def database(office: str) -> None:
        stack.databases[office].kill()
        time.sleep(chance.uniform(0, 0.5))
        stack.databases[office].start()

    def kafka() -> None:
        stack.kafka.kill()
        time.sleep(chance.uniform(0, 0.5))
        stack.kafka.start()
        stack.kafka.wait()

    city = chance.choice(CITIES)
    other = chance.choice(CITIES)
    acts: list[tuple[str, Any]] = [
        (f"process of {city}", lambda: process(city)),
        ("process of pks (consumer and relay)", lambda: process(JOINT)),
        (f"PostgreSQL of {other}", lambda: database(other)),
        ("PostgreSQL of pks", lambda: database(JOINT)),
        ("Kafka", kafka),
    ]
    chance.shuffle(acts)
    for name, act in acts:
        tell(f"  kill {name}")
        act()
        time.sleep(chance.uniform(0.3, 1.5))
    return len(acts)


async def settle(stack: Stack, work: list[Plan], seconds: float) -> bool:
    """Wait until every ledger is complete, or the time is over."""
    deadline = time.monotonic() + seconds
    wanted = sum(plan.version for plan in work)
    while time.monotonic() < deadline:
        try:
            connection = await asyncpg.connect(stack.databases[JOINT].url)
            try:
                row = await connection.fetchrow(
                    "SELECT (SELECT coalesce(sum(version), 0) FROM change_security.notice) AS versions,"
                    " (SELECT count(*) FROM change_security.ledger_entry WHERE version_stored < version_sent) AS open"
                )
            finally:
                await connection.close()
            if row["versions"] >= wanted and row["open"] == 0:
                return True
        except (OSError, asyncpg.PostgresError):
            pass
        await asyncio.sleep(0.5)
    return False


async def check(stack: Stack, work: list[Plan]) -> Verdict:
    """Compare every store, and the topics, with the plans."""
    verdict = Verdict()
    by_id = {plan.notice_id: plan for plan in work}
    joint = await asyncpg.connect(stack.databases[JOINT].url)
    notices = {row["notice_id"]: row for row in await joint.fetch("SELECT * FROM change_security.notice")}
    entries: dict[UUID, dict[str, Any]] = {}
    for row in await joint.fetch("SELECT * FROM change_security.ledger_entry"):
        entries.setdefault(row["notice_id"], {})[row["authority"]] = row
    outbox = await joint.fetch("SELECT key, topic, event_id, payload FROM change_security.outbox ORDER BY xid, seq")
    parked = await joint.fetchval("SELECT count(*) FROM change_security.parked")
    await joint.close()
    verdict.add("lost at the joint office", [str(one) for one in by_id.keys() - notices.keys()])
    verdict.add("phantom at the joint office", [str(one) for one in notices.keys() - by_id.keys()])
    verdict.add(
        "wrong version at the joint office",
        [str(one) for one, plan in by_id.items() if one in notices and notices[one]["version"] != plan.version],
    )
    verdict.add(
        "wrong ledger",
        [
            str(one)
            for one, plan in by_id.items()
            if {code for code, row in entries.get(one, {}).items() if row["state"] != "released"} != plan.active
            or set(entries.get(one, {})) != plan.ever
        ],
    )
    verdict.add(
        "receipt missing",
        [
            f"{one} {code}"
            for one, rows in entries.items()
            for code, row in rows.items()
            if row["version_stored"] < row["version_sent"]
        ],
    )
    told = Counter((row["key"], row["topic"], json.loads(row["payload"])["version"]) for row in outbox)
    verdict.add("told twice", [str(one) for one, count in told.items() if count > 1])
    for city in CITIES:
        parked += await _check_city(stack, city, by_id, entries, verdict)
    verdict.add("out of order", await _out_of_order(stack))
    verdict.add("parked", ["parked"] * int(parked))
    return verdict


async def _check_city(
    stack: Stack, city: str, by_id: dict[UUID, Plan], entries: dict[UUID, dict[str, Any]], verdict: Verdict
) -> int:
    connection = await asyncpg.connect(stack.databases[city].url)
    cases = {row["notice_id"]: row for row in await connection.fetch("SELECT * FROM change_security.authority_case")}
    receipts = await connection.fetch(
        "SELECT event_id, count(*) FROM change_security.outbox GROUP BY 1 HAVING count(*) > 1"
    )
    parked = await connection.fetchval("SELECT count(*) FROM change_security.parked")
    await connection.close()
    mine = {one for one, plan in by_id.items() if city in plan.ever}
    verdict.add(f"lost at {city}", [str(one) for one in mine - cases.keys()])
    verdict.add(f"phantom at {city}", [str(one) for one in cases.keys() - mine])
    wrong = []
    for one in mine & cases.keys():
        plan = by_id[one]
        entry = entries.get(one, {}).get(city)
        status = "released" if city not in plan.active else "withdrawn" if plan.withdrawn else "open"
        if entry is None or cases[one]["version"] != entry["version_sent"] or cases[one]["status"] != status:
            wrong.append(str(one))
    verdict.add(f"wrong state at {city}", wrong)
    verdict.add(f"receipt published twice by {city}", [str(row["event_id"]) for row in receipts])
    return int(parked)


async def _out_of_order(stack: Stack) -> list[str]:
    """Return keys whose versions first stand on a topic in another order than they were made."""
    consumer = AIOKafkaConsumer(
        *CHANGE_SECURITY_TO.names(CITIES),
        bootstrap_servers=stack.kafka.bootstrap,
        auto_offset_reset="earliest",
        group_id=None,
    )
    await consumer.start()
    newest: dict[tuple[str, bytes], int] = {}
    seen: set[tuple[str, bytes, int]] = set()
    wrong = []
    try:
        while fetched := await consumer.getmany(timeout_ms=2000):
            for records in fetched.values():
                for record in records:
                    lane = (record.topic, record.key)
                    version = json.loads(record.value).get("version")
                    if version is None:
                        continue  # a heartbeat
                    if (*lane, version) in seen:
                        continue  # sent again after a crash: the inbox absorbs it
                    seen.add((*lane, version))
                    if version < newest.get(lane, 0):
                        wrong.append(f"{lane} {version} after {newest[lane]}")
                    newest[lane] = max(version, newest.get(lane, 0))
    finally:
        await consumer.stop()
    return wrong


def run(notices: int, rounds: int, seed: int, tell: Any = print) -> Verdict:
    """Run the whole thing on a stack of its own, and return what was found."""
    chance = random.Random(seed)
    work = plans(notices, chance)
    with Stack(with_zipkin=False, settings={"LOG_LEVEL": "WARNING", "RETRY_DELAY_SECONDS": "0.05"}) as stack:
        sender = Sender(stack.kafka.bootstrap, work, seconds=rounds * 12.0, seed=seed)
        sender.start()
        kills = 0
        for number in range(rounds):
            tell(f"round {number + 1} of {rounds}")
            kills += kill_everything_once(stack, chance, tell)
        sender.join()
        if sender.error is not None:
            raise sender.error
        tell(f"{notices} notices, {sum(plan.version for plan in work)} records, {kills} kills; settling")
        settled = asyncio.run(settle(stack, work, seconds=180))
        verdict = asyncio.run(check(stack, work))
        verdict.add("not settled in time", [] if settled else ["not settled"])
        verdict.counts["kills"] = kills
    return verdict


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m faults.change_security", description=__doc__)
    parser.add_argument("--notices", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=int(uuid4().int % 10_000))
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that starts, or is killed, is not news here
    print(f"seed {given.seed}")
    verdict = run(given.notices, given.rounds, given.seed)
    for kind, count in verdict.counts.items():
        print(f"{count:6}  {kind}")
    if not verdict.good:
        sys.exit(json.dumps(verdict.wrong, indent=2))
    print("nothing lost, no phantom, no double effect, every notice in order")


if __name__ == "__main__":
    main()
