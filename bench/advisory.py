"""A simulated year of 12,000 contacts: `python -m bench.advisory`.

Who handles a contact is decided by the service's own pure function, and by two baselines: round robin over the officers
who are able and present, and first free (the least open contacts, then the longest idle). Time is office time: 250 days
of eight hours. An officer of half a person-year needs twice as long, the other half belonging to other tasks.
"""

import argparse
import heapq
import itertools
import random
import statistics
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from rich.console import Console
from rich.table import Table

from services.advisory import data
from services.advisory.domain.assignment import Adviser, assign
from services.advisory.domain.resources import agreed_on
from shared.events.v1.advisory import ContactTopic, Language
from shared.events.values import Absence

DAYS, OFFICE_MINUTES, OPEN_LIMIT = 250, 480, 3
FIRST_DAY = date(2026, 1, 1)
TOPICS = list(ContactTopic)
SWEDISH, ENGLISH = 0.5, 0.6
"""How many officers advise in each."""


@dataclass(frozen=True)
class Arrival:
    """A contact that comes, in office minutes from the start of the year, and how long it takes a whole officer."""

    at: float
    topic: ContactTopic
    language: Language
    minutes: float


@dataclass
class Desk:
    """An officer at work."""

    adviser: Adviser
    waiting: deque[Arrival] = field(default_factory=deque)
    busy: bool = False
    idle_since: float = 0.0

    @property
    def open(self) -> int:
        """How many contacts the officer has that are not answered."""
        return len(self.waiting) + self.busy

    def seen(self) -> Adviser:
        """Return the officer as assignment sees one."""
        return replace(self.adviser, open=self.open)


Policy = Callable[[Arrival, list[Desk], Counter[str], date], Desk | None]


def team(chance: random.Random, agreed: dict[str, float]) -> list[Adviser]:
    """Invent officers of half a person-year each, with competence and six weeks of absence."""
    made = []
    for authority, years in agreed.items():
        for number in range(int(years * 2)):
            starts = [chance.randrange(DAYS - 15) for _ in range(2)]
            absences = tuple(
                Absence(since=FIRST_DAY + timedelta(days=day), until=FIRST_DAY + timedelta(days=day + 14))
                for day in starts
            )
            made.append(
                Adviser(
                    f"{authority}-{number}",
                    authority,
                    frozenset(chance.sample(TOPICS, chance.randint(3, 5))),
                    frozenset(
                        {
                            "fi",
                            *(("sv",) if chance.random() < SWEDISH else ()),
                            *(("en",) if chance.random() < ENGLISH else ()),
                        }
                    ),
                    0.5,
                    absences,
                )
            )
    return made


def arrivals(count: int, chance: random.Random) -> list[Arrival]:
    """Invent contacts: more on Mondays and before noon, most in Finnish."""
    made = []
    for _ in range(count):
        day = chance.choices(range(DAYS), [1.3 if day % 5 == 0 else 1.0 for day in range(DAYS)])[0]
        minute = min(OFFICE_MINUTES - 1.0, max(0.0, chance.gauss(170, 110)))
        language: Language = chance.choices(("fi", "sv", "en"), (85, 7, 8))[0]
        topic = chance.choices(TOPICS, (40, 15, 15, 20, 10))[0]
        made.append(Arrival(day * OFFICE_MINUTES + minute, topic, language, min(90.0, chance.lognormvariate(2.6, 0.6))))
    return sorted(made, key=lambda one: one.at)


def able(arrival: Arrival, desks: list[Desk], day: date) -> list[Desk]:
    """Return who could take a contact now."""
    return [
        desk
        for desk in desks
        if arrival.topic in desk.adviser.topics
        and arrival.language in desk.adviser.languages
        and desk.adviser.is_present(day)
        and desk.open < OPEN_LIMIT
    ]


def fair(agreed: dict[str, float]) -> Policy:
    """The service's own decision."""

    def choose(arrival: Arrival, desks: list[Desk], handled: Counter[str], day: date) -> Desk | None:
        seen = [desk.seen() for desk in desks]
        decision = assign(arrival.topic, arrival.language, seen, handled, agreed, day, OPEN_LIMIT)
        chosen = decision.adviser.officer if decision.adviser else None
        return next((desk for desk in desks if desk.adviser.officer == chosen), None)

    return choose


def round_robin() -> Policy:
    """Each in turn."""
    turn = itertools.count()

    def choose(arrival: Arrival, desks: list[Desk], _: Counter[str], day: date) -> Desk | None:
        found = {id(desk) for desk in able(arrival, desks, day)}
        start = next(turn)
        return next(
            (desk for place in range(len(desks)) if id(desk := desks[(start + place) % len(desks)]) in found), None
        )

    return choose


def first_free(arrival: Arrival, desks: list[Desk], _: Counter[str], day: date) -> Desk | None:
    """Whoever has least to do, the longest idle first."""
    return min(able(arrival, desks, day), key=lambda desk: (desk.open, desk.idle_since), default=None)


@dataclass
class Year:
    """What a year came to."""

    waits: list[float]
    handled: Counter[str]
    path: list[tuple[float, dict[str, float]]]


def simulate(contacts: list[Arrival], advisers: list[Adviser], policy: Policy) -> Year:
    """Run a year."""
    desks = [Desk(one) for one in advisers]
    handled: Counter[str] = Counter()
    waits: list[float] = []
    unassigned: deque[Arrival] = deque()
    path: list[tuple[float, dict[str, float]]] = []
    order = itertools.count()
    events: list[tuple[float, int, Arrival | Desk]] = [(one.at, next(order), one) for one in contacts]
    heapq.heapify(events)

    def start(desk: Desk, now: float) -> None:
        if desk.busy or not desk.waiting:
            return
        one = desk.waiting.popleft()
        desk.busy = True
        waits.append(now - one.at)
        heapq.heappush(events, (now + one.minutes / desk.adviser.person_years, next(order), desk))

    def give(one: Arrival, now: float) -> bool:
        day = FIRST_DAY + timedelta(days=int(now // OFFICE_MINUTES))
        desk = policy(one, desks, handled, day)
        if desk is None:
            return False
        handled[desk.adviser.authority] += 1
        desk.waiting.append(one)
        start(desk, now)
        return True

    while events:
        now, _, what = heapq.heappop(events)
        if isinstance(what, Arrival):
            if not give(what, now):
                unassigned.append(what)
            if len(path) * 50 < sum(handled.values()):
                total = sum(handled.values())
                path.append((now / OFFICE_MINUTES, {name: count / total for name, count in handled.items()}))
        else:
            what.busy = False
            what.idle_since = now
            start(what, now)
            unassigned = deque(one for one in unassigned if not give(one, now))
    return Year(waits, handled, path)


def plot(years: dict[str, Year], agreed: dict[str, float], file: Path) -> None:
    """Draw each authority's cumulative share through the year, by policy."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    panels = figure.subplots(1, len(years), sharey=True)
    colours = {"helsinki": "#1f5a8a", "espoo": "#c8501e", "vantaa": "#4a8a3c"}
    for axes, (name, year) in zip(panels, years.items(), strict=True):
        for authority, colour in colours.items():
            share = agreed[authority] / sum(agreed.values())
            axes.axhline(share, color=colour, linewidth=0.8, linestyle=":")
            axes.plot(
                [day for day, _ in year.path],
                [one.get(authority, 0) for _, one in year.path],
                color=colour,
                label=authority,
            )
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("business day")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("share of contacts (dotted: agreed)")
    panels[0].legend(frameon=False, fontsize=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def main() -> None:
    """Read the command line, simulate, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.advisory", description=__doc__)
    parser.add_argument("--contacts", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, default=Path("docs/images/advisory-year.svg"))
    given = parser.parse_args()
    agreed = agreed_on(data.agreed(), "advisory", FIRST_DAY)
    console = Console(width=110)
    for title, officers_each, longer in (
        ("all officers", 1, 1.0),
        ("half of them, contacts take 1.8 times as long", 2, 1.8),
    ):
        chance = random.Random(given.seed)
        advisers = [one for place, one in enumerate(team(chance, agreed)) if place % officers_each == 0]
        contacts = [replace(one, minutes=one.minutes * longer) for one in arrivals(given.contacts, chance)]
        policies = {"weighted fair": fair(agreed), "round robin": round_robin(), "first free": first_free}
        years = {name: simulate(contacts, advisers, policy) for name, policy in policies.items()}
        console.print(compared(f"{title}: {len(advisers)} officers, {given.contacts} contacts", years, agreed))
    # The second, where there is something to divide.
    plot(years, agreed, given.plot)


def compared(title: str, years: dict[str, Year], agreed: dict[str, float]) -> Table:
    """Compare the policies. Waits are office minutes."""
    table = Table(title=title)
    for column in ("", *agreed, "largest gap", "median wait", "p95 wait", "longest"):
        table.add_column(column, justify="right")
    whole = sum(agreed.values())
    for name, year in years.items():
        total = sum(year.handled.values())
        shares = {authority: year.handled[authority] / total for authority in agreed}
        gap = max(abs(shares[authority] - agreed[authority] / whole) for authority in agreed)
        waits = sorted(year.waits)
        table.add_row(
            name,
            *(f"{share:.1%}" for share in shares.values()),
            f"{100 * gap:.2f} pp",
            f"{statistics.median(waits):.1f}",
            f"{waits[int(0.95 * len(waits))]:.1f}",
            f"{waits[-1]:.0f}",
        )
    return table


if __name__ == "__main__":
    main()
