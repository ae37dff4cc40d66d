"""One campaign: the workload runs, faults are injected meanwhile, and then the invariants are checked."""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local.client import Caller, Callers
from deploy.local.processes import StartError
from deploy.local.stack import JOINT, OFFICES, SERVICES, Stack
from faults import invariants
from faults.invariants import Verdict
from faults.workload import (
    Acknowledgements,
    Answers,
    Applications,
    Bringer,
    Consents,
    Contacts,
    LateRepetitions,
    Notices,
    Vacancies,
)

Process = tuple[str, str]
"""A service and an office."""

Operators = dict[Process, Caller]

MIX = {"process kill": 62, "PostgreSQL kill": 11, "Kafka kill": 11, "process freeze": 8, "network cut": 8}
"""Of a hundred faults, how many are of each kind."""

_SHORTEST = 5.0
_BRINGING = 0.9
_LONGER_THAN_A_SESSION = 12.0
_STILL_SECONDS = 2.5


@dataclass(frozen=True)
class Campaign:
    """What is run.

    Attributes:
        faults: how many faults.
        count: how many notices, vacancies, contacts and applications, each.
        seed: draws what is brought, and the faults.
        services: which services run.
        mix: of how many faults how many are of each kind.
        targets: which processes are killed and frozen; all, if none are named.
        at_work: the share of kills that wait until the process works; the others may hit it while it starts.
        modules: what runs instead of a service's own module.
        patience: how many seconds everything may take to settle.
        pace: how many seconds a fault is thought to take: things are brought nearly all that time.
        folder: where data and logs stay; removed at the end, if none is named.
    """

    faults: int
    count: int
    seed: int
    services: tuple[str, ...] = SERVICES
    mix: dict[str, int] = field(default_factory=lambda: MIX)
    targets: tuple[Process, ...] = ()
    at_work: float = 0.5
    modules: dict[Process, str] = field(default_factory=dict)
    patience: float = 240
    pace: float = 2.0
    folder: Path | None = None

    def kinds(self, chance: random.Random) -> list[str]:
        """Return the kinds of the faults, shuffled: their numbers do not depend on chance."""
        whole = sum(self.mix.values())
        kinds = [kind for kind, share in self.mix.items() for _ in range(round(self.faults * share / whole))]
        chance.shuffle(kinds)
        return kinds


def fault(campaign: Campaign, stack: Stack, kind: str, chance: random.Random) -> None:
    """Cause one fault, and undo it."""
    everywhere = tuple((service, office) for service in campaign.services for office in OFFICES)
    service, office = chance.choice(campaign.targets or everywhere)
    pause = chance.uniform(0, 0.4)
    child, database = stack.child(service, office), stack.databases[office]
    match kind:
        case "process kill":
            if chance.random() < campaign.at_work:
                with suppress(StartError):  # its database or Kafka may just be unavailable
                    stack.wait_ready(service, office, 15)
                    time.sleep(chance.uniform(0, 1))
            child.kill()
            time.sleep(pause)
            child.start()
        case "process freeze":
            child.freeze()
            time.sleep(chance.uniform(0.5, 2.0))
            child.thaw()
        case "PostgreSQL kill":
            database.kill()
            time.sleep(pause)
            database.start()
        case "Kafka kill":
            stack.kafka.kill()
            time.sleep(pause)
            stack.kafka.start()
            stack.kafka.wait()
        case "network cut":
            server = chance.choice(["Kafka", "PostgreSQL"])
            stack.links.cut(office, server)
            time.sleep(chance.choice([*(chance.uniform(0.5, 3) for _ in range(7)), _LONGER_THAN_A_SESSION]))
            stack.links.restore(office, server, breaking=chance.random() < 0.5)
        case _:
            raise ValueError(kind)


@dataclass(frozen=True)
class Brought:
    """One kind of thing that is brought, and what compares it with the stores."""

    bringer: Bringer
    check: Callable[[Verdict], Coroutine[None, None, None]]


def bringing(campaign: Campaign, stack: Stack, seconds: float, late: LateRepetitions) -> Iterator[Brought]:
    """Make what brings something to each service that runs."""
    given = (stack, campaign.count, seconds * _BRINGING, campaign.seed)
    if "change_security" in campaign.services:
        notices, officers = Notices(*given), Acknowledgements(stack, seconds)
        yield Brought(officers, lambda verdict: invariants.check_notices(stack, notices, officers, late, verdict))
        yield Brought(notices, lambda verdict: invariants.check_parked(stack, notices.unreadable, verdict))
    if "placement" in campaign.services:
        vacancies = Vacancies(*given)
        yield Brought(vacancies, lambda verdict: invariants.check_vacancies(stack, vacancies, verdict))
        consents = Consents(stack, vacancies.ids[0], *given[1:])
        consents.prepare()
        yield Brought(consents, lambda verdict: invariants.check_consents(stack, consents, verdict))
    if "training" in campaign.services:
        applications = Applications(*given)
        applications.prepare()
        yield Brought(applications, lambda verdict: invariants.check_applications(stack, applications, verdict))
    if "advisory" in campaign.services:
        contacts = Contacts(*given)
        contacts.prepare()
        yield Brought(contacts, lambda verdict: invariants.check_contacts(stack, contacts, verdict))
        yield Brought(Answers(stack, seconds), lambda verdict: invariants.check_answered(stack, verdict))


def run(campaign: Campaign, tell: Callable[[str], None] = print) -> tuple[Verdict, Counter[str]]:
    """Run a campaign on a stack of its own; return what was found, and how many faults of each kind there were."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that starts, or is killed, is not news here
    chance = random.Random(campaign.seed)
    done: Counter[str] = Counter()
    late = LateRepetitions()
    stack = Stack(
        folder=campaign.folder,
        with_zipkin=False,
        services=campaign.services,
        modules=campaign.modules,
        linked=True,
        settings={"LOG_LEVEL": "WARNING", "RETRY_DELAY_SECONDS": "0.05", "SWEEP_SECONDS": "1", "OPEN_LIMIT": "100000"},
    )
    with stack:
        seconds = max(_SHORTEST, campaign.faults * campaign.pace)
        brought = list(bringing(campaign, stack, seconds, late))
        for one in brought:
            one.bringer.start()
        for kind in campaign.kinds(chance):
            time.sleep(chance.uniform(0.1, 0.9))
            fault(campaign, stack, kind, chance)
            done[kind] += 1
            if done.total() % 25 == 0:
                tell(f"{done.total()} faults: {counted(done)}")
        for one in brought:
            one.bringer.finish()
        verdict = Verdict()
        operators = {place: operator for service in stack.services for place, operator in operators_of(stack, service)}
        restless = settle(operators, campaign.patience)
        if "change_security" in campaign.services:
            asyncio.run(late.send(stack, campaign.count // 4, chance))
            restless |= settle(operators, 1 if restless else campaign.patience)
        # Checked before anything is read again: a second reading would repair what the first one lost.
        for one in brought:
            asyncio.run(one.check(verdict))
        asyncio.run(invariants.check_outboxes(stack, verdict))
        asyncio.run(invariants.check_topics(stack, verdict))
        before = asyncio.run(invariants.state_of(stack))
        read_again(operators)
        restless |= settle(operators, 1 if restless else campaign.patience)
        after = asyncio.run(invariants.state_of(stack))
        verdict.add("tables that a second reading changed", [name for name in after if after[name] != before[name]])
        verdict.add("processes that did not settle", [f"{service} @ {office}" for service, office in restless])
    return verdict, done


def counted(done: Counter[str]) -> str:
    """Say how many faults of each kind there were."""
    return ", ".join(f"{number} × {kind}" for kind, number in sorted(done.items()))


def settle(operators: Operators, patience: float) -> set[Process]:
    """Wait until nothing has moved for a while; return what still moves when the time, in seconds, is over."""
    deadline = time.monotonic() + patience
    still_since = time.monotonic()
    while True:
        restless = {place for place, operator in operators.items() if not is_still(operator)}
        now = time.monotonic()
        if restless:
            if now > deadline:
                return restless
            still_since = now
        elif now - still_since > _STILL_SECONDS:
            return set()
        time.sleep(0.2)


def is_still(operator: Caller) -> bool:
    """Whether a process answers, has read all its topics, and has sent its whole outbox."""
    try:
        lags = operator.read("/v1/consumer/lag")
        return bool(lags) and not any(one["records"] for one in lags) and not operator.read("/v1/outbox")["waiting"]
    except httpx.HTTPError:
        return False


def read_again(operators: Operators) -> None:
    """Have every consumer read its last records once more."""
    for operator in operators.values():
        with suppress(httpx.HTTPError):  # what does not answer is found still moving
            operator.send("/v1/consumer/rewind", {"records": 10_000})
    time.sleep(1)  # until they have stepped back


def operators_of(stack: Stack, service: str) -> Iterator[tuple[Process, Caller]]:
    """Make an operator for each office of a service."""
    callers = Callers(stack, service)
    yield (service, JOINT), callers.operator
    for city, operator in callers.city_operator.items():
        yield (service, city), operator
