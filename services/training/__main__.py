"""Runs training and coaching: `OFFICE=vantaa python -m services.training`.

Commands beside the default `serve`: `migrate` brings the schema up to date and ends.
"""

import argparse

import uvloop

from services.training.app import TRAINING, build
from services.training.settings import SERVICE, Settings
from shared.process import bring_up_to_date, serve
from shared.telemetry import configure_logging


def main() -> None:
    """Read the command and the environment, and do it."""
    parser = argparse.ArgumentParser(prog="python -m services.training", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="run the process (default)")
    commands.add_parser("migrate", help="bring the schema up to date")
    given = parser.parse_args()
    settings = Settings()
    configure_logging(SERVICE, settings)
    if given.command == "migrate":
        uvloop.run(bring_up_to_date(TRAINING, settings))
    else:
        serve(build(settings), settings)


if __name__ == "__main__":
    main()
