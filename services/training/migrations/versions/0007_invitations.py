"""What came of an invitation."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the answer, at the joint office and in the city."""
    op.execute("ALTER TABLE invitation ADD COLUMN answer text, ADD COLUMN answered_at timestamptz")
    op.execute(
        "ALTER TABLE own_invitation"
        " ADD COLUMN answer text, ADD COLUMN answered_at timestamptz, ADD COLUMN answered_by text"
    )
