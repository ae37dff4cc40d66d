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

from deploy.local.client import Callers, wait_for
from deploy.local.processes import Child, StartError
from deploy.local.stack import CITIES, Stack
from deploy.local.up import stop_on_signals

EMPLOYER = {
    "business_id": "2077474-0",
    "name": "Esimerkkitehdas Oy",
    "domicile": "091",
    "regular_staff": 420,
    "phone": "+358 9 000 0000",
}
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
        PlacementChapter(self).tell()

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
        for column in ("database of", "competent authority", "status", "revision", "stored at"):
            table.add_column(column)
        for city in CITIES:
            case = self._case(city, notice_id)
            if case is not None:
                stored = f"{case['stored_at']:%H:%M:%S.%f}"[:-3]
                table.add_row(city, case["competent_authority"], case["status"], str(case["revision"]), stored)
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
            self.console.print(f"{city}: {case['status']}")

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


class PlacementChapter:
    """Placement: one vacancy, three pools, one of them away."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._print = demo.console.print
        self._stack = demo.stack
        self._callers = Callers(demo.stack, "placement")

    def tell(self) -> None:
        """Tell the chapter."""
        self._demo.chapter(9, "Placement: one vacancy, three jobseeker pools, named gaps")
        self._fill_pools()
        vacancy_id = self._report()
        assignment = self._ask(vacancy_id)
        self._refer(assignment)
        self._supply()

    def _fill_pools(self) -> None:
        running = []
        for city, places in (("helsinki", "091"), ("espoo", "049,235"), ("vantaa", "092")):
            command = [
                sys.executable,
                "-m",
                "services.placement",
                "invent-jobseekers",
                "2000",
                "--municipalities",
                places,
            ]
            child = Child(
                f"pool of {city}", command, self._stack.logs / f"pool.{city}.log", self._stack.environment(city)
            )
            child.start()
            running.append(child)
        for child in running:
            wait_for(lambda child=child: not child.running, child.name, 60)  # type: ignore[misc]
        self._print("2,000 invented jobseekers in each city's own pool")

    def _report(self) -> str:
        vacancy = {
            "title": "Kokki henkilöstöravintolaan",
            "employer": {"business_id": "2077474-0", "name": "Esimerkkiruoka Oy"},
            "occupation": {"scheme": "ISCO-08", "code": "5120", "label": "Cooks"},
            "languages": ["fi", "sv"],
            "municipality": "092",
            "starts_on": "2027-01-11",
        }
        told = self._callers.coordinator.send("/v1/vacancies", {"vacancy": vacancy})
        shown = self._callers.system.read("/v1/vacancies?occupation=512&municipality=092")["items"]
        self._print(f"a vacancy for cooks in Vantaa; the national feed shows {len(shown)}")
        return str(told["vacancy_id"])

    def _ask(self, vacancy_id: str) -> dict[str, Any]:
        espoo = self._stack.child("placement", "espoo")
        espoo.stop()
        told = {"vacancy_id": vacancy_id, "at_most": 3, "answer_within_seconds": 0.8}
        assignment_id = self._callers.coordinator.send("/v1/assignments", told)["assignment_id"]
        path = f"/v1/assignments/{assignment_id}"

        def look(missing: list[str]) -> dict[str, Any] | None:
            found = dict(self._callers.coordinator.read(path))
            return found if found["missing_pools"] == missing else None

        partial = wait_for(lambda: look(["espoo"]), "two answers")
        self._print(
            f"Espoo's process is stopped: {len(partial['candidates'])} candidates are shown,"
            f" and the pool that did not answer is named: {', '.join(partial['missing_pools'])}"
        )
        espoo.start()
        whole = wait_for(lambda: look([]), "Espoo's late answer", 60)
        states = ", ".join(f"{pool['office']} {pool['state']} ({pool['considered']})" for pool in whole["pools"])
        self._print(f"Espoo is back, its answer is merged: {states}")
        table = Table()
        for column in ("pool", "opaque reference", "score", "because"):
            table.add_column(column)
        for one in whole["candidates"][:5]:
            because = ", ".join(f"{reason['why']} {reason['points']}/{reason['of']}" for reason in one["reasons"])
            table.add_row(one["office"], one["reference"], str(one["score"]), because)
        self._print(table)
        return whole

    def _refer(self, assignment: dict[str, Any]) -> None:
        candidate = next(one for one in assignment["candidates"] if one["office"] == "vantaa")
        told = {"office": "vantaa", "reference": candidate["reference"], "purpose": "introduce to the employer"}
        path = f"/v1/assignments/{assignment['assignment_id']}/referrals"
        referral_id = self._callers.coordinator.send(path, told)["referral_id"]
        query = f"/v1/referrals/{referral_id}/contact-queries"
        asker = self._callers.of("vantaa", "helsinki", "officer")
        asked = wait_for(
            lambda: answer if (answer := asker.post(query, json={"purpose": "call"})).status_code != 404 else None,  # noqa: PLR2004
            "the referral at Vantaa",
        )
        self._print(f"Helsinki's officer asks Vantaa for the name before consent → {asked.status_code}")
        self._callers.officer["vantaa"].send(f"/v1/referrals/{referral_id}/consent", {"consented": True}, "PUT")
        contact = asker.send(query, {"purpose": "call"})
        log = self._callers.officer["vantaa"].read(query)
        self._print(
            f"the jobseeker consents; asked again → {contact['name']} (invented); Vantaa's log holds {len(log)} queries"
        )

    def _supply(self) -> None:
        filing = {
            "kind": "termination_notice",
            "legal_basis": "TSL_55_2001_9_3a",
            "employer": EMPLOYER,
            "terminations": [
                {
                    "count": 25,
                    "occupation": {"scheme": "ISCO-08", "code": "5120"},
                    "municipality": "092",
                    "ends_from": "2027-02-28",
                }
            ],
        }
        self._demo.callers.system.send("/v1/notices", {"filing": filing})
        found = wait_for(
            lambda: self._callers.coordinator.read("/v1/supply/suggestions?occupation=5120"), "the expected supply"
        )
        self._print(
            f"change security expects {found[0]['supply']['known']} cooks to be free in Vantaa from"
            f" {found[0]['supply']['available_from']}; suggested to officers: {found[0]['vacancies'][0]['vacancy']['title']}"
        )


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
