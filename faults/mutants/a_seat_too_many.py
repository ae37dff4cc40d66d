"""Offers one seat more than a group has."""

from typing import Any

from services.training.__main__ import main
from services.training.domain.seats import next_offers
from services.training.joint.commands import seats


def one_more(count: int, *what: Any, **how: Any) -> Any:
    return next_offers(count + 1, *what, **how)


setattr(seats, "next_offers", one_more)  # noqa: B010 - not exported

if __name__ == "__main__":
    main()
