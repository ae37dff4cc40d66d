"""Training: one queue, a seat at a time, groups formed from it, and a proposal of an employer."""

from typing import Any

from rich.table import Table

from deploy.local.chapters.chapter import EMPLOYER, Chapter
from deploy.local.client import Caller, wait_for
from deploy.local.sample_data import application, course, group
from deploy.local.stack import CITIES, JOINT


class TrainingChapter(Chapter):
    """Training: applicants of three cities in one queue."""

    SERVICE = "training"
    TITLE = "Training: one queue of three cities, no seat given twice, none empty"

    def _tell(self) -> None:
        course_id = self._publish()
        people = self._apply(course_id)
        self._fill(course_id, people)
        self._form(course_id)
        self._procure()

    def _publish(self) -> str:
        course_id = str(
            self._callers.coordinator.send("/v1/courses", {"course": course(min_size=2, max_size=16)})["course_id"]
        )
        for city in CITIES:
            wait_for(
                lambda city=city: [  # type: ignore[misc]
                    one
                    for one in self._callers.officer[city].read("/v1/courses")["items"]
                    if one["course_id"] == course_id
                ],
                f"the catalogue in {city}",
            )
        self._print("a course for cooks is in the catalogue; each city has its copy")
        return course_id

    def _apply(self, course_id: str) -> list[tuple[str, str]]:
        told = [("helsinki", 90), ("helsinki", 80), ("helsinki", 70), ("espoo", 30), ("vantaa", 20), ("vantaa", 60)]
        people = []
        for number, (city, points) in enumerate(told):
            wishes = {"travel": ["092", "049"], "can_start_from": "2027-01-04"}
            body = application(city, course_id, f"invented-{number}", points, **wishes)
            people.append((city, str(self._callers.officer[city].send("/v1/applications", body)["application_id"])))
        wait_for(lambda: len(self._queue(course_id)) == len(people), "the joint queue")
        self._print(f"{len(people)} applications, each in its own city; the joint queue knows them by opaque reference")
        return people

    def _queue(self, course_id: str) -> list[dict[str, Any]]:
        return list(self._callers.coordinator.read(f"/v1/courses/{course_id}/queue")["items"])

    def _fill(self, course_id: str, people: list[tuple[str, str]]) -> None:
        joint = self._callers.coordinator
        group_id = joint.send(f"/v1/courses/{course_id}/groups", {"group": group()})["group_id"]
        for state in ("open", "selection"):
            joint.send(f"/v1/groups/{group_id}/state", {"state": state}, "PUT")
        self._print("a group of four seats (2 + 1 + 1 by shares that are to be checked) opens its selection:")
        self._seats(group_id)
        city, application_id = people[3]
        officer = self._callers.officer[city]

        def offer() -> str | None:
            offers = officer.read(f"/v1/applications/{application_id}")["offers"]
            return next((str(one["offer_id"]) for one in offers if one["state"] == "open"), None)

        officer.send(f"/v1/offers/{wait_for(offer, 'the offer')}/answer", {"accepted": False})
        seats = f"/v1/groups/{group_id}/seats"
        wait_for(lambda: len(joint.read(seats)["items"]) == 5, "the next offer")  # noqa: PLR2004
        self._print("Espoo's applicant declines; nobody else of Espoo waits, so the seat goes to the joint queue:")
        self._seats(group_id)
        declined = joint.read(f"/v1/applications/{application_id}")
        self._print(
            f"only that group's seat is declined: the application is {declined['state']} for other groups, at place"
            f" {declined['position']}"
        )

    def _seats(self, group_id: str) -> None:
        table = Table()
        for column in ("home", "reference", "seat", "because"):
            table.add_column(column)
        for one in self._callers.coordinator.read(f"/v1/groups/{group_id}/seats")["items"]:
            table.add_row(one["authority"], one["reference"], one["state"], one["reason"])
        self._print(table)

    def _form(self, course_id: str) -> None:
        waiting = len(self._queue(course_id))
        groups = [
            {"name": "Tikkurila in March", "group": group(starts_on="2027-03-01")},
            {"name": "Leppävaara in Swedish", "group": group(language="sv", municipality="049")},
        ]
        found = self._callers.coordinator.send(f"/v1/courses/{course_id}/formations", {"groups": groups})
        placed = sum(found["sizes"].values())
        one = found["placements"][0]
        self._print(
            f"groups proposed for the {waiting} who still wait: {placed} placed, the first because: {one['reason']}"
            + (f"; would help: {one['would_help']}" if one["would_help"] else "")
        )

    def _procure(self) -> None:
        token = self._stack.issuer.system("employer-portal", "training:propose")
        employer = Caller(self._stack.url("training", JOINT), token)
        proposal = {
            "kind": "tasma",
            "title": {"fi": "Hitsauksen täsmäkoulutus"},
            "business_id": EMPLOYER["business_id"],
            "employer_size": "large",
            "municipality": "092",
            "seats": 10,
            "training_days": 8,
            "price_eur": "24000.00",
            "starts_on": "2027-02-01",
        }
        refused = employer.post("/v1/proposals", json=proposal)
        codes = ", ".join(one["code"] for one in refused.json()["errors"])
        told = employer.send("/v1/proposals", proposal | {"training_days": 10})
        checked = " (to be checked)" if told["to_be_checked"] else ""
        self._print(
            f"an employer proposes a TäsmäKoulutus of 8 days → {refused.status_code} {codes}; of 10 days → the employer"
            f" pays {told['employer_percent']} % = {told['employer_eur']} € without VAT{checked}"
        )
        participants = f"/v1/proposals/{told['proposal_id']}/participants"
        for home, people in (("vantaa", 6), ("outside", 2)):
            employer.send(participants, {"authority": home, "people": people})
        too_many = employer.post(participants, json={"authority": "espoo", "people": 3})
        code = too_many.json()["type"].removeprefix("urn:problem:")
        self._print(
            f"its own staff take part: 6 of Vantaa and 2 from outside the region; 3 more of Espoo for the 10 seats →"
            f" {too_many.status_code} {code}"
        )
