"""What tests do with courses, groups, applications and seats."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg

from deploy.local.client import Caller, Callers, wait_for
from deploy.local.sample_data import application, course, group
from deploy.local.stack import CITIES, JOINT, Stack


@dataclass
class Training:
    """Training as its callers use it."""

    stack: Stack
    callers: Callers
    unique: str = field(default_factory=lambda: uuid4().hex[:8])

    def __post_init__(self) -> None:
        token = self.stack.issuer.system("employer-portal", "training:propose")
        self.employer = Caller(self.stack.url("training", JOINT), token)
        self.joint = self.callers.coordinator

    def add_course(self, **changes: Any) -> str:
        """Put a course into the catalogue; return its id once every city has it."""
        course_id = str(self.joint.send("/v1/courses", {"course": course(**changes)})["course_id"])
        for city in CITIES:
            self.wait_city(city, course_id)
        return course_id

    def wait_city(self, city: str, course_id: str) -> None:
        """Wait until a city's copy of the catalogue has a course."""
        asyncio.run(self._wait_city(city, course_id))

    async def _wait_city(self, city: str, course_id: str) -> None:
        connection = await asyncpg.connect(self.stack.databases[city].url)
        try:
            async with asyncio.timeout(30):
                query = "SELECT 1 FROM training.course WHERE course_id = $1"
                while not await connection.fetchval(query, course_id):  # noqa: ASYNC110 - nothing tells when
                    await asyncio.sleep(0.02)
        finally:
            await connection.close()

    def add_group(self, course_id: str, *states: str, **changes: Any) -> str:
        """Plan a group and move it through states."""
        told = self.joint.send(f"/v1/courses/{course_id}/groups", {"group": group(**changes)})
        for state in states:
            self.move(told["group_id"], state)
        return str(told["group_id"])

    def move(self, group_id: str, state: str) -> None:
        """Move a group to a state."""
        self.joint.send(f"/v1/groups/{group_id}/state", {"state": state}, "PUT")

    def apply(self, city: str, course_id: str, points: int = 50, **changes: Any) -> str:
        """Enter an application in a city; return its id."""
        applicant_id = changes.pop("applicant_id", f"{self.unique}-{uuid4().hex[:8]}")
        body = application(city, course_id, applicant_id, points, **changes)
        return str(self.callers.officer[city].send("/v1/applications", body)["application_id"])

    def at_joint(self, application_id: str) -> dict[str, Any]:
        """Return an application as the joint office has it."""
        answer = self.joint.get(f"/v1/applications/{application_id}")
        return dict(answer.json()) if answer.is_success else {}

    def in_city(self, city: str, application_id: str) -> dict[str, Any]:
        """Return an application as a city has it."""
        answer = self.callers.officer[city].get(f"/v1/applications/{application_id}")
        return dict(answer.json()) if answer.is_success else {}

    def wait_joint(self, application_id: str, **wanted: Any) -> dict[str, Any]:
        """Wait until an application has these values at the joint office."""
        return self._wait(lambda: self.at_joint(application_id), wanted)

    def wait_in_city(self, city: str, application_id: str, **wanted: Any) -> dict[str, Any]:
        """Wait until an application has these values in a city."""
        return self._wait(lambda: self.in_city(city, application_id), wanted)

    def _wait(self, look: Any, wanted: dict[str, Any]) -> dict[str, Any]:
        def holds() -> dict[str, Any] | None:
            found: dict[str, Any] = look()
            return found if found and all(found[name] == value for name, value in wanted.items()) else None

        return wait_for(holds, f"an application with {wanted}", 60)

    def open_offer(self, city: str, application_id: str) -> str:
        """Wait for an open seat offer in a city; return its id."""

        def look() -> list[str]:
            offers = self.in_city(city, application_id).get("offers", [])
            return [offer["offer_id"] for offer in offers if offer["state"] == "open"]

        return wait_for(look, "a seat offer", 60)[0]

    def answer(self, city: str, application_id: str, *, accepted: bool) -> None:
        """Answer an application's open seat offer."""
        offer_id = self.open_offer(city, application_id)
        self.callers.officer[city].send(f"/v1/offers/{offer_id}/answer", {"accepted": accepted})

    def seats(self, group_id: str) -> list[dict[str, Any]]:
        """Return a group's seat offers that keep a seat."""
        found = self.joint.read(f"/v1/groups/{group_id}/seats")["items"]
        return [one for one in found if one["state"] in {"open", "accepted"}]
