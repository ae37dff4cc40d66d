"""Kills everything in the middle of work on all four services, then checks every store: `python -m faults`.

A seeded schedule kills processes, PostgreSQL servers and Kafka, and freezes processes (a partition, seen from the others), while
notices, vacancies, contacts and applications come in. Afterwards, from the stores alone: nothing lost, no phantom, no double,
every affected city told, versions in order, no stale overwrite, no seat twice and none empty, no applicant across a border,
nothing parked, nothing left in an outbox, and reading everything again changes no store. The verdict is written to RELIABILITY.md with
`--write`.
"""

import argparse
import asyncio
import json
import logging
import platform
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.local.client import Callers
from deploy.local.stack import CITIES, JOINT, OFFICES, Stack
from faults import change_security
from faults.change_security import Plan, Sender, Verdict, plans
from tests.support.training import broken_invariants, course, group

HOME = {"helsinki": "091", "espoo": "049", "vantaa": "092"}
CANARY = "kanaria-hakija"


class Work(threading.Thread):
    """Brings vacancies and contacts by topic and applications by HTTP, through every outage, each at least once."""

    def __init__(self, stack: Stack, count: int, seconds: float, seed: int) -> None:
        super().__init__(name="work")
        chance = random.Random(seed)
        self._stack = stack
        self._pause = seconds / max(1, count)
        self.vacancies = [UUID(int=chance.getrandbits(128), version=4) for _ in range(count)]
        self.contacts = [UUID(int=chance.getrandbits(128), version=4) for _ in range(count)]
        self.applications: dict[str, str] = {}
        self._chance = chance
        self.course_id = ""
        self.error: BaseException | None = None

    def prepare(self) -> None:
        """Publish a course with two groups that give seats, and list officers."""
        joint = Callers(self._stack, "training").coordinator
        self.course_id = str(joint.send("/v1/courses", {"course": course()})["course_id"])
        for seats in (20, 30):
            told = joint.send(f"/v1/courses/{self.course_id}/groups", {"group": group(seats=seats)})
            for state in ("open", "selection"):
                joint.send(f"/v1/groups/{told['group_id']}/state", {"state": state}, "PUT")
        callers = Callers(self._stack, "advisory")
        topics = ["recruitment", "change_situation", "training", "wage_subsidy", "other"]
        for city in CITIES:
            listed = {"topics": topics, "languages": ["fi", "sv", "en"], "person_years": 1}
            for number in range(3):
                callers.of(city, city, "coordinator").send(f"/v1/advisers/{city}-{number}", listed, "PUT")

    def run(self) -> None:
        """Bring everything."""
        try:
            asyncio.run(self._bring())
        except BaseException as error:  # noqa: BLE001 - told to the main thread
            self.error = error

    async def _bring(self) -> None:
        officers = Callers(self._stack, "training").officer
        for number, (vacancy_id, contact_id) in enumerate(zip(self.vacancies, self.contacts, strict=True)):
            await self._by_topic(vacancy_id, contact_id)
            city = self._chance.choice(CITIES)
            body = {
                "applicant_id": f"{CANARY}-{city}-{number}",
                "course_id": self.course_id,
                "assessment": {"need": self._chance.randint(0, 100)},
                "languages": ["fi"],
                "municipality": HOME[city],
                "travel": ["092"],
                "can_start_from": "2027-01-01",
            }
            await asyncio.to_thread(self._apply, officers[city], city, body)
            await asyncio.sleep(self._pause)

    async def _by_topic(self, vacancy_id: UUID, contact_id: UUID) -> None:
        at = datetime.now(UTC).isoformat()
        vacancy = {
            "title": "Kokki",
            "employer": {"business_id": "2077474-0"},
            "occupation": {"scheme": "ISCO-08", "code": "5120"},
            "municipality": "092",
        }
        told = (
            ("inbound.vacancies.v1", {"type": "placement.vacancy-submitted.v1", "vacancy_id": str(vacancy_id), "vacancy": vacancy}, vacancy_id),
            ("inbound.contacts.v1", {"type": "advisory.contact-submitted.v1", "contact_id": str(contact_id), "contact": {"channel": "form", "received_at": at}}, contact_id),
        )  # fmt: skip
        while True:
            producer = AIOKafkaProducer(bootstrap_servers=self._stack.kafka.bootstrap, acks="all")
            try:
                await producer.start()
                for topic, body, one in told:
                    kind = str(body["type"]).encode()
                    headers = [("ce_id", str(one).encode()), ("ce_type", kind), ("ce_source", b"/systems/faults")]
                    await producer.send_and_wait(
                        topic, json.dumps(body).encode(), key=str(one).encode(), headers=headers
                    )
            except KafkaError:
                await asyncio.sleep(0.5)
            else:
                return
            finally:
                await producer.stop()

    def _apply(self, officer: Any, city: str, body: dict[str, Any]) -> None:
        while True:
            try:
                answer = officer.post("/v1/applications", json=body, headers={"Idempotency-Key": body["applicant_id"]})
                if answer.is_success:
                    self.applications[str(answer.json()["application_id"])] = city
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.3)


def schedule(stack: Stack, chance: random.Random) -> tuple[str, Callable[[], None]]:
    """Draw the next fault: its kind, and what does it and mends it."""
    service, office = chance.choice(stack.services), chance.choice(OFFICES)
    pause = chance.uniform(0, 0.4)

    def process() -> None:
        stack.child(service, office).kill()
        time.sleep(pause)
        stack.child(service, office).start()

    def freeze() -> None:
        stack.child(service, office).freeze()
        time.sleep(chance.uniform(0.5, 2.0))
        stack.child(service, office).thaw()

    def database() -> None:
        stack.databases[office].kill()
        time.sleep(pause)
        stack.databases[office].start()

    def kafka() -> None:
        stack.kafka.kill()
        time.sleep(pause)
        stack.kafka.start()
        stack.kafka.wait()

    acts = {"process kill": process, "process freeze": freeze, "PostgreSQL kill": database, "Kafka kill": kafka}
    kind = chance.choices(list(acts), [66, 10, 12, 12])[0]
    return kind, acts[kind]


async def rows(stack: Stack, office: str, sql: str, *values: Any) -> list[Any]:
    """Run a query in an office's database."""
    connection = await asyncpg.connect(stack.databases[office].url)
    try:
        return list(await connection.fetch(sql, *values))
    finally:
        await connection.close()


async def unsettled(stack: Stack, work: Work) -> list[str]:
    """Return what is still under way."""
    found = []
    for office in OFFICES:
        for service in stack.services:
            waiting = await rows(stack, office, f"SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL")
            if waiting[0][0]:
                found.append(f"outbox of {service} @ {office}")
    if (await rows(stack, JOINT, "SELECT count(*) FROM placement.vacancy"))[0][0] < len(work.vacancies):
        found.append("vacancies")
    if (await rows(stack, JOINT, "SELECT count(*) FROM advisory.contact"))[0][0] < len(work.contacts):
        found.append("contacts")
    if (await rows(stack, JOINT, "SELECT count(*) FROM training.application"))[0][0] < len(work.applications):
        found.append("applications")
    if await disagreeing(stack):
        found.append("cities and the joint office")
    return found


async def disagreeing(stack: Stack) -> list[str]:
    """Return applications and contacts of which a city knows something else than the joint office."""
    wrong = []
    joint = {str(one["application_id"]): one for one in await rows(stack, JOINT, "SELECT * FROM training.application")}
    contacts = {
        str(one["contact_id"]): one
        for one in await rows(stack, JOINT, "SELECT * FROM advisory.contact WHERE acting_authority IS NOT NULL")
    }
    for city in CITIES:
        own = await rows(stack, city, "SELECT application_id, state, group_id FROM training.own_application")
        for one in own:
            there = joint.get(str(one["application_id"]))
            if there is None or (there["state"], there["group_id"]) != (one["state"], one["group_id"]):
                wrong.append(f"application {one['application_id']}")
        known = {str(one["contact_id"]): one for one in await rows(stack, city, "SELECT * FROM advisory.own_contact")}
        wrong += [
            f"contact {key}" for key, one in contacts.items() if one["acting_authority"] == city and key not in known
        ]
    return wrong


async def check_services(stack: Stack, work: Work, verdict: Verdict) -> None:
    """Check placement, training and advisory from their stores."""
    vacancies = {one["vacancy_id"]: one for one in await rows(stack, JOINT, "SELECT * FROM placement.vacancy")}
    verdict.add("vacancies lost", [str(one) for one in set(work.vacancies) - vacancies.keys()])
    verdict.add("vacancies that nobody reported", [str(one) for one in vacancies.keys() - set(work.vacancies)])
    verdict.add(
        "vacancies changed by a repetition", [str(key) for key, one in vacancies.items() if one["version"] != 1]
    )
    contacts = {one["contact_id"] for one in await rows(stack, JOINT, "SELECT contact_id FROM advisory.contact")}
    verdict.add("contacts lost", [str(one) for one in set(work.contacts) - contacts])
    verdict.add("contacts that nobody brought", [str(one) for one in contacts - set(work.contacts)])
    applications = {
        str(one["application_id"]) for one in await rows(stack, JOINT, "SELECT * FROM training.application")
    }
    verdict.add("applications lost", sorted(work.applications.keys() - applications))
    verdict.add("applications that nobody made", sorted(applications - work.applications.keys()))
    verdict.add("cities that know something else", await disagreeing(stack))
    verdict.add(
        "seats given twice, or empty while someone eligible waits",
        [f"{what} {one}" for what, one in await broken_invariants(stack.databases[JOINT].url)],
    )
    doubles, parked, leaks = [], 0, []
    for office in OFFICES:
        for service in stack.services:
            sql = f"SELECT event_id FROM {service}.outbox GROUP BY 1 HAVING count(*) > 1"
            doubles += [f"{service} @ {office}: {one['event_id']}" for one in await rows(stack, office, sql)]
            parked += (await rows(stack, office, f"SELECT count(*) FROM {service}.parked"))[0][0]
        leaks += [
            f"applicant of {city} at {office}"
            for city in CITIES
            if city != office
            for table in ("own_application", "application", "outbox")
            if (
                await rows(
                    stack,
                    office,
                    f"SELECT count(*) FROM training.{table} AS row WHERE row::text LIKE $1",
                    f"%{CANARY}-{city}%",
                )
            )[0][0]
        ]
    verdict.add("published twice", doubles)
    verdict.add("parked", ["parked"] * int(parked))
    verdict.add("applicants across a border", leaks)


def reread(stack: Stack) -> dict[str, str]:
    """Have every city's consumers read everything again; return which state hashes changed."""
    callers = Callers(stack, "change_security")
    before = {city: str(callers.city_operator[city].read("/v1/state-hash")) for city in CITIES}
    for service in stack.services:
        for operator in Callers(stack, service).city_operator.values():
            operator.send("/v1/consumer/rereads", {"records": 10_000})
    time.sleep(3)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lags = [one["records"] for city in CITIES for one in callers.city_operator[city].read("/v1/consumer/lag")]
        if not any(lags):
            break
        time.sleep(0.5)
    after = {city: str(callers.city_operator[city].read("/v1/state-hash")) for city in CITIES}
    return {city: after[city] for city in CITIES if after[city] != before[city]}


def run(faults: int, count: int, seed: int, tell: Any = print) -> tuple[Verdict, Counter[str]]:
    """Run the schedule on a stack of its own; return what was found, and how many faults of each kind there were."""
    chance = random.Random(seed)
    notices: list[Plan] = plans(count, chance)
    done: Counter[str] = Counter()
    settings = {"LOG_LEVEL": "WARNING", "RETRY_DELAY_SECONDS": "0.05", "SWEEP_SECONDS": "1", "OPEN_LIMIT": "100000"}
    with Stack(with_zipkin=False, settings=settings) as stack:
        seconds = faults * 1.6
        work = Work(stack, count, seconds * 0.6, seed)
        work.prepare()
        sender = Sender(stack.kafka.bootstrap, notices, seconds=seconds * 0.6, seed=seed)
        for thread in (work, sender):
            thread.start()
        for number in range(faults):
            kind, act = schedule(stack, chance)
            act()
            done[kind] += 1
            if number % 25 == 24:  # noqa: PLR2004
                tell(f"{number + 1} faults: {dict(done)}")
            time.sleep(chance.uniform(0.1, 0.9))
        for thread in (work, sender):
            thread.join()
            if thread.error is not None:
                raise thread.error
        for service in stack.services:
            for office in OFFICES:
                stack.wait_ready(service, office, 120)
        settled = asyncio.run(change_security.settle(stack, notices, seconds=240))
        deadline = time.monotonic() + 120
        while (left := asyncio.run(unsettled(stack, work))) and time.monotonic() < deadline:
            time.sleep(1)
        verdict = asyncio.run(change_security.check(stack, notices))
        asyncio.run(check_services(stack, work, verdict))
        verdict.add("stores that a second reading changed", sorted(reread(stack)))
        verdict.add("not settled in time", left + ([] if settled else ["change security's ledgers"]))
    return verdict, done


def written(verdict: Verdict, done: Counter[str], count: int, seed: int) -> str:
    """Return the verdict as a page."""
    faults = ", ".join(f"{number} × {kind}" for kind, number in sorted(done.items()))
    lines = [
        "# Reliability",
        "",
        "Written by `python -m faults --write`; not by hand.",
        "",
        (
            f"{date.today().isoformat()}, seed {seed}, Python {platform.python_version()}: {count} notices (with revisions and"  # noqa: DTZ011
            f" withdrawals), {count} vacancies, {count} contacts and {count} applications to two groups of 50 seats, while there were"
        ),
        f"{faults}.",
        "",
        "| what must not be | found |",
        "|---|---|",
        *(f"| {kind} | {number} |" for kind, number in sorted(verdict.counts.items())),
        "",
        "**Everything holds.**" if verdict.good else "**Something does not hold.**",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Read the command line, run, and print the verdict."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=80)
    parser.add_argument("--count", type=int, default=400, help="notices, vacancies, contacts and applications, each")
    parser.add_argument("--seed", type=int, default=int(uuid4().int % 10_000))
    parser.add_argument("--write", action="store_true", help="write RELIABILITY.md")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that starts, or is killed, is not news here
    print(f"seed {given.seed}", flush=True)
    verdict, done = run(given.faults, given.count, given.seed)
    page = written(verdict, done, given.count, given.seed)
    print(page)
    if given.write:
        Path("RELIABILITY.md").write_text(page, encoding="utf-8")
    if not verdict.good:
        sys.exit(json.dumps(verdict.wrong, indent=2))


if __name__ == "__main__":
    main()
