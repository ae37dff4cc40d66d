"""Forming groups: 2,000 applicants, 60 possible groups, two cores: `python -m bench.formation`.

Suite: `services.training.domain.formation.form`. Baseline: first come, first served by queue time into the first group
with room, groups that stay too small dropped. Waiting days count from queueing to the start; who is left out waits for
the next round, half a year away.
"""

import argparse
import random
import statistics
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from rich.console import Console
from rich.table import Table

from services.training import data
from services.training.domain.formation import first_come, form
from services.training.domain.seats import Applicant, Slot, shares_on

TODAY = date(2026, 11, 24)
NEXT_ROUND = TODAY + timedelta(days=180)
HOMES = {"helsinki": ("091",), "espoo": ("049", "235"), "vantaa": ("092",)}
REGION = ("091", "049", "092", "235")


def applicants(count: int, chance: random.Random) -> list[Applicant]:
    """Invent a queue."""
    made = []
    for _ in range(count):
        authority = chance.choices(list(HOMES), [50, 25, 25])[0]
        languages = chance.choices([{"fi"}, {"en"}, {"fi", "sv"}, {"fi", "en"}], [60, 15, 10, 15])[0]
        made.append(
            Applicant(
                UUID(int=chance.getrandbits(128), version=4),
                authority,
                chance.randint(0, 100),
                datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=chance.randint(0, 4000)),
                frozenset(languages),
                frozenset({chance.choice(HOMES[authority]), *chance.sample(REGION, chance.randint(0, 3))}),
                TODAY + timedelta(days=chance.choice((0, 0, 14, 30, 60, 90))),
            )
        )
    return made


def slots(count: int, chance: random.Random) -> list[Slot]:
    """Invent groups that could be formed."""
    return [
        Slot(
            f"group {number:02}",
            chance.choices(["fi", "sv", "en"], [60, 15, 25])[0],
            chance.choice(REGION[:3]),
            TODAY + timedelta(days=chance.choice((14, 28, 45, 70, 100))),
            chance.choice((8, 10, 12)),
            chance.choice((16, 20, 24)),
        )
        for number in range(count)
    ]


def mean_wait(people: list[Applicant], start_of: dict[UUID, date]) -> float:
    """Return the mean of days from queueing to the start."""
    return statistics.mean((start_of.get(one.application_id, NEXT_ROUND) - one.queued_at.date()).days for one in people)


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.formation", description=__doc__)
    parser.add_argument("--applicants", type=int, default=2000)
    parser.add_argument("--groups", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    table = Table(title=f"{given.applicants} applicants, {given.groups} possible groups")
    for column in ("queue", "placed", "first come", "groups", "first come", "days", "first come", "seconds"):
        table.add_column(column, justify="right")
    shares = shares_on(data.shares(), TODAY)
    placed, baseline_placed, seconds = [], [], []
    for seed in range(1, given.seeds + 1):
        chance = random.Random(seed)
        people, groups = applicants(given.applicants, chance), slots(given.groups, chance)
        begun = time.perf_counter()
        found = form(people, groups, shares)
        seconds.append(time.perf_counter() - begun)
        in_order = sorted(groups, key=lambda slot: (slot.starts_on, slot.name))
        by_arrival = sorted((replace(one, points=0) for one in people), key=lambda one: one.order)
        baseline = first_come(by_arrival, in_order)
        starts = {slot.name: slot.starts_on for slot in groups}
        suite_starts = {one.applicant.application_id: starts[one.slot] for one in found.placements if one.slot}
        baseline_starts = {
            by_arrival[place].application_id: in_order[number].starts_on for place, number in baseline.items()
        }
        placed.append(found.placed)
        baseline_placed.append(len(baseline))
        table.add_row(
            str(seed),
            str(found.placed),
            str(len(baseline)),
            str(len(found.groups)),
            str(len(set(baseline.values()))),
            f"{mean_wait(people, suite_starts):.0f}",
            f"{mean_wait(people, baseline_starts):.0f}",
            f"{seconds[-1]:.1f}",
        )
    console = Console(width=110)
    console.print(table)
    console.print(
        f"placed, suite / first come: {sum(placed) / sum(baseline_placed):.3f};"
        f" slowest {max(seconds):.1f} s (10 allowed)"
    )


if __name__ == "__main__":
    main()
