"""Change security: one notice from its filing to three cities' receipts, its revisions, and its withdrawal."""

import asyncio
import json
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer
from rich.table import Table

from deploy.local.chapters.chapter import EMPLOYER, Chapter
from deploy.local.client import wait_for
from deploy.local.sample_data import proposal_json
from deploy.local.stack import CITIES
from shared.topics import CHANGE_NOTICES_RECEIPTS

_RECEIPTS = CHANGE_NOTICES_RECEIPTS.name
_VANTAA = {"municipality": "092", "name": "Vantaan tehdas", "affected": 50}
_KAUNIAINEN = {"municipality": "235", "name": "Kauniaisten toimisto", "affected": 14}


def filing(**changes: Any) -> dict[str, Any]:
    """The employer's filing, which leaves out by when the plan is carried out."""
    negotiations = proposal_json()["negotiations"] | {
        "starts_at": "2026-12-07T09:00:00+02:00",
        "personnel_informed_on": "2026-12-01",
    }
    del negotiations["carried_out_within"]
    return proposal_json(employer=EMPLOYER, negotiations=negotiations) | changes


class NoticeChapter(Chapter):
    """A chapter about the story's notice."""

    SERVICE = "change_security"

    def _states(self) -> dict[str, str]:
        ledger = self._callers.coordinator.read(f"/v1/notices/{self._story.notice_id}/ledger")
        return {entry["authority"]: entry["state"] for entry in ledger["entries"]}

    def _ledger(self, notice_id: str, version: int) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            ledger = self._callers.coordinator.read(f"/v1/notices/{notice_id}/ledger")
            return ledger if ledger["complete"] and ledger["version"] >= version else None

        ledger = wait_for(look, "a complete ledger")
        table = Table(title=f"complete: {ledger['complete']}", title_justify="left")
        for column in ("authority", "state", "revision sent / stored", "acknowledge by"):
            table.add_column(column)
        for entry in ledger["entries"]:
            revisions = f"{entry['revision_sent']} / {entry['revision_stored']}"
            table.add_row(entry["authority"], entry["state"], revisions, entry["acknowledge_by"])
        self._print(table)
        return ledger


class FilingChapter(NoticeChapter):
    """An employer's system files a notice."""

    TITLE = "An employer's system files a notice with three sites and 64 planned terminations"

    def _tell(self) -> None:
        notice = self._callers.system.send("/v1/notices", {"filing": filing()}, Idempotency_Key="demo-1")
        again = self._callers.system.send("/v1/notices", {"filing": filing()}, Idempotency_Key="demo-1")
        self._print(f"POST /v1/notices → 201, notice [bold]{notice['notice_id']}[/]")
        self._print(f"the same request sent again → the same notice: {notice == again}")
        self._print(f"missing, to be asked for (never a reason to refuse): {', '.join(notice['missing'])}")
        assessment = notice["assessment"]
        table = Table(title=f"Computed for the reader by the rules of {assessment['rules_of']}", title_justify="left")
        for column in ("", "day", "sources", ""):
            table.add_column(column)
        for clock in assessment["clocks"]:
            check = "to be checked" if clock["to_be_checked"] else ""
            table.add_row(clock["name"], clock["day"], "\n".join(clock["sources"]), check)
        self._print(table)
        self._story.notice_id = str(notice["notice_id"])
        receipt = asyncio.run(self._receipt(self._story.notice_id))
        handled = ", ".join(one["authority"] for one in receipt["authorities"])
        self._print(f"the filer's receipt on {_RECEIPTS}: [bold]{receipt['type']}[/], handled by {handled},")
        self._print(f"asked for {', '.join(receipt['missing'])}; nothing of the employer or its measures")

    async def _receipt(self, notice_id: str) -> dict[str, Any]:
        consumer = AIOKafkaConsumer(
            _RECEIPTS, bootstrap_servers=self._stack.kafka.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            async with asyncio.timeout(30):
                while (record := await consumer.getone()).key != notice_id.encode():
                    continue
        finally:
            await consumer.stop()
        return dict(json.loads(record.value))


class RoutingChapter(NoticeChapter):
    """Where the notice went, and why."""

    TITLE = "Where it goes, and why"

    def _tell(self) -> None:
        routing = self._callers.coordinator.read(f"/v1/notices/{self._story.notice_id}/routing")
        table = Table()
        for column in ("authority", "handling", "because"):
            table.add_column(column)
        for recipient in routing["recipients"]:
            because = ", ".join(
                f"{reason['kind']}" + (f" {reason['municipality']} {reason['name']}" if reason["municipality"] else "")
                for reason in recipient["reasons"]
            )
            table.add_row(f"{recipient['name_en']}", recipient["handling_mode"], because)
        self._print(table)
        self._print(f"by municipality table {routing['routing_version']}")


class CasesChapter(NoticeChapter):
    """Each city's own case, read past every API."""

    TITLE = "Each city's own case, read from each city's own database"

    def _tell(self) -> None:
        table = Table()
        for column in ("database of", "competent authority", "state", "revision", "stored at"):
            table.add_column(column)
        for city in CITIES:
            case = wait_for(lambda city=city: self._case(city), f"{city}'s case")  # type: ignore[misc]
            stored = f"{case['stored_at']:%H:%M:%S.%f}"[:-3]
            table.add_row(city, case["competent_authority"], case["state"], str(case["revision"]), stored)
        self._print(table)

    def _case(self, city: str) -> dict[str, Any] | None:
        async def read() -> dict[str, Any] | None:
            connection = await asyncpg.connect(self._stack.databases[city].url)
            try:
                row = await connection.fetchrow(
                    "SELECT * FROM change_security.authority_case WHERE notice_id = $1", self._story.notice_id
                )
            finally:
                await connection.close()
            return dict(row) if row else None

        return asyncio.run(read())


class LedgerChapter(NoticeChapter):
    """The receipts of three stores close the ledger."""

    TITLE = "The ledger at the joint office closes with three receipts"

    def _tell(self) -> None:
        self._story.trace_id = self._ledger(self._story.notice_id, version=1)["trace_id"]
        self._callers.officer["vantaa"].send(f"/v1/cases/{self._story.notice_id}/acknowledgement")
        wait_for(lambda: self._states()["vantaa"] == "acknowledged", "Vantaa's acknowledgement")
        self._print("An officer of Vantaa acknowledges: the ledger has it")


class RevisionChapter(NoticeChapter):
    """A revision drops one city and adds another."""

    TITLE = "Revisions drop one city and add another"

    def _tell(self) -> None:
        notice_id, system = self._story.notice_id, self._callers.system
        path = f"/v1/notices/{notice_id}/revisions"
        system.send(path, {"predecessor": 1, "filing": filing(sites=[_KAUNIAINEN])})
        self._print("revision 2 drops the site in Vantaa: Vantaa is released, the others are amended")
        self._ledger(notice_id, version=2)
        system.send(path, {"predecessor": 2, "filing": filing(sites=[_VANTAA])})
        self._print("revision 3 drops Kauniainen (Espoo is released) and brings Vantaa back")
        self._ledger(notice_id, version=3)
        stale = system.post(path, json={"predecessor": 1, "filing": filing(sites=[_VANTAA])})
        self._print(f"a revision that follows an old one → {stale.status_code} {stale.json()['type']}")


class DeclinedChapter(NoticeChapter):
    """A declined part is resolved: a coordinator insists, then releases."""

    TITLE = "A city declines its part; a coordinator insists, and in the end releases it"

    def _tell(self) -> None:
        coordinator, espoo = self._callers.coordinator, self._callers.officer["espoo"]
        notice_id = self._callers.system.send("/v1/notices", {"filing": filing(sites=[_VANTAA, _KAUNIAINEN])})[
            "notice_id"
        ]
        path = f"/v1/notices/{notice_id}/authorities/espoo"
        self._ledger(notice_id, version=1)
        self._decline(notice_id, "no_site_here")
        coordinator.send(f"{path}/insistence", {"reason": "the office in Kauniainen is in Espoo's area"})
        case = wait_for(lambda: self._asked_again(notice_id), "Espoo asked again")
        self._print(
            f"the coordinator insists; Espoo's case: asked because {case['asked_because']}, {case['asked_reason']}"
        )
        self._decline(notice_id, "no_employees_here")
        reason = "the employer confirms: nobody in Kauniainen is concerned"
        coordinator.send(f"{path}/release", {"reason": reason})
        self._ledger(notice_id, version=3)
        self._print(f"Espoo is released; declined parts left: {len(coordinator.read('/v1/declined')['items'])}")
        for act in coordinator.read(f"/v1/notices/{notice_id}/acts")["items"]:
            self._print(f"kept with the notice: {act['act']} by {act['by']}: {act['reason']}")
        self._print(f"Espoo's case: {espoo.read(f'/v1/cases/{notice_id}')['state']}")

    def _decline(self, notice_id: str, reason: str) -> None:
        self._callers.officer["espoo"].send(f"/v1/cases/{notice_id}/decline", {"reason": reason})
        (part,) = wait_for(lambda: self._callers.coordinator.read("/v1/declined")["items"], "the declined part")
        self._print(f"on the coordinators' list: {part['authority']} says {part['decline_reason']}")

    def _asked_again(self, notice_id: str) -> dict[str, Any] | None:
        case = self._callers.officer["espoo"].read(f"/v1/cases/{notice_id}")
        return dict(case) if case["asked_because"] == "insisted" else None


class WithdrawalChapter(NoticeChapter):
    """The employer withdraws the notice."""

    TITLE = "The employer withdraws the notice"

    def _tell(self) -> None:
        notice_id = self._story.notice_id
        self._callers.system.send(f"/v1/notices/{notice_id}/withdrawal")
        self._ledger(notice_id, version=4)
        for city in ("helsinki", "vantaa"):
            case = self._callers.officer[city].read(f"/v1/cases/{notice_id}")
            self._print(f"{city}: {case['state']}")


class UnroutedChapter(NoticeChapter):
    """An unknown municipality is nobody's by default."""

    TITLE = "An unknown municipality waits in the unrouted queue; nobody is a default"

    def _tell(self) -> None:
        coordinator = self._callers.coordinator
        unknown = filing(sites=[{"municipality": "999"}])
        notice_id = self._callers.system.send("/v1/notices", {"filing": unknown})["notice_id"]
        (line,) = coordinator.read("/v1/unrouted")["items"]
        self._print(f"unrouted: {line['kind']} {line['municipality']}, {line['why']}")
        coordinator.send(
            f"/v1/notices/{notice_id}/authorities",
            {"authority": "vantaa", "municipality": "999", "reason": "the employer told the site is in Vantaa"},
        )
        self._ledger(notice_id, version=2)
        left = coordinator.read("/v1/unrouted")["items"]
        self._print(f"a coordinator assigns it by hand; left in the queue: {len(left)}")


class JointChapter(NoticeChapter):
    """A smaller matter of three cities, and acting for another by consent."""

    TITLE = "A joint matter with its lead, and an officer of another city acts in it"

    def _tell(self) -> None:
        profile = {"languages": ["fi", "sv"], "person_years": 0.5}
        for city in CITIES:
            coordinator = self._callers.of(city, city, "coordinator")
            coordinator.send(f"/v1/specialists/officer-of-{city}", profile, method="PUT")
        wait_for(lambda: len(self._callers.coordinator.read("/v1/specialists")["items"]) >= len(CITIES), "the officers")
        small = [{"measure": "termination", "personnel_group": "työntekijät", "count": 12}]
        sites = [_VANTAA | {"affected": 8}, _KAUNIAINEN | {"affected": 4}]
        body = {"filing": filing(measures=small, sites=sites)}
        notice_id = str(self._callers.system.send("/v1/notices", body)["notice_id"])
        self._ledger(notice_id, version=1)
        handling = self._callers.officer["vantaa"].read(f"/v1/cases/{notice_id}")["handling"]
        self._print(handling["because"]["en"])
        for role in ("lead", "specialist"):
            chosen = handling[role]
            self._print(f"{role}: {chosen['officer'] or chosen['authority']} – {chosen['because']['en']}")
        self._plan(notice_id)
        self._act(notice_id)

    def _plan(self, notice_id: str) -> None:
        path = f"/v1/cases/{notice_id}/plan"
        session = {"step": "information_sessions", "municipality": "092", "planned_on": "2026-12-10"}
        for language in ("fi", "sv"):
            self._callers.officer["vantaa"].send(path, session | {"language": language})
        plan = wait_for(
            lambda: len(found := self._callers.officer["espoo"].read(path)) == 2 and found,  # noqa: PLR2004
            "the plan",
        )
        table = Table(title="The shared plan, as Espoo sees it", title_justify="left")
        for column in ("step", "site", "language", "day", "state", "of"):
            table.add_column(column)
        for step in plan:
            cells = (step["en"], step["municipality"], step["language"], step["planned_on"], step["state"])
            table.add_row(*cells, step["authority"])
        self._print(table)

    def _act(self, notice_id: str) -> None:
        vantaa, guest = self._callers.officer["vantaa"], self._callers.of("vantaa", "helsinki", "officer")
        path = f"/v1/cases/{notice_id}"
        self._print(f"Helsinki's officer in Vantaa's case, without consent → {guest.get(path).status_code}")
        ask = {"competent_authority": "vantaa", "acting_authority": "helsinki", "reason": "Vantaa's officer is absent"}
        acting = self._callers.officer["helsinki"].send(f"{path}/acting", ask)["acting_id"]
        wait_for(lambda: vantaa.read("/v1/acting?state=asked")["items"], "the request at Vantaa")
        consent = vantaa.send(f"/v1/acting/{acting}/answer", {"accepted": True})
        self._print(f"Helsinki asks, Vantaa consents: {consent['ground']['en']}")
        guest.send(f"{path}/acknowledgement")
        guest.send(f"{path}/steps/employer_contacted", {"state": "done"}, method="PUT")
        table = Table(title="What Vantaa sees at once", title_justify="left")
        for column in ("act", "competent", "acting", "officer", "ground"):
            table.add_column(column)
        for act in vantaa.read(f"{path}/acts")["items"]:
            who = (act["competent_authority"], act["acting_authority"], act["officer"])
            table.add_row(f"{act['act']} {act['detail'] or ''}", *who, act["ground"]["code"])
        self._print(table)
        vantaa.send(f"/v1/acting/{acting}/end", {"reason": "our officer is back"})
        self._print(f"Vantaa takes its part back: Helsinki's officer → {guest.get(path).status_code}")
