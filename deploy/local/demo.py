"""The main job, from an employer's notice to three cities' receipts, on a real Kafka and real databases: `make demo`."""

import asyncio
import sys
import time
from typing import Any

import asyncpg
import httpx
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.tree import Tree

from deploy.local.chapters.advisory import AdvisoryChapter
from deploy.local.chapters.placement import PlacementChapter
from deploy.local.chapters.telling import EMPLOYER
from deploy.local.chapters.training import TrainingChapter
from deploy.local.client import Callers, wait_for
from deploy.local.processes import StartError
from deploy.local.stack import CITIES, Stack
from deploy.local.up import stop_on_signals

PROPOSAL: dict[str, Any] = {
    "kind": "negotiation_proposal",
    "legal_basis": "YTL_1333_2021",
    "employer": EMPLOYER,
    "language": "fi",
    "negotiations": {
        "starts_at": "2026-12-07T09:00:00+02:00",
        "place": "Helsinki",
        "matters": "Tuotannon uudelleenjärjestely",
        "grounds": "Tilauskannan lasku",
        "selection_principles": "Osaaminen ja tehtävät",
        "personnel_informed_on": "2026-12-01",
    },
    "measures": [
        {"measure": "termination", "personnel_group": "työntekijät", "count": 48},
        {"measure": "termination", "personnel_group": "toimihenkilöt", "count": 16},
    ],
    "site_breakdown": "given",
    "sites": [
        {"municipality": "092", "name": "Vantaan tehdas", "affected": 50},
        {"municipality": "235", "name": "Kauniaisten toimisto", "affected": 14},
    ],
}


class Demo:
    """The chapters of the demonstration, told on a console."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self.stack = stack
        self.console = console
        self.callers = Callers(stack, "change_security")

    def tell(self) -> None:
        """Tell all chapters."""
        notice_id = self.file()
        self.explain_routing(notice_id)
        self.show_cases(notice_id)
        self.close_ledger(notice_id)
        trace_id = self.callers.coordinator.read(f"/v1/notices/{notice_id}/ledger")["trace_id"]
        self.revise(notice_id)
        self.withdraw(notice_id)
        self.leave_unrouted()
        self.draw_trace(trace_id)
        for number, chapter in enumerate((PlacementChapter, TrainingChapter, AdvisoryChapter), 9):
            chapter(self.stack, self.console).tell(number)

    def chapter(self, number: int, title: str) -> None:
        """Open a chapter."""
        self.console.print()
        self.console.rule(f"[bold]{number}. {title}", align="left")

    def file(self) -> str:
        """An employer's system files a notice."""
        self.chapter(1, "An employer's system files a notice with three sites and 64 planned terminations")
        notice = self.callers.system.send("/v1/notices", {"filing": PROPOSAL}, Idempotency_Key="demo-1")
        again = self.callers.system.send("/v1/notices", {"filing": PROPOSAL}, Idempotency_Key="demo-1")
        self.console.print(f"POST /v1/notices → 201, notice [bold]{notice['notice_id']}[/]")
        self.console.print(f"the same request sent again → the same notice: {notice == again}")
        self.console.print(f"missing, to be asked for (never a reason to refuse): {', '.join(notice['missing'])}")
        assessment = notice["assessment"]
        table = Table(title=f"Computed for the reader by the rules of {assessment['rules_of']}", title_justify="left")
        for column in ("", "day", "sources", ""):
            table.add_column(column)
        for clock in assessment["clocks"]:
            check = "to be checked" if clock["to_be_checked"] else ""
            table.add_row(clock["name"], clock["day"], "\n".join(clock["sources"]), check)
        self.console.print(table)
        return str(notice["notice_id"])

    def explain_routing(self, notice_id: str) -> None:
        """Where it went, and why."""
        self.chapter(2, "Where it goes, and why")
        routing = self.callers.coordinator.read(f"/v1/notices/{notice_id}/routing")
        table = Table()
        for column in ("authority", "handling", "because"):
            table.add_column(column)
        for one in routing["recipients"]:
            because = ", ".join(
                f"{reason['kind']}" + (f" {reason['municipality']} {reason['name']}" if reason["municipality"] else "")
                for reason in one["reasons"]
            )
            table.add_row(f"{one['name_en']}", one["handling_mode"], because)
        self.console.print(table)
        self.console.print(f"by municipality table {routing['routing_version']}")

    def show_cases(self, notice_id: str) -> None:
        """Each city's own case, read from each city's own database."""
        self.chapter(3, "Each city's own case, read from each city's own database")
        for city in CITIES:
            wait_for(lambda city=city: self._case(city, notice_id), f"{city}'s case")  # type: ignore[misc]
        table = Table()
        for column in ("database of", "competent authority", "state", "revision", "stored at"):
            table.add_column(column)
        for city in CITIES:
            case = self._case(city, notice_id)
            if case is not None:
                stored = f"{case['stored_at']:%H:%M:%S.%f}"[:-3]
                table.add_row(city, case["competent_authority"], case["state"], str(case["revision"]), stored)
        self.console.print(table)

    def _case(self, city: str, notice_id: str) -> dict[str, Any] | None:
        async def read() -> dict[str, Any] | None:
            connection = await asyncpg.connect(self.stack.databases[city].url)
            try:
                row = await connection.fetchrow(
                    "SELECT * FROM change_security.authority_case WHERE notice_id = $1", notice_id
                )
            finally:
                await connection.close()
            return dict(row) if row else None

        return asyncio.run(read())

    def close_ledger(self, notice_id: str) -> None:
        """The receipts of three stores close the ledger."""
        self.chapter(4, "The ledger at the joint office closes with three receipts")
        self._ledger(notice_id, version=1)
        self.callers.officer["vantaa"].send(f"/v1/cases/{notice_id}/acknowledgement")
        wait_for(lambda: self._states(notice_id)["vantaa"] == "acknowledged", "Vantaa's acknowledgement")
        self.console.print("An officer of Vantaa acknowledges: the ledger has it")

    def _states(self, notice_id: str) -> dict[str, str]:
        ledger = self.callers.coordinator.read(f"/v1/notices/{notice_id}/ledger")
        return {entry["authority"]: entry["state"] for entry in ledger["entries"]}

    def _ledger(self, notice_id: str, version: int) -> None:
        def look() -> dict[str, Any] | None:
            ledger = self.callers.coordinator.read(f"/v1/notices/{notice_id}/ledger")
            return ledger if ledger["complete"] and ledger["version"] >= version else None

        ledger = wait_for(look, "a complete ledger")
        table = Table(title=f"complete: {ledger['complete']}", title_justify="left")
        for column in ("authority", "state", "revision sent / stored", "acknowledge by"):
            table.add_column(column)
        for entry in ledger["entries"]:
            revisions = f"{entry['revision_sent']} / {entry['revision_stored']}"
            table.add_row(entry["authority"], entry["state"], revisions, entry["acknowledge_by"])
        self.console.print(table)

    def revise(self, notice_id: str) -> None:
        """A revision drops one city and adds another."""
        self.chapter(5, "Revisions drop one city and add another")
        revised = PROPOSAL | {"sites": [{"municipality": "235", "name": "Kauniaisten toimisto", "affected": 14}]}
        self.callers.system.send(f"/v1/notices/{notice_id}/revisions", {"predecessor": 1, "filing": revised})
        self.console.print("revision 2 drops the site in Vantaa: Vantaa is released, the others are amended")
        self._ledger(notice_id, version=2)
        revised = PROPOSAL | {"sites": [{"municipality": "092", "name": "Vantaan tehdas", "affected": 50}]}
        self.callers.system.send(f"/v1/notices/{notice_id}/revisions", {"predecessor": 2, "filing": revised})
        self.console.print("revision 3 drops Kauniainen (Espoo is released) and brings Vantaa back")
        self._ledger(notice_id, version=3)
        stale = self.callers.system.post(
            f"/v1/notices/{notice_id}/revisions", json={"predecessor": 1, "filing": revised}
        )
        self.console.print(f"a revision that follows an old one → {stale.status_code} {stale.json()['type']}")

    def withdraw(self, notice_id: str) -> None:
        """The employer withdraws the notice."""
        self.chapter(6, "The employer withdraws the notice")
        self.callers.system.send(f"/v1/notices/{notice_id}/withdrawal")
        self._ledger(notice_id, version=4)
        for city in ("helsinki", "vantaa"):
            case = self.callers.officer[city].read(f"/v1/cases/{notice_id}")
            self.console.print(f"{city}: {case['state']}")

    def leave_unrouted(self) -> None:
        """An unknown municipality is nobody's by default."""
        self.chapter(7, "An unknown municipality waits in the queue of the unrouted; nobody is a default")
        filing = PROPOSAL | {"sites": [{"municipality": "999"}]}
        notice_id = self.callers.system.send("/v1/notices", {"filing": filing})["notice_id"]
        (line,) = self.callers.coordinator.read("/v1/unrouted")["items"]
        self.console.print(f"unrouted: {line['kind']} {line['municipality']}, {line['why']}")
        self.callers.coordinator.send(
            f"/v1/notices/{notice_id}/authorities",
            {"authority": "vantaa", "municipality": "999", "reason": "the employer told the site is in Vantaa"},
        )
        self._ledger(notice_id, version=2)
        left = self.callers.coordinator.read("/v1/unrouted")["items"]
        self.console.print(f"a coordinator assigns it by hand; left in the queue: {len(left)}")

    def draw_trace(self, trace_id: str) -> None:
        """The trace of the first notice, fetched back from the trace viewer."""
        self.chapter(8, "The first notice's trace, fetched back from the trace viewer")
        if self.stack.zipkin is None:
            self.console.print("no trace viewer runs")
            return
        url = f"{self.stack.zipkin.url}/api/v2/trace/{trace_id}"

        def look() -> list[dict[str, Any]] | None:
            answer = httpx.get(url)
            spans = answer.json() if answer.is_success else []
            done = [span for span in spans if span["name"].startswith("process from.")]
            return spans if len(done) >= len(CITIES) else None

        spans = wait_for(look, "the whole trace", 20)
        self.console.print(_tree(spans))


def _tree(spans: list[dict[str, Any]]) -> Tree:
    start = min(span["timestamp"] for span in spans)
    below: dict[str | None, list[dict[str, Any]]] = {}
    for span in sorted(spans, key=lambda one: one["timestamp"]):
        below.setdefault(span.get("parentId"), []).append(span)

    def grow(branch: Tree, parent: str | None) -> None:
        for span in below.get(parent, ()):
            office = span["localEndpoint"]["serviceName"].rpartition(".")[2]
            begun, took = (span["timestamp"] - start) / 1000, span.get("duration", 0) / 1000
            many = span["tags"].get("messaging.batch.message_count")
            name = span["name"] + (f" × {many}" if many else "")
            grow(branch.add(f"[bold]{office:9}[/] {name}  [dim]+{begun:.1f} ms, took {took:.1f} ms[/]"), span["id"])

    tree = Tree(f"trace {spans[0]['traceId']}")
    grow(tree, None)
    return tree


def main() -> None:
    """Start everything, tell the chapters, stop everything."""
    console = Console(width=118, highlight=False)
    stop_on_signals()
    begun = time.monotonic()
    try:
        with console.status("starting …") as status:

            def tell(what: str) -> None:
                status.update(f"starting {what} …")
                if not console.is_terminal:
                    print(f"starting {what} …", flush=True)

            with Stack(tell=tell) as stack:
                status.stop()
                console.print(
                    Panel(
                        f"Kafka, a PostgreSQL for each of {', '.join(stack.databases)}, the trace viewer and"
                        f" {len(stack.databases) * len(stack.services)} processes run:"
                        f" {time.monotonic() - begun:.0f} s",
                        title="Joint employment services of the Helsinki capital region",
                    )
                )
                Demo(stack, console).tell()
        console.print(f"\nDone in {time.monotonic() - begun:.0f} s. `make up` keeps everything running.")
    except StartError as error:
        console.print(f"[red]not started:[/] {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("interrupted; everything is stopped")
        sys.exit(130)


if __name__ == "__main__":
    main()
