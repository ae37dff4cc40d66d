"""An assignment may ask for a training group instead of a vacancy."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Say for which group, and by which request."""
    op.execute("ALTER TABLE assignment ALTER COLUMN vacancy_id DROP NOT NULL")
    op.execute("ALTER TABLE assignment ADD COLUMN group_id uuid, ADD COLUMN request_id uuid")
