"""The first answers to requests that carry a key."""

from alembic import op

from shared.http.transactions import DDL

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table."""
    for statement in DDL:
        op.execute(statement)
