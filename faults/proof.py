"""Whether the checker would notice: bugs put into a process on purpose, each of which must turn a campaign red: `python -m faults.proof`."""

import argparse
import sys
from dataclasses import dataclass

from deploy.local.stack import CITIES, JOINT
from faults import page
from faults.campaign import Campaign, Process, run
from faults.checks import Verdict


@dataclass(frozen=True)
class Bug:
    """One bug.

    Attributes:
        what: what is broken, in words.
        module: the process that has it.
        places: the offices whose process has it.
        symptom: the kind of finding that must not be empty.
        service: the service that has it.
        faults: how many kills of those processes it takes.
    """

    what: str
    module: str
    places: tuple[str, ...]
    symptom: str
    service: str = "change_security"
    faults: int = 0

    @property
    def processes(self) -> tuple[Process, ...]:
        """The processes that have it."""
        return tuple((self.service, office) for office in self.places)


@dataclass(frozen=True)
class Noticed:
    """What a campaign with a bug found."""

    bug: Bug
    verdict: Verdict

    @property
    def found(self) -> int:
        """How many findings of its symptom there were."""
        return self.verdict.counts[self.bug.symptom]


_FIXTURES = "tests.fixtures.broken_consumers"
_BUGS = "faults.bugs"

BUGS = (
    Bug("commits the offset before it handles (at most once)", f"{_BUGS}.acknowledges_first", ("vantaa",), "records that their reader has not handled", faults=2),
    Bug("commits the offset before the transaction (order swapped)", f"{_BUGS}.commits_offset_early", ("vantaa",), "records that their reader has not handled", faults=2),
    Bug("has no inbox", f"{_FIXTURES}.no_inbox", ("vantaa",), "tables that a second reading changed"),
    Bug("polls its outbox by the last number it saw (naive poller)", f"{_BUGS}.naive_poller", ("vantaa",), "events not sent"),
    Bug("marks the outbox before Kafka has acknowledged", f"{_BUGS}.marks_before_sending", (JOINT,), "receipts missing", faults=2),
    Bug("gives an event a new id each time it is sent", f"{_BUGS}.new_id_each_time", (JOINT,), "receipts given twice by vantaa", faults=2),
    Bug("has no version guard", f"{_FIXTURES}.no_version_guard", ("vantaa",), "cases overwritten by something older at vantaa"),
    Bug("lets an older receipt overwrite a newer one", f"{_BUGS}.ledger_goes_back", (JOINT,), "receipts missing"),
    Bug("sends under a key of its own making", f"{_BUGS}.wrong_key", (JOINT,), "records under a wrong key"),
    Bug("tells all but one of the affected authorities (missing fan-out)", f"{_BUGS}.forgets_an_authority", (JOINT,), "ledgers with other authorities than the affected ones"),
    Bug("gives unknown municipalities to a default office", f"{_BUGS}.default_office", (JOINT,), "notices at helsinki that do not concern it"),
    Bug("drops what it cannot read", f"{_FIXTURES}.drops_poison", (JOINT,), "unreadable records not parked"),
    Bug("stops at what it cannot read", f"{_FIXTURES}.stops_at_poison", (JOINT,), "processes that did not come to rest"),
    Bug("gives no receipts", f"{_FIXTURES}.no_receipts", ("vantaa",), "receipts missing"),
    Bug("sends the applicant's own id to the joint office (leaking field)", f"{_BUGS}.leaks_applicants", CITIES, "applicants across a border, or in a log", "training"),
    Bug("gives a group one seat too many", f"{_BUGS}.a_seat_too_many", (JOINT,), "seats given twice, or empty while someone eligible waits", "training"),
    Bug("does not tell a city of its contacts", f"{_BUGS}.keeps_contacts_to_itself", (JOINT,), "contacts that a city does not know", "advisory"),
    Bug("counts a vacancy's repetition as a revision", f"{_BUGS}.revises_repetitions", (JOINT,), "vacancies changed by a repetition", "placement"),
)  # fmt: skip


def prove(bug: Bug, seed: int = 1) -> Noticed:
    """Run a short campaign with a bug; return how often its symptom was found."""
    campaign = Campaign(
        faults=bug.faults,
        count=80,
        seed=seed,
        services=(bug.service,),
        mix={"process kill": 1},
        targets=bug.processes,
        modules=dict.fromkeys(bug.processes, bug.module),
        patience=25,
        pace=12,
        at_work=1,
    )
    verdict, _ = run(campaign, tell=lambda _: None)
    return Noticed(bug, verdict)


def main() -> None:
    """Try every bug."""
    parser = argparse.ArgumentParser(prog="python -m faults.proof", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write what was noticed into RELIABILITY.md")
    given = parser.parse_args()
    lines = [
        "Each bug is put into a process on purpose ([faults/bugs](faults/bugs),",
        "[tests/fixtures/broken_consumers](tests/fixtures/broken_consumers)), and a short campaign must then find it.",
        "",
        "| bug | must be found | found |",
        "|---|---|---|",
    ]
    unnoticed = []
    for bug in BUGS:
        found = prove(bug).found
        print(f"{found:6}  {bug.symptom} – {bug.what}", flush=True)
        lines.append(f"| {bug.what} | {bug.symptom} | {found} |")
        unnoticed += [] if found else [bug.what]
    if given.write:
        page.write("Whether the checker would notice", lines)
    if unnoticed:
        sys.exit(f"not noticed: {', '.join(unnoticed)}")


if __name__ == "__main__":
    main()
