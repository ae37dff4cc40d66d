"""Queries for callers that a city keeps."""

from alembic import op

revision = "0004"
down_revision = "0003"

_STATEMENTS = (
    """
    ALTER TABLE caller_query
        ADD COLUMN request_id uuid,
        ADD COLUMN asked_of text,
        ADD COLUMN readable_until timestamptz,
        ADD COLUMN refusal text
    """,
    "CREATE UNIQUE INDEX caller_query_request ON caller_query (request_id)",
    # -- a city's office
    """
    CREATE TABLE own_caller_query (
        request_id uuid PRIMARY KEY,
        contact_id uuid NOT NULL,
        asked_by text NOT NULL,
        authority text NOT NULL,
        service text,
        purpose text NOT NULL,
        asked_at timestamptz NOT NULL,
        state text NOT NULL,
        reason text,
        readable_until timestamptz,
        refused_by text,
        readings integer NOT NULL DEFAULT 0,
        last_read_at timestamptz
    )
    """,
    "CREATE INDEX own_caller_query_asked ON own_caller_query (asked_at, request_id)",
)


def upgrade() -> None:
    """Change the tables. What another office's side would use stays empty."""
    for statement in _STATEMENTS:
        op.execute(statement)
