"""Contacts that are reopened, response times, letters by e-mail, mailing lists, drafts at the services."""

from alembic import op

revision = "0003"
down_revision = "0002"

_STATEMENTS = (
    """
    ALTER TABLE contact
        ADD COLUMN joined uuid[] NOT NULL DEFAULT '{}',
        ADD COLUMN reopened_version integer,
        ADD COLUMN reopened_at timestamptz,
        ADD COLUMN due_at timestamptz
    """,
    "CREATE INDEX contact_due ON contact (due_at, contact_id) WHERE state IN ('new', 'assigned')",
    "CREATE INDEX contact_received ON contact (received_at)",
    "ALTER TABLE caller_query ADD COLUMN service text",
    "ALTER TABLE hand_over ADD COLUMN draft_id uuid",
    """
    CREATE TABLE response_time (
        channel text NOT NULL,
        valid_from date NOT NULL,
        hours double precision NOT NULL,
        decided_on date NOT NULL,
        decided_by text NOT NULL,
        reason text NOT NULL,
        PRIMARY KEY (channel, valid_from)
    )
    """,
    """
    CREATE TABLE subscription (
        subscription_id uuid PRIMARY KEY,
        address text NOT NULL,
        audience text NOT NULL,
        language text NOT NULL,
        asked_at timestamptz NOT NULL,
        confirmed_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX subscription_address ON subscription (address, audience)",
    """
    CREATE TABLE announcement_mailed (
        announcement_id uuid PRIMARY KEY REFERENCES announcement,
        letters integer NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    # -- a city's office
    """
    ALTER TABLE own_contact
        ADD COLUMN due_at timestamptz,
        ADD COLUMN joined jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN reopened_version integer,
        ADD COLUMN reopened_at timestamptz
    """,
    # -- both
    """
    CREATE TABLE letter (
        letter_id uuid PRIMARY KEY,
        kind text NOT NULL,
        about uuid NOT NULL,
        address text,
        language text NOT NULL,
        subject text NOT NULL,
        body text NOT NULL,
        unsubscribe_url text,
        written_by text NOT NULL,
        written_at timestamptz NOT NULL,
        state text NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        sent_at timestamptz,
        problem text
    )
    """,
    "CREATE INDEX letter_due ON letter (next_attempt_at) WHERE state = 'queued'",
    "CREATE INDEX letter_about ON letter (about)",
    "CREATE INDEX letter_written ON letter (written_at, letter_id)",
)


def upgrade() -> None:
    """Change the tables. What another office's side would use stays empty."""
    for statement in _STATEMENTS:
        op.execute(statement)
