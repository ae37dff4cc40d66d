"""Cursors: what comes back from a caller is a place in a list, or refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from shared.http.problems import ProblemError
from shared.http.reading import integer, read_cursor, read_long_cursor, read_single_cursor, write_cursor

AT = datetime(2026, 11, 24, 7, tzinfo=UTC)


def test_a_cursor_leads_back_to_its_place() -> None:
    last = uuid4()
    assert read_cursor(write_cursor(AT, last), datetime.fromisoformat, UUID) == (AT, last)
    assert read_single_cursor(write_cursor("ä-1"), str) == "ä-1"
    assert read_long_cursor(write_cursor(AT, last, "workplace", ""), datetime.fromisoformat, UUID, str, str) == (
        AT,
        last,
        "workplace",
        "",
    )
    assert read_long_cursor(None, str, str) is None


@pytest.mark.parametrize(
    ("values", "parsers"),
    [
        (("2026-11-24T07:00:00",), (datetime.fromisoformat,)),  # without its offset
        (("0001-01-01T00:00:00+00:00",), (datetime.fromisoformat,)),
        (("9999-12-31T23:59:59+00:00",), (datetime.fromisoformat,)),
        (("0001-01-01T00:00:00+14:00",), (datetime.fromisoformat,)),
        ((2**31,), (integer,)),
        ((2**63,), (int,)),
        (("\0",), (str,)),
        (("\ud800",), (str,)),
        (("x",), (UUID,)),
        ((AT, uuid4(), "elsewhere"), (datetime.fromisoformat, UUID)),
    ],
)
def test_a_place_that_no_list_holds_is_refused(
    values: tuple[object, ...], parsers: tuple[Callable[[str], object], ...]
) -> None:
    """Each of these once reached the database, which could not compare with it: 500."""
    with pytest.raises(ProblemError) as refused:
        read_long_cursor(write_cursor(*values), *parsers)
    assert (refused.value.problem.status, refused.value.problem.type) == (400, "urn:problem:invalid-cursor")


@pytest.mark.parametrize("cursor", ["", "ä", "%%%", "bnVsbA", "W10", "WzFd", "e30"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ProblemError):
        read_single_cursor(cursor, str)
