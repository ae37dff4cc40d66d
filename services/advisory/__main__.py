"""Runs advisory: `OFFICE=vantaa python -m services.advisory`.

Commands beside the default `serve`: `migrate` brings the schema up to date and ends; `import-mailbox FILE` takes the
messages of a mailbox file (mbox) in as contacts, at the joint office, and reports.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import uvloop

from services.advisory.app import SERVICE_ADVISORY, build
from services.advisory.settings import SERVICE, Settings
from shared.process import bring_up_to_date, serve, writing
from shared.telemetry import configure_logging


def main() -> None:
    """Read the command and the environment, and do it."""
    parser = argparse.ArgumentParser(prog="python -m services.advisory", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="run the process (default)")
    commands.add_parser("migrate", help="bring the schema up to date")
    importing = commands.add_parser("import-mailbox", help="take a mailbox file in (mbox)")
    importing.add_argument("file", type=Path)
    given = parser.parse_args()
    settings = Settings()
    configure_logging(SERVICE, settings)
    match given.command:
        case "migrate":
            uvloop.run(bring_up_to_date(SERVICE_ADVISORY, settings))
        case "import-mailbox":
            if not settings.is_joint or not given.file.is_file():
                sys.exit("not imported: a mailbox file is taken in at the joint office")
            counts = uvloop.run(_import(settings, given.file))
            report = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
            print(report or "no messages")  # noqa: T201
        case _:
            serve(build(settings), settings)


async def _import(settings: Settings, file: Path) -> Counter[str]:
    from services.advisory.joint.app import contacts_of  # noqa: PLC0415 - a city's image has no joint/
    from services.advisory.joint.email_intake import EmailIntake  # noqa: PLC0415

    async with writing(SERVICE_ADVISORY, settings) as database:
        return await EmailIntake(contacts_of(settings), database, "", None).import_mailbox(file)


if __name__ == "__main__":
    main()
