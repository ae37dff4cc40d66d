"""The languages that an advertisement is written in and translated into, and since when it is shown."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make one language a list of them. Of what is no draft now, nobody knows whether it was withdrawn as one."""
    for table in ("vacancy", "vacancy_revision"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN language TYPE text[] USING ARRAY[language]")
        op.execute(f"ALTER TABLE {table} RENAME COLUMN language TO advertised_in")
    op.execute("ALTER TABLE vacancy ADD COLUMN shown_at timestamptz")
    op.execute("UPDATE vacancy SET shown_at = state_since WHERE state <> 'draft'")
