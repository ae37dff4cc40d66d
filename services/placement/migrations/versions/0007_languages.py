"""The languages that an advertisement is written in and translated into."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make one language a list of them."""
    for table in ("vacancy", "vacancy_revision"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN language TYPE text[] USING ARRAY[language]")
        op.execute(f"ALTER TABLE {table} RENAME COLUMN language TO advertised_in")
