"""A process's settings, as the stack gives them."""

from typing import Any, TypeVar

from deploy.local.stack import Stack
from shared.settings import ProcessSettings

Kind = TypeVar("Kind", bound=ProcessSettings)


def settings_of(kind: type[Kind], stack: Stack, office: str, **changes: Any) -> Kind:
    """Return a service's settings in an office, with changes."""
    environment: dict[str, Any] = {name.lower(): value for name, value in stack.environment(office).items()}
    return kind(**(environment | changes))
