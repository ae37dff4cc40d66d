"""A process that starts while something it needs is away."""

from deploy.local.processes import answers
from deploy.local.stack import Stack


def test_a_process_that_starts_before_its_database_waits_for_it(stack: Stack) -> None:
    child, database = stack.child("training", "espoo"), stack.databases["espoo"]
    database.kill()
    try:
        child.kill()
        child.start()
        child.wait_until(lambda: "waiting to start" in child.last_lines(), 30)
        assert not answers(f"{stack.url('training', 'espoo')}/readyz")
    finally:
        database.start()
    stack.wait_ready("training", "espoo")
