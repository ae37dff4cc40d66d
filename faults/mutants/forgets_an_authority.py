"""Tells only the first of the authorities that a notice concerns."""

from dataclasses import replace
from typing import Any

from services.change_security.__main__ import main
from services.change_security.domain import notice
from services.change_security.domain.routing import Routing, route


def route_to_the_first(*what: Any, **how: Any) -> Routing:
    routing = route(*what, **how)
    return replace(routing, recipients=routing.recipients[:1])


setattr(notice, "route", route_to_the_first)  # noqa: B010 - not exported

if __name__ == "__main__":
    main()
