"""Injects faults under load, then checks invariants in every store and on every topic: `python -m faults`.

A seeded schedule kills processes, PostgreSQL servers and Kafka, freezes processes and cuts an office's network, while
notices, vacancies, contacts, applications and officers' acts come in. Then some messages between offices are repeated
late under new ids, and every consumer reads everything again. Afterwards, from the stores and the topics alone: nothing
lost, no phantom, no double, every affected city told, versions in order, no stale overwrite, no seat twice and none
empty, nobody across a border, parked what cannot be read and nothing else.

The checker itself is mutation-tested by `python -m faults.mutations`. `--write` writes the verdict into RELIABILITY.md.
"""

import argparse
import json
import platform
import random
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

from deploy.local.stack import SERVICES
from faults import report
from faults.campaign import Campaign, counted, run
from faults.invariants import Verdict


def report_of(campaign: Campaign, verdict: Verdict, done: Counter[str]) -> list[str]:
    """Return the verdict as lines of a page."""
    today = datetime.now().astimezone().date().isoformat()
    count = campaign.count
    return [
        (
            f"{today}, seed {campaign.seed}, Python {platform.python_version()}: {count} notices (with revisions,"
            " withdrawals, repetitions and records that cannot be read),"
            f" {count} vacancies, {count} contacts and {count} applications to two groups with 50 seats together,"
            " officers who acknowledge and who answer offers, while there were"
        ),
        f"{counted(done)}.",
        "",
        "| what must not be | found |",
        "|---|---|",
        *(f"| {kind} | {number} |" for kind, number in sorted(verdict.counts.items())),
        "",
        "**Every invariant holds.**" if verdict.good else "**An invariant is violated.**",
    ]


def main() -> None:
    """Read the command line, run, and print the verdict."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=80)
    parser.add_argument("--count", type=int, default=400, help="notices, vacancies, contacts and applications, each")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--services", nargs="+", choices=SERVICES, default=SERVICES)
    parser.add_argument("--write", action="store_true", help="write the verdict into RELIABILITY.md")
    parser.add_argument("--folder", type=Path, help="where data and logs stay; removed at the end, if none is named")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    campaign = Campaign(given.faults, given.count, given.seed, tuple(given.services), folder=given.folder)
    verdict, done = run(campaign, tell=lambda line: print(line, flush=True))
    lines = report_of(campaign, verdict, done)
    print("\n".join(lines))
    if given.write:
        report.write(report.CAMPAIGN, lines)
    if not verdict.good:
        sys.exit(json.dumps(verdict.wrong, indent=2))


if __name__ == "__main__":
    main()
