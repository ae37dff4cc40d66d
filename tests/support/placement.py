"""What tests do with vacancies and candidates, over HTTP."""

from dataclasses import dataclass
from typing import Any

from deploy.local.client import Caller, Callers, wait_for
from deploy.local.stack import JOINT, Stack


def canary(city: str) -> str:
    """A string that stands only in one city's contact data."""
    return f"kanaria{city[::-1]}x9"


def vacancy(**changes: Any) -> dict[str, Any]:
    """A vacancy for cooks in Vantaa, as JSON."""
    return {
        "title": "Kokki henkilöstöravintolaan",
        "description": "Lounasravintola etsii kokkia",
        "employer": {"business_id": "2077474-0", "name": "Esimerkkiruoka Oy"},
        "occupation": {"scheme": "ISCO-08", "code": "5120"},
        "languages": ["fi"],
        "municipality": "092",
        "starts_on": "2027-01-04",
    } | changes


@dataclass
class Placement:
    """Placement as its callers use it."""

    stack: Stack
    callers: Callers

    def __post_init__(self) -> None:
        token = self.stack.issuer.system("job-board", "vacancies:write")
        self.system = Caller(self.stack.url("placement", JOINT), token)

    def report(self, **changes: Any) -> dict[str, Any]:
        """Report an open vacancy."""
        return dict(self.system.send("/v1/vacancies", {"vacancy": vacancy(**changes)}))

    def move(self, vacancy_id: str, state: str) -> dict[str, Any]:
        """Change a vacancy's state."""
        return dict(self.system.send(f"/v1/vacancies/{vacancy_id}/state", {"state": state}, "PUT"))

    def ask(self, vacancy_id: str, **options: Any) -> str:
        """Ask the pools; return the assignment's id."""
        told = self.callers.coordinator.send("/v1/assignments", {"vacancy_id": vacancy_id} | options)
        return str(told["assignment_id"])

    def answers(self, assignment_id: str) -> dict[str, Any]:
        """Return an assignment as it is."""
        return dict(self.callers.coordinator.read(f"/v1/assignments/{assignment_id}"))

    def complete(self, assignment_id: str, seconds: float = 30) -> dict[str, Any]:
        """Wait until every pool has answered."""

        def look() -> dict[str, Any] | None:
            found = self.answers(assignment_id)
            return found if found["complete"] else None

        return wait_for(look, "three answers", seconds)

    def refer(self, assignment_id: str, candidate: dict[str, Any]) -> str:
        """Ask for a referral; return its id when the owning city has it."""
        told = {"office": candidate["office"], "reference": candidate["reference"], "purpose": "esittely työnantajalle"}
        referral_id = self.callers.coordinator.send(f"/v1/assignments/{assignment_id}/referrals", told)["referral_id"]
        city = self.callers.officer[candidate["office"]]
        wait_for(
            lambda: [one for one in city.read("/v1/referrals?limit=200")["items"] if one["referral_id"] == referral_id],
            "the referral in the owning city",
        )
        return str(referral_id)

    def wait_referral(self, referral_id: str, **wanted: Any) -> dict[str, Any]:
        """Wait until a referral has these values at the joint office."""

        def look() -> dict[str, Any] | None:
            found = self.callers.coordinator.read(f"/v1/referrals/{referral_id}")
            return dict(found) if all(found[name] == value for name, value in wanted.items()) else None

        return wait_for(look, f"the referral with {wanted}")
