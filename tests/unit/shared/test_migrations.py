"""When a schema is ready for a version of a service."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from shared.migrations import _upgrade, is_current

MIGRATIONS = Path(__file__).parents[3] / "services/training/migrations"
HEAD = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py"))


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as made:
        made.execute(text("CREATE TABLE alembic_version (version_num text)"))
        yield made
    engine.dispose()


@pytest.mark.parametrize(("revision", "ready"), [("0001", False), (HEAD, True), ("9999", True)])
def test_a_schema_is_ready_when_it_has_at_least_what_this_version_ships(
    connection: Connection, revision: str, *, ready: bool
) -> None:
    assert not is_current(connection, MIGRATIONS)
    connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    assert is_current(connection, MIGRATIONS) is ready


def test_an_older_version_leaves_a_newer_versions_schema_as_it_is(connection: Connection) -> None:
    connection.execute(text("INSERT INTO alembic_version VALUES ('9999')"))
    _upgrade(connection, MIGRATIONS)
    assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [("9999",)]
    tables = connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one()
    assert tables == 1
