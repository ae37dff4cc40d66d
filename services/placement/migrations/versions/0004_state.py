"""A vacancy has a state, as everything else; first answers to requests with an Idempotency-Key."""

from alembic import op

from shared.http.transactions import DDL

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Rename the column, and create the table of first answers."""
    op.execute("ALTER TABLE vacancy RENAME COLUMN status TO state")
    for statement in DDL:
        op.execute(statement)
