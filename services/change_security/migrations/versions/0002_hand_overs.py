"""What advisory hands over."""

from alembic import op

from shared.handover.tables import DDL

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of hand-overs."""
    for statement in DDL:
        op.execute(statement)
