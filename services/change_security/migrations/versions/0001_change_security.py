"""The first tables: messaging, the joint office's matters and ledger, the authorities' cases."""

from alembic import op

from shared.messaging.schema import DDL

revision = "0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE authority (
        code text NOT NULL,
        name_fi text NOT NULL,
        name_sv text NOT NULL,
        name_en text NOT NULL,
        email text,
        under_act boolean NOT NULL,
        PRIMARY KEY (code)
    )
    """,
    """
    CREATE TABLE authority_case (
        notice_id uuid NOT NULL,
        status text NOT NULL,
        version integer NOT NULL,
        revision integer NOT NULL,
        competent_authority text NOT NULL,
        acting_authority text NOT NULL,
        handling_mode text NOT NULL,
        reasons jsonb NOT NULL,
        missing jsonb NOT NULL,
        arrived_at timestamptz,
        registered_at timestamptz,
        acknowledge_by timestamptz,
        outcome text,
        stored_at timestamptz NOT NULL,
        trace_id text,
        specialist text,
        acknowledged_at timestamptz,
        overdue text,
        PRIMARY KEY (notice_id)
    )
    """,
    "CREATE INDEX authority_case_stored ON authority_case (stored_at, notice_id)",
    """
    CREATE TABLE case_check (
        notice_id uuid NOT NULL,
        item text NOT NULL,
        at timestamptz NOT NULL,
        by text NOT NULL,
        PRIMARY KEY (notice_id, item)
    )
    """,
    """
    CREATE TABLE case_note (
        id bigint GENERATED ALWAYS AS IDENTITY,
        notice_id uuid NOT NULL,
        text text NOT NULL,
        by text NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX case_note_of ON case_note (notice_id, id)",
    """
    CREATE TABLE case_revision (
        notice_id uuid NOT NULL,
        revision integer NOT NULL,
        filing jsonb NOT NULL,
        stored_at timestamptz NOT NULL,
        PRIMARY KEY (notice_id, revision)
    )
    """,
    """
    CREATE TABLE case_step (
        notice_id uuid NOT NULL,
        step text NOT NULL,
        state text NOT NULL,
        at timestamptz NOT NULL,
        by text NOT NULL,
        PRIMARY KEY (notice_id, step)
    )
    """,
    """
    CREATE TABLE external_delivery (
        delivery_id uuid NOT NULL,
        notice_id uuid NOT NULL,
        authority text NOT NULL,
        version integer NOT NULL,
        state text NOT NULL,
        attempts integer NOT NULL,
        next_attempt_at timestamptz NOT NULL,
        sent_at timestamptz,
        problem text,
        traceparent text,
        PRIMARY KEY (delivery_id)
    )
    """,
    "CREATE INDEX external_delivery_due ON external_delivery (next_attempt_at) WHERE state = 'queued'",
    """
    CREATE TABLE idempotency (
        subject text NOT NULL,
        key text NOT NULL,
        request_hash text NOT NULL,
        notice_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (subject, key)
    )
    """,
    """
    CREATE TABLE ledger_entry (
        notice_id uuid NOT NULL,
        authority text NOT NULL,
        office text,
        mode text NOT NULL,
        acting_authority text NOT NULL,
        state text NOT NULL,
        reasons jsonb NOT NULL,
        version_sent integer NOT NULL,
        revision_sent integer NOT NULL,
        sent_at timestamptz NOT NULL,
        store_by timestamptz NOT NULL,
        acknowledge_by timestamptz NOT NULL,
        version_stored integer NOT NULL,
        revision_stored integer NOT NULL,
        stored_at timestamptz,
        acknowledged_at timestamptz,
        decline_reason text,
        case_outcome text,
        case_closed_at timestamptz,
        escalated text,
        PRIMARY KEY (notice_id, authority)
    )
    """,
    """
    CREATE INDEX ledger_entry_waiting ON ledger_entry (store_by, acknowledge_by)
    WHERE state <> 'released' AND (version_stored < version_sent OR state IN ('sent', 'stored'))
    """,
    """
    CREATE TABLE municipality (
        code text NOT NULL,
        valid_from date NOT NULL,
        valid_to date,
        name_fi text NOT NULL,
        name_sv text NOT NULL,
        area text NOT NULL,
        authority text NOT NULL,
        PRIMARY KEY (code, valid_from)
    )
    """,
    """
    CREATE TABLE notice (
        notice_id uuid NOT NULL,
        status text NOT NULL,
        version integer NOT NULL,
        revision integer NOT NULL,
        channel text NOT NULL,
        filed_by text NOT NULL,
        arrived_at timestamptz NOT NULL,
        registered_at timestamptz NOT NULL,
        routing_version text NOT NULL,
        manual jsonb NOT NULL,
        outcome text,
        trace_id text,
        revised_at timestamptz,
        PRIMARY KEY (notice_id)
    )
    """,
    "CREATE INDEX notice_registered ON notice (registered_at, notice_id)",
    """
    CREATE TABLE notice_revision (
        notice_id uuid NOT NULL,
        revision integer NOT NULL,
        waiting boolean NOT NULL,
        filing jsonb NOT NULL,
        filed_by text NOT NULL,
        recorded_at timestamptz NOT NULL,
        trace_id text,
        PRIMARY KEY (notice_id, revision, waiting)
    )
    """,
    """
    CREATE TABLE unrouted (
        notice_id uuid NOT NULL,
        kind text NOT NULL,
        municipality text NOT NULL,
        why text NOT NULL,
        since timestamptz NOT NULL,
        resolved_at timestamptz,
        resolved_by text,
        resolution text,
        PRIMARY KEY (notice_id, kind, municipality)
    )
    """,
    "CREATE INDEX unrouted_open ON unrouted (since, notice_id) WHERE resolved_at IS NULL",
)


def upgrade() -> None:
    """Create everything. What another office's side would use stays empty."""
    for statement in (*DDL, *_TABLES):
        op.execute(statement)
