"""Runs placement: `OFFICE=vantaa python -m services.placement`.

Commands beside the default `serve`: `migrate` brings the schema up to date and ends; `import-jobseekers FILE` reads
profiles from CSV or JSON lines into the city's own pool and reports; `import-occupations FILE` reads a classification
as ESCO publishes it (CSV), so that the URIs of single occupations are known; `invent-jobseekers N` fills the pool with
invented jobseekers.
"""

import argparse
import sys
from collections.abc import Iterable
from datetime import date
from itertools import islice
from pathlib import Path
from uuid import uuid4

import uvloop

from services.placement import data
from services.placement.app import PLACEMENT, build
from services.placement.catalogue import Classification
from services.placement.domain.occupation import Concept, concepts
from services.placement.domain.pool import Jobseeker, Report, read
from services.placement.settings import SERVICE, Settings
from shared.process import bring_up_to_date, serve, writing
from shared.screening import has_personal_identity_code
from shared.telemetry import configure_logging

_AT_ONCE = 2000


def main() -> None:
    """Read the command and the environment, and do it."""
    parser = argparse.ArgumentParser(prog="python -m services.placement", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="run the process (default)")
    commands.add_parser("migrate", help="bring the schema up to date")
    importing = commands.add_parser("import-jobseekers", help="import profiles (.csv or .jsonl)")
    importing.add_argument("file", type=Path)
    classifying = commands.add_parser("import-occupations", help="import a classification of occupations (.csv)")
    classifying.add_argument("file", type=Path)
    inventing = commands.add_parser("invent-jobseekers", help="fill the pool with invented profiles")
    inventing.add_argument("count", type=int)
    inventing.add_argument("--seed", type=int, default=1)
    inventing.add_argument("--municipalities", default="091", help="of residence, comma separated")
    inventing.add_argument("--today", type=date.fromisoformat, default=None, help="the day availability starts from")
    given = parser.parse_args()
    settings = Settings()
    configure_logging(SERVICE, settings)
    match given.command:
        case "migrate":
            uvloop.run(bring_up_to_date(PLACEMENT, settings))
        case "import-jobseekers":
            _import(settings, given.file)
        case "import-occupations":
            _import_occupations(settings, given.file)
        case "invent-jobseekers":
            from services.placement.authority.invented import invent  # noqa: PLC0415 - not in the joint image

            weighted = [(code, int(row["weight"])) for code, row in data.occupations().items()]
            today = given.today or date.today()  # noqa: DTZ011 - the operator's own day
            places = given.municipalities.split(",")
            uvloop.run(_put(settings, invent(given.count, settings.office, places, weighted, given.seed, today)))
            print(f"{given.count} invented jobseekers")  # noqa: T201
        case _:
            serve(build(settings), settings)


def _import(settings: Settings, file: Path) -> None:
    text = _text(file)
    if has_personal_identity_code(text.encode()):
        sys.exit("not imported: the file contains a personal identity code")
    report = Report()
    kind = "csv" if file.suffix == ".csv" else "jsonl"
    unknown = uvloop.run(_put(settings, read(text.splitlines(), kind, report)))
    print(  # noqa: T201
        f"{report.taken - unknown} taken, {report.removed} removed, {len(report.refused) + unknown} refused"
    )
    if unknown:
        print(f"  {unknown} with an occupation that is not in the imported classification")  # noqa: T201
    for line, why in report.refused[:50]:
        print(f"  line {line}: {why}")  # noqa: T201


def _import_occupations(settings: Settings, file: Path) -> None:
    refused: list[int] = []
    taken = uvloop.run(_classify(settings, concepts(_text(file).splitlines(), refused)))
    print(f"{taken} taken, {len(refused)} refused")  # noqa: T201
    for line in refused[:50]:
        print(f"  line {line}: no URI, or no ISCO-08 group")  # noqa: T201


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"not imported: {type(error).__name__}")


async def _classify(settings: Settings, rows: Iterable[Concept]) -> int:
    taken = 0
    rows = iter(rows)
    async with writing(PLACEMENT, settings) as database:
        while some := list(islice(rows, _AT_ONCE)):
            async with database.transaction(uuid4()) as tx:
                for concept in some:
                    Classification(tx).put(concept)
            taken += len(some)
    return taken


async def _put(settings: Settings, profiles: Iterable[Jobseeker | str]) -> int:
    from services.placement.authority.commands import CityPool  # noqa: PLC0415 - not in the joint image

    pool = CityPool(settings.reference_key)
    passed_over = 0
    rows = iter(profiles)
    async with writing(PLACEMENT, settings) as database:
        while some := list(islice(rows, _AT_ONCE)):
            async with database.transaction(uuid4()) as tx:
                passed_over += await pool.take_in(tx, some)
    return passed_over


if __name__ == "__main__":
    main()
