"""Kills everything in the middle of work, then checks every store: `python -m faults`.

A seeded schedule kills processes, PostgreSQL servers and Kafka, freezes processes and cuts an office's network, while
notices, vacancies, contacts, applications and officers' acts come in. Then some messages between offices are repeated
late under new ids, and every consumer reads everything again. Afterwards, from the stores and the topics alone: nothing
lost, no phantom, no double, every affected city told, versions in order, no stale overwrite, no seat twice and none
empty, nobody across a border, parked what cannot be read and nothing else.

With `--proof` the checker itself is tried first: it must notice each bug of `faults.proof`. `--write` writes RELIABILITY.md.
"""

import argparse
import json
import platform
import random
import sys
from collections import Counter
from datetime import date
from pathlib import Path

from deploy.local.stack import SERVICES
from faults.campaign import Campaign, run, told
from faults.checks import Verdict
from faults.proof import BUGS, Noticed, prove


def written(campaign: Campaign, verdict: Verdict, done: Counter[str], noticed: list[Noticed]) -> str:
    """Return the verdict as a page."""
    count = campaign.count
    lines = [
        "# Reliability",
        "",
        "Written by `make faults`; not by hand.",
        "",
        (
            f"{date.today().isoformat()}, seed {campaign.seed}, Python {platform.python_version()}: {count} notices (with"  # noqa: DTZ011
            f" revisions, withdrawals, repetitions and records that cannot be read), {count} vacancies, {count} contacts and"
            f" {count} applications to two groups of 50 seats, officers who acknowledge and who answer offers, while there were"
        ),
        f"{told(done)}.",
        "",
        "| what must not be | found |",
        "|---|---|",
        *(f"| {kind} | {number} |" for kind, number in sorted(verdict.counts.items())),
        "",
        "**Everything holds.**" if verdict.good else "**Something does not hold.**",
    ]
    if noticed:
        lines += [
            "",
            "## Whether the checker would notice",
            "",
            "Each bug is put into a process on purpose ([faults/bugs](faults/bugs)), and a short campaign must then turn red.",
            "",
            "| bug | must be found | found |",
            "|---|---|---|",
            *(f"| {one.bug.what} | {one.bug.symptom} | {one.found} |" for one in noticed),
        ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Read the command line, run, and print the verdict."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=80)
    parser.add_argument("--count", type=int, default=400, help="notices, vacancies, contacts and applications, each")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--services", nargs="+", choices=SERVICES, default=SERVICES)
    parser.add_argument("--proof", action="store_true", help="try the checker with seeded bugs first")
    parser.add_argument("--write", action="store_true", help="write RELIABILITY.md")
    parser.add_argument("--folder", type=Path, help="where data and logs stay; removed at the end, if none is named")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    noticed = []
    for bug in BUGS if given.proof else ():
        noticed.append(prove(bug))
        print(f"{noticed[-1].found:6}  {bug.symptom} – {bug.what}", flush=True)
    campaign = Campaign(given.faults, given.count, given.seed, tuple(given.services), folder=given.folder)
    verdict, done = run(campaign)
    page = written(campaign, verdict, done, noticed)
    print(page)
    if given.write:
        Path("RELIABILITY.md").write_text(page, encoding="utf-8")
    if not verdict.good:
        sys.exit(json.dumps(verdict.wrong, indent=2))
    if unnoticed := [one.bug.what for one in noticed if not one.found]:
        sys.exit(f"the checker does not notice: {', '.join(unnoticed)}")


if __name__ == "__main__":
    main()
