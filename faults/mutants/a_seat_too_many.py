"""Offers one seat more than a group has."""

from typing import Any

from services.training import commands
from services.training.__main__ import main
from services.training.domain.seats import next_offers


def one_more(seats: int, *what: Any) -> Any:
    return next_offers(seats + 1, *what)


setattr(commands, "next_offers", one_more)  # noqa: B010 - not exported

if __name__ == "__main__":
    main()
