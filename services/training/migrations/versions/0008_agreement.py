"""The agreement as advisory publishes it. Quotas are its figures now: what was recorded here is decided there anew."""

from alembic import op

from shared.agreement import DDL

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table. `seat_quota` is the version before's alone."""
    op.execute(DDL)
