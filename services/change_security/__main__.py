"""Runs change security: `OFFICE=vantaa python -m services.change_security`.

Commands beside the default `serve`: `migrate` brings the schema up to date and ends; `import-authorities FILE` takes
the national classification of municipalities into use (joint office).
"""

import argparse
import asyncio
import sys
from datetime import date
from pathlib import Path
from uuid import uuid4

import uvloop

from services.change_security import data
from services.change_security.app import CHANGE_SECURITY, build
from services.change_security.settings import SERVICE, Settings
from shared.process import bring_up_to_date, serve, writing
from shared.telemetry import configure_logging


def main() -> None:
    """Read the command and the environment, and do it."""
    parser = argparse.ArgumentParser(prog="python -m services.change_security", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="run the process (default)")
    commands.add_parser("migrate", help="bring the schema up to date")
    importing = commands.add_parser("import-authorities", help="import the classification of municipalities (CSV)")
    importing.add_argument("file", type=Path)
    importing.add_argument("--valid-from", type=date.fromisoformat, default=date(2025, 1, 1))
    given = parser.parse_args()
    settings = Settings()
    configure_logging(SERVICE, settings)
    match given.command:
        case "migrate":
            uvloop.run(bring_up_to_date(CHANGE_SECURITY, settings))
        case "import-authorities":
            uvloop.run(_import(settings, given.file, given.valid_from))
        case _:
            serve(build(settings), settings)


async def _import(settings: Settings, file: Path, valid_from: date) -> None:
    from services.change_security.joint.store import Directory  # noqa: PLC0415 - a city's image has no joint/

    try:
        lines = await asyncio.to_thread(lambda: file.read_text(encoding="utf-8").splitlines())
        municipalities, authorities = data.read_national(lines, valid_from, data.authorities())
    except (OSError, ValueError) as error:
        sys.exit(f"not imported: {error}")
    async with writing(CHANGE_SECURITY, settings) as database, database.transaction(uuid4()) as tx:
        await Directory(tx).import_(municipalities, authorities, valid_from)
    text = f"imported {len(municipalities)} municipalities of {len(authorities)} authorities from {valid_from}"
    print(text)  # noqa: T201


if __name__ == "__main__":
    main()
