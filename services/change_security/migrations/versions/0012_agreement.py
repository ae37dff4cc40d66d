"""The agreement as advisory publishes it: limit, service levels, shares and delegations follow it."""

from alembic import op

from shared.agreement import DDL

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the table."""
    op.execute(DDL)
