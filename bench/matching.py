"""Matching one vacancy against 130,000 profiles in three stores: `python -m bench.matching`.

Suite: HTTP request → three pools ranked in their own stores → three answers at the joint office.
Baseline: one hand-written SQL query that scores and sorts the same profiles, all in one database.
"""

import argparse
import asyncio
import logging
import random
import statistics
import subprocess
import sys
import time
from datetime import date
from typing import Any

import asyncpg
import httpx
from rich.console import Console

from deploy.local.client import Callers
from deploy.local.stack import CITIES, JOINT, ROOT, Bus, Stack
from services.placement import data

CONSOLE = Console(width=110)
SHARES = {"helsinki": (0.5, "091"), "espoo": (0.25, "049,235"), "vantaa": (0.25, "092")}
TODAY = date(2026, 11, 24)

_BASELINE = """
SELECT reference, score FROM (
    SELECT reference,
        (SELECT max(CASE WHEN o = $1 THEN 50 WHEN left(o, 3) = left($1, 3) THEN 35
                         WHEN left(o, 2) = left($1, 2) THEN 15 ELSE 0 END) FROM unnest(occupations) AS o)
        + CASE WHEN cardinality($2::text[]) = 0 THEN 20
               ELSE 20 * (SELECT count(*) FROM unnest(skills) AS s WHERE s = ANY($2)) / cardinality($2::text[]) END
        + CASE WHEN cardinality($3::text[]) = 0 THEN 10
               ELSE 10 * (SELECT count(*) FROM unnest(languages) AS l WHERE l = ANY($3)) / cardinality($3::text[]) END
        + CASE WHEN $4 = ANY(commuting) THEN 10 ELSE 0 END
        + CASE WHEN available_from IS NULL THEN 0 WHEN available_from <= $5 THEN 10
               ELSE greatest(0, 10 * (60 - (available_from - $5)) / 60) END AS score
    FROM jobseeker WHERE groups @> ARRAY[left($1, 2)]
) AS scored ORDER BY score DESC, reference LIMIT 60
"""


def fill(stack: Stack, profiles: int) -> None:
    """Fill the three pools with invented profiles, by the product's own command."""
    running = []
    for city, (share, places) in SHARES.items():
        command = [sys.executable, "-m", "services.placement", "invent-jobseekers", str(int(profiles * share))]
        options = ["--municipalities", places, "--today", TODAY.isoformat()]
        running.append(
            subprocess.Popen([*command, *options], cwd=ROOT, env=stack.environment(city), stdout=subprocess.DEVNULL)
        )
    for process in running:
        if process.wait() != 0:
            message = "the pools could not be filled"
            raise RuntimeError(message)


async def gather_in_one(stack: Stack) -> None:
    """Copy the three pools into one table of the joint office's server, with the same index."""
    joint = await asyncpg.connect(stack.databases[JOINT].url)
    columns = ("reference", "occupations", "groups", "skills", "languages", "commuting", "available_from")
    await joint.execute(
        "CREATE TABLE jobseeker (reference text PRIMARY KEY, occupations text[], groups text[], skills text[],"
        " languages text[], commuting text[], available_from date)"
    )
    for city in CITIES:
        connection = await asyncpg.connect(stack.databases[city].url)
        rows = await connection.fetch(f"SELECT {', '.join(columns)} FROM placement.jobseeker")
        await joint.copy_records_to_table("jobseeker", records=[tuple(row) for row in rows], columns=columns)
        await connection.execute("ANALYZE placement.jobseeker")
        await connection.close()
    await joint.execute("CREATE INDEX ON jobseeker USING gin (groups)")
    await joint.execute("ANALYZE jobseeker")
    await joint.close()


def wants(count: int) -> list[dict[str, Any]]:
    """Return vacancies of occupations as they are common among jobseekers."""
    chance = random.Random(1)
    rows = list(data.occupations().items())
    codes = chance.choices([code for code, _ in rows], [int(row["weight"]) for _, row in rows], k=count)
    return [
        {
            "title": "Mittaus",
            "employer": {"business_id": "2077474-0"},
            "occupation": {"scheme": "ISCO-08", "code": code},
            "skills": [f"{code}-1", f"{code}-2"],
            "languages": ["fi"],
            "municipality": chance.choice(["091", "049", "092"]),
            "starts_on": "2026-12-14",
        }
        for code in codes
    ]


async def suite_times(stack: Stack, vacancies: list[dict[str, Any]]) -> list[float]:
    """Return milliseconds from the request to the third answer."""
    callers = Callers(stack, "placement")
    connection = await asyncpg.connect(stack.databases[JOINT].url)
    answered = await connection.prepare(
        "SELECT count(*) FROM placement.pool_answer WHERE assignment_id = $1 AND received_at IS NOT NULL"
    )
    times = []
    async with httpx.AsyncClient(
        base_url=stack.url("placement", JOINT), headers=callers.coordinator.http.headers
    ) as client:
        for vacancy in vacancies:
            told = await client.post("/v1/vacancies", json={"vacancy": vacancy})
            vacancy_id = told.raise_for_status().json()["vacancy_id"]
            await asyncio.sleep(0.05)
            begun = time.perf_counter()
            asked = await client.post("/v1/assignments", json={"vacancy_id": vacancy_id, "at_most": 20})
            assignment_id = asked.raise_for_status().json()["assignment_id"]
            while await answered.fetchval(assignment_id) < len(CITIES):  # noqa: ASYNC110 - nothing tells when
                await asyncio.sleep(0.001)
            times.append(1000 * (time.perf_counter() - begun))
    await connection.close()
    return times


async def baseline_times(stack: Stack, vacancies: list[dict[str, Any]]) -> list[float]:
    """Return milliseconds of the one query."""
    connection = await asyncpg.connect(stack.databases[JOINT].url)
    times = []
    for vacancy in vacancies:
        begun = time.perf_counter()
        await connection.fetch(
            _BASELINE,
            vacancy["occupation"]["code"],
            vacancy["skills"],
            vacancy["languages"],
            vacancy["municipality"],
            date.fromisoformat(vacancy["starts_on"]),
        )
        times.append(1000 * (time.perf_counter() - begun))
    await connection.close()
    return times


def shown(times: list[float]) -> str:
    """Show the median and p95."""
    return f"p50 {statistics.median(times):.0f} ms  p95 {sorted(times)[int(len(times) * 0.95)]:.0f} ms"


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.matching", description=__doc__)
    parser.add_argument("--profiles", type=int, default=130_000)
    parser.add_argument("--vacancies", type=int, default=60)
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that starts, or is killed, is not news here
    with Stack(
        with_zipkin=False, services=("placement",), settings={"LOG_LEVEL": "WARNING"}, bus=Bus.PLAINTEXT
    ) as stack:
        CONSOLE.print(f"filling three pools with {given.profiles} invented profiles …", style="dim")
        begun = time.perf_counter()
        fill(stack, given.profiles)
        CONSOLE.print(f"filled in {time.perf_counter() - begun:.0f} s")
        asyncio.run(gather_in_one(stack))
        vacancies = wants(given.vacancies)
        asyncio.run(suite_times(stack, vacancies[:5]))
        suite, baseline = asyncio.run(suite_times(stack, vacancies)), asyncio.run(baseline_times(stack, vacancies))
    CONSOLE.print(f"suite, request → three answers:    {shown(suite)}")
    CONSOLE.print(f"baseline, one query in one database:  {shown(baseline)}")
    CONSOLE.print(f"ratio of medians: {statistics.median(suite) / statistics.median(baseline):.1f}")


if __name__ == "__main__":
    main()
