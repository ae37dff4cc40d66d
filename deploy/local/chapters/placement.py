"""Placement: one vacancy, three pools, one of them unavailable."""

import sys
from typing import Any

from rich.table import Table

from deploy.local.chapters.chapter import EMPLOYER, Chapter
from deploy.local.client import Callers, wait_for
from deploy.local.processes import Child
from deploy.local.sample_data import BUSINESS_ID


class PlacementChapter(Chapter):
    """Placement: one vacancy, three pools, one of them unavailable."""

    SERVICE = "placement"
    TITLE = "Placement: one vacancy, three jobseeker pools, named gaps"

    def _tell(self) -> None:
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
            "employer": {"business_id": BUSINESS_ID, "name": "Esimerkkiruoka Oy"},
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
            lambda: (
                answer
                if (answer := asker.post(query, json={"purpose": "call"})).status_code != 404  # noqa: PLR2004
                else None
            ),
            "the referral at Vantaa",
        )
        self._print(f"Helsinki's officer asks Vantaa for the name before consent → {asked.status_code}")
        consent = {"consented": True, "how": "phone"}
        self._callers.officer["vantaa"].send(f"/v1/referrals/{referral_id}/consent", consent)
        contact = asker.send(query, {"purpose": "call"})
        log = self._callers.officer["vantaa"].read(query)["items"]
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
        Callers(self._stack, "change_security").system.send("/v1/notices", {"filing": filing})
        found = wait_for(
            lambda: self._callers.coordinator.read("/v1/supply/suggestions?occupation=5120")["items"],
            "the expected supply",
        )
        supply, vacancy = found[0]["supply"], found[0]["vacancies"][0]["vacancy"]
        self._print(
            f"change security expects {supply['known']} cooks to be free in Vantaa from {supply['available_from']};"
            f" suggested to officers: {vacancy['title']}"
        )
