"""Tries a city's consumer of change security.

`python -m deploy.conformance --api https://… --office vantaa` with the token of an officer and operator of that city in
CONFORMANCE_TOKEN, and with KAFKA_BOOTSTRAP_SERVERS, KAFKA_CA_FILE and KAFKA_CERTIFICATE_FILE as a process has them: its
principal is `conformance.<joint office>`, granted by `deploy.access --tried vantaa`. Exits 0 when every expectation
holds. It leaves cases of an invented employer in that city's store: run it against a test environment.
"""

import argparse
import sys

from deploy.conformance.kit import Kit
from deploy.conformance.settings import Settings
from shared.messaging.security import client_of
from shared.settings import KafkaSettings


def main() -> None:
    """Read the command line, try, and print what holds."""
    parser = argparse.ArgumentParser(prog="python -m deploy.conformance", description=__doc__)
    parser.add_argument("--api", required=True)
    parser.add_argument("--office", required=True)
    parser.add_argument("--patience", type=float, default=20.0, help="seconds to wait for what is expected")
    given = parser.parse_args()
    token = Settings().conformance_token
    findings = Kit(client_of(KafkaSettings()), given.api, given.office, token, given.patience).run()
    for one in findings:
        print("holds " if one.holds else "FAILS ", one.what)
    if not all(one.holds for one in findings):
        sys.exit(1)


if __name__ == "__main__":
    main()
