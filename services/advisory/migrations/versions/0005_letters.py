"""Letters that are sent again, or discarded."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add who retried or discarded a letter."""
    op.execute(
        """
        ALTER TABLE letter
            ADD COLUMN queued_at timestamptz,
            ADD COLUMN retried_by text,
            ADD COLUMN discarded_by text,
            ADD COLUMN discard_reason text
        """
    )
