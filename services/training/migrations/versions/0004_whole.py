"""Seat quotas, places in the queues, kept plans, own staff, attendance, statements, contracts."""

from alembic import op

revision = "0004"
down_revision = "0003"

_TABLES = (
    # -- the joint office
    """
    CREATE TABLE seat_quota (
        quota_id uuid PRIMARY KEY,
        decision jsonb NOT NULL,
        recorded_by text NOT NULL,
        recorded_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE queue_place (
        application_id uuid PRIMARY KEY,
        course_id uuid NOT NULL,
        office text NOT NULL,
        position integer NOT NULL,
        estimated_start date
    )
    """,
    "CREATE INDEX queue_place_course ON queue_place (course_id)",
    """
    CREATE TABLE supply_plan (
        plan_id uuid PRIMARY KEY,
        planned jsonb NOT NULL,
        uptake double precision NOT NULL,
        digits integer NOT NULL,
        state text NOT NULL,
        group_ids jsonb NOT NULL,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE participant (
        participant_id uuid PRIMARY KEY,
        proposal_id uuid NOT NULL REFERENCES proposal,
        people integer NOT NULL,
        participant jsonb NOT NULL,
        added_by text NOT NULL,
        added_at timestamptz NOT NULL,
        removed_at timestamptz
    )
    """,
    "CREATE INDEX participant_proposal ON participant (proposal_id)",
    """
    CREATE TABLE attendance (
        entry_id uuid PRIMARY KEY,
        group_id uuid NOT NULL,
        holder_id uuid NOT NULL,
        days integer NOT NULL,
        recorded_by text NOT NULL,
        recorded_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX attendance_holder ON attendance (holder_id, recorded_at)",
    "CREATE INDEX attendance_group ON attendance (group_id)",
    """
    CREATE TABLE statement (
        statement_id uuid PRIMARY KEY,
        since date NOT NULL,
        until date NOT NULL,
        lines jsonb NOT NULL,
        state text NOT NULL,
        replaces uuid,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE contract (
        contract_id uuid PRIMARY KEY,
        terms jsonb NOT NULL,
        options_taken text[] NOT NULL,
        recorded_by text NOT NULL,
        recorded_at timestamptz NOT NULL,
        ended_at timestamptz
    )
    """,
    """
    CREATE TABLE call_off (
        call_off_id uuid PRIMARY KEY,
        contract_id uuid NOT NULL REFERENCES contract,
        group_id uuid,
        volume jsonb NOT NULL,
        ordered_by text NOT NULL,
        ordered_at timestamptz NOT NULL,
        cancelled_at timestamptz
    )
    """,
    "CREATE INDEX call_off_contract ON call_off (contract_id)",
    # -- a city's office
    "ALTER TABLE own_application ADD position integer, ADD estimated_start date, ADD place_as_of timestamptz",
)


def upgrade() -> None:
    """Create what is new."""
    for statement in _TABLES:
        op.execute(statement)
