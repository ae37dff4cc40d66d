"""No dead end: who was asked when, what coordinators decide, what is overdue, merged and linked notices."""

from alembic import op

revision = "0010"
down_revision = "0009"

_STATEMENTS = (
    (
        "ALTER TABLE notice"
        " ADD COLUMN excluded jsonb NOT NULL DEFAULT '[]',"
        " ADD COLUMN merged_into uuid,"
        " ADD COLUMN absorbed jsonb NOT NULL DEFAULT '[]',"
        " ADD COLUMN merge_added jsonb NOT NULL DEFAULT '[]',"
        " ADD COLUMN relates_to uuid"
    ),
    (
        "ALTER TABLE notice"
        " ALTER COLUMN excluded DROP DEFAULT,"
        " ALTER COLUMN merge_added DROP DEFAULT,"
        " ALTER COLUMN absorbed DROP DEFAULT"
    ),
    "CREATE INDEX notice_merged ON notice (merged_into) WHERE merged_into IS NOT NULL",
    "CREATE INDEX notice_relates ON notice (relates_to) WHERE relates_to IS NOT NULL",
    (
        "ALTER TABLE ledger_entry"
        " ADD COLUMN version_asked integer NOT NULL DEFAULT 1,"
        " ADD COLUMN revision_asked integer NOT NULL DEFAULT 1,"
        " ADD COLUMN asked_because text NOT NULL DEFAULT 'assigned',"
        " ADD COLUMN acknowledged_revision integer,"
        " ADD COLUMN declined_at timestamptz,"
        " ADD COLUMN is_taken boolean NOT NULL DEFAULT false"
    ),
    # Which revision was acknowledged was not kept: the newest that the authority's store had.
    "UPDATE ledger_entry SET acknowledged_revision = revision_stored WHERE acknowledged_at IS NOT NULL",
    "UPDATE ledger_entry SET declined_at = sent_at WHERE state = 'not_ours'",
    "UPDATE ledger_entry SET is_taken = true WHERE state = 'taken_by'",
    (
        "ALTER TABLE ledger_entry"
        " ALTER COLUMN version_asked DROP DEFAULT,"
        " ALTER COLUMN revision_asked DROP DEFAULT,"
        " ALTER COLUMN asked_because DROP DEFAULT,"
        " ALTER COLUMN is_taken DROP DEFAULT"
    ),
    "CREATE INDEX ledger_entry_declined ON ledger_entry (declined_at, notice_id, authority) WHERE state = 'not_ours'",
    "ALTER TABLE unrouted ADD COLUMN settled boolean NOT NULL DEFAULT false",
    "UPDATE unrouted SET settled = true WHERE resolution LIKE 'assigned to %'",
    "ALTER TABLE unrouted ALTER COLUMN settled DROP DEFAULT",
    """
    CREATE TABLE notice_act (
        id bigint GENERATED ALWAYS AS IDENTITY,
        notice_id uuid NOT NULL,
        act text NOT NULL,
        by text NOT NULL,
        at timestamptz NOT NULL,
        reason text,
        authority text,
        municipality text,
        other_id uuid,
        outcome text,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX notice_act_of ON notice_act (notice_id, id)",
    "CREATE INDEX notice_act_kept_apart ON notice_act (notice_id, other_id) WHERE act = 'kept_apart'",
    """
    CREATE TABLE overdue_receipt (
        overdue_id uuid NOT NULL,
        notice_id uuid NOT NULL,
        authority text NOT NULL,
        awaiting text NOT NULL,
        due_at timestamptz NOT NULL,
        since timestamptz NOT NULL,
        acknowledged_at timestamptz,
        acknowledged_by text,
        note text,
        PRIMARY KEY (overdue_id)
    )
    """,
    "CREATE INDEX overdue_receipt_since ON overdue_receipt (since, overdue_id)",
    (
        "ALTER TABLE authority_case"
        " ADD COLUMN asked_version integer NOT NULL DEFAULT 1,"
        " ADD COLUMN asked_because text NOT NULL DEFAULT 'assigned',"
        " ADD COLUMN asked_reason text,"
        " ADD COLUMN acknowledged_revision integer,"
        " ADD COLUMN decline_reason text,"
        " ADD COLUMN merged_into uuid"
    ),
    "UPDATE authority_case SET acknowledged_revision = revision WHERE acknowledged_at IS NOT NULL",
    "ALTER TABLE authority_case ALTER COLUMN asked_version DROP DEFAULT, ALTER COLUMN asked_because DROP DEFAULT",
)


def upgrade() -> None:
    """Create what the acts need. What another office's side would use stays empty."""
    for statement in _STATEMENTS:
        op.execute(statement)
