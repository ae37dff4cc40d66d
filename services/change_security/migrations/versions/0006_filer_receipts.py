"""The filer hears; letters to authorities outside the region are protected, confirmed, and seen when they come back."""

from alembic import op

revision = "0006"
down_revision = "0005"

_STATEMENTS = (
    "ALTER TABLE notice ADD COLUMN completion_asked_at timestamptz",
    "ALTER TABLE authority ADD COLUMN certificate text",
    """ALTER TABLE authority ADD COLUMN languages jsonb NOT NULL DEFAULT '["fi", "sv"]'""",
    "ALTER TABLE authority ALTER COLUMN languages DROP DEFAULT",
    """
    ALTER TABLE external_delivery
        ADD COLUMN kind text NOT NULL DEFAULT 'authority',
        ADD COLUMN token text NOT NULL
            DEFAULT replace(CAST(gen_random_uuid() AS text) || CAST(gen_random_uuid() AS text), '-', ''),
        ADD COLUMN queued_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN waiting_for text,
        ADD COLUMN protection text,
        ADD COLUMN code_digest text,
        ADD COLUMN code_attempts integer NOT NULL DEFAULT 0,
        ADD COLUMN code_expires_at timestamptz,
        ADD COLUMN bounce_status text,
        ADD COLUMN bounced_at timestamptz,
        ADD COLUMN confirmed_at timestamptz,
        ADD COLUMN confirmed_by text,
        ALTER COLUMN authority DROP NOT NULL
    """,
    """
    ALTER TABLE external_delivery
        ALTER COLUMN kind DROP DEFAULT,
        ALTER COLUMN token DROP DEFAULT,
        ALTER COLUMN queued_at DROP DEFAULT,
        ALTER COLUMN code_attempts DROP DEFAULT
    """,
    "UPDATE external_delivery SET state = 'waiting', waiting_for = 'no_address' WHERE state = 'no_address'",
    "CREATE INDEX external_delivery_listed ON external_delivery (state, queued_at, delivery_id)",
    "CREATE INDEX external_delivery_notice ON external_delivery (notice_id, version, delivery_id)",
    "CREATE UNIQUE INDEX external_delivery_token ON external_delivery (token)",
    """
    CREATE TABLE webhook (
        owner text NOT NULL,
        webhook_id text NOT NULL,
        url text NOT NULL,
        events jsonb NOT NULL,
        secret text NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (owner, webhook_id)
    )
    """,
    """
    CREATE TABLE webhook_message (
        owner text NOT NULL,
        webhook_id text NOT NULL,
        message_id uuid NOT NULL,
        notice_id uuid NOT NULL,
        event_type text NOT NULL,
        payload text NOT NULL,
        state text NOT NULL,
        attempts jsonb NOT NULL,
        next_attempt_at timestamptz NOT NULL,
        queued_at timestamptz NOT NULL,
        PRIMARY KEY (owner, webhook_id, message_id)
    )
    """,
    "CREATE INDEX webhook_message_due ON webhook_message (next_attempt_at) WHERE state = 'pending'",
    "CREATE INDEX webhook_message_listed ON webhook_message (owner, webhook_id, queued_at, message_id)",
)


def upgrade() -> None:
    """Add what letters and webhooks need. What waited for an address goes on waiting for it."""
    for statement in _STATEMENTS:
        op.execute(statement)
