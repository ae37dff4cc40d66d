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
        self._answer(contact)
        self._hand_over(contact)
        self._ask_city()
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
        person = {"phone": EMPLOYER["phone"], "email": "rekry@firma.example"}
        contact = dict(self._portal.send("/v1/contacts", told | {"person": person}))
        self._print(
            f"an employer of Vantaa writes → {contact['officer']} of {contact['acting_authority']}: {contact['reason']}"
        )
        again = self._portal.send("/v1/contacts", told | {"channel": "call_back"})
        self._print(f"and calls about the same → joined: {again['reason']}")
        return contact

    def _answer(self, contact: dict[str, Any]) -> None:
        acting, path = contact["acting_authority"], f"/v1/contacts/{contact['contact_id']}"
        officer, in_city = self._callers.of(JOINT, acting, "officer"), self._callers.officer[acting]
        officer.send(f"{path}/answer", {"text": "Kerromme mielellämme palveluistamme.", "minutes": 10})
        (letter,) = officer.read(f"/v1/letters?about={contact['contact_id']}")["items"]
        self._print(f"{acting} answers in writing → an e-mail in the employer's language ({letter['state']})")
        told = {name: contact["contact"][name] for name in ("topic", "municipality", "business_id")}
        self._portal.send("/v1/contacts", told | {"channel": "email"})

        def reopened() -> dict[str, Any] | None:
            found = dict(in_city.read(path))
            return found if found["state"] == "assigned" and found["reopened_at"] else None

        wait_for(lambda: in_city.get(path).is_success, f"the contact in {acting}")
        found = wait_for(reopened, f"the reopened contact in {acting}")
        self._print(f"the employer writes again → reopened, and {found['officer']} hears of it: {found['reason']}")

    def _ask_city(self) -> None:
        call = {
            "topic": "training",
            "minutes": 6,
            "person": {"phone": EMPLOYER["phone"]},
            "hand_over": {"to_service": "training", "reason": "wants to train its cooks"},
        }
        path = f"/v1/contacts/{self._callers.officer['vantaa'].send('/v1/calls', call)['contact_id']}"

        def drafted() -> bool:
            answer = self._callers.coordinator.get(path)
            return answer.is_success and any(one["draft_id"] for one in answer.json()["hand_overs"])

        wait_for(drafted, "training's draft")
        purpose = {"purpose": "to complete the proposal", "service": "training"}
        query = self._callers.coordinator.send(f"{path}/caller-queries", purpose)
        asked = f"/v1/caller-queries/{query['request_id']}"
        wait_for(lambda: self._callers.coordinator.read(asked)["answered"], "the city's answer")
        caller = self._callers.of("vantaa", "helsinki", "officer").send(f"{asked}/reading")
        self._print(
            f"a call that {query['asked_of']} took and handed over: training asks who called, with a purpose; the city"
            f" grants it, and the officer reads it there ({caller['phone']}); no name or number is on a topic"
        )

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
        desk = Callers(self._stack, "placement").coordinator
        handed = self._callers.coordinator.read(path)["hand_overs"]
        (draft_id,) = (one["draft_id"] for one in handed if one["hand_over_id"] == hand_over_id)
        draft = desk.read(f"/v1/drafts/{draft_id}")
        vacancy = draft["content"]["vacancy"] | {"title": "Kokki"}
        desk.send(f"/v1/drafts/{draft_id}", {"content": {"vacancy": vacancy}}, "PUT")
        self._print(
            f"handed over to placement: stored there ({before} still) with a draft of what is known"
            f" ({', '.join(sorted(draft['content']['vacancy']))}), which an officer saves half-filled"
        )
        vacancy |= {"occupation": {"scheme": "ISCO-08", "code": "5120"}}
        desk.send(f"/v1/drafts/{draft_id}/completion", {"vacancy": vacancy})
        wait_for(lambda: self._callers.coordinator.read(path)["state"] == "handed_over", "the acknowledgement")
        self._print("and completes into a draft vacancy: placement has the contact now (handed_over)")

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
