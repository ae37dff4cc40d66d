"""What advisory hands over."""

from alembic import op

from shared.handover.tables import DDL

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create its table."""
    for statement in DDL:
        op.execute(statement)
