"""The agreement as data: its versions, decisions with what they put in force, the groups that take them.

The management group's earlier decisions on person-years and response times become decisions like all others; the tables
in which they stood are the version before's alone.
"""

from alembic import op

from shared.agreement import DDL

revision = "0006"
down_revision = "0005"

_TABLES = (
    DDL,
    """
    CREATE TABLE agreement_text (
        version integer PRIMARY KEY,
        agreement jsonb NOT NULL,
        written_by text NOT NULL,
        written_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE operating_model (
        version integer PRIMARY KEY,
        texts jsonb NOT NULL,
        written_by text NOT NULL,
        written_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE decision (
        decision_id uuid PRIMARY KEY,
        group_name text NOT NULL,
        state text NOT NULL,
        proposal jsonb NOT NULL,
        proposed_by text NOT NULL,
        proposed_at timestamptz NOT NULL,
        edition integer,
        results jsonb,
        decided_by text,
        decided_on date,
        reason text
    )
    """,
    "CREATE INDEX decision_proposed ON decision (proposed_at, decision_id)",
    "CREATE UNIQUE INDEX decision_edition ON decision (edition)",
    """
    CREATE TABLE group_member (
        member_id uuid PRIMARY KEY,
        group_name text NOT NULL,
        subject text NOT NULL,
        authority text NOT NULL,
        since date NOT NULL,
        until date,
        listed_by text NOT NULL,
        listed_at timestamptz NOT NULL,
        ended_by text
    )
    """,
    "CREATE INDEX group_member_subject ON group_member (subject, group_name)",
    """
    CREATE TABLE meeting (
        meeting_id uuid PRIMARY KEY,
        group_name text NOT NULL,
        held_on date NOT NULL,
        state text NOT NULL,
        agenda jsonb NOT NULL,
        called_by text NOT NULL,
        called_at timestamptz NOT NULL,
        reason text,
        minutes text,
        minutes_by text,
        approved_by text,
        approved_at timestamptz
    )
    """,
    "CREATE INDEX meeting_held ON meeting (held_on, meeting_id)",
    """
    CREATE TABLE kept_review (
        request_id uuid PRIMARY KEY REFERENCES asked,
        review jsonb NOT NULL,
        state text NOT NULL,
        next_due date NOT NULL,
        kept_by text NOT NULL,
        kept_at timestamptz NOT NULL,
        decided_by text,
        decided_on date,
        reason text
    )
    """,
    "CREATE INDEX kept_review_kept ON kept_review (kept_at, request_id)",
)

_EARLIER = """
    WITH earlier AS (
        SELECT 'person_years' AS name, task AS scope, valid_from, decided_on, decided_by, reason,
            'person-years' AS unit, NULL::double precision AS value,
            jsonb_object_agg(authority, person_years) AS by_authority
        FROM agreed GROUP BY task, valid_from, decided_on, decided_by, reason
        UNION ALL
        SELECT 'response_hours', channel, valid_from, decided_on, decided_by, reason, 'office hours', hours, NULL
        FROM response_time
    ), numbered AS (
        SELECT *, gen_random_uuid() AS id, 'before ' || row_number() OVER in_order AS reference,
            1 + row_number() OVER in_order AS edition
        FROM earlier WINDOW in_order AS (ORDER BY decided_on, valid_from, name, scope)
    )
    INSERT INTO decision (decision_id, group_name, state, proposal, proposed_by, proposed_at, edition, results,
        decided_by, decided_on, reason)
    SELECT id, 'management_group', 'taken',
        jsonb_build_object('group', 'management_group', 'title', left(reason, 200), 'reference', reference,
            'valid_from', valid_from, 'figures', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
                'name', name, 'scope', scope, 'value', value, 'by_authority', by_authority)))),
        decided_by, decided_on, edition,
        jsonb_build_object('figures', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
            'name', name, 'scope', scope, 'value', value, 'by_authority', by_authority, 'unit', unit,
            'valid_from', valid_from, 'source', left(reason, 300), 'certainty', 'verified',
            'decision', jsonb_build_object('decision_id', id, 'group', 'management_group', 'reference', reference,
                'decided_on', decided_on))))),
        decided_by, decided_on, reason
    FROM numbered
    """


def upgrade() -> None:
    """Create the tables, and carry the earlier decisions over."""
    for statement in (*_TABLES, _EARLIER):
        op.execute(statement)
