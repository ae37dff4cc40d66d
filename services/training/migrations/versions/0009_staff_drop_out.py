"""When own staff have dropped out of a training: they have used the seat that they left."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the instant. Nobody has dropped out before."""
    op.execute("ALTER TABLE participant ADD COLUMN dropped_out_at timestamptz")
