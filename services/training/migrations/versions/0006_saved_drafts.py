"""Drafts that are saved half-filled."""

from alembic import op

from shared.handover.tables import SAVED_DDL

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add who saved a draft, and when."""
    for statement in SAVED_DDL:
        op.execute(statement)
