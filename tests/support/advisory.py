"""What tests do with contacts."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from stdnum.fi import ytunnus

from deploy.local.client import Caller, Callers, wait_for
from deploy.local.sample_data import adviser
from deploy.local.stack import CITIES, JOINT, Stack


def business_id(seed: int) -> str:
    """Return a valid business id."""
    for number in range(seed * 11, seed * 11 + 11):
        for check in range(10):
            found = f"{number:07d}-{check}"
            if ytunnus.is_valid(found):
                return found
    raise AssertionError


@dataclass
class Advisory:
    """Advisory as its callers use it. Every test has its own language-and-topic corner by officers of its own."""

    stack: Stack
    callers: Callers
    unique: str = field(default_factory=lambda: uuid4().hex[:8])

    def __post_init__(self) -> None:
        self.joint = self.callers.coordinator
        self.portal = Caller(
            self.stack.url("advisory", JOINT), self.stack.issuer.system("employer-portal", "contacts:write")
        )
        self.business_id = business_id(100_000 + int(self.unique, 16) % 80_000)
        self.coordinator = {city: self.callers.of(city, city, "coordinator", "officer") for city in CITIES}

    def list_adviser(self, city: str, officer: str, **changes: Any) -> None:
        """List an officer of a city."""
        self.coordinator[city].send(f"/v1/advisers/{officer}", adviser(**changes), "PUT")

    def bring(self, **changes: Any) -> dict[str, Any]:
        """Bring a contact by form."""
        told = {"channel": "form", "topic": "recruitment", "municipality": "092", "business_id": self.business_id}
        return dict(self.portal.send("/v1/contacts", told | changes))

    def at_joint(self, contact_id: str) -> dict[str, Any]:
        """Return a contact as the joint office has it."""
        return dict(self.joint.read(f"/v1/contacts/{contact_id}"))

    def wait_joint(self, contact_id: str, **wanted: Any) -> dict[str, Any]:
        """Wait until a contact has these values at the joint office."""

        def look() -> dict[str, Any] | None:
            found = self.at_joint(contact_id)
            return found if all(found[name] == value for name, value in wanted.items()) else None

        return wait_for(look, f"a contact with {wanted}", 60)

    def wait_in_city(self, city: str, contact_id: str, **wanted: Any) -> dict[str, Any]:
        """Wait until a contact has these values in a city."""

        def look() -> dict[str, Any] | None:
            answer = self.callers.officer[city].get(f"/v1/contacts/{contact_id}")
            found = answer.json()
            return found if answer.is_success and all(found[key] == value for key, value in wanted.items()) else None

        return wait_for(look, f"a contact with {wanted} in {city}", 60)

    def answer(self, city: str, contact_id: str, **told: Any) -> None:
        """Answer a contact in a city."""
        self.callers.officer[city].send(f"/v1/contacts/{contact_id}/answer", told)
