"""A pure function's last answer, kept for as long as it is asked about the very same object."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def kept_for_same(function: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
    """Let a pure function of an object that never changes work once, while it is asked about it again and again.

    One message's handler asks the same of a filing up to five times, from places that know nothing of each other.
    Comparing the object itself costs nothing, as hashing a filing would.
    """
    kept: tuple[Asked, Answer] | None = None

    @wraps(function)
    def answer(asked: Asked) -> Answer:
        nonlocal kept
        last = kept  # read once: another thread may replace it
        if last is None or last[0] is not asked:
            kept = last = (asked, function(asked))
        return last[1]

    return answer
