"""Tries a city's consumer of change security.

`python -m deploy.conformance --bootstrap HOST:9092 --api https://… --office vantaa` with the token of an officer and
operator of that city in CONFORMANCE_TOKEN. Exits 0 when every expectation holds. It leaves cases of an invented
employer in that city's store: run it against a test environment.
"""

import argparse
import sys

from deploy.conformance.kit import Kit
from deploy.conformance.settings import Settings


def main() -> None:
    """Read the command line, try, and print what holds."""
    parser = argparse.ArgumentParser(prog="python -m deploy.conformance", description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--api", required=True)
    parser.add_argument("--office", required=True)
    parser.add_argument("--patience", type=float, default=20.0, help="seconds to wait for what is expected")
    given = parser.parse_args()
    token = Settings().conformance_token
    findings = Kit(given.bootstrap, given.api, given.office, token, given.patience).run()
    for one in findings:
        print("holds " if one.holds else "FAILS ", one.what)
    if not all(one.holds for one in findings):
        sys.exit(1)


if __name__ == "__main__":
    main()
