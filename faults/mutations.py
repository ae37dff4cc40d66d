"""Mutation testing of the checker: `python -m faults.mutations`.

Each mutant is a process that is broken on purpose. A short campaign with it must find the invariant that it violates.
"""

import argparse
import sys
from dataclasses import dataclass

from deploy.local.stack import CITIES, JOINT
from faults import report
from faults.campaign import Campaign, Process, run
from faults.invariants import Verdict
from faults.workload import Consents


@dataclass(frozen=True)
class Mutant:
    """A process that is broken on purpose.

    Attributes:
        what: what is broken, in words.
        module: the process that has it.
        places: the offices whose process is replaced.
        symptom: the kind of violation that must be found.
        service: the service it belongs to.
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
        """The processes that are replaced."""
        return tuple((self.service, office) for office in self.places)


@dataclass(frozen=True)
class Outcome:
    """What a campaign with a mutant found."""

    mutant: Mutant
    verdict: Verdict

    @property
    def found(self) -> int:
        """How many violations of its kind were found; the mutant survives with none."""
        return self.verdict.counts[self.mutant.symptom]


_MUTANTS = "faults.mutants"

MUTANTS = (
    Mutant(
        "commits the offset before it handles (at most once)",
        f"{_MUTANTS}.acknowledges_first",
        ("vantaa",),
        "records that their reader has not handled",
        faults=2,
    ),
    Mutant(
        "commits the offset before the transaction (order swapped)",
        f"{_MUTANTS}.commits_offset_early",
        ("vantaa",),
        "records that their reader has not handled",
        faults=2,
    ),
    Mutant("has no inbox", f"{_MUTANTS}.no_inbox", ("vantaa",), "tables that a second reading changed"),
    Mutant(
        "polls its outbox by the last number it saw (naive poller)",
        f"{_MUTANTS}.naive_poller",
        ("vantaa",),
        "events not sent",
    ),
    Mutant(
        "marks the outbox before Kafka has acknowledged",
        f"{_MUTANTS}.marks_before_sending",
        (JOINT,),
        "receipts missing",
        faults=2,
    ),
    Mutant(
        "gives an event a new id each time it is sent",
        f"{_MUTANTS}.new_id_each_time",
        (JOINT,),
        "receipts given twice by vantaa",
        faults=2,
    ),
    Mutant(
        "has no version guard",
        f"{_MUTANTS}.no_version_guard",
        ("vantaa",),
        "cases overwritten by something older at vantaa",
    ),
    Mutant("lets an older receipt overwrite a newer one", f"{_MUTANTS}.ledger_goes_back", (JOINT,), "receipts missing"),
    Mutant("sends under a key of its own making", f"{_MUTANTS}.wrong_key", (JOINT,), "records under a wrong key"),
    Mutant(
        "tells all but one of the affected authorities (missing fan-out)",
        f"{_MUTANTS}.forgets_an_authority",
        (JOINT,),
        "ledgers with other authorities than the affected ones",
    ),
    Mutant(
        "gives unknown municipalities to a default office",
        f"{_MUTANTS}.default_office",
        (JOINT,),
        "notices at helsinki that do not concern it",
    ),
    Mutant("drops what it cannot read", f"{_MUTANTS}.drops_poison", (JOINT,), "unreadable records not parked"),
    Mutant("stops at what it cannot read", f"{_MUTANTS}.stops_at_poison", (JOINT,), "processes that did not settle"),
    Mutant("gives no receipts", f"{_MUTANTS}.no_receipts", ("vantaa",), "receipts missing"),
    Mutant(
        "sends the applicant's own id to the joint office (leaking field)",
        f"{_MUTANTS}.leaks_applicants",
        CITIES,
        "applicants across a border, or in a log",
        "training",
    ),
    Mutant(
        "gives a group one seat too many",
        f"{_MUTANTS}.a_seat_too_many",
        (JOINT,),
        "seats given twice, or empty while someone eligible waits",
        "training",
    ),
    Mutant(
        "does not tell a city of its contacts",
        f"{_MUTANTS}.keeps_contacts_to_itself",
        (JOINT,),
        "contacts that a city does not know",
        "advisory",
    ),
    Mutant(
        "joins a contact to an answered one and does not reopen it",
        f"{_MUTANTS}.joins_without_reopening",
        (JOINT,),
        "contacts without anybody who must act",
        "advisory",
    ),
    Mutant(
        "counts a vacancy's repetition as a revision",
        f"{_MUTANTS}.revises_repetitions",
        (JOINT,),
        "vacancies changed by a repetition",
        "placement",
    ),
    Mutant(
        "gives a contact after the consent is withdrawn",
        f"{_MUTANTS}.keeps_access",
        Consents.POOLS,
        "contacts given without a consent in force",
        "placement",
    ),
)


def attempt(mutant: Mutant, seed: int = 1) -> Outcome:
    """Run a short campaign with a mutant."""
    campaign = Campaign(
        faults=mutant.faults,
        count=80,
        seed=seed,
        services=(mutant.service,),
        mix={"process kill": 1},
        targets=mutant.processes,
        modules=dict.fromkeys(mutant.processes, mutant.module),
        patience=25,
        pace=12,
        at_work=1,
    )
    verdict, _ = run(campaign, tell=lambda _: None)
    return Outcome(mutant, verdict)


def main() -> None:
    """Try every mutant."""
    parser = argparse.ArgumentParser(prog="python -m faults.mutations", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write what was found into RELIABILITY.md")
    given = parser.parse_args()
    lines = [
        "Each mutant is a process that is broken on purpose ([faults/mutants](faults/mutants)), and a short campaign",
        "with it must find the invariant that it violates.",
        "",
        "| mutant | must be found | found |",
        "|---|---|---|",
    ]
    survived = []
    for mutant in MUTANTS:
        found = attempt(mutant).found
        print(f"{found:6}  {mutant.symptom} – {mutant.what}", flush=True)
        lines.append(f"| {mutant.what} | {mutant.symptom} | {found} |")
        survived += [] if found else [mutant.what]
    if given.write:
        report.write(report.MUTATIONS, lines)
    if survived:
        sys.exit(f"mutants survived: {', '.join(survived)}")


if __name__ == "__main__":
    main()
