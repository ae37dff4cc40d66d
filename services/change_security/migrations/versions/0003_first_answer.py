"""The first answer to a request with a key replaces what this service kept itself; what stands where is its state."""

from alembic import op

from shared.http.transactions import DDL

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of first answers, drop the old one, and give the columns their common name."""
    for statement in (
        *DDL,
        "DROP TABLE idempotency",
        "ALTER TABLE notice RENAME COLUMN status TO state",
        "ALTER TABLE authority_case RENAME COLUMN status TO state",
    ):
        op.execute(statement)
