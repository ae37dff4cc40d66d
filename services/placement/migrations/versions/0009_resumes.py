"""What a vacancy was before hirings filled it, so that a correction returns to that."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the state. The version before writes none: its filled vacancies open again, as they did."""
    op.execute("ALTER TABLE vacancy ADD COLUMN resumes text")
