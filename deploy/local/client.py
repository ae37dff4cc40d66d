"""Talks to the running offices as their callers do: over HTTP, with a token."""

import time
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from deploy.local.processes import TLS
from deploy.local.stack import CITIES, JOINT, Stack

Found = TypeVar("Found")


class Caller:
    """One caller of one office's API."""

    def __init__(self, base: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=base, headers=headers, timeout=30, verify=TLS)
        weakref.finalize(self, self.http.close)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Send a GET."""
        return self.http.get(path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """Send a POST."""
        return self.http.post(path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        """Send a PUT."""
        return self.http.put(path, **options)

    def read(self, path: str) -> Any:
        """Return what a path holds.

        Raises:
            httpx.HTTPStatusError: the answer is no success.
        """
        answer = self.http.get(path)
        answer.raise_for_status()
        return answer.json()

    def send(self, path: str, body: Any = None, method: str = "POST", **headers: str) -> Any:
        """Send JSON and return the answer's.

        Raises:
            httpx.HTTPStatusError: the answer is no success.
        """
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.http.request(method, path, json=body, headers=told)
        answer.raise_for_status()
        return answer.json() if answer.content else None


class Callers:
    """The callers that a run needs: a filing system, a coordinator, each city's officer, operators."""

    def __init__(self, stack: Stack, service: str) -> None:
        joint = stack.url(service, JOINT)
        self.stack = stack
        self.service = service
        self.system = Caller(joint, stack.issuer.system("employer-portal", "notices:write", "notices:read"))
        self.coordinator = Caller(joint, stack.issuer.officer("helsinki", "coordinator", "officer"))
        self.operator = Caller(joint, stack.issuer.officer("helsinki", "operator"))
        self.officer = {city: self.of(city, city, "officer") for city in CITIES}
        self.city_operator = {city: self.of(city, city, "operator") for city in CITIES}

    def of(self, office: str, authority: str, *roles: str) -> Caller:
        """Return an officer's caller at an office."""
        return Caller(self.stack.url(self.service, office), self.stack.issuer.officer(authority, *roles))


def has_read_everything(operator: Caller) -> bool:
    """Whether an operator's process has handled every record that its topics hold now."""
    lags = operator.read("/v1/consumer/lag")
    return bool(lags) and not any(lag["records"] for lag in lags)


def wait_for(look: Callable[[], Found | None], what: str, seconds: float = 30) -> Found:
    """Look again and again until something is found.

    Raises:
        TimeoutError: it was not found in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    message = f"waited {seconds:.0f} s for {what}"
    raise TimeoutError(message)
