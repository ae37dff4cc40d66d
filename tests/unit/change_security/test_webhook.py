"""Webhooks as Standard Webhooks prescribes."""

from datetime import timedelta

import pytest

from services.change_security.domain.webhook import (
    ATTEMPTS,
    Attempt,
    MessageState,
    check_url,
    follow_up,
    is_public,
    secret_of,
    sign,
)
from shared.errors import RefusedError
from tests.support.filings import ARRIVED


def test_the_signature_is_that_of_the_specifications_test_vector() -> None:
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_base64_with_its_prefix() -> None:
    assert secret_of(b"\x00" * 24) == "whsec_" + "A" * 32
    with pytest.raises(ValueError, match="base64"):
        sign("whsec_%%", "id", 1, b"")


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.example/hook",
        "https://user:secret@portal.example/hook",
        "https://portal.example/hook#part",
        "https://localhost/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://10.0.0.1/hook",
        "https://169.254.169.254/latest",
        "https://portal.example:99999/hook",
        "ftp://portal.example/hook",
        "portal.example/hook",
        "https:///hook",
    ],
)
def test_an_address_that_is_not_public_https_is_refused(url: str) -> None:
    with pytest.raises(RefusedError):
        check_url(url, loopback=False)


def test_this_machine_may_be_called_in_development_alone() -> None:
    check_url("https://portal.example/hook", loopback=False)
    check_url("http://127.0.0.1:8000/hook", loopback=True)
    for url in ("http://portal.example/hook", "http://10.0.0.1/hook"):
        with pytest.raises(RefusedError):
            check_url(url, loopback=True)


def test_a_name_that_leads_into_a_closed_network_is_not_called() -> None:
    assert is_public(["193.166.3.2", "2001:67c:1810::1"])
    assert not is_public(["193.166.3.2", "10.1.2.3"])
    assert not is_public(["fe80::1%eth0"])


def attempt(status: int | None) -> Attempt:
    return Attempt(at=ARRIVED, status=status)


@pytest.mark.parametrize("status", [None, 302, 400, 500, 503])
def test_what_is_not_taken_is_tried_again_later_and_later_and_at_last_has_failed(status: int | None) -> None:
    pauses = [follow_up(number, attempt(status)) for number in range(1, ATTEMPTS + 1)]
    assert pauses[-1] == (MessageState.FAILED, None)
    assert {state for state, _ in pauses[:-1]} == {MessageState.PENDING}
    waits = [pause for _, pause in pauses[:-1] if pause is not None]
    assert waits == sorted(waits)
    assert sum(waits, timedelta()) > timedelta(days=3)
    # What failed and is sent again by hand is tried once more, not for ever.
    assert follow_up(ATTEMPTS + 1, attempt(status)) == (MessageState.FAILED, None)


def test_any_2xx_takes_it_and_410_wants_no_more() -> None:
    assert follow_up(1, attempt(204)) == (MessageState.DELIVERED, None)
    assert follow_up(1, attempt(410)) == (MessageState.FAILED, None)
