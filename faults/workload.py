"""The load generator of a campaign: notices, vacancies and contacts by topic, applications by HTTP, officers' acts.

Everything is sent through every outage, at least once, and now and then repeated without need, as real senders do.
What was brought is kept here, so that the stores can be compared with it.
"""

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from stdnum.fi.ytunnus import is_valid

from deploy.local.client import Caller, Callers
from deploy.local.observing import records_on
from deploy.local.sample_data import BUSINESS_ID, adviser, application, course, group
from deploy.local.stack import CITIES, Stack
from shared import topics

PLACES = {"091": "helsinki", "092": "vantaa", "049": "espoo", "235": "espoo"}
UNKNOWN = "999"
"""A municipality that does not exist: nobody is told, a coordinator is shown it."""

CANARY = "kanaria-hakija"
"""What every applicant's own id begins with: it must be found nowhere but in the applicant's own city."""

_SUBMITTED = "change-security.notice-submitted.v1"
_WITHDRAWN = "change-security.notice-withdrawal-submitted.v1"
_REPEATED = 0.05
_BATCHES, _LARGEST_BATCH = 60, 50
"""Small campaigns send in small batches, so that something is always under way."""


@dataclass(frozen=True)
class Sent:
    """One record to send."""

    topic: str
    key: bytes
    body: bytes
    headers: Sequence[tuple[str, bytes]]

    @classmethod
    def event(cls, topic: str, key: str, kind: str, event_id: str, body: bytes) -> "Sent":
        """Return a record with the CloudEvents attributes of another system."""
        attributes = {"specversion": "1.0", "id": event_id, "type": kind, "source": "/systems/faults"}
        return cls(topic, key.encode(), body, [(f"ce_{name}", text.encode()) for name, text in attributes.items()])

    def again(self, event_id: str) -> "Sent":
        """Return the same record under another id."""
        kept = [(name, value) for name, value in self.headers if name != "ce_id"]
        return replace(self, headers=[*kept, ("ce_id", event_id.encode())])


async def send(bootstrap: str, records: Sequence[Sent]) -> None:
    """Send records in order, again and again until Kafka has taken all: a sender, too, is at least once."""
    while True:
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
        try:
            await producer.start()
            futures = [await producer.send(one.topic, one.body, key=one.key, headers=one.headers) for one in records]
            await asyncio.gather(*futures)
        except KafkaError:
            await asyncio.sleep(0.5)
        else:
            return
        finally:
            await producer.stop()


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
        return {PLACES[place] for place in self.revisions[-1] if place in PLACES}

    @property
    def ever(self) -> set[str]:
        """The authorities that any revision concerned."""
        return {PLACES[place] for places in self.revisions for place in places if place in PLACES}

    @property
    def unrouted(self) -> bool:
        """Whether a revision names a municipality that nobody knows."""
        return any(UNKNOWN in places for places in self.revisions)

    def records(self) -> list[Sent]:
        """The records to send, in order."""
        made = [
            (_SUBMITTED, {"revision": number, "filing": _filing(places)})
            for number, places in enumerate(self.revisions, 1)
        ]
        if self.withdrawn:
            made.append((_WITHDRAWN, {}))
        return [
            Sent.event(
                topics.CHANGE_NOTICES_INBOUND.name,
                str(self.notice_id),
                kind,
                f"{self.notice_id}/{number}",
                json.dumps({"type": kind, "notice_id": str(self.notice_id)} | body).encode(),
            )
            for number, (kind, body) in enumerate(made, 1)
        ]


def _filing(places: list[str]) -> dict[str, Any]:
    return {
        "kind": "negotiation_proposal",
        "employer": {"business_id": BUSINESS_ID, "name": "Esimerkki Oy", "domicile": places[0]},
        "measures": [{"measure": "termination", "personnel_group": "kaikki", "count": 12}],
        "sites": [{"municipality": place} for place in places[1:]],
    }


def plans(count: int, chance: random.Random) -> list[Plan]:
    """Make notices: most with one revision, some with up to four that add and drop cities, some withdrawn."""
    made = []
    for _ in range(count):
        revisions = []
        for _ in range(chance.choice([1, 1, 1, 2, 3, 4])):
            known = chance.sample(list(PLACES), chance.randint(1, 4))
            revisions.append(known + [UNKNOWN] * (chance.random() < 0.1))
        withdrawn = chance.random() < 0.1
        made.append(Plan(UUID(int=chance.getrandbits(128), version=4), revisions, withdrawn))
    return made


class Bringer(threading.Thread):
    """Brings something in the background; `finish` waits for it, and raises what it raised."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(name=type(self).__name__)
        self.stack = stack
        self._error: BaseException | None = None

    def run(self) -> None:
        """Bring everything."""
        try:
            asyncio.run(self.bring())
        except BaseException as error:  # noqa: BLE001 - told to who waits
            self._error = error

    async def bring(self) -> None:
        """Bring everything; each kind says how."""
        raise NotImplementedError

    def finish(self) -> None:
        """Wait until everything is brought."""
        self.join()
        if self._error is not None:
            raise self._error


class Notices(Bringer):
    """Files notices by topic, each one's revisions in order, many notices at once; with some that cannot be read."""

    def __init__(self, stack: Stack, count: int, seconds: float, seed: int) -> None:
        super().__init__(stack)
        self._chance = random.Random(seed)
        self._seconds = seconds
        self.plans = {plan.notice_id: plan for plan in plans(count, self._chance)}
        self.unreadable = {str(UUID(int=self._chance.getrandbits(128), version=4)) for _ in range(max(3, count // 50))}

    async def bring(self) -> None:
        """Send every record, at a pace."""
        placed: list[tuple[float, Sent]] = []
        for place, plan in enumerate(self.plans.values()):
            placed += [(place + number * len(self.plans) / 8, one) for number, one in enumerate(plan.records())]
        for key in sorted(self.unreadable):
            record = Sent.event(topics.CHANGE_NOTICES_INBOUND.name, key, _SUBMITTED, key, b"{")
            placed.append((self._chance.uniform(0, len(self.plans)), record))
        queue = [one for _, one in sorted(placed, key=lambda one: one[0])]
        size = min(_LARGEST_BATCH, 1 + len(queue) // _BATCHES)
        pause = self._seconds / max(1, len(queue) / size)
        for start in range(0, len(queue), size):
            await send(self.stack.kafka.bootstrap, queue[start : start + size])
            if self._chance.random() < _REPEATED:
                await send(self.stack.kafka.bootstrap, queue[start : start + size])
            await asyncio.sleep(pause)


class Arrivals(Bringer):
    """Brings vacancies or contacts by topic, one after the other."""

    def __init__(self, stack: Stack, count: int, seconds: float, seed: int) -> None:
        super().__init__(stack)
        self._chance = random.Random(seed)
        self._pause = seconds / max(1, count)
        self.ids = [UUID(int=self._chance.getrandbits(128), version=4) for _ in range(count)]

    async def bring(self) -> None:
        """Send everything, and now and then something that was sent before."""
        for place, one in enumerate(self.ids):
            again = [self.ids[self._chance.randint(0, place)]] if self._chance.random() < _REPEATED else []
            await send(self.stack.kafka.bootstrap, [self.record(each) for each in (one, *again)])
            await asyncio.sleep(self._pause)

    def record(self, one: UUID) -> Sent:
        """Return the record of one; each kind says how."""
        raise NotImplementedError

    def made(self, topic: topics.Topic, kind: str, one: UUID, **body: Any) -> Sent:
        """Return a record of a type about an id."""
        return Sent.event(
            topic.name, str(one), kind, str(one), json.dumps({"type": kind, topic.key: str(one)} | body).encode()
        )  # fmt: skip


class Vacancies(Arrivals):
    """Brings vacancies."""

    def record(self, one: UUID) -> Sent:
        """Return a vacancy's record."""
        vacancy = {
            "title": "Kokki",
            "employer": {"business_id": BUSINESS_ID},
            "occupation": {"scheme": "ISCO-08", "code": "5120"},
            "municipality": "092",
        }
        return self.made(topics.VACANCIES_INBOUND, "placement.vacancy-submitted.v1", one, vacancy=vacancy)


class Contacts(Arrivals):
    """Brings employers' contacts, to officers of three cities."""

    def prepare(self) -> None:
        """List the officers."""
        callers = Callers(self.stack, "advisory")
        for city in CITIES:
            for number in range(3):
                callers.of(city, city, "coordinator").send(f"/v1/advisers/{city}-{number}", adviser(), "PUT")

    def record(self, one: UUID) -> Sent:
        """Return a contact's record: of an employer who contacts us about three times, so that contacts are joined."""
        contact = {"channel": "form", "received_at": datetime.now(UTC).isoformat(), "topic": "recruitment"}
        contact["business_id"] = _business_id(one.int % max(1, len(self.ids) // 3))
        return self.made(topics.CONTACTS_INBOUND, "advisory.contact-submitted.v1", one, contact=contact)


def _business_id(number: int) -> str:
    """Return a valid business id; another one for each number."""
    places = (10 * number + place for place in range(10))
    return next(f"{each:07d}-{check}" for each in places for check in range(10) if is_valid(f"{each:07d}-{check}"))


class Answers(Bringer):
    """Officers who answer, in every city, the contacts that they find: what is joined later must be answered again."""

    def __init__(self, stack: Stack, seconds: float) -> None:
        super().__init__(stack)
        self._until = time.monotonic() + seconds

    async def bring(self) -> None:
        """Go on until the time is over."""
        await asyncio.gather(*(asyncio.to_thread(self._answer, city) for city in CITIES))

    def _answer(self, city: str) -> None:
        officer = Callers(self.stack, "advisory").officer[city]
        while time.monotonic() < self._until:
            try:
                for contact in officer.read("/v1/contacts?state=assigned&limit=20")["items"]:
                    officer.send(f"/v1/contacts/{contact['contact_id']}/answer", {"minutes": 5})
            except httpx.HTTPError:
                pass
            time.sleep(0.1)


class Applications(Bringer):
    """Enters applications in the cities over HTTP, and answers the seat offers that come."""

    def __init__(self, stack: Stack, count: int, seconds: float, seed: int) -> None:
        super().__init__(stack)
        self._chance = random.Random(seed)
        self._count = count
        self._pause = seconds / max(1, count)
        self._course_id = ""
        self._officers = Callers(stack, "training").officer
        self.cities: dict[str, str] = {}
        """The city of each application that was received, by its id."""

    def prepare(self) -> None:
        """Publish a course with two groups that give seats."""
        joint = Callers(self.stack, "training").coordinator
        self._course_id = str(joint.send("/v1/courses", {"course": course()})["course_id"])
        for seats in (20, 30):
            told = joint.send(f"/v1/courses/{self._course_id}/groups", {"group": group(seats=seats)})
            for state in ("open", "selection"):
                joint.send(f"/v1/groups/{told['group_id']}/state", {"state": state}, "PUT")

    async def bring(self) -> None:
        """Enter everything; now and then look for offers, and decline some of them: the seat goes on."""
        for number in range(self._count):
            city = self._chance.choice(CITIES)
            await asyncio.to_thread(self._apply, city, number)
            if number % 10 == 9:
                await asyncio.to_thread(self._answer, self._chance.choice(CITIES))
            await asyncio.sleep(self._pause)

    def _apply(self, city: str, number: int) -> None:
        applicant_id, need = f"{CANARY}-{city}-{number}", self._chance.randint(0, 100)
        body = application(city, self._course_id, applicant_id, need, travel=["092"])
        officer = self._officers[city]
        for _ in range(1 + (self._chance.random() < _REPEATED)):
            told = until_answered(officer, "POST", "/v1/applications", body, applicant_id)
            self.cities[str(told["application_id"])] = city

    def _answer(self, city: str) -> None:
        officer = self._officers[city]
        try:
            offered = officer.read("/v1/applications?state=offered")["items"]
            offers = [one["offer_id"] for each in offered for one in each["offers"] if one["state"] == "open"]
            for offer_id in offers[:3]:
                officer.send(f"/v1/offers/{offer_id}/answer", {"accepted": self._chance.random() < 0.7})
        except httpx.HTTPError:
            pass  # another time


class Acknowledgements(Bringer):
    """Officers who acknowledge, in every city, the cases they find."""

    def __init__(self, stack: Stack, seconds: float) -> None:
        super().__init__(stack)
        self._until = time.monotonic() + seconds
        self.done: set[tuple[UUID, str]] = set()
        """The notices and the cities for which an officer was told that it is done."""

    async def bring(self) -> None:
        """Go on until the time is over."""
        await asyncio.gather(*(asyncio.to_thread(self._acknowledge, city) for city in CITIES))

    def _acknowledge(self, city: str) -> None:
        officer = Callers(self.stack, "change_security").officer[city]
        while time.monotonic() < self._until:
            try:
                cases = officer.read("/v1/cases?state=open&limit=20")["items"]
                for case in cases:
                    one = (UUID(case["notice_id"]), city)
                    if one not in self.done and officer.post(f"/v1/cases/{one[0]}/acknowledgement").is_success:
                        self.done.add(one)
            except httpx.HTTPError:
                pass
            time.sleep(0.1)


def until_answered(caller: Caller, method: str, path: str, body: Any, key: str) -> dict[str, Any]:
    """Repeat a request, with its idempotency key, until it is answered with success."""
    while True:
        try:
            return dict(caller.send(path, body, method, Idempotency_Key=key))
        except httpx.HTTPError:
            time.sleep(0.3)


class Consents(Bringer):
    """Jobseekers who consent to a referral, and most of whom withdraw; another city asks for them before and after."""

    POOLS = ("espoo", "vantaa")

    def __init__(self, stack: Stack, vacancy_id: UUID, count: int, seconds: float, seed: int) -> None:
        super().__init__(stack)
        self._chance = random.Random(seed)
        self._vacancy_id = vacancy_id
        self._people = max(2, count // 20)
        self._pause = seconds / (2 * len(self.POOLS) * self._people)
        self._callers = Callers(stack, "placement")
        self.withdrawn: dict[UUID, str] = {}
        """The city of each referral whose consent was withdrawn, as the city has confirmed."""
        self.asked_after: Counter[UUID] = Counter()
        """How often another city was answered, with or without a contact, after the withdrawal."""

    def prepare(self) -> None:
        """Put jobseekers into two pools, who fit the vacancies that are brought."""
        for city in self.POOLS:
            for number in range(self._people):
                profile = {"name": f"{CANARY} {number}", "municipality": "092", "occupations": ["5120"]}
                self._callers.officer[city].send(f"/v1/jobseekers/{city}-{number}", profile, "PUT")

    async def bring(self) -> None:
        """Refer every candidate, and let each decide."""
        for candidate in await asyncio.to_thread(self._candidates):
            await asyncio.to_thread(self._decide, candidate)
            await asyncio.sleep(self._pause)

    def _candidates(self) -> list[dict[str, Any]]:
        coordinator = self._callers.coordinator
        asked = {"vacancy_id": str(self._vacancy_id), "at_most": 200, "answer_within_seconds": 600}
        assignment = until_answered(coordinator, "POST", "/v1/assignments", asked, f"ask-{self._vacancy_id}")
        path = f"/v1/assignments/{assignment['assignment_id']}"
        while True:
            try:
                found = coordinator.read(path)
            except httpx.HTTPError:
                found = {"complete": False}
            if found["complete"]:
                return [{"assignment": path} | one for one in found["candidates"] if one["office"] in self.POOLS]
            time.sleep(0.3)

    def _decide(self, candidate: dict[str, Any]) -> None:
        city, key = candidate["office"], candidate["reference"]
        body = {"office": city, "reference": key, "purpose": "esittely"}
        path = candidate["assignment"] + "/referrals"
        referral_id = until_answered(self._callers.coordinator, "POST", path, body, f"refer-{key}")["referral_id"]
        officer, path = self._callers.officer[city], f"/v1/referrals/{referral_id}"
        until_answered(officer, "POST", f"{path}/consent", {"consented": True, "how": "phone"}, f"consent-{key}")
        self._ask(city, path)
        if self._chance.random() < 0.8:
            until_answered(officer, "POST", f"{path}/consent-withdrawal", {"how": "phone"}, f"withdraw-{key}")
            self.withdrawn[UUID(referral_id)] = city
            self._ask(city, path)
            self.asked_after[UUID(referral_id)] += 1

    def _ask(self, city: str, path: str) -> None:
        """Ask for a name and a contact as an officer of another city, until the city has answered or refused."""
        asker = self._callers.of(city, "helsinki", "officer")
        while True:
            try:
                answer = asker.post(f"{path}/contact-queries", json={"purpose": "yhteydenotto"})
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code in {201, 403}:
                return
            time.sleep(0.3)


class LateRepetitions:
    """Messages between offices that come once more, late, under a new id, as after a restored backup or a mirror."""

    def __init__(self) -> None:
        self.stored: Counter[tuple[str, str, int]] = Counter()
        """How many further receipts are due: by city, notice and version."""

    async def send(self, stack: Stack, count: int, chance: random.Random) -> None:
        """Send again, for some notices, what is not the newest about them: it must change nothing."""
        to, back = topics.CHANGE_SECURITY_TO.names(CITIES), topics.CHANGE_SECURITY_FROM.names(CITIES)
        read = await records_on(stack, *to, *back)
        newest: dict[tuple[str, bytes], int] = {}
        versions: list[tuple[Any, int]] = []
        for record in read:
            version = json.loads(record.value or b"{}").get("version")
            if version is None or record.key is None:
                continue  # a heartbeat, or an officer's act
            versions.append((record, version))
            newest[record.topic, record.key] = max(version, newest.get((record.topic, record.key), 0))
        old = [record for record, version in versions if version < newest[record.topic, record.key]]
        chosen = chance.sample(old, min(count, len(old)))
        for record in chosen:
            if record.topic in to:
                body = json.loads(record.value)
                self.stored[body["authority"], body["notice_id"], body["version"]] += 1
        repeated = [Sent(one.topic, one.key, one.value, one.headers).again(str(uuid4())) for one in chosen]
        await send(stack.kafka.bootstrap, repeated)
