"""The first answer to each request that carries a key."""

from alembic import op

from shared.http.transactions import DDL

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of first answers."""
    for statement in DDL:
        op.execute(statement)
