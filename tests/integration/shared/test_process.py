"""A process whose database is unavailable, from its start or without a word."""

from deploy.local.client import Callers, wait_for
from deploy.local.processes import answers
from deploy.local.stack import Stack
from tests.support.filings import termination_notice


def test_a_process_that_starts_before_its_database_waits_for_it(stack: Stack) -> None:
    child, database = stack.child("training", "espoo"), stack.databases["espoo"]
    database.kill()
    try:
        child.kill()
        child.start()
        child.wait_until(lambda: "waiting to start" in child.last_lines(), 120)
        assert not answers(f"{stack.url('training', 'espoo')}/readyz")
    finally:
        database.start()
    stack.wait_ready("training", "espoo")


def test_a_network_that_falls_silent_is_noticed_and_nothing_waits_for_ever(small: Stack) -> None:
    """Neither end sees a closed connection: only a limit on how long an answer may take tells."""
    callers, child = Callers(small, "change_security"), small.child("change_security", "vantaa")
    small.links.cut("vantaa", "PostgreSQL")
    try:
        filing = termination_notice(40).model_dump(mode="json")
        notice_id = callers.system.send("/v1/notices", {"filing": filing})["notice_id"]
        child.wait_until(lambda: "database unavailable, waiting" in child.last_lines(50), 30)
        child.wait_until(lambda: "relay failed, starting again" in child.last_lines(50), 30)
        answer = callers.officer["vantaa"].get(f"/v1/cases/{notice_id}")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
    finally:
        small.links.restore("vantaa", "PostgreSQL", breaking=False)
    wait_for(lambda: callers.officer["vantaa"].get(f"/v1/cases/{notice_id}").is_success, "the case", 60)
