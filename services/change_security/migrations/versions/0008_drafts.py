"""Drafts of what advisory hands over."""

from alembic import op

from shared.handover.tables import DRAFTS_DDL

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    """Create the table, and link the hand-overs to it."""
    for statement in DRAFTS_DDL:
        op.execute(statement)
