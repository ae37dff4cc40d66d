"""Brings a service's schema up to date. Each service ships its own migrations and owns its own schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine


async def migrate(engine: AsyncEngine, migrations: Path, schema: str) -> None:
    """Create the schema if need be and apply every migration that it lacks. Processes that start together take turns.

    Args:
        engine: the office's database; its connections look names up in `schema`.
        migrations: the service's folder of Alembic migrations.
        schema: the service's schema.
    """
    async with engine.connect() as connection:
        await connection.execute(
            text("SELECT pg_advisory_lock(hashtext('migrate'), hashtext(:schema))"), {"schema": schema}
        )
        await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
        await connection.commit()
        await connection.run_sync(_upgrade, migrations)
        await connection.commit()
        await connection.execute(text("SELECT pg_advisory_unlock_all()"))
        await connection.commit()


def _upgrade(connection: Connection, migrations: Path) -> None:
    config = _config(migrations)
    if _is_newer(connection, ScriptDirectory.from_config(config)):
        return
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def is_current(connection: Connection, migrations: Path) -> bool:
    """Whether the schema has every migration that this version of the service ships.

    A newer version's schema has them all: while an office is upgraded, or was set back, the version before works on it.
    """
    scripts = ScriptDirectory.from_config(_config(migrations))
    applied = MigrationContext.configure(connection).get_current_heads()
    return set(applied) == set(scripts.get_heads()) or _is_newer(connection, scripts)


def _is_newer(connection: Connection, scripts: ScriptDirectory) -> bool:
    """Whether a newer version has migrated the schema: its revision is unknown here."""
    applied = MigrationContext.configure(connection).get_current_heads()
    return not set(applied) <= {script.revision for script in scripts.walk_revisions()}


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config
