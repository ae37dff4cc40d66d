"""Advisory: one queue of contacts, a hand-over that is acknowledged, an employer's timeline."""

from typing import Any

from rich.table import Table

from deploy.local.chapters.chapter import EMPLOYER, Chapter
from deploy.local.client import Caller, Callers, wait_for
from deploy.local.sample_data import adviser
from deploy.local.stack import CITIES, JOINT


class AdvisoryChapter(Chapter):
    """Advisory: employers' contacts shared as agreed."""

    SERVICE = "advisory"
    TITLE = "Advisory: one queue for employers, fair to three cities"

    def _tell(self) -> None:
        self._portal = Caller(
            self._stack.url("advisory", JOINT), self._stack.issuer.system("employer-portal", "contacts:write")
        )
        self._list()
        contact = self._bring()
        self._hand_over(contact)
        self._timeline()

    def _list(self) -> None:
        for city, count in (("helsinki", 4), ("espoo", 2), ("vantaa", 2)):
            coordinator = self._callers.of(city, city, "coordinator")
            for number in range(count):
                coordinator.send(f"/v1/advisers/{city}-{number}", adviser(), "PUT")

        def everyone() -> bool:
            told = self._portal.send("/v1/contacts", {"channel": "call_back", "language": "sv"})
            return bool(told["officer"])

        wait_for(everyone, "the officers at the joint office")
        for _ in range(19):
            self._portal.send("/v1/contacts", {"channel": "call_back"})
        shares = self._callers.coordinator.read("/v1/shares")
        split = ", ".join(f"{one['authority']} {one['contacts']} ({one['agreed_share']:.0%} agreed)" for one in shares)
        self._print(f"each city lists its officers; contacts are given by agreed person-years: {split}")

    def _bring(self) -> dict[str, Any]:
        told = {
            "channel": "form",
            "topic": "recruitment",
            "municipality": "092",
            "business_id": EMPLOYER["business_id"],
        }
        contact = dict(self._portal.send("/v1/contacts", told | {"person": {"phone": EMPLOYER["phone"]}}))
        self._print(
            f"an employer of Vantaa writes → {contact['officer']} of {contact['acting_authority']}: {contact['reason']}"
        )
        again = self._portal.send("/v1/contacts", told | {"channel": "call_back"})
        self._print(f"and calls about the same → joined: {again['reason']}")
        return contact

    def _hand_over(self, contact: dict[str, Any]) -> None:
        acting, path = contact["acting_authority"], f"/v1/contacts/{contact['contact_id']}"
        officer = self._callers.officer[acting]
        wait_for(lambda: officer.get(path).is_success, f"the contact in {acting}")
        told = {"to_service": "placement", "reason": "wants to recruit ten cooks"}
        hand_over_id = officer.send(f"{path}/hand-overs", told)["hand_over_id"]

        def state() -> str:
            found = self._callers.coordinator.read(path)["hand_overs"]
            return str(found[0]["state"]) if found else ""

        wait_for(lambda: state() == "stored", "placement's store")
        before = self._callers.coordinator.read(path)["state"]
        Callers(self._stack, "placement").coordinator.send(f"/v1/hand-overs/{hand_over_id}/acceptance", {})
        wait_for(lambda: self._callers.coordinator.read(path)["state"] == "handed_over", "the acknowledgement")
        self._print(
            f"handed over to placement: stored there ({before} still), then accepted by an officer (handed_over)"
        )

    def _timeline(self) -> None:
        table = Table(title="the employer's timeline, as two authorities may see it", title_justify="left")
        for column in ("authority", "shown", "withheld, and why"):
            table.add_column(column)
        for city in CITIES[1:]:
            officer = self._callers.of(JOINT, city, "officer")
            asked = officer.send("/v1/timelines", {"business_id": EMPLOYER["business_id"]})
            path = f"/v1/timelines/{asked['request_id']}"
            found = wait_for(
                lambda officer=officer, path=path: (  # type: ignore[misc]
                    one if not (one := officer.read(path))["missing_services"] else None
                ),
                "every service's answer",
            )
            shown = "\n".join(f"{one['service']}: {one['what']} ({one['state']})" for one in found["entries"])
            withheld = "\n".join(f"{one['service']}: {one['what']}: {one['reason']}" for one in found["withheld"])
            table.add_row(city, shown, withheld)
        self._print(table)
